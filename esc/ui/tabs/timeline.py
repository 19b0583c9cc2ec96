"""The timeline of the open sound: streamed, cancellable, saved as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from esc.batch.results import SoundResult
from esc.classification.timeline.event_summary import totals
from esc.errors import PageError
from esc.ui.inference.timeline_runs import TimelineProgress
from esc.ui.server.parameters import parameters_for_page
from esc.ui.server.requests import SoundRequest
from esc.ui.tabs.runs import ENDINGS, Form, Hop, RunRequest, RunTab, hop_seconds, intervals, overall, page_text, saved
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
        """Yield the growing timeline a few times a second, and at last all of it.

        Of two checkpoints the second's follows the first's and is its `second`.
        """
        wanted = self.begin(request)
        sound = self.sound(request)
        all_runs = self.runs_of(request)
        goes_on = partial(self._goes_on, request, wanted)
        parts = [{"clip_seconds": one.meta.input.clip_seconds} | _drawable(TimelineProgress(0.0), True) for one in all_runs]
        for number, runs in enumerate(all_runs):
            for news in runs.run(sound, hop_seconds(runs, request.hop), goes_on, request.token):
                parts[number] |= _drawable(news, wanted())
                yield _together(parts)
            if parts[number]["stage"] == "stopped":
                return

    def timeline_file(self, request: TimelineFileRequest) -> dict:
        """Return the finished timeline of a `sound` at a `hop` in one of the `FORMS`."""
        sound, stem = self.sound(request), f"{Path(self.sound(request).name).stem}-timeline"
        answers = []
        for runs in self.runs_of(request):
            result = runs.result(sound, hop_seconds(runs, request.hop))
            if result is None:
                raise PageError("page.gone")
            text = page_text([result], request.form, runs.meta.spectrogram)
            answers.append({f"{stem}.{ENDINGS[request.form]}": text})
        return saved(f"{stem}.zip", answers)

    def _goes_on(self, request: TimelineRequest, wanted: Callable[[], bool]) -> bool:
        self.sound(request)  # raises where the page is closed or the sound dropped
        return wanted()


def _together(parts: list[dict]) -> dict:
    """Return one timeline, or two as one that is done with the last of them."""
    first, *more = parts
    if not more:
        return first
    (second,) = more
    stages = {first["stage"], second["stage"]}
    stage = "stopped" if "stopped" in stages else "working" if "working" in stages else "done"
    return first | {"second": second, "stage": stage, "done_s": (first["done_s"] + second["done_s"]) / 2}


def _drawable(news: TimelineProgress | SoundResult, wanted: bool) -> dict:
    """Return a result, or the progress towards one, as JSON."""
    if isinstance(news, SoundResult):
        about = {"stage": "done", "done_s": news.seconds, "overall": overall(news)}
    else:
        about = {"stage": "working" if wanted else "stopped", "done_s": news.done_s, "overall": None}
    found = [[total.label, total.seconds, total.count, total.probability] for total in totals(news.timeline or ())]
    return about | intervals(news) | {"totals": found}
