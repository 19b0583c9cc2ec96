"""What happens when, on the page: the open sound is heard piece by piece, can be given up, and comes out as files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gradio as gr

from esc.batch.result_formats import FORMATS, as_text
from esc.batch.results import SoundResult
from esc.classification.checkpoint import Checkpoint
from esc.classification.event_summary import totals
from esc.classification.sliding_window import Segment
from esc.errors import PageError
from esc.ui.inference.timeline_runs import TOP_K, Heard, Hearings, Turns
from esc.ui.server.error_replies import error_reply
from esc.ui.server.handlers import Handlers, parameters_for_page
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.player import mount_script
from esc.ui.tabs.viewer import FUNCTIONS

HOPS = (1.0, 0.5, 0.25)  # what the page offers, in clips
ENDINGS = {"json": "json", "csv": "csv", "audacity": "txt", "raven": "selections.txt"}
MAX_TURN = 2**53  # the browser's largest whole number


class Timelines:
    """The timelines of one app's pages.

    Parameters
    ----------
    store : SoundStore
    hearings : Hearings
    """

    def __init__(self, store: SoundStore, hearings: Hearings) -> None:
        self._store, self._hearings = store, hearings
        self._turns = Turns()

    def add_to(self, handlers: Handlers, loader: dict) -> gr.HTML:
        """Return the component; "run_timeline" brings {"token", "sound", "hop", "turn"} and is answered in its value."""
        component = gr.HTML(
            html_template='<div class="sg-when"></div>',
            js_on_load=mount_script("tabs/timeline.js", events=("run_timeline",)),
            server_functions=[
                *handlers.functions("mel_view", *FUNCTIONS),
                *handlers.wrap(self.stop, self.timeline_file),
            ],
            apply_default_css=False,
            elem_id="timeline",
            parameters=parameters_for_page(),
            hops=HOPS,
            forms=FORMATS,
            **loader,
        )
        component.run_timeline(
            self.run_timeline,
            None,
            component,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",  # a newer question ends the older one by its turn, see `Turns`
            concurrency_limit=2,  # a place of its own: an hour of one page must not keep others from their first answer
            concurrency_id="timelines",
        )
        return component

    def run_timeline(self, event: gr.EventData) -> Iterator[dict]:
        """Yield what the page draws, a few times a second; nothing is raised."""
        question = event._data if isinstance(event._data, dict) else {}
        turn, asked = question.get("turn"), question.get("sound")
        language = "en"
        try:
            session = self._store.session(question.get("token"))
            language = session.language
            token, wanted = session.token, self._turns.begin(session, turn_of(question))
            sound, hop_seconds = self._store.sound(token, asked), self._hop_seconds(question)
            for news in self._hearings.listen(sound, hop_seconds, partial(self._goes_on, token, sound.id, wanted)):
                about = {"turn": turn, "sound": asked, "clip_seconds": self._hearings.meta.input.clip_seconds}
                yield about | drawable(news, wanted())
        except Exception as error:
            yield {"turn": turn, "sound": asked} | error_reply("timeline", error, language)

    def stop(self, request: dict) -> dict:
        """Give up all of a session's runs before `turn`."""
        self._turns.end_before(self._store.session(request.get("token")), turn_of(request))
        return {}

    def timeline_file(self, request: dict) -> dict:
        """Return the finished timeline of a `sound` at a `hop` in one of the `FORMATS`, as text with a name."""
        sound = self._store.sound(request.get("token"), request.get("sound"))
        form = form_of(request)
        result = self._hearings.result(sound, self._hop_seconds(request))
        if result is None:
            raise PageError("page.gone")
        return {
            "name": f"{Path(sound.name).stem}-timeline.{ENDINGS[form]}",
            "text": as_text([result], form, TOP_K, True, self._hearings.meta.spectrogram),
        }

    def _goes_on(self, token: str, sound: str, wanted: object) -> bool:
        self._store.sound(token, sound)  # raises where the page is closed or the sound dropped
        return wanted()

    def _hop_seconds(self, request: dict) -> float:
        return hop_seconds_of(request, self._hearings.meta)


def hop_seconds_of(request: dict, meta: Checkpoint) -> float:
    """Return the hop in seconds that a request names in clips."""
    hop = request.get("hop")
    if isinstance(hop, bool) or hop not in HOPS:
        raise PageError("page.request", reason="hop")
    return hop * meta.input.clip_seconds


def turn_of(request: dict) -> int:
    """Return the number of a run, checked."""
    turn = request.get("turn")
    if isinstance(turn, bool) or not isinstance(turn, int) or not 0 <= turn <= MAX_TURN:
        raise PageError("page.request", reason="turn")
    return turn


def form_of(request: dict) -> str:
    """Return the format that a request asks for, checked."""
    form = request.get("form")
    if not isinstance(form, str) or form not in FORMATS:
        raise PageError("page.request", reason="form")
    return form


def drawable(news: Heard | SoundResult, wanted: bool) -> dict:
    """Return what was heard, so far or in all, as JSON."""
    done = isinstance(news, SoundResult)
    return {
        "stage": "done" if done else "working" if wanted else "stopped",
        "heard": news.seconds if done else news.heard_s,
        "segments": rows(news.timeline),
        "silences": [list(stretch) for stretch in news.silences],
        "doubts": rows(news.uncertain),
        "totals": [[total.label, total.seconds, total.count, total.probability] for total in totals(news.timeline)],
        "overall": list(news.overall) if done and news.overall else None,
    }


def rows(timeline: tuple[Segment, ...]) -> list[list]:
    """Return [label, start, end, probability] of each segment."""
    return [[segment.label, segment.start_s, segment.end_s, segment.probability] for segment in timeline]
