"""Many files, on the page: heard one after the other by the same steps as one, listed as they are done, given out as tables."""

from __future__ import annotations

import base64
import io
import math
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import gradio as gr

from esc.audio.io import ACCEPTED, MAX_BYTES
from esc.batch.result_formats import FORMATS, as_audacity, as_text, track_names
from esc.batch.results import SoundResult
from esc.batch.runner import ENDINGS as SOUND_ENDINGS
from esc.errors import CheckpointError, EscError, PageError
from esc.ui.i18n.catalogue import error_message
from esc.ui.inference.timeline_runs import TOP_K, UPDATE_S, Hearings, Turns
from esc.ui.server.error_replies import error_reply
from esc.ui.server.handlers import Handlers
from esc.ui.sessions.sound import Session
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.uploaded_files import MAX_FILES, MAX_PAGE_BYTES, UploadedFile, UploadedFiles
from esc.ui.tabs.player import mount_script
from esc.ui.tabs.timeline import ENDINGS, HOPS, form_of, hop_seconds_of, rows, turn_of

ROWS_AT_ONCE = 40


@dataclass(eq=False)
class Batch:
    """What has been heard of one page's files at one hop: a row of each for the page, in the order of work, and results."""

    hop_seconds: float
    rows: list[dict] = field(default_factory=list)
    results: list[SoundResult] = field(default_factory=list)


class Files:
    """The handlers of the tab.

    Parameters
    ----------
    store : SoundStore
    hearings : Hearings
    uploads : UploadedFiles
    handlers : Handlers
    """

    def __init__(self, store: SoundStore, hearings: Hearings, uploads: UploadedFiles, handlers: Handlers) -> None:
        self._store, self._hearings, self._uploads, self._handlers = store, hearings, uploads, handlers
        self._turns = Turns()
        self._batches: WeakKeyDictionary[Session, Batch] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def add_to(self, loader: dict) -> gr.HTML:
        """Return the component; "classify_files" brings {"token", "files", "hop", "turn"} and is answered in its value."""
        component = gr.HTML(
            html_template='<div class="sg-files"></div>',
            js_on_load=mount_script("tabs/batch.js", events=("classify_files",)),
            server_functions=self._handlers.wrap(self.add_file, self.rows, self.stop, self.clear, self.files_file),
            apply_default_css=False,
            elem_id="files",
            limits={"files": MAX_FILES, "bytes": MAX_BYTES, "all_bytes": MAX_PAGE_BYTES, "accepted": ACCEPTED},
            endings=SOUND_ENDINGS,
            hops=HOPS,
            forms=FORMATS,
            **loader,
        )
        component.classify_files(
            self.classify_files,
            None,
            component,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",  # a newer run ends the older one by its turn
            concurrency_limit=2,  # see `Timelines.add_to`
            concurrency_id="timelines",
        )
        return component

    def add_file(self, request: dict) -> dict:
        """Take an upload (`path`, `name`) among the page's files and return its `id`."""
        session = self._store.session(request.get("token"))
        return {"id": self._uploads.add(session, *self._handlers.upload(request)).id}

    def classify_files(self, event: gr.EventData) -> Iterator[dict]:
        """Hear the files named by id one after the other; yield how far it is, a few times a second. Nothing is raised.

        The rows themselves are fetched by `rows`, so that each travels once.
        """
        question = event._data if isinstance(event._data, dict) else {}
        turn, language = question.get("turn"), "en"
        try:
            session = self._store.session(question.get("token"))
            language = session.language
            wanted = self._turns.begin(session, turn_of(question))
            files = self._files(session, question)
            batch = self._batch(session, hop_seconds_of(question, self._hearings.meta))
            del session  # the page may be closed at any time; nothing here holds on to it
            for news in _sparsely(self._heard(files, batch, wanted, language)):
                yield {"turn": turn, "stage": "working", "rows": len(batch.rows), "now": news}
            yield {"turn": turn, "stage": "done" if wanted() else "stopped", "rows": len(batch.rows), "now": None}
        except Exception as error:
            yield {"turn": turn} | error_reply("files", error, language)

    def rows(self, request: dict) -> dict:
        """Return rows of what was heard, those after the first `after`."""
        after = request.get("after")
        if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after <= MAX_FILES:
            raise PageError("page.request", reason="after")
        batch = self._batches.get(self._store.session(request.get("token")))
        return {"rows": batch.rows[after : after + ROWS_AT_ONCE] if batch else []}

    def stop(self, request: dict) -> dict:
        """Give up all of a session's runs before `turn`."""
        self._turns.end_before(self._store.session(request.get("token")), turn_of(request))
        return {}

    def clear(self, request: dict) -> dict:
        """Give up all runs before `turn`, and forget and delete the page's files."""
        self.stop(request)
        session = self._store.session(request.get("token"))
        self._uploads.clear(session)
        with self._lock:
            self._batches.pop(session, None)
        return {}

    def files_file(self, request: dict) -> dict:
        """Return what was heard in all files in one of the `FORMATS`, as text or, several label tracks, as a zip in base64."""
        batch, form = self._batches.get(self._store.session(request.get("token"))), form_of(request)
        if not batch or not batch.results:
            raise PageError("page.gone")
        results = sorted(batch.results, key=lambda result: result.file)
        name = f"soundglass-files.{ENDINGS[form]}"
        if form == "audacity" and len(results) > 1:
            return {"name": "soundglass-labels.zip", "base64": base64.b64encode(_zipped(results)).decode("ascii")}
        return {"name": name, "text": as_text(results, form, TOP_K, True, self._hearings.meta.spectrogram)}

    def _files(self, session: Session, question: dict) -> list[UploadedFile]:
        ids = question.get("files")
        if not isinstance(ids, list) or not 0 < len(ids) <= MAX_FILES:
            raise PageError("page.request", reason="files")
        return [self._uploads.get(session, file_id) for file_id in ids]

    def _batch(self, session: Session, hop_seconds: float) -> Batch:
        """Return what was heard at this hop, to go on with; what was heard at another one is forgotten."""
        with self._lock:
            batch = self._batches.get(session)
            if batch is None or batch.hop_seconds != hop_seconds:
                batch = self._batches[session] = Batch(hop_seconds)
            return batch

    def _heard(self, files: list[UploadedFile], batch: Batch, wanted: Callable[[], bool], language: str) -> Iterator[dict]:
        """Hear files into a batch and yield where the work is; what is wrong with one becomes its row."""
        for file in files:
            if not wanted():
                return
            if any(row["id"] == file.id for row in batch.rows):  # by a run that was just given up
                continue
            yield {"id": file.id, "heard": 0.0, "seconds": None}
            try:
                for news in self._heard_one(file, batch, wanted):
                    yield {"id": file.id} | news
            except CheckpointError:
                raise
            except EscError as error:
                batch.rows.append({"id": file.id, "error": error_message(error, language)})

    def _heard_one(self, file: UploadedFile, batch: Batch, wanted: Callable[[], bool]) -> Iterator[dict]:
        with self._hearings.borrowed(file.path, file.name) as sound:
            for news in self._hearings.listen(sound, batch.hop_seconds, wanted):
                if isinstance(news, SoundResult):
                    batch.results.append(news)
                    batch.rows.append(_row(file, news))
                else:
                    yield {"heard": news.heard_s, "seconds": sound.seconds}


def _row(file: UploadedFile, result: SoundResult) -> dict:
    return {
        "id": file.id,
        "seconds": result.seconds,
        "overall": list(result.overall) if result.overall else None,
        "segments": rows(result.timeline),
        "silences": [list(stretch) for stretch in result.silences],
        "doubts": rows(result.uncertain),
        "cut_off": result.cut_off,
    }


def _sparsely(news: Iterator[dict]) -> Iterator[dict]:
    """Pass on no more than a few pieces of news a second."""
    said = -math.inf
    for one in news:
        if time.monotonic() - said >= UPDATE_S:
            yield one
            said = time.monotonic()


def _zipped(results: list[SoundResult]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, result in zip(track_names(results), results, strict=True):
            archive.writestr(name, as_audacity(result))
    return buffer.getvalue()
