"""Summary of a timeline: total duration of each class, silent and uncertain intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from esc.classification.sliding_window import Segment, WindowResult


@dataclass(frozen=True)
class Total:
    """Total of one class in a whole sound."""

    label: str
    seconds: float  # total duration of its segments
    count: int  # number of its segments
    probability: float  # mean over the segments, weighted by duration


def totals(segments: Sequence[Segment]) -> tuple[Total, ...]:
    """Return the totals of all classes, longest first, then in order of appearance."""
    by_label: dict[str, list[Segment]] = {}
    for segment in segments:
        by_label.setdefault(segment.label, []).append(segment)
    found = []
    for label, own in by_label.items():
        seconds = sum(segment.end_s - segment.start_s for segment in own)
        weighted = sum((segment.end_s - segment.start_s) * segment.probability for segment in own)
        found.append(Total(label, seconds, len(own), weighted / seconds))
    return tuple(sorted(found, key=lambda total: -round(total.seconds, 6)))  # the sort is stable


def silent_intervals(results: Iterable[WindowResult]) -> tuple[tuple[float, float], ...]:
    """Return (start, end) in seconds of runs of silent windows, in order.

    A window is silent as a whole, so pauses shorter than a clip are not found.
    """
    runs: list[list[float]] = []
    for window in sorted((window for window in results if window.probabilities is None), key=lambda window: window.start_s):
        if runs and window.start_s <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], window.end_s)
        else:
            runs.append([window.start_s, window.end_s])
    return tuple((start_s, end_s) for start_s, end_s in runs)


def uncertain_intervals(
    results: Sequence[WindowResult], found: Sequence[Segment], class_names: Sequence[str]
) -> tuple[Segment, ...]:
    """Return intervals with neither silence nor a segment, in order.

    Parameters
    ----------
    results : sequence of WindowResult
        Of one sound.
    found : sequence of Segment
        Their `esc.classification.sliding_window.segments`.
    class_names : sequence of str
        Index is the target.

    Returns
    -------
    tuple of Segment
        `label` is the likeliest class there, `probability` its mean over the windows, weighted by overlap.
    """
    taken = sorted([*((segment.start_s, segment.end_s) for segment in found), *silent_intervals(results)])
    uncertain = []
    for start_s, end_s in _gaps(taken, max((window.end_s for window in results), default=0.0)):
        overlaps_s, rows = [], []
        for window in results:
            overlap_s = min(end_s, window.end_s) - max(start_s, window.start_s)
            if overlap_s > 0 and window.probabilities is not None:
                overlaps_s.append(overlap_s)
                rows.append(window.probabilities)
        mean = np.average(rows, axis=0, weights=overlaps_s)
        uncertain.append(Segment(class_names[int(mean.argmax())], start_s, end_s, float(mean.max())))
    return tuple(uncertain)


def _gaps(taken: Sequence[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """Return the gaps within 0 to `end_s` between intervals sorted by start."""
    gaps, free_s = [], 0.0
    for start_s, past_s in [*taken, (end_s, end_s)]:
        if start_s > free_s:
            gaps.append((free_s, start_s))
        free_s = max(free_s, past_s)
    return gaps
