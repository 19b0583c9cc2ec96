"""Turns of the sessions at the network, shared fairly however much each asks for."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from esc.errors import PageError

Item = TypeVar("Item")
EXPECTED_S = 0.1  # of a turn, until it has been measured


class FairTurns:
    """One turn at a time, given to the owner who has used the least.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996): an owner who returns after a pause counts as having used what the
    present one has, so that nobody saves up time or pays for time that nobody else wanted.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int]] = []
        self._busy = False
        self._now = 0.0  # start tag of the present turn
        self._used: dict[Hashable, float] = {}  # each owner's next start tag

    @contextmanager
    def turn(self, owner: Hashable, timeout_s: float | None = None) -> Iterator[None]:
        """Wait for a turn and hold it; raise PageError("page.busy") after `timeout_s`."""
        with self._changed:
            start = max(self._now, self._used.get(owner, 0.0))
            self._used[owner] = start + EXPECTED_S
            ticket = start, next(self._numbers)
            heapq.heappush(self._waiting, ticket)
            free = self._changed.wait_for(lambda: not self._busy and self._waiting[0] == ticket, timeout_s)
            self._waiting.remove(ticket)
            heapq.heapify(self._waiting)
            if not free:
                self._changed.notify_all()
                raise PageError("page.busy")
            self._busy, self._now = True, start
        began = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._used[owner] = self._used.get(owner, self._now) + time.monotonic() - began - EXPECTED_S
                self._used = {one: used for one, used in self._used.items() if used > self._now}
                self._changed.notify_all()

    def share(self, items: Iterator[Item], size: int, owner: Hashable) -> Iterator[Item]:
        """Yield items that are computed in turns of `size`."""
        while True:
            with self.turn(owner):
                computed = list(islice(items, size))
            if not computed:
                return
            yield from computed
