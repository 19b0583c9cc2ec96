"""Summary of a timeline: total duration of each class, silent and uncertain intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from esc.classification.classifier import UNKNOWN, UNSURE
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


@dataclass(frozen=True)
class UncertainInterval:
    """Interval with neither silence nor a segment."""

    verdict: str  # `UNKNOWN` if most of its windows are out of distribution, else `UNSURE`
    label: str  # of the class with the largest mean probability over the windows
    start_s: float
    end_s: float
    probability: float  # that mean, weighted by overlap


def uncertain_intervals(
    results: Sequence[WindowResult], found: Sequence[Segment], class_names: Sequence[str]
) -> tuple[UncertainInterval, ...]:
    """Return intervals with neither silence nor a segment, in order.

    An interval ends where the verdict changes between `UNSURE` and `UNKNOWN`.

    Parameters
    ----------
    results : sequence of WindowResult
        Of one sound.
    found : sequence of Segment
        Their `esc.classification.sliding_window.segments`.
    class_names : sequence of str
        Index is the target.
    """
    windows = sorted((window for window in results if window.probabilities is not None), key=lambda window: window.start_s)
    starts_s, ends_s = (np.array([getattr(window, name) for window in windows]) for name in ("start_s", "end_s"))
    taken = sorted([*((segment.start_s, segment.end_s) for segment in found), *silent_intervals(results)])
    gaps = _gaps(taken, max((window.end_s for window in results), default=0.0))
    edges_s = np.unique(np.concatenate([starts_s, ends_s, *gaps]))
    unknown = _mostly_unknown(windows, edges_s)
    uncertain = []
    for first, past in (np.searchsorted(edges_s, gap) for gap in gaps):
        changes = first + 1 + np.flatnonzero(np.diff(unknown[first:past]))
        for begin, end in pairwise([first, *changes, past]):
            start_s, end_s = float(edges_s[begin]), float(edges_s[end])
            touching = slice(np.searchsorted(ends_s, start_s, "right"), np.searchsorted(starts_s, end_s))
            overlaps_s = np.minimum(ends_s[touching], end_s) - np.maximum(starts_s[touching], start_s)
            mean = np.average([window.probabilities for window in windows[touching]], axis=0, weights=overlaps_s)
            verdict = UNKNOWN if unknown[begin] else UNSURE
            uncertain.append(UncertainInterval(verdict, class_names[int(mean.argmax())], start_s, end_s, float(mean.max())))
    return tuple(uncertain)


def _mostly_unknown(windows: Sequence[WindowResult], edges_s: np.ndarray) -> np.ndarray:
    """Return for each interval between edges whether most of its windows are out of distribution."""
    steps = np.zeros((len(edges_s), 2))  # differences of the numbers of windows, and of those out of distribution
    for window in windows:
        first, past = np.searchsorted(edges_s, (window.start_s, window.end_s))
        counted = (1, window.verdict == UNKNOWN)
        steps[first] += counted
        steps[past] -= counted
    total, unknown = steps.cumsum(axis=0).T
    return 2 * unknown > total


def _gaps(taken: Sequence[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """Return the gaps within 0 to `end_s` between intervals sorted by start."""
    gaps, free_s = [], 0.0
    for start_s, past_s in [*taken, (end_s, end_s)]:
        if start_s > free_s:
            gaps.append((free_s, start_s))
        free_s = max(free_s, past_s)
    return gaps
