"""The timeline of the open sound: streamed, cancellable, saved as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from esc.batch.results import SoundResult
from esc.classification.event_summary import totals
from esc.errors import PageError
from esc.ui.inference.timeline_runs import TimelineProgress
from esc.ui.server.parameters import parameters_for_page
from esc.ui.server.requests import SoundRequest
from esc.ui.tabs.runs import ENDINGS, Form, Hop, RunRequest, RunTab, intervals, overall, page_text
from esc.ui.tabs.viewer import FUNCTIONS


class TimelineRequest(RunRequest, SoundRequest):
    """A request for the timeline of a sound."""


class TimelineFileRequest(SoundRequest):
    """A request for a finished timeline as a file."""

    hop: Hop
    form: Form


class TimelineTab(RunTab):
    """The timeline; "run_timeline" brings {"token", "sound", "hop", "turn"}."""

    module = "tabs/timeline.js"
    elem_id = "timeline"
    template = '<div class="sg-timeline"></div>'
    event = "run_timeline"
    functions = ("stop", "timeline_file")

    def props(self) -> dict[str, Any]:
        return super().props() | {"parameters": parameters_for_page()}

    def server_functions(self) -> list[Callable[[Any], dict]]:
        return [*self.services.handlers.functions("mel_view", *FUNCTIONS), *super().server_functions()]

    def run_timeline(self, request: TimelineRequest) -> Iterator[dict]:
        """Yield the growing timeline a few times a second, and at last all of it."""
        wanted = self.begin(request)
        sound = self.sound(request)
        runs = self.runs_of(request)
        clip_seconds = runs.meta.input.clip_seconds
        goes_on = partial(self._goes_on, request, wanted)
        for news in runs.run(sound, self.hop_seconds(runs, request.hop), goes_on, request.token):
            yield {"clip_seconds": clip_seconds} | _drawable(news, wanted())

    def timeline_file(self, request: TimelineFileRequest) -> dict:
        """Return the finished timeline of a `sound` at a `hop` in one of the `FORMS`."""
        sound, runs = self.sound(request), self.runs_of(request)
        result = runs.result(sound, self.hop_seconds(runs, request.hop))
        if result is None:
            raise PageError("page.gone")
        return {
            "name": f"{Path(sound.name).stem}-timeline.{ENDINGS[request.form]}",
            "text": page_text([result], request.form, runs.meta.spectrogram),
        }

    def _goes_on(self, request: TimelineRequest, wanted: Callable[[], bool]) -> bool:
        self.sound(request)  # raises where the page is closed or the sound dropped
        return wanted()


def _drawable(news: TimelineProgress | SoundResult, wanted: bool) -> dict:
    """Return a result, or the progress towards one, as JSON."""
    if isinstance(news, SoundResult):
        about = {"stage": "done", "done_s": news.seconds, "overall": overall(news)}
    else:
        about = {"stage": "working" if wanted else "stopped", "done_s": news.done_s, "overall": None}
    found = [[total.label, total.seconds, total.count, total.probability] for total in totals(news.timeline or ())]
    return about | intervals(news) | {"totals": found}
