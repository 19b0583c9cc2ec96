"""What a timeline comes to: the silent stretches of a sound, and for how long each class was heard in all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from esc.timeline import Segment, WindowResult


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


def silent_stretches(heard: Iterable[WindowResult]) -> tuple[tuple[float, float], ...]:
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
