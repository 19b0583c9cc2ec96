"""Labels of a sound as Audacity label tracks, Raven selection tables, CSV and JSON.

Times and frequencies are the file's own, as other programs open it, whichever time expansion it is read with; see `slowed`.
`label_files` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from types import MappingProxyType

from esc.batch.tables import delimited, safe_cell

RAVEN_COLUMNS = (  # the first seven are Raven's own, the others are shown as annotations
    "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Species",
    "Confidence", "Begin Path", "File Offset (s)", "Uncertainty (s)",
)  # fmt: skip
FIGURES = ("mean_db", "peak_db", "peak_hz", "rms_dbfs")  # measurements that CSV and JSON may hold
_seconds, _probability = "{:.3f}".format, "{:.6f}".format


@dataclass(frozen=True)
class Label:
    """A named interval of a sound, in all frequencies or between two of them."""

    name: str
    start_s: float
    end_s: float
    low_hz: float | None = None  # None together with `high_hz`: all frequencies
    high_hz: float | None = None
    probability: float | None = None  # of a network's segment
    figures: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))  # by a name of `FIGURES`
    uncertainty_s: float | None = None  # of start and end of a network's segment


def slowed(label: Label, factor: float) -> Label:
    """Return a label for the sound slowed down by a factor.

    By the time expansion with which a file is read, the label comes to the file's own time.
    """
    if factor == 1.0:
        return label
    low_hz, high_hz, peak_hz = (
        None if hz is None else hz / factor for hz in (label.low_hz, label.high_hz, label.figures.get("peak_hz"))
    )
    return replace(
        label,
        start_s=label.start_s * factor,
        end_s=label.end_s * factor,
        low_hz=low_hz,
        high_hz=high_hz,
        figures={**label.figures, "peak_hz": peak_hz} if label.figures else label.figures,
        uncertainty_s=None if label.uncertainty_s is None else label.uncertainty_s * factor,
    )


@dataclass(frozen=True)
class LabelledSound:
    """A file's labels and what label files say of it, in its own time."""

    file: str
    seconds: float
    sample_rate: int
    labels: Sequence[Label]


@dataclass(frozen=True)
class RavenRow:
    """A label with what a selection table says of its sound."""

    label: Label
    file: str
    channel: int  # from 1
    low_hz: float  # of labels in all frequencies
    high_hz: float
    before_s: float = 0.0  # the length of the sounds before this one in the sequence


def as_audacity(labels: Iterable[Label]) -> str:
    """Return a label track: start and end in seconds, name.

    A second line holds the frequencies of a label that has some.
    """
    lines = []
    for label in labels:
        lines.append(f"{label.start_s:.6f}\t{label.end_s:.6f}\t{' '.join(label.name.split())}\n")
        if label.low_hz is not None and label.high_hz is not None:
            lines.append(f"\\\t{label.low_hz:.6f}\t{label.high_hz:.6f}\n")
    return "".join(lines)


def as_raven(rows: Iterable[RavenRow]) -> str:
    """Return a Raven selection table."""
    table: list[Sequence[str]] = [RAVEN_COLUMNS]
    for number, row in enumerate(rows, start=1):
        label = row.label
        band = (row.low_hz, row.high_hz) if label.low_hz is None or label.high_hz is None else (label.low_hz, label.high_hz)
        times = (_seconds(row.before_s + label.start_s), _seconds(row.before_s + label.end_s))
        confidence = "" if label.probability is None else _probability(label.probability)
        what = (label.name, confidence, row.file, _seconds(label.start_s), uncertainty_text(label))
        table.append([str(number), "Spectrogram 1", str(row.channel), *times, *(f"{hz:.1f}" for hz in band), *what])
    return delimited(table, "\t")


def uncertainty_text(label: Label) -> str:
    """Return the uncertainty in seconds; empty where there is none."""
    return "" if label.uncertainty_s is None else _seconds(label.uncertainty_s)


def as_csv(sounds: Sequence[LabelledSound]) -> str:
    """Return a row per label; measurements follow where any label has them."""
    columns = ["file", "start", "end", "low_hz", "high_hz", "label", "probability"]
    listed = [(sound.file, label) for sound in sounds for label in sound.labels]
    figures = [name for name in FIGURES if any(label.figures.get(name) is not None for _, label in listed)]
    rows = [[*columns, *figures]]
    for file, label in listed:
        band = ["" if hz is None else f"{hz:.1f}" for hz in (label.low_hz, label.high_hz)]
        probability = "" if label.probability is None else _probability(label.probability)
        measured = ["" if value is None else f"{value:.3f}" for value in (label.figures.get(name) for name in figures)]
        texts = [safe_cell(file), f"{label.start_s:.6f}", f"{label.end_s:.6f}", *band, safe_cell(label.name), probability]
        rows.append([*texts, *measured])
    return delimited(rows, ",")


def as_json(sounds: Sequence[LabelledSound]) -> str:
    """Return {"file", "seconds", "labels"} as JSON with all digits, or a list.

    The list is that of several sounds.
    """
    listed = []
    for sound in sounds:
        rows = []
        for label in sound.labels:
            row: dict[str, object] = {"label": label.name, "start": label.start_s, "end": label.end_s}
            more = {"low_hz": label.low_hz, "high_hz": label.high_hz, "probability": label.probability, **label.figures}
            rows.append(row | {name: value for name, value in more.items() if value is not None})
        listed.append({"file": sound.file, "seconds": sound.seconds, "labels": rows})
    return json.dumps(listed[0] if len(listed) == 1 else listed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_text(sounds: Sequence[LabelledSound], form: str) -> str:
    """Return labels in a format of `esc.batch.result_formats`.

    Times of a Raven selection table run on through all sounds, those of a label track begin with each sound.
    """
    if form == "json":
        return as_json(sounds)
    if form == "csv":
        return as_csv(sounds)
    if form == "audacity":
        return "".join(as_audacity(sound.labels) for sound in sounds)
    before_s = accumulate((sound.seconds for sound in sounds), initial=0.0)
    return as_raven(
        RavenRow(label, sound.file, 1, 0.0, sound.sample_rate / 2, passed_s)
        for sound, passed_s in zip(sounds, before_s, strict=False)
        for label in sound.labels
    )
