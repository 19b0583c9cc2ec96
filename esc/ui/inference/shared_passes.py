"""Forward passes that several waiting requests share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class SharedPasses(Generic[Item, Result]):
    """Results computed for the holder of a turn and for others who wait for theirs.

    Parameters
    ----------
    compute : callable
        Returns the results of some items, in order.
    batch_size : int
        Items computed at a time.
    """

    def __init__(self, compute: Callable[[Sequence[Item]], Sequence[Result]], batch_size: int) -> None:
        self._compute, self._batch_size = compute, batch_size
        self._waiting: list[tuple[Item, Future[Result]]] = []
        self._lock = threading.Lock()

    def result(self, item: Item, turn: AbstractContextManager[None]) -> Result:
        """Return an item's result, computed in this turn or in one that was held meanwhile.

        Raises
        ------
        Exception
            What `turn` or `compute` raises.
        """
        own = item, Future[Result]()
        with self._lock:
            self._waiting.append(own)
        try:
            with turn:
                if taken := self._take(own):
                    self._settle(taken)
                return own[1].result()
        except Exception:
            if own[1].done():  # computed in another's turn, while the time for this one ran out
                return own[1].result()
            raise
        finally:
            with self._lock:  # still there without a turn
                self._waiting = [one for one in self._waiting if one is not own]

    def _take(self, own: tuple[Item, Future[Result]]) -> list[tuple[Item, Future[Result]]]:
        """Return an item and the oldest others, no longer waiting; nothing if it was taken."""
        with self._lock:
            others = [one for one in self._waiting if one is not own]
            if len(others) == len(self._waiting):
                return []
            self._waiting = others[self._batch_size - 1 :]
            return [own, *others[: self._batch_size - 1]]

    def _settle(self, taken: list[tuple[Item, Future[Result]]]) -> None:
        try:
            for (_, future), result in zip(taken, self._compute([item for item, _ in taken]), strict=True):
                future.set_result(result)
        except BaseException as error:
            for _, future in taken:
                if not future.done():
                    future.set_exception(error)
