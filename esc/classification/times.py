"""Times that may be classified: hops of windows, ends of intervals."""

from __future__ import annotations

import math
from typing import Literal

from esc.audio.io import MAX_SECONDS
from esc.errors import check_range

HOP_PER_CLIP = 0.5  # default hop, in clips: each moment but the ends is covered by two windows
LEAST_HOP_PER_CLIP = 0.02  # 0.1 s for a clip of 5 s: 50 forward passes per clip of sound
_SAME_LENGTH = 0.02  # of a clip

Interval = tuple[float, float]  # start and end in seconds


def check_hop(hop_seconds: float | None, clip_seconds: float) -> float:
    """Return the hop in seconds, `HOP_PER_CLIP` for None; raise ParameterError if out of range."""
    if hop_seconds is None:
        return HOP_PER_CLIP * clip_seconds
    check_range("hop_seconds", hop_seconds, LEAST_HOP_PER_CLIP * clip_seconds, clip_seconds)
    return hop_seconds


def window_count(seconds: float, hop_seconds: float, clip_seconds: float) -> int:
    """Return the number of windows of a sound."""
    return max(0, math.ceil(round((seconds - clip_seconds) / hop_seconds, 6))) + 1


def check_times(start_s: float | None, end_s: float | None) -> None:
    """Raise ParameterError if no sound has such times."""
    if start_s is not None:
        check_range("start_s", start_s, 0.0, MAX_SECONDS)
    if end_s is not None:
        check_range("end_s", end_s, start_s or 0.0, MAX_SECONDS)


def interval_fit(seconds: float, clip_seconds: float) -> Literal["padded", "whole", "mean"]:
    """Return how an interval fills its clips; lengths within `_SAME_LENGTH` are equal."""
    if seconds > (1 + _SAME_LENGTH) * clip_seconds:
        return "mean"
    return "padded" if seconds < (1 - _SAME_LENGTH) * clip_seconds else "whole"
