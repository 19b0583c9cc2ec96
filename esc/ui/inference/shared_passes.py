"""Forward passes that several waiting requests share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from esc.ui.sessions.fair_turns import Turn

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Request(Generic[Item, Result]):
    item: Item
    done: Future[Result] = field(default_factory=Future)
    seconds: float = 0.0  # its share of a pass


class SharedPasses(Generic[Item, Result]):
    """Results computed for the holder of a turn and for others who wait for theirs.

    Each is charged its share of the time.

    Parameters
    ----------
    compute : callable
        Returns the results of some items, in order.
    batch_size : int
        Items computed at a time.
    """

    def __init__(self, compute: Callable[[Sequence[Item]], Sequence[Result]], batch_size: int) -> None:
        self._compute, self._batch_size = compute, batch_size
        self._waiting: list[_Request[Item, Result]] = []
        self._lock = threading.Lock()

    def result(self, item: Item, turn: Turn) -> Result:
        """Return an item's result, computed in this turn or in one that was held meanwhile.

        Raises
        ------
        Exception
            What `turn` or `compute` raises.
        """
        own = _Request[Item, Result](item)
        with self._lock:
            self._waiting.append(own)
        try:
            with turn as cost:
                if taken := self._take(own):
                    self._settle(taken)
                try:
                    return own.done.result()
                finally:
                    cost.seconds = own.seconds
        except Exception:
            if own.done.done():  # computed in another's turn, while the time for this one ran out
                return own.done.result()
            raise
        finally:
            with self._lock:  # still there without a turn
                self._waiting = [one for one in self._waiting if one is not own]

    def _take(self, own: _Request[Item, Result]) -> list[_Request[Item, Result]]:
        """Return an item and the oldest others, no longer waiting; nothing if it was taken."""
        with self._lock:
            others = [one for one in self._waiting if one is not own]
            if len(others) == len(self._waiting):
                return []
            self._waiting = others[self._batch_size - 1 :]
            return [own, *others[: self._batch_size - 1]]

    def _settle(self, taken: list[_Request[Item, Result]]) -> None:
        began = time.monotonic()
        try:
            results = self._compute([one.item for one in taken])
            share = (time.monotonic() - began) / len(taken)
            for one, result in zip(taken, results, strict=True):
                one.seconds = share
                one.done.set_result(result)
        except BaseException as error:
            for one in taken:
                if not one.done.done():
                    one.done.set_exception(error)
