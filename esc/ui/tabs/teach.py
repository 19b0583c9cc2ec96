"""The teach tab: own classes from examples, taught to the network for this session."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import numpy as np
import soundfile
from pydantic import BaseModel, ConfigDict, Field

from esc.audio.io import MAX_BYTES
from esc.batch.runner import ENDINGS
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.classifier import Classifier
from esc.classification.first_clip import array_blocks
from esc.classification.teaching.archive import unpack
from esc.classification.teaching.backbone import Backbone
from esc.classification.teaching.saving import save_taught
from esc.classification.teaching.teach import MAX_CLASSES, MIN_CLASSES, MIN_EXAMPLES, Taught, check_classes, check_names, teach
from esc.dsp.decibels import share_of_range
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, CheckpointError, DataError, PageError
from esc.paths import sha256_of
from esc.ui.i18n.catalogue import error_message
from esc.ui.inference.inference import classifier
from esc.ui.inference.lessons import MAX_WINDOWS, Lesson, bounded, usable_examples
from esc.ui.inference.taught_networks import Choice
from esc.ui.inference.timeline_runs import Turns
from esc.ui.server.public.files import playable_url
from esc.ui.server.rendering import as_base64
from esc.ui.server.requests import IntervalRequest, PageRequest, RunNumber, UploadRequest
from esc.ui.sessions.sound import Session
from esc.ui.sessions.sound_archive import sounds_in_zip
from esc.ui.sessions.uploaded_files import MAX_FILES, UploadedFile
from esc.ui.tabs.base import Queue, Services, Tab

THUMBNAIL = (32, 64)  # rows and columns
ARCHIVE = "soundglass-taught.zip"


class TaughtExample(BaseModel):
    """An example, by its id, and its class."""

    model_config = ConfigDict(frozen=True, strict=True)
    id: str
    label: Annotated[str, Field(max_length=1_000)]


class TeachRequest(PageRequest):
    """A request to teach examples; `other` is the class of all other sounds."""

    turn: RunNumber
    examples: Annotated[list[TaughtExample], Field(min_length=1, max_length=MAX_FILES)]
    other: str | None = None


class StopTeachingRequest(PageRequest):
    """A request to end the teaching before a turn."""

    turn: RunNumber


class RemoveRequest(PageRequest):
    """A request to delete examples."""

    ids: Annotated[list[str], Field(max_length=MAX_FILES)]


class UseRequest(PageRequest):
    """A request to use the session's own network, the app's, or both."""

    choice: Choice


class TeachTab(Tab):
    """The teach tab; "teach" brings {"token", "examples", "other", "turn"}."""

    module = "tabs/teach/teach.js"
    elem_id = "teach"
    template = '<div class="sg-teach"></div>'
    event = "teach"
    queue = Queue("teach")
    functions = (
        "add_example",
        "add_selection",
        "remove_examples",
        "stop_teaching",
        "use_network",
        "load_network",
        "network_file",
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._examples, self._taught = services.examples, services.taught
        self._lessons: WeakKeyDictionary[Session, Lesson] = WeakKeyDictionary()
        self._turns, self._lock = Turns(), threading.Lock()
        self._backbone: Backbone | None = None

    def props(self) -> dict[str, Any]:
        limits = {"files": MAX_FILES, "bytes": MAX_BYTES, "classes": MAX_CLASSES}
        return {"limits": limits | {"least_classes": MIN_CLASSES, "least_examples": MIN_EXAMPLES}, "endings": ENDINGS}

    def add_example(self, request: UploadRequest) -> dict:
        """Add an upload to the examples, or the sounds of a ZIP."""
        session = self.session(request)
        path, name = self.services.handlers.upload(request.path, request.name)
        if not name.lower().endswith(".zip"):
            return {"examples": [self._added(session, path, name)]}
        added: list[dict] = []
        try:
            with TemporaryDirectory() as folder:
                for label, inside, file in sounds_in_zip(path, name, ENDINGS, Path(folder)):
                    added.append(self._added(session, file, inside) | {"label": label})
                    file.unlink()
        except BaseException:
            self._forget(session, [one["id"] for one in added])  # the page never learns their ids
            raise
        return {"examples": added}

    def add_selection(self, request: IntervalRequest) -> dict:
        """Add an interval of the open sound to the examples."""
        session, sound = self.session(request), self.sound(request)
        rate = sound.facts.sample_rate
        samples = sound.waveform[round(request.start * rate) : max(round(request.end * rate), 1)]
        name = f"{Path(sound.name).stem} {request.start:.2f}–{request.end:.2f} s.wav"
        with TemporaryDirectory() as folder:
            path = Path(folder) / "selection.wav"
            soundfile.write(path, samples, rate, subtype="FLOAT")
            added = self._added(session, path, name)
        self._lesson(session).recordings[added["id"]] = sound.id
        return {"examples": [added]}

    def remove_examples(self, request: RemoveRequest) -> dict:
        """Delete examples, by their ids."""
        self._forget(self.session(request), request.ids)
        return {}

    def _forget(self, session: Session, ids: list[str]) -> None:
        lesson = self._lesson(session)
        for example_id in ids:
            self._examples.remove(session, example_id)
            lesson.forget(example_id)

    def teach(self, request: TeachRequest) -> Iterator[dict]:
        """Teach the examples; yield the progress, and at last the figures and wrong examples."""
        session = self.session(request)
        wanted, lesson, language = self._turns.begin(session, request.turn), self._lesson(session), session.language
        files = [(self._examples.get(session, one.id), one.label) for one in request.examples]
        check_classes([label for _, label in files], request.other)
        self._taught.check_space(session)  # before minutes of work
        lesson.retry()
        del session  # its page may be closed in the middle of the run
        for number, (file, _) in enumerate(files):
            yield {"stage": "working", "done": number, "count": len(files)}
            if not wanted():
                yield {"stage": "stopped"}
                return
            self._read(lesson, file, request.token)
        yield {"stage": "working", "done": len(files), "count": len(files)}
        examples, thumbnails = usable_examples(lesson, files), dict(lesson.thumbnails)  # some may be dropped meanwhile
        with self.services.turns.turn(request.token):
            taught = teach(self._network(), [one for _, one in examples], request.other)
        if not wanted():
            yield {"stage": "stopped"}
            return
        self._keep(self.session(request), taught)
        refused = {file.id: error_message(lesson.errors[file.id], language) for file, _ in files if file.id in lesson.errors}
        wrong = _wrong(thumbnails, [example_id for example_id, _ in examples], taught)
        yield {"stage": "done", "figures": taught.figures, "wrong": wrong, "refused": refused}

    def _keep(self, session: Session, taught: Taught) -> None:
        folder = self._taught.new_folder(session)
        try:
            save_taught(folder, taught)
        except BaseException:
            self._taught.delete(folder)
            raise
        self._taught.keep(session, folder)

    def stop_teaching(self, request: StopTeachingRequest) -> dict:
        """End all of a session's teaching before `turn`."""
        self._turns.end_before(self.session(request), request.turn)
        return {}

    def use_network(self, request: UseRequest) -> dict:
        """Use the session's own network, the app's, or both, in all tabs."""
        self._taught.use(self.session(request), request.choice)
        return {}

    def load_network(self, request: UploadRequest) -> dict:
        """Make an uploaded ZIP of a checkpoint the session's own network."""
        session = self.session(request)
        path, name = self.services.handlers.upload(request.path, request.name)
        folder = self._taught.new_folder(session)
        try:
            network = unpack(path, folder, name)
            check_names(network.class_names)
        except DataError as error:
            self._taught.delete(folder)
            raise CheckpointError("checkpoint.archive", name=name, reason=str(error)) from error
        except BaseException:
            self._taught.delete(folder)
            raise
        self._taught.keep(session, folder)
        figures = (read_metrics(folder) or {}).get("taught")
        return {"classes": list(network.class_names), "figures": figures}

    def network_file(self, request: PageRequest) -> dict:
        """Return the address of the session's own network as a ZIP."""
        return {"name": ARCHIVE, "url": playable_url(self._taught.archive(self.session(request)))}

    def _added(self, session: Session, path: Path, name: str) -> dict:
        file = self._examples.add(session, path, name)
        self._lesson(session).digests[file.id] = sha256_of(file.path)
        return {"id": file.id, "name": file.name}

    def _lesson(self, session: Session) -> Lesson:
        with self._lock:
            return self._lessons.setdefault(session, Lesson())

    def _network(self) -> Backbone:
        network: Classifier = classifier(self.checkpoint)
        with self._lock:
            if self._backbone is None or self._backbone.classifier is not network:
                self._backbone = Backbone(network)
            return self._backbone

    def _read(self, lesson: Lesson, file: UploadedFile, owner: str) -> None:
        """Learn a file's activations, or why it has none, unless they are known."""
        if file.id in lesson.pooled or file.id in lesson.errors:
            return
        backbone = self._network()
        try:
            with self.services.runs.opened(file.path, file.name, owner) as sound:
                windows = backbone.windows(array_blocks(sound.waveform), sound.facts.sample_rate)
                left = MAX_WINDOWS - sum(map(len, lesson.pooled.values()))
                found = list(bounded(self.services.turns.share(windows, 1, owner), left))
                if not found:
                    raise AudioError("teach.silent", name=file.name)
                lesson.thumbnails[file.id] = _thumbnail(backbone.classifier, sound.waveform, sound.facts.sample_rate)
                lesson.pooled[file.id] = np.concatenate(found)
        except AudioError as error:
            lesson.errors[file.id] = error
        except PageError:
            if file.id in lesson.digests:
                raise
        if file.id not in lesson.digests:  # dropped meanwhile
            lesson.forget(file.id)


def _wrong(thumbnails: dict[str, str], ids: list[str], taught: Taught) -> list[dict]:
    """Return the examples taken for another class, the surest first."""
    rows, columns = THUMBNAIL
    found = [
        {
            "id": example_id,
            "name": one.name,
            "label": one.label,
            "guess": one.guess,
            "probability": one.probability,
            "thumbnail": thumbnails[example_id],
            "rows": rows,
            "columns": columns,
        }
        for example_id, one in zip(ids, taught.guesses, strict=True)
        if one.guess != one.label
    ]
    return sorted(found, key=lambda one: -float(str(one["probability"])))


def _thumbnail(network: Classifier, waveform: np.ndarray, sample_rate: int) -> str:
    """Return a sound's mel spectrogram as `THUMBNAIL` bytes in base64, low bands first."""
    spectrogram = network.checkpoint.spectrogram
    level_db = clip_mel_db(network.first_clip(waveform, sample_rate).samples, spectrogram).numpy()
    share = share_of_range(level_db, spectrogram.top_db)
    parts = [np.linspace(0, size, count + 1).astype(int)[:-1] for size, count in zip(share.shape, THUMBNAIL, strict=True)]
    small = np.maximum.reduceat(np.maximum.reduceat(share, parts[0], axis=0), parts[1], axis=1)
    return as_base64(np.rint(255 * small).astype(np.uint8))
