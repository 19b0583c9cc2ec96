"""Agreement of detected and true events, as sed_eval measures it, and errors of edges.

Mesaros, Heittola and Virtanen (2016), "Metrics for Polyphonic Sound Event Detection".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching


class Labelled(Protocol):
    """Labelled interval."""

    @property
    def label(self) -> str: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


Events = Sequence[Labelled]
Counts = np.ndarray  # (true positives, detected, true), int64


class Matched(NamedTuple):
    """True event and the detected one of its class with the longest overlap."""

    true: Labelled
    found: Labelled


def segment_counts(true: Events, found: Events, resolution_s: float) -> Counts:
    """Return the counts of (class, time step) pairs that an event touches."""
    steps = [
        {
            (event.label, step)
            for event in events
            for step in range(math.floor(event.start_s / resolution_s), math.ceil(event.end_s / resolution_s))
        }
        for events in (true, found)
    ]
    return np.array([len(steps[0] & steps[1]), len(steps[1]), len(steps[0])])


def event_counts(true: Events, found: Events, collar_s: float) -> Counts:
    """Return the counts of events; both edges of a match are within the collar."""
    matches = np.array(
        [
            [
                one.label == other.label
                and abs(one.start_s - other.start_s) <= collar_s
                and abs(one.end_s - other.end_s) <= collar_s
                for other in found
            ]
            for one in true
        ],
        dtype=bool,
    ).reshape(len(true), len(found))
    matched = maximum_bipartite_matching(csr_array(matches)) if matches.any() else np.full(0, -1)
    return np.array([(matched >= 0).sum(), len(found), len(true)])


def f1(counts: Counts) -> float:
    """Return the F1 score of counts; 0 if nothing is true or detected."""
    positives, found, true = counts.tolist()
    return 2 * positives / (found + true) if found + true else 0.0


def matched_events(true: Events, found: Events) -> list[Matched]:
    """Return the true events that overlap a detected one of their class."""
    pairs = []
    for event in true:
        overlaps = [(min(event.end_s, one.end_s) - max(event.start_s, one.start_s)) * (one.label == event.label) for one in found]
        if overlaps and max(overlaps) > 0:
            pairs.append(Matched(event, found[int(np.argmax(overlaps))]))
    return pairs
