"""Labels of the page: label files, excerpts, edges of energy."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from esc.audio.channels import MEAN, split_track
from esc.audio.excerpt_archive import Excerpt, write_excerpts_in_worker
from esc.batch.label_files import MAX_LABELS, MAX_NAME, LabelFile, read_labels
from esc.batch.label_formats import FIGURES, Label, LabelledSound, as_text, slowed
from esc.batch.tables import safe_name
from esc.dsp.energy_edges import energy_edge
from esc.dsp.measurements import samples_between
from esc.errors import LabelFileError, PageError
from esc.ui.server.public.files import playable_url
from esc.ui.server.requests import BoxRequest, Hz, PageRequest, Seconds, SoundRequest
from esc.ui.sessions.decoding import DECODE_SECONDS
from esc.ui.sessions.kept_files import KeptFiles
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.uploaded_files import MAX_FILES

MAX_EXCERPTS = 2000
REACH_S = 0.3  # how far an edge moves at most
ENDINGS = {"json": "json", "csv": "csv", "audacity": "txt", "raven": "selections.txt"}

Figure = Annotated[float | None, Field(ge=-1e9, le=1e9)]
# name, start, end, low, high, probability, then `FIGURES`: as the page and its replies hold a label
LabelRow = tuple[
    Annotated[str, Field(max_length=MAX_NAME)], Seconds, Seconds, Hz | None, Hz | None,
    Annotated[float | None, Field(ge=0, le=1)], Figure, Figure, Figure, Figure,
]  # fmt: skip
LabelForm = Literal["json", "csv", "audacity", "raven"]
_Rows = Annotated[list[LabelRow], Field(max_length=MAX_LABELS)]
_ROWS = TypeAdapter(_Rows)
_FILES = TypeAdapter(Annotated[dict[str, _Rows], Field(max_length=MAX_FILES)])


class ReadLabelsRequest(SoundRequest):
    """A request to read a label file."""

    name: str
    text: str


class LabelsRequest(SoundRequest):
    """A request with labels as JSON text: there may be more than a request's values."""

    labels: str

    def read(self) -> list[Label]:
        """Return the checked labels."""
        return _labels(_validated(_ROWS, self.labels))


class LabelFileRequest(LabelsRequest):
    """A request for labels as a file."""

    form: LabelForm


class FileLabelsRequest(PageRequest):
    """A request for the labels of several files as one file.

    `labels` is the JSON text of {id: rows}.
    """

    labels: str
    form: LabelForm

    def read(self) -> dict[str, list[Label]]:
        """Return the checked labels of each file."""
        return {file_id: _labels(rows) for file_id, rows in _validated(_FILES, self.labels).items()}


def _validated(rows: TypeAdapter, text: str) -> Any:
    try:
        return rows.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"labels.{'.'.join(map(str, first['loc']))} = {str(first['input'])[:60]}"
        raise PageError("page.request", reason=reason) from None


def _labels(rows: list[LabelRow]) -> list[Label]:
    if not rows:
        raise LabelFileError("labels.none")
    for name, start, end, low, high, *_ in rows:
        if end < start or (low is None) != (high is None) or (low is not None and high is not None and low > high):
            raise PageError("page.request", reason=f"labels: {name[:40]} {start} {end} {low} {high}")
    return [Label(*row[:6], dict(zip(FIGURES, row[6:], strict=True))) for row in rows]


class PageLabels:
    """Labels of one app's sounds, as JSON objects.

    Parameters
    ----------
    store : SoundStore
    kept : KeptFiles
        For archives of excerpts.
    """

    def __init__(self, store: SoundStore, kept: KeptFiles) -> None:
        self._store, self._kept = store, kept

    def read(self, sound: Sound, request: ReadLabelsRequest) -> dict:
        """Return the labels of a file as rows, and what was left out of it."""
        rate, expansion = sound.facts.sample_rate, sound.facts.time_expansion
        found: LabelFile = read_labels(request.text, request.name, sound.seconds, rate, sound.name, expansion)
        return {
            "labels": [[one.name, one.start_s, one.end_s, one.low_hz, one.high_hz, one.probability] for one in found.labels],
            "problems": [[one.line, one.field, one.value, one.reason] for one in found.problems],
            "n_problems": found.n_problems,
        }

    def text(self, sound: Sound, request: LabelFileRequest) -> dict:
        """Return labels in the sound file's own time as a label file."""
        expansion = sound.facts.time_expansion
        labels = [slowed(label, expansion) for label in request.read()]
        labelled = LabelledSound(sound.name, sound.seconds * expansion, round(sound.facts.sample_rate / expansion), labels)
        text = as_text([labelled], request.form)
        return {"name": f"{Path(sound.name).stem}-labels.{ENDINGS[request.form]}", "text": text}

    def excerpts(self, sound: Sound, request: LabelsRequest) -> dict:
        """Write the labelled intervals as WAVs to a ZIP, a folder for each name."""
        labels = request.read()
        if len(labels) > MAX_EXCERPTS:
            raise LabelFileError("labels.many", count=len(labels), limit=MAX_EXCERPTS)
        track = split_track(sound.facts.channel)[0]
        how = sound.facts.reading._replace(channel=f"{track}:{MEAN}" if track else MEAN)
        intervals = archive_entries(labels, Path(sound.name).stem, sound.facts.n_samples, sound.facts.sample_rate)

        def write(path: Path) -> int:
            with self._store.decoder.slot(request.token):
                return write_excerpts_in_worker(sound.original, path, intervals, sound.name, DECODE_SECONDS, how)

        path, written = self._store.companion(sound, f"labels-{secrets.token_hex(8)}.zip", write)
        self._kept.add(path)
        return {"url": playable_url(path), "name": f"{Path(sound.name).stem}-labels.zip", "excerpts": written}

    def snap(self, sound: Sound, request: BoxRequest) -> dict:
        """Return the edges of energy near a selection's edges, None without one."""
        reach_s = min(REACH_S, (request.end - request.start) / 2)
        band = None if request.low_hz is None or request.high_hz is None else (request.low_hz, request.high_hz)
        start, end = (
            energy_edge(sound.waveform, sound.facts.sample_rate, near_s, rising, reach_s, band)
            for near_s, rising in ((request.start, True), (request.end, False))
        )
        return {"start": start, "end": end}


def archive_entries(labels: list[Label], stem: str, n_samples: int, sample_rate: int) -> list[Excerpt]:
    """Return the entry and samples of each label, in a folder of its name."""
    entries: dict[str, Excerpt] = {}  # by names without case, as some systems have them
    for label in labels:
        folder = safe_name(label.name or "unnamed")
        entry, number = f"{folder}/{safe_name(stem)}_{label.start_s:.3f}-{label.end_s:.3f}.wav", 2
        while entry.lower() in entries:
            entry, number = f"{folder}/{safe_name(stem)}_{label.start_s:.3f}-{label.end_s:.3f}_{number}.wav", number + 1
        entries[entry.lower()] = (entry, *samples_between(n_samples, sample_rate, label.start_s, label.end_s))
    return list(entries.values())
