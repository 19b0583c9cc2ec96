"""What was heard in sounds, as text for other programs: JSON, CSV, Audacity's label track, Raven's selection table.

Where a result has no timeline, because none was asked for, the tables name its verdict on the clip that was heard.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from esc.classification.event_summary import totals
from esc.classification.sliding_window import SILENCE, Segment
from esc.config import SpectrogramConfig

FORMS = ("json", "csv", "audacity", "raven")
RAVEN_COLUMNS = (  # the first seven are Raven's own, the rest notes that it shows beside them
    "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Species",
    "Confidence", "Begin Path", "File Offset (s)",
)  # fmt: skip
_TIME, _PROBABILITY = ".3f", ".6f"


@dataclass(frozen=True, kw_only=True)
class SoundResult:
    """What was heard in one sound.

    Attributes
    ----------
    file : str
        What the sound is called, a path on the command line.
    seconds : float
        Length of the whole sound.
    sample_rate : int
        Hz, as in the file.
    clip_seconds : float
        Length of the clip that `top` and `verdict` are about, `Classifier.first_clip`, inside the sound.
    top : tuple of (label, probability)
        As `Prediction.top`.
    verdict : str
        As `Prediction.verdict`.
    timeline : tuple of Segment, or None
        None where none was asked for.
    silences : tuple of (start, end) in seconds
        As `esc.classification.event_summary.silent_intervals`; empty where no timeline was asked for.
    doubts : tuple of Segment
        As `esc.classification.event_summary.uncertain_intervals`, for people: no table or file holds them.
    clip_start_s : float
        Where that clip begins: 0, but in a sound that begins with a silent clip.
    cut_off : bool
        The file announces more sound than it holds.
    """

    file: str
    seconds: float
    sample_rate: int
    clip_seconds: float
    top: tuple[tuple[str, float], ...]
    verdict: str
    timeline: tuple[Segment, ...] | None = None
    silences: tuple[tuple[float, float], ...] = ()
    uncertain: tuple[Segment, ...] = ()
    clip_start_s: float = 0.0
    cut_off: bool = False

    @property
    def marks(self) -> tuple[Segment, ...]:
        """The timeline or, where none was asked for, one segment with the verdict on the clip that was heard.

        Silence and "unknown" are decided by a threshold, not by a probability: they stand there with 1.
        """
        if self.timeline is not None:
            return self.timeline
        label, probability = self._opening
        return (Segment(label, self.clip_start_s, self.clip_start_s + self.clip_seconds, probability),)

    @property
    def overall(self) -> tuple[str, float] | None:
        """What was heard for longest in the whole sound, and its mean probability; None: nothing was sure enough.

        Of a sound no longer than a clip, or without a timeline, that is the verdict on the clip.
        """
        if self.timeline is None or self.seconds <= self.clip_seconds:
            return self._opening
        if self.timeline:
            longest = totals(self.timeline)[0]
            return longest.label, longest.probability
        silent_s = sum(end_s - start_s for start_s, end_s in self.silences)
        return (SILENCE, 1.0) if silent_s > self.seconds / 2 else None

    @property
    def _opening(self) -> tuple[str, float]:
        return self.verdict, dict(self.top).get(self.verdict, 1.0)


def as_rows(results: Sequence[SoundResult]) -> list[dict]:
    """Return a list of {"file", "seconds", "top", "verdict", "timeline"}."""
    return [
        {
            "file": result.file,
            "seconds": result.seconds,
            "top": [{"label": label, "probability": probability} for label, probability in result.top],
            "verdict": result.verdict,
            "timeline": [
                {"label": mark.label, "start": mark.start_s, "end": mark.end_s, "probability": mark.probability}
                for mark in result.timeline or ()
            ],
        }
        for result in results
    ]


def as_json(results: Sequence[SoundResult]) -> str:
    """Return `as_rows` as text; numbers keep all their digits."""
    return json.dumps(as_rows(results), indent=1, ensure_ascii=False) + "\n"


def as_csv(results: Sequence[SoundResult], top_k: int, with_timeline: bool) -> str:
    """Return one row a sound with its `top_k` likeliest classes, or one row a segment."""
    if with_timeline:
        header = ["file", "start", "end", "label", "probability"]
        rows = [
            [result.file, f"{mark.start_s:{_TIME}}", f"{mark.end_s:{_TIME}}", mark.label, f"{mark.probability:{_PROBABILITY}}"]
            for result in results
            for mark in result.marks
        ]
    else:
        header = ["file", "seconds", "verdict"]
        header += [name for rank in range(1, top_k + 1) for name in (f"label_{rank}", f"probability_{rank}")]
        rows = []
        for result in results:
            top = [cell for label, probability in result.top for cell in (label, f"{probability:{_PROBABILITY}}")]
            row = [result.file, f"{result.seconds:{_TIME}}", result.verdict, *top]
            rows.append(row + [""] * (len(header) - len(row)))
    return _delimited([header, *rows], ",")


def as_audacity(result: SoundResult) -> str:
    """Return the label track of one sound: start, end (seconds) and label, tab separated, without a header."""
    return "".join(f"{mark.start_s:.6f}\t{mark.end_s:.6f}\t{mark.label}\n" for mark in result.marks)


def as_raven(results: Sequence[SoundResult], config: SpectrogramConfig) -> str:
    """Return Raven's selection table.

    Times count through all sounds, one after the other, as Raven does when it opens several files as one sequence;
    "File Offset (s)" counts from the start of a sound's own file. The band is the one that the network hears.
    """
    rows: list[list[str]] = [list(RAVEN_COLUMNS)]
    before_s = 0.0
    for result in results:
        high_hz = min(config.fmax, result.sample_rate / 2)
        for mark in result.marks:
            times = (f"{before_s + mark.start_s:{_TIME}}", f"{before_s + mark.end_s:{_TIME}}")
            what = (mark.label, f"{mark.probability:{_PROBABILITY}}", result.file, f"{mark.start_s:{_TIME}}")
            rows.append([str(len(rows)), "Spectrogram 1", "1", *times, f"{config.fmin:.1f}", f"{high_hz:.1f}", *what])
        before_s += result.seconds
    return _delimited(rows, "\t")


def as_text(results: Sequence[SoundResult], form: str, top_k: int, with_timeline: bool, config: SpectrogramConfig) -> str:
    """Return results in one of `FORMS`; "audacity" takes one sound at most, for a label track belongs to one."""
    if form == "json":
        return as_json(results)
    if form == "csv":
        return as_csv(results, top_k, with_timeline)
    if form == "raven":
        return as_raven(results, config)
    return "".join(map(as_audacity, results))


def track_names(results: Sequence[SoundResult]) -> list[str]:
    """Return a file name for each sound's label track; of sounds with the same name the later ones get a number."""
    names: list[str] = []
    for result in results:
        stem = Path(result.file).stem
        name, number = f"{stem}.txt", 2
        while name in names:
            name, number = f"{stem}_{number}.txt", number + 1
        names.append(name)
    return names


def _delimited(rows: list[list[str]], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()
