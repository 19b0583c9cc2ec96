"""The files tab: classifies many files, lists them as they finish, saves tables."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from pydantic import Field, PlainValidator

from esc.audio.channels import EACH, MEAN, channel_numbers, check_channel, distinct_channels
from esc.audio.facts import Reading
from esc.audio.io import ACCEPTED, MAX_BYTES
from esc.batch.label_formats import Label, LabelledSound, as_audacity
from esc.batch.label_formats import as_text as label_text
from esc.batch.result_formats import as_row, file_labels, read_seconds, track_names
from esc.batch.results import FileResult, SoundResult
from esc.batch.runner import ENDINGS as SOUND_ENDINGS
from esc.errors import AudioError, CheckpointError, EscError, PageError
from esc.ui.i18n.catalogue import error_message, note_messages
from esc.ui.inference.inference import predict
from esc.ui.inference.timeline_runs import UPDATE_S, TimelineRuns
from esc.ui.server.label_requests import FileLabelsRequest
from esc.ui.server.requests import PageRequest, UploadRequest
from esc.ui.sessions.decoding import content_digest
from esc.ui.sessions.sound import Session, Sound
from esc.ui.sessions.uploaded_files import MAX_FILES, MAX_PAGE_BYTES, UploadedFile
from esc.ui.tabs.base import Queue, Services
from esc.ui.tabs.runs import ENDINGS, Form, RunRequest, RunTab, StopRequest, hop_seconds, intervals, overall, page_text, saved

ROWS_AT_ONCE = 40
MAX_CHANNELS = 999  # of a file, by their numbers
CHANNELS = (MEAN, "left", "right", "mid", "side", EACH)


@dataclass(eq=False)
class Batch:
    """The results for one page's files at one hop, of one channel or EACH."""

    hops_s: list[float]  # by each checkpoint in use
    channel: str
    runs: list[TimelineRuns]
    rows: list[dict] = field(default_factory=list)  # of results and errors, for the page
    results: list[tuple[FileResult, ...]] = field(default_factory=list)  # of each checkpoint
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_like(self, other: Batch) -> bool:
        """Whether both have the same hop, channel and checkpoint."""
        mine, theirs = ((one.hops_s, one.channel, [runs.checkpoint for runs in one.runs]) for one in (self, other))
        return mine == theirs

    def __contains__(self, part: tuple[str, str]) -> bool:
        return any((row["id"], row["channel"]) == part for row in self.rows)

    def channels(self, file_id: str) -> Iterator[str]:
        """Yield the channels to classify; a file's number is known from its first row."""
        if self.channel != EACH:
            yield self.channel
            return
        yield "1"
        count = max((row.get("channels", 0) for row in self.rows if row["id"] == file_id), default=0)
        yield from channel_numbers(count)[1:]

    def files(self) -> dict[str, FileResult]:
        """Return a result of each file by its id, in the order of names."""
        with self.lock:
            pairs = reversed([*zip(self.rows, self.results, strict=True)])  # the first channel's wins
        found = {row["id"]: results[0] for row, results in pairs}
        return dict(sorted(found.items(), key=lambda item: as_row(item[1])["file"]))

    def add(self, row: dict, results: tuple[FileResult, ...]) -> None:
        """Add the row of a file or channel, unless another run has added it."""
        with self.lock:  # a cancelled run may finish the same file as its successor
            if (row["id"], row["channel"]) in self:
                return
            self.results.append(results)
            self.rows.append(row)


class FilesRequest(RunRequest):
    """A request to classify files, by their ids."""

    files: Annotated[list[str], Field(min_length=1, max_length=MAX_FILES)]
    channel: Annotated[str, PlainValidator(partial(check_channel, with_each=True))] = MEAN


class RowsRequest(PageRequest):
    """A request for the rows after a number of rows."""

    after: Annotated[int, Field(ge=0, le=MAX_FILES * MAX_CHANNELS)]


class FilesFileRequest(PageRequest):
    """A request for all results as a file."""

    form: Form


class BatchTab(RunTab):
    """The files tab; "classify_files" brings {"token", "files", "channel", "hop", "turn"}."""

    module = "tabs/batch/batch.js"
    elem_id = "files"
    template = '<div class="sg-files"></div>'
    event = "classify_files"
    queue = Queue("files")  # many files must not delay a single sound's timeline
    functions = ("add_file", "rows", "stop", "clear", "files_file", "file_labels")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._uploads = services.uploads
        self._batches: WeakKeyDictionary[Session, Batch] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def props(self) -> dict[str, Any]:
        limits = {"files": MAX_FILES, "bytes": MAX_BYTES, "all_bytes": MAX_PAGE_BYTES, "accepted": ACCEPTED}
        return super().props() | {"limits": limits, "endings": SOUND_ENDINGS, "channels": CHANNELS}

    def add_file(self, request: UploadRequest) -> dict:
        """Add an upload (`path`, `name`) and return its `id` and its content's `digest`."""
        path, name = self.services.handlers.upload(request.path, request.name)
        file = self._uploads.add(self.session(request), path, name)
        return {"id": file.id, "digest": content_digest(file.path)}

    def classify_files(self, request: FilesRequest) -> Iterator[dict]:
        """Classify the `files` (ids), or each of their channels; yield the progress.

        The rows are fetched by `rows`, so that each is sent once.
        """
        wanted = self.begin(request)
        session = self.session(request)
        files = [self._uploads.get(session, file_id) for file_id in request.files]
        batch, language = self._batch(session, request), session.language
        del session  # its page may be closed in the middle of the run
        for now in _sparsely(self._classify(request, files, batch, wanted, language)):
            yield {"stage": "working", "rows": len(batch.rows), "now": now}
        yield {"stage": "done" if wanted() else "stopped", "rows": len(batch.rows), "now": None}

    def rows(self, request: RowsRequest) -> dict:
        """Return the finished rows after the first `after`."""
        batch = self._batches.get(self.session(request))
        return {"rows": batch.rows[request.after : request.after + ROWS_AT_ONCE] if batch else []}

    def clear(self, request: StopRequest) -> dict:
        """Cancel all runs before `turn`, and delete the page's files and results."""
        self.stop(request)
        session = self.session(request)
        self._uploads.clear(session)
        with self._lock:
            self._batches.pop(session, None)
        return {}

    def files_file(self, request: FilesFileRequest) -> dict:
        """Return all results in one of the `FORMS`; several files as a ZIP."""
        batch, form = self._batches.get(self.session(request)), request.form
        if not batch or not batch.results:
            raise PageError("page.gone")
        ordered = sorted(batch.results, key=lambda results: as_row(results[0])["file"])
        answers = [_texts(results, form, runs) for results, runs in zip(zip(*ordered, strict=True), batch.runs, strict=True)]
        return saved("soundglass-segments.zip", answers)

    def file_labels(self, request: FileLabelsRequest) -> dict:
        """Return the user's labels of classified files as one file.

        Label tracks of several are a zip, in the files' folders. Raven's times run on through all files of the list.
        """
        batch = self._batches.get(self.session(request))
        files = batch.files() if batch else {}
        labels = request.read()
        if not labels or not all(isinstance(files.get(one), SoundResult) for one in labels):
            raise PageError("page.gone")
        sounds = [(one, labels[file_id]) for file_id, one in files.items() if isinstance(one, SoundResult) and file_id in labels]
        if request.form == "audacity" and len(sounds) > 1:
            names = track_names([one for one, _ in sounds], with_folders=True)
            return saved(
                "soundglass-labels.zip", [{name: as_audacity(own) for name, (_, own) in zip(names, sounds, strict=True)}]
            )
        labelled = [LabelledSound(one.file, one.seconds, one.sample_rate, own) for one, own in sounds]
        if request.form == "raven":
            labelled = [_labelled(one, labels.get(file_id, [])) for file_id, one in files.items()]
        return {"name": f"soundglass-labels.{ENDINGS[request.form]}", "text": label_text(labelled, request.form)}

    def _batch(self, session: Session, request: FilesRequest) -> Batch:
        """Return the session's batch at this hop, channel and checkpoints; another is dropped."""
        runs = self.runs_of(request)
        wanted = Batch([hop_seconds(one, request.hop) for one in runs], request.channel, runs)
        with self._lock:
            batch = self._batches.get(session)
            if batch is None or not batch.is_like(wanted):
                batch = self._batches[session] = wanted
            return batch

    def _classify(
        self, request: FilesRequest, files: list[UploadedFile], batch: Batch, wanted: Callable[[], bool], language: str
    ) -> Iterator[dict]:
        """Classify files into a batch and yield the progress; a file's error becomes its row."""
        for file, channel in ((one, channel) for one in files for channel in batch.channels(one.id)):
            if not wanted():
                return
            if (file.id, channel) in batch:  # by a run that has just been cancelled
                continue
            yield {"id": file.id, "done_s": 0.0, "seconds": None}
            try:
                yield from self._classify_one(request.token, file, channel, batch, wanted, language)
            except CheckpointError:
                raise
            except EscError as error:
                refused = AudioError("audio.refused", name=file.name, reason=str(error).rstrip("."))
                if isinstance(error, AudioError) and "name" in error.values:
                    refused = error
                row = {"id": file.id, "channel": channel, "error": error_message(error, language)}
                batch.add(row, (refused,) * len(batch.runs))

    def _classify_one(
        self, owner: str, file: UploadedFile, channel: str, batch: Batch, wanted: Callable[[], bool], language: str
    ) -> Iterator[dict]:
        results: list[SoundResult] = []
        with self.runs.opened(file.path, file.name, owner, Reading(channel)) as sound:
            for number, (runs, hop_s) in enumerate(zip(batch.runs, batch.hops_s, strict=True)):
                for news in runs.run(sound, hop_s, wanted, owner):
                    if isinstance(news, SoundResult):
                        results.append(news)
                    else:
                        done_s = (number * sound.seconds + news.done_s) / len(batch.runs)
                        yield {"id": file.id, "done_s": done_s, "seconds": sound.seconds}
                if len(results) == number:  # cancelled
                    return
            more = {"channels": sound.facts.channels, "differ": self._differing(batch, sound, owner)}
            batch.add(_row(file, results, language) | more, tuple(results))

    def _differing(self, batch: Batch, sound: Sound, owner: str) -> list[list[str]]:
        """Return each channel with the verdict on its first clip where those differ, else nothing."""
        if batch.channel != MEAN or sound.channels is None:
            return []
        checkpoint, rate, turns = batch.runs[0].checkpoint, sound.facts.sample_rate, self.services.turns
        answers = [
            [name, predict(checkpoint, sound.channels[:, index], rate, turns.turn(owner)).verdict]
            for index, name in enumerate(distinct_channels(sound.facts.channels))
        ]
        return answers if len({verdict for _, verdict in answers}) > 1 else []


def _row(file: UploadedFile, results: list[SoundResult], language: str) -> dict:
    first = results[0]
    about = {"id": file.id, "channel": first.channel, "seconds": first.seconds, "notes": note_messages(first.notes, language)}
    answer, *second = [_found(one) for one in results]
    return about | answer | {"second": second[0] if second else None}


def _found(result: SoundResult) -> dict[str, Any]:
    return {"overall": overall(result), **intervals(result)}


def _sparsely(progress: Iterator[dict]) -> Iterator[dict]:
    """Yield no more than one item each `UPDATE_S` seconds."""
    passed_s = -math.inf
    for item in progress:
        if time.monotonic() - passed_s >= UPDATE_S:
            yield item
            passed_s = time.monotonic()


def _labelled(result: FileResult, labels: list[Label]) -> LabelledSound:
    rate = result.sample_rate if isinstance(result, SoundResult) else 0
    return LabelledSound(as_row(result)["file"], read_seconds(result), rate, labels)


def _texts(results: Sequence[FileResult], form: str, runs: TimelineRuns) -> dict[str, str]:
    """Return results by one checkpoint as files: their names and texts."""
    sounds = [result for result in results if isinstance(result, SoundResult)]
    if form == "audacity" and len(sounds) > 1:
        names = track_names(sounds, with_folders=True)
        return {name: as_audacity(file_labels(sound)) for name, sound in zip(names, sounds, strict=True)}
    return {f"soundglass-files.{ENDINGS[form]}": page_text(results, form, runs.meta.spectrogram)}
