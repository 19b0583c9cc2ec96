"""Localization benchmark: a checkpoint's timelines of soundscapes, against their events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from esc.classification.classifier import Classifier
from esc.classification.reduced_precision import FLOAT32
from esc.classification.timeline.segments import Segment, segments
from esc.classification.timeline.sliding_window import windows
from training.data.esc50 import Clip
from training.evaluation.held_out_log import fold_clips
from training.evaluation.localization.event_metrics import event_counts, f1, matched_events, segment_counts
from training.evaluation.localization.soundscapes import Soundscape, soundscape
from training.runs.progress import progress_bar

SOUNDSCAPES = 100
RESOLUTION_S, COLLAR_S = 0.1, 0.5

Timeline = Callable[[Soundscape, Classifier], Sequence[Segment]]


def _timeline(scape: Soundscape, classifier: Classifier) -> tuple[Segment, ...]:
    """Return the segments that everyone gets: page, command line and API."""
    found = windows(classifier, scape.waveform, classifier.checkpoint.spectrogram.sample_rate)
    return segments(found, classifier.class_names)


def _plain_windows(scape: Soundscape, classifier: Classifier) -> tuple[Segment, ...]:
    """Return a segment for each of the consecutive windows whose verdict is a class."""
    meta = classifier.checkpoint
    found = windows(classifier, scape.waveform, meta.spectrogram.sample_rate, meta.input.clip_seconds)
    return tuple(
        Segment(window.verdict, window.start_s, window.end_s, float(window.probabilities.max()))
        for window in found
        if window.probabilities is not None and window.verdict in classifier.class_names
    )


METHODS: dict[str, Timeline] = {"timeline": _timeline, "plain windows": _plain_windows}


def evaluate_localization(folder: Path, clips: list[Clip], fold: int, count: int = SOUNDSCAPES) -> dict[str, Any]:
    """Return the localization figures of a checkpoint by method.

    Parameters
    ----------
    folder : path
        The checkpoint's folder.
    clips : list of Clip
        The whole data set; classes left out of training are left out here too.
    fold : int
        Of the clips in the soundscapes.
    count : int
        Number of soundscapes.

    Raises
    ------
    DataError, CheckpointError
        There is no such fold; a clip or the checkpoint is missing or damaged.
    """
    classifier = Classifier.load(folder, precision=FLOAT32)
    meta = classifier.checkpoint
    chosen = fold_clips(meta, clips, fold)
    scores = {name: Scores() for name in METHODS}
    with progress_bar() as bar:
        task = bar.add_task("soundscapes", total=count, detail="")
        for number in range(count):
            scape = soundscape(chosen, number, meta.spectrogram.sample_rate)
            for name, method in METHODS.items():
                scores[name].add(scape, method(scape, classifier))
            bar.advance(task)
    return {
        "run": meta.provenance.get("run", folder.name),
        "fold": fold,
        "soundscapes": count,
        "events": scores["timeline"].n_true,
        "methods": {name: one.figures() for name, one in scores.items()},
    }


class Scores:
    """Sums over soundscapes."""

    def __init__(self) -> None:
        self._by_step, self._by_event = np.zeros(3, np.int64), np.zeros(3, np.int64)
        self._onset_errors_s: list[float] = []
        self._offset_errors_s: list[float] = []

    @property
    def n_true(self) -> int:
        """Number of true events."""
        return int(self._by_event[2])

    def add(self, scape: Soundscape, found: Sequence[Segment]) -> None:
        """Add the segments found in a soundscape."""
        self._by_step += segment_counts(scape.events, found, RESOLUTION_S)
        self._by_event += event_counts(scape.events, found, COLLAR_S)
        for pair in matched_events(scape.events, found):
            self._onset_errors_s.append(abs(pair.found.start_s - pair.true.start_s))
            self._offset_errors_s.append(abs(pair.found.end_s - pair.true.end_s))

    def figures(self) -> dict[str, float | None]:
        """Return the figures; errors are None if nothing matched."""
        edges = {"onset": self._onset_errors_s, "offset": self._offset_errors_s}
        edges["edge"] = [*self._onset_errors_s, *self._offset_errors_s]
        return {f"median_{name}_error_s": float(np.median(errors)) if errors else None for name, errors in edges.items()} | {
            "matched_share": len(self._onset_errors_s) / max(1, self.n_true),
            "segment_f1": f1(self._by_step),
            "event_f1": f1(self._by_event),
        }
