"""Base of the tabs that classify whole sounds in cancellable runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esc.batch.result_formats import FORMATS
from esc.batch.results import SoundResult
from esc.classification.sliding_window import Segment
from esc.errors import PageError
from esc.ui.inference.timeline_runs import Turns
from esc.ui.tabs.base import Queue, Services, Tab

HOPS = (1.0, 0.5, 0.25)  # in clips
ENDINGS = {"json": "json", "csv": "csv", "audacity": "txt", "raven": "selections.txt"}
MAX_TURN = 2**53  # the browser's largest whole number


class RunTab(Tab):
    """A tab whose event starts a run, which a newer one, or `stop`, ends."""

    queue = Queue("timelines", limit=2, newest_only=False)  # of its own: an hour must not delay another page's prediction

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.runs = services.runs
        self._turns = Turns()

    def props(self) -> dict[str, Any]:
        return {"hops": HOPS, "forms": FORMATS}

    def begin(self, request: dict) -> Callable[[], bool]:
        """Begin a run, which ends those before; see `Turns.begin`."""
        return self._turns.begin(self.session(request), _turn(request))

    def stop(self, request: dict) -> dict:
        """Cancel all of a session's runs before `turn`."""
        self._turns.end_before(self.session(request), _turn(request))
        return {}

    def hop_seconds(self, request: dict) -> float:
        """Return the hop in seconds that a request gives in clips."""
        hop = request.get("hop")
        if isinstance(hop, bool) or hop not in HOPS:
            raise PageError("page.request", reason="hop")
        return hop * self.runs.meta.input.clip_seconds


def _turn(request: dict) -> int:
    turn = request.get("turn")
    if isinstance(turn, bool) or not isinstance(turn, int) or not 0 <= turn <= MAX_TURN:
        raise PageError("page.request", reason="turn")
    return turn


def form_of(request: dict) -> str:
    """Return the file format that a request names."""
    form = request.get("form")
    if not isinstance(form, str) or form not in FORMATS:
        raise PageError("page.request", reason="form")
    return form


def rows(timeline: tuple[Segment, ...]) -> list[list]:
    """Return [label, start, end, probability] of each segment."""
    return [[segment.label, segment.start_s, segment.end_s, segment.probability] for segment in timeline]


def intervals(result: Any) -> dict[str, list[list]]:
    """Return the intervals of a result, or of the progress towards one, as JSON."""
    return {
        "segments": rows(result.timeline),
        "silences": [list(interval) for interval in result.silences],
        "uncertain": rows(result.uncertain),
    }


def overall(result: SoundResult) -> list | None:
    """Return [label, probability] for a whole sound, or None where no class is certain."""
    return list(result.overall) if result.overall else None
