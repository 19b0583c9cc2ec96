"""Options for the classification of each file of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from esc.audio.channels import MEAN


@dataclass(frozen=True)
class BatchOptions:
    """Options for the classification of each file."""

    checkpoint: Path | None = None  # by default the shipped one
    top_k: int = 5  # number of classes to name for the first clip
    timeline: bool = False  # whether to classify the whole sound
    hop_seconds: float | None = None  # as for `esc.classification.timeline.sliding_window.windows`
    workers: int = 1  # threads for the timeline of one file
    channel: str = MEAN  # as for `esc.audio.open_audio`; EACH: only for `classify_files`, a result per channel
    full_scale: float = 1.0  # as for `esc.audio.open_audio`
    start_s: float | None = None  # of an interval in place of the first clip, see `esc.classification.intervals.interval_from`
    end_s: float | None = None
    time_expansion: float = 1.0  # as for `esc.audio.open_audio`
