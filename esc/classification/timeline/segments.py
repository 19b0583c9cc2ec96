"""Segments: intervals in which a class sounds, found in overlapping windows.

The network's last feature map has a cell every few tenths of a second, whose class activations (Zhou et al., 2016, "Learning
Deep Features for Discriminative Localization") say when a class sounds, to about a cell. An onset or offset is also a change
of level, known to hundredths of a second: each edge moves to the largest change nearby. `training.evaluation.localization`
measures the result; training/NOTES.md says how the constants were chosen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from esc.classification.predictions import MOMENTS_PER_S, UNKNOWN, UNSURE, WindowResult
from esc.dsp.axes import rows_at
from esc.errors import check_range

OPEN_PROBABILITY = 0.5  # a segment reaches it at least once: as likely as all other classes together
KEEP_PROBABILITY = 0.1  # and stays above it (hysteresis)
PAUSE_S = 1.0  # a shorter pause of a class does not end its segment
LEAST_S = 0.5  # a shorter activation is no segment, unless the sound is shorter
_LEVELS_PER_S = 100
_AROUND_S = 0.3  # a change of level is that of the means over this time before and after
_REACH_S = 1.0  # an edge moves by no more
_NEARBY_S = 0.6  # standard deviation of the weight by which near changes are preferred
_LEAST_DB = 2.0  # a smaller change is none
_UNCERTAINTIES_S = (
    (math.inf, 0.0),  # the sound's own start and end
    (20.0, 0.02),
    (10.0, 0.1),
    (5.0, 0.2),
    (_LEAST_DB, 0.3),
    (0.0, 1.0),
)  # of two edges in three, from a change in dB


@dataclass(frozen=True)
class Segment:
    """Interval of a sound assigned to one class."""

    label: str
    start_s: float
    end_s: float
    probability: float  # mean over the segment
    uncertainty_s: float = 0.0  # of start and end: two in three are within it; 0 where both are the sound's own


def segments(
    results: Iterable[WindowResult],
    class_names: Sequence[str],
    open_probability: float = OPEN_PROBABILITY,
    keep_probability: float = KEEP_PROBABILITY,
) -> tuple[Segment, ...]:
    """Return the segments of all classes by start; different classes may overlap.

    The probability of a class at a moment is its mean over the windows that contain the moment, with 0 for windows that are
    out of distribution; it is 0 for all classes in a silent window, and where no window is sure. A segment is a run of
    moments at which the class keeps `keep_probability` and once reaches `open_probability` (hysteresis, as in the edge
    tracking of Canny, 1986), or in which a window that is sure of the class with that probability finds it most likely.
    Runs less than `PAUSE_S` apart are one segment.

    Parameters
    ----------
    results : iterable of WindowResult
        In any order, also of a part of the sound.
    class_names : sequence of str
        Index is the target.
    open_probability, keep_probability : float
        0 to 1; the second is at most the first.

    Raises
    ------
    ParameterError
        A probability is out of range.
    """
    check_range("open_probability", open_probability, 0.0, 1.0)
    check_range("keep_probability", keep_probability, 0.0, open_probability)
    windows = list(results)
    probabilities, sure = _moment_probabilities(windows, len(class_names))
    rises_db = _level_changes(windows)
    likeliest = {(moment, target) for moment, target, probability in sure if probability >= open_probability}
    end_s = max((window.end_s for window in windows), default=0.0)
    least = min(LEAST_S * MOMENTS_PER_S, len(probabilities))
    tiny = float(np.finfo(np.float32).tiny)
    found = []
    reached = probabilities.max(axis=0, initial=0.0) >= max(open_probability, tiny)
    for target in sorted({*np.flatnonzero(reached).tolist(), *(target for _, target in likeliest)}):
        likely = probabilities[:, target]
        opened = likely >= open_probability
        opened[[moment for moment, one in likeliest if one == target]] = True
        kept = [
            (first, past)
            for first, past in runs(likely >= max(keep_probability, tiny))
            if opened[first:past].any() and past - first >= least
        ]
        for first, past in _joined(kept, PAUSE_S * MOMENTS_PER_S):
            (start_s, rise_db), (past_s, fall_db) = _edges(first / MOMENTS_PER_S, past / MOMENTS_PER_S, rises_db)
            if start_s < 1 / MOMENTS_PER_S:  # a sound's own start and end are edges, too, and certain
                start_s, rise_db = 0.0, math.inf
            if past_s > end_s - 1 / MOMENTS_PER_S:
                past_s, fall_db = end_s, math.inf
            mean = float(likely[first:past].mean())
            found.append(Segment(class_names[target], start_s, past_s, mean, _uncertainty_s(min(rise_db, fall_db))))
    return tuple(sorted(found, key=lambda segment: (segment.start_s, segment.end_s, segment.label)))


def moments(window: WindowResult) -> slice:
    """Return the moments of a window, of which there are `MOMENTS_PER_S`."""
    return slice(round(window.start_s * MOMENTS_PER_S), count_of(window.end_s, MOMENTS_PER_S))


def count_of(seconds: float, per_s: int) -> int:
    """Return the number of time steps, begun ones included."""
    return int(np.ceil(seconds * per_s - 1e-3))  # an excess of a thousandth is rounding


def runs(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the slice bounds of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _moment_probabilities(windows: Sequence[WindowResult], n_classes: int) -> tuple[np.ndarray, list[tuple[int, int, float]]]:
    """Return probabilities and where sure windows find their class.

    The first are float32 (n_moments, n_classes), see `segments`; the second a moment, target and probability of each window.
    """
    n_moments = max((moments(window).stop for window in windows), default=0)
    sums, counts = np.zeros((n_moments, n_classes), np.float32), np.zeros((n_moments, 1), np.float32)
    nameless = np.ones(n_moments, bool)
    sure = []
    for window in windows:
        own = moments(window)
        if window.probabilities is None:
            continue
        counts[own] += 1
        if window.verdict == UNKNOWN:
            continue
        nameless[own] &= window.verdict == UNSURE
        activity = window.activity
        likely = window.probabilities[None]
        if activity is not None:
            times_s = (np.arange(own.start, own.stop) + 0.5) / MOMENTS_PER_S - activity.start_s
            likely = rows_at(activity.probabilities, times_s / activity.cell_s)
        sums[own] += likely
        if window.verdict != UNSURE:
            target = int(window.probabilities.argmax())
            sure.append((own.start + int(likely[:, target].argmax()), target, float(window.probabilities[target])))
    for window in windows:
        if window.probabilities is None:
            nameless[moments(window)] = True
    sums[nameless] = 0.0
    return sums / np.maximum(1, counts), sure


def _level_changes(windows: Sequence[WindowResult]) -> np.ndarray:
    """Return the rise of the level over time, dB; empty if no level is known."""
    n_steps = max((count_of(window.end_s, _LEVELS_PER_S) for window in windows), default=0)
    sums, counts = np.zeros(n_steps), np.zeros(n_steps)
    for window in windows:
        activity = window.activity
        if activity is not None:
            steps = np.arange(round(window.start_s * _LEVELS_PER_S), count_of(window.end_s, _LEVELS_PER_S))
            at = ((steps + 0.5) / _LEVELS_PER_S - activity.start_s) / activity.frame_s
            sums[steps] += np.interp(at, np.arange(len(activity.levels_db)), activity.levels_db)
            counts[steps] += 1
    if not counts.any():
        return np.zeros(0)
    known = counts > 0
    levels_db = np.divide(sums, counts, where=known, out=np.zeros(n_steps))
    levels_db[~known] = levels_db[known].min()  # in silent windows
    total = np.concatenate([[0.0], levels_db.cumsum()])
    edges = np.arange(1, n_steps)
    before, after = (np.clip(edges + sign * round(_AROUND_S * _LEVELS_PER_S), 0, n_steps) for sign in (-1, 1))
    rises_db = (total[after] - total[edges]) / (after - edges) - (total[edges] - total[before]) / (edges - before)
    return np.concatenate([[0.0], rises_db, [0.0]])


def _joined(found: Sequence[tuple[int, int]], pause: float) -> list[tuple[int, int]]:
    """Return slice bounds in order, those closer than `pause` as one."""
    joined: list[tuple[int, int]] = []
    for first, past in found:
        if joined and first - joined[-1][1] < pause:
            joined[-1] = (joined[-1][0], past)
        else:
            joined.append((first, past))
    return joined


def _edges(start_s: float, end_s: float, rises_db: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return start and end, each moved to a change of level nearby, with its size."""
    if len(rises_db):
        start, end = _nearest_rise(start_s, rises_db), _nearest_rise(end_s, -rises_db)
        if end[0] - start[0] >= 1 / MOMENTS_PER_S:
            return start, end
    return (start_s, 0.0), (end_s, 0.0)


def _nearest_rise(time_s: float, rises_db: np.ndarray) -> tuple[float, float]:
    """Return time and size of the largest rise near a time, if any."""
    middle, reach = round(time_s * _LEVELS_PER_S), round(_REACH_S * _LEVELS_PER_S)
    near = np.arange(max(0, middle - reach), min(len(rises_db), middle + reach + 1))
    weights = np.exp(-(((near - middle) / (_NEARBY_S * _LEVELS_PER_S)) ** 2) / 2)
    best = near[np.argmax(rises_db[near] * weights)]
    rise_db = float(rises_db[best])
    return (float(best) / _LEVELS_PER_S, rise_db) if rise_db >= _LEAST_DB else (time_s, 0.0)


def _uncertainty_s(change_db: float) -> float:
    return next(seconds for least_db, seconds in _UNCERTAINTIES_S if change_db >= least_db)
