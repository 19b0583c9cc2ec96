"""Summary of a timeline: total duration of each class, silent and uncertain intervals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from esc.classification.predictions import MOMENTS_PER_S, UNKNOWN, UNSURE, WindowResult
from esc.classification.timeline.segments import LEAST_S, Segment, count_of, moments, runs
from esc.classification.times import Interval


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


def silent_intervals(results: Iterable[WindowResult], found: Sequence[Segment]) -> tuple[Interval, ...]:
    """Return (start, end) of silence outside the segments, in seconds.

    In order; pauses shorter than `LEAST_S` are left out.
    """
    windows = list(results)
    end_s = max((window.end_s for window in windows), default=0.0)
    silent = np.zeros(count_of(end_s, MOMENTS_PER_S), bool)
    for window in windows:
        own = moments(window)
        if window.probabilities is None:
            silent[own] = True
        elif window.activity is not None:
            at = np.arange(own.start, own.stop) - round(window.activity.start_s * MOMENTS_PER_S)
            silent[own] |= window.activity.silent[at.clip(0, len(window.activity.silent) - 1)]
    return tuple(_outside(_intervals(silent, end_s), [(segment.start_s, segment.end_s) for segment in found], end_s))


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
    """Return intervals with neither silence nor a segment in uncertain windows, in order.

    At least half of the windows at each moment are uncertain: out of distribution, of an uncertain likeliest class, or
    without any segment. An interval ends where the verdict changes between `UNSURE` and `UNKNOWN`. A pause in windows that are
    sure of a class is no uncertain interval.

    Parameters
    ----------
    results : sequence of WindowResult
        Of one sound.
    found : sequence of Segment
        Their `esc.classification.timeline.segments.segments`.
    class_names : sequence of str
        Index is the target.
    """
    windows = sorted((window for window in results if window.probabilities is not None), key=lambda window: window.start_s)
    starts_s, ends_s = (np.array([getattr(window, name) for window in windows]) for name in ("start_s", "end_s"))
    end_s = max((window.end_s for window in results), default=0.0)
    taken = [*((segment.start_s, segment.end_s) for segment in found), *silent_intervals(results, found)]
    verdicts = _verdicts(windows, found, count_of(end_s, MOMENTS_PER_S))
    uncertain = []
    for verdict in (UNSURE, UNKNOWN):
        for start_s, past_s in _outside(_intervals(verdicts == verdict, end_s), taken, end_s):
            touching = slice(np.searchsorted(ends_s, start_s, "right"), np.searchsorted(starts_s, past_s))
            overlaps_s = np.minimum(ends_s[touching], past_s) - np.maximum(starts_s[touching], start_s)
            mean = np.average([window.probabilities for window in windows[touching]], axis=0, weights=overlaps_s)
            label = class_names[int(mean.argmax())]
            uncertain.append(UncertainInterval(verdict, label, start_s, past_s, float(mean.max())))
    return tuple(sorted(uncertain, key=lambda one: one.start_s))


def _verdicts(windows: Sequence[WindowResult], found: Sequence[Segment], n_moments: int) -> np.ndarray:
    """Return `UNSURE`, `UNKNOWN` or an empty string for each moment."""
    named = np.zeros(n_moments, bool)
    for segment in found:
        named[round(segment.start_s * MOMENTS_PER_S) : count_of(segment.end_s, MOMENTS_PER_S)] = True
    counts = np.zeros((n_moments, 3), int)  # of windows, of uncertain ones, of those out of distribution
    for window in windows:
        own = moments(window)
        unknown = window.verdict == UNKNOWN
        counts[own] += (1, unknown or window.verdict == UNSURE or not named[own].any(), unknown)
    totals, uncertain, out = counts.T
    return np.where(2 * out > totals, UNKNOWN, np.where((totals > 0) & (2 * uncertain >= totals), UNSURE, ""))


def _intervals(mask: np.ndarray, end_s: float) -> list[Interval]:
    """Return runs of moments as intervals in seconds."""
    return [(first / MOMENTS_PER_S, min(past / MOMENTS_PER_S, end_s)) for first, past in runs(mask)]


def _outside(intervals: Sequence[Interval], taken: Sequence[Interval], end_s: float) -> list[Interval]:
    """Return the parts of `intervals` outside those taken.

    Parts shorter than `LEAST_S` are left out, unless the sound is shorter.
    """
    gaps, free_s = [], 0.0
    for start_s, past_s in [*sorted(taken), (end_s, end_s)]:
        if start_s > free_s:
            gaps.append((free_s, start_s))
        free_s = max(free_s, past_s)
    ends_s = [high_s for _, high_s in gaps]
    parts = []
    for start_s, past_s in intervals:
        for low_s, high_s in gaps[bisect_right(ends_s, start_s) : bisect_left(ends_s, past_s) + 1]:
            parts.append((max(start_s, low_s), min(past_s, high_s)))
    least_s = min(LEAST_S, end_s) - 1e-6
    return [(start_s, past_s) for start_s, past_s in parts if past_s - start_s >= least_s]
