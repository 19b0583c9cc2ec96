"""Bounded cache of computed answers, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from cachetools import LRUCache

Answer = TypeVar("Answer")


class AnswerCache(Generic[Answer]):
    """The most recently used answers; equal requests at the same time compute one.

    Parameters
    ----------
    limit : int
        Total size of the answers kept.
    size_of : callable, optional
        Size of an answer; 1 by default, so that `limit` is a number of answers.
    """

    def __init__(self, limit: int, size_of: Callable[[Answer], int] | None = None) -> None:
        self._answers: LRUCache[Hashable, Answer] = LRUCache(limit, size_of)
        self._running: dict[Hashable, Future[Answer]] = {}
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Answer | None:
        """Return the answer kept for a key, or None."""
        with self._lock:
            return self._answers.get(key)

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer, unless it alone exceeds the limit."""
        with self._lock, suppress(ValueError):
            self._answers[key] = answer

    def get(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        """Return the answer for a key, computed if necessary; errors are raised, not kept."""
        with self._lock:
            if key in self._answers:
                return self._answers[key]
            running = self._running.get(key)
            if running is None:
                own = self._running[key] = Future()
        if running is not None:
            return running.result()
        try:
            answer = compute()
            self.keep(key, answer)
            own.set_result(answer)
            return answer
        except BaseException as error:
            own.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[key]


def packed_bytes(answer: dict) -> int:
    """Return the approximate memory of a JSON object with base64 texts and lists of floats."""
    texts = sum(len(value) for value in answer.values() if isinstance(value, str))
    return texts + sum(32 * len(value) for value in answer.values() if isinstance(value, list))
