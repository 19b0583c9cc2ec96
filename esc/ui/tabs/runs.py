"""Base of the tabs that classify whole sounds in cancellable runs."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from esc.batch.result_formats import FORMATS, as_text
from esc.batch.results import FileResult, SoundResult
from esc.classification.timeline.event_summary import UncertainInterval
from esc.classification.timeline.segments import Segment
from esc.config import SpectrogramConfig
from esc.ui.inference.timeline_runs import TOP_K, TimelineRuns, Turns
from esc.ui.server.requests import PageRequest, RunNumber, one_of
from esc.ui.tabs.base import Queue, Services, Tab

HOPS = (1.0, 0.5, 0.25)  # in clips
FORMS = (*FORMATS, "excel")  # CSV that begins with a byte order mark, by which Excel knows UTF-8
ENDINGS = {"json": "json", "csv": "csv", "excel": "csv", "audacity": "txt", "raven": "selections.txt"}
Hop = Annotated[float, one_of(HOPS)]
Form = Annotated[str, one_of(FORMS)]


class StopRequest(PageRequest):
    """A request to cancel the runs before a turn."""

    turn: RunNumber


class RunRequest(StopRequest):
    """A request for a run; `hop` is in clips."""

    hop: Hop


class RunTab(Tab):
    """A tab whose event starts a run, which a newer one, or `stop`, ends."""

    queue = Queue("timelines", limit=16)  # of its own: an hour must not delay another page's prediction

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.runs = services.runs
        self._turns = Turns()

    def props(self) -> dict[str, Any]:
        return {"hops": HOPS, "forms": FORMS}

    def begin(self, request: RunRequest) -> Callable[[], bool]:
        """Begin a run, which ends those before; see `Turns.begin`."""
        return self._turns.begin(self.session(request), request.turn)

    def stop(self, request: StopRequest) -> dict:
        """Cancel all of a session's runs before `turn`."""
        self._turns.end_before(self.session(request), request.turn)
        return {}

    def runs_of(self, request: PageRequest) -> list[TimelineRuns]:
        """Return the runs of each of the session's checkpoints, see `Tab.checkpoints_of`."""
        return [self.runs.of(one) for one in self.checkpoints_of(request)]


def hop_seconds(runs: TimelineRuns, hop: float) -> float:
    """Return a hop in seconds."""
    return hop * runs.meta.input.clip_seconds


def rows(timeline: tuple[Segment, ...]) -> list[list]:
    """Return [label, start, end, probability, uncertainty in seconds] of each segment."""
    return [[one.label, one.start_s, one.end_s, one.probability, one.uncertainty_s] for one in timeline]


def uncertain_rows(intervals: tuple[UncertainInterval, ...]) -> list[list]:
    """Return [likeliest label, start, end, probability, verdict] of each interval."""
    return [[one.label, one.start_s, one.end_s, one.probability, one.verdict] for one in intervals]


def intervals(result: Any) -> dict[str, list[list]]:
    """Return the intervals of a result, or of the progress towards one, as JSON."""
    return {
        "segments": rows(result.timeline),
        "silences": [list(interval) for interval in result.silences],
        "uncertain": uncertain_rows(result.uncertain),
    }


def page_text(results: Sequence[FileResult], form: str, config: SpectrogramConfig) -> str:
    """Return timelines in one of the `FORMS`."""
    plain, start = ("csv", "\ufeff") if form == "excel" else (form, "")
    return start + as_text(results, plain, TOP_K, True, config)


def saved(name: str, answers: Sequence[dict[str, str]]) -> dict:
    """Return files of each network as a reply: one text, or a ZIP called `name`.

    Those of two networks are in a folder each: probabilities of two lists of classes are not on one scale.
    """
    if len(answers) == 1 and len(answers[0]) == 1:
        ((only, text),) = answers[0].items()
        return {"name": only, "text": text}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for files, folder in zip(answers, ("own/", "page/") if len(answers) > 1 else ("",), strict=True):
            for inside, text in files.items():
                archive.writestr(folder + inside, text)
    return {"name": name, "base64": base64.b64encode(buffer.getvalue()).decode("ascii")}


def overall(result: SoundResult) -> list | None:
    """Return [label, probability, likeliest class or None] for a whole sound.

    None where nothing is certain. The likeliest class is given where the verdict on the clip is none.
    """
    if result.overall is None:
        return None
    return [*result.overall, result.guess if result.overall[0] == result.verdict else None]
