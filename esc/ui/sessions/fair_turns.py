"""Turns of the sessions at what all share, whatever each asks for."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from esc.errors import PageError

Item = TypeVar("Item")
LEAST_S = 0.1  # that a turn counts: owners of short ones come in the order in which they ask
MAX_WAITING = 64  # requests of one owner


@dataclass
class Cost:
    """Cost of a turn, charged to its owner."""

    seconds: float | None = None  # None: those that it was held


Turn = AbstractContextManager[Cost]


class FairTurns:
    """A few turns at a time, given to the owner who has used the least.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996): an owner who returns after a pause counts as having used what the
    present one has, so that nobody saves up time or pays for time that nobody else wanted.

    Parameters
    ----------
    at_a_time : int
        Turns held at once, by all.
    of_one : int, optional
        Turns held at once by one owner; all of them by default.
    """

    def __init__(self, at_a_time: int = 1, of_one: int | None = None) -> None:
        self._at_a_time, self._of_one = at_a_time, of_one or at_a_time
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: set[tuple[float, int, Hashable]] = set()
        self._held: Counter[Hashable] = Counter()
        self._now = 0.0  # start tag of the newest turn
        self._used: dict[Hashable, float] = {}  # each owner's next start tag

    @contextmanager
    def turn(self, owner: Hashable, timeout_s: float | None = None) -> Iterator[Cost]:
        """Wait for a turn and hold it; its cost can be set meanwhile.

        Raises
        ------
        PageError
            "page.busy" after `timeout_s`, or at once if `MAX_WAITING` requests of the owner are waiting.
        """
        with self._changed:
            if sum(one == owner for *_, one in self._waiting) >= MAX_WAITING:
                raise PageError("page.busy")
            start = max(self._now, self._used.get(owner, 0.0))
            self._used[owner] = start + LEAST_S
            ticket = start, next(self._numbers), owner
            self._waiting.add(ticket)
            try:
                free = self._changed.wait_for(lambda: self._next() == ticket, timeout_s)
            finally:
                self._waiting.remove(ticket)
            if not free:
                self._charge(owner, -LEAST_S)
                raise PageError("page.busy")
            self._held[owner] += 1
            self._now = max(self._now, start)
            self._changed.notify_all()  # another may be free
        began, cost = time.monotonic(), Cost()
        try:
            yield cost
        finally:
            seconds = time.monotonic() - began if cost.seconds is None else cost.seconds
            with self._changed:
                self._held -= Counter([owner])  # drops owners without a turn
                self._charge(owner, max(seconds - LEAST_S, 0.0))

    def share(self, items: Iterator[Item], size: int, owner: Hashable) -> Iterator[Item]:
        """Yield items that are computed in turns of `size`."""
        while True:
            with self.turn(owner):
                computed = list(islice(items, size))
            if not computed:
                return
            yield from computed

    def _next(self) -> tuple[float, int, Hashable] | None:
        """Return the ticket that may have a turn now, if any."""
        if self._held.total() >= self._at_a_time:
            return None
        return min((one for one in self._waiting if self._held[one[2]] < self._of_one), default=None)

    def _charge(self, owner: Hashable, seconds: float) -> None:
        """Correct what an owner has used; forget owners who are not ahead."""
        self._used[owner] = self._used.get(owner, self._now) + seconds
        self._used = {one: used for one, used in self._used.items() if used > self._now}
        self._changed.notify_all()
