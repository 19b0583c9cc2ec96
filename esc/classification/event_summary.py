"""What a timeline comes to: how long each class was heard in all of it, and what lies between: silence, uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from esc.classification.sliding_window import Segment, WindowResult


@dataclass(frozen=True)
class Total:
    """One class in a whole sound.

    Attributes
    ----------
    label : str
        The class.
    seconds : float
        How long it was heard, all segments together.
    count : int
        In how many segments.
    probability : float
        Their mean probability over that time, 0 to 1.
    """

    label: str
    seconds: float
    count: int
    probability: float


def totals(segments: Sequence[Segment]) -> tuple[Total, ...]:
    """Return how long each class was heard, the longest first, then the earliest; a class's own segments don't overlap."""
    by_label: dict[str, list[Segment]] = {}
    for segment in segments:
        by_label.setdefault(segment.label, []).append(segment)
    found = []
    for label, own in by_label.items():
        seconds = sum(segment.end_s - segment.start_s for segment in own)
        weighted = sum((segment.end_s - segment.start_s) * segment.probability for segment in own)
        found.append(Total(label, seconds, len(own), weighted / seconds))
    return tuple(sorted(found, key=lambda total: -round(total.seconds, 6)))  # stable: else as they were met


def silent_intervals(heard: Iterable[WindowResult]) -> tuple[tuple[float, float], ...]:
    """Return (start, end) in seconds of each run of silent windows, in the order of time.

    A window is silent as a whole, so pauses shorter than a clip don't show.
    """
    runs: list[list[float]] = []
    for window in sorted((window for window in heard if window.probabilities is None), key=lambda window: window.start_s):
        if runs and window.start_s <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], window.end_s)
        else:
            runs.append([window.start_s, window.end_s])
    return tuple((start_s, end_s) for start_s, end_s in runs)


def uncertain_intervals(
    heard: Sequence[WindowResult], found: Sequence[Segment], class_names: Sequence[str]
) -> tuple[Segment, ...]:
    """Return where something sounds but no class is sure enough for a segment, in the order of time.

    Parameters
    ----------
    heard : sequence of WindowResult
        Of one sound.
    found : sequence of Segment
        `esc.classification.sliding_window.segments` of them.
    class_names : sequence of str
        Index is the target.

    Returns
    -------
    tuple of Segment
        `label` is the likeliest guess there and `probability` its mean over the windows, each by how much of it lies there.
    """
    asked = [window for window in heard if window.probabilities is not None]
    taken = sorted([*((segment.start_s, segment.end_s) for segment in found), *silent_intervals(heard)])
    doubts = []
    for start_s, end_s in _gaps(taken, max((window.end_s for window in heard), default=0.0)):
        shared_s = [min(end_s, window.end_s) - max(start_s, window.start_s) for window in asked]
        rows = [(window.probabilities, seconds) for window, seconds in zip(asked, shared_s, strict=True) if seconds > 0]
        mean = np.average([row for row, _ in rows], axis=0, weights=[seconds for _, seconds in rows])
        doubts.append(Segment(class_names[mean.argmax()], start_s, end_s, float(mean.max())))
    return tuple(doubts)


def _gaps(taken: Sequence[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """Return what of 0 to `end_s` is left between stretches that are sorted by start and may overlap."""
    gaps, free_s = [], 0.0
    for start_s, past_s in [*taken, (end_s, end_s)]:
        if start_s > free_s:
            gaps.append((free_s, start_s))
        free_s = max(free_s, past_s)
    return gaps
