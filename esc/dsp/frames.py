"""Frames of a sound of any length, computed in chunks of bounded memory.

Memory-mapped waveforms are read, and `LazyResampled` ones resampled, only where frames are computed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from numbers import Integral, Real

import numpy as np
import torch

from esc.audio.resampling import LazyResampled, Shifted, read_segments
from esc.config import LIMITS, SpectrogramConfig
from esc.dsp.chunk_threads import map_chunks
from esc.dsp.tiles import ColumnPool, frame_range
from esc.errors import ParameterError, check_range

FRAMES_A_COLUMN = 8  # columns of more frames are sampled, which bounds the time for an hour
OVERVIEW_COLUMNS = 1_000  # least of a whole sound: every view samples the frames of its peak
MAX_COLUMNS = 4_096  # wider than any screen
CHUNK_VALUES = 500_000  # n_freqs * frames computed at a time: 4 MB as complex64, about a core's cache

Waveform = np.ndarray | LazyResampled | Shifted  # float32 (n_samples,)
Transform = Callable[..., torch.Tensor]  # (waveform, config, center=...) -> power (..., rows, n_frames)


def frames_between(waveform: Waveform, config: SpectrogramConfig, start_s: float, end_s: float) -> range:
    """Return the numbers of the frames centred in [start_s, end_s], at least one."""
    start_s, end_s = (_clamped_time(waveform, config, *named) for named in (("start_s", start_s), ("end_s", end_s)))
    if start_s > end_s:
        raise ParameterError("parameter.range", field="start_s", value=start_s, low=0.0, high=end_s)
    first, last = frame_range(len(waveform), config, start_s, end_s)
    return range(first, last + 1)  # no array: two hours may have 86 million


def frame_at(waveform: Waveform, config: SpectrogramConfig, time_s: float) -> np.ndarray:
    """Return the number of the frame nearest to a time, shape (1,)."""
    time_s = _clamped_time(waveform, config, "time_s", time_s)
    return np.array([min(round(time_s * config.sample_rate / config.hop_length), config.n_frames(len(waveform)) - 1)])


def _clamped_time(waveform: Waveform, config: SpectrogramConfig, field: str, value: float) -> float:
    seconds = len(waveform) / config.sample_rate
    if isinstance(value, bool) or not isinstance(value, Real) or not -math.inf <= value <= math.inf:  # NaN
        raise ParameterError("parameter.range", field=field, value=value, low=0.0, high=seconds)
    return float(min(max(value, 0.0), seconds))


def evenly_sampled(frames: range, most: int) -> np.ndarray:
    """Return all frames, or the middles of `most` equal parts of them."""
    count = min(most, len(frames))
    return frames.start + (2 * np.arange(count) + 1) * len(frames) // (2 * count)


def pool_columns(
    frames: range,
    columns: int,
    config: SpectrogramConfig,
    compute: Callable[[np.ndarray], torch.Tensor],
    pool: np.ufunc = np.maximum,
    frames_a_column: int = FRAMES_A_COLUMN,
    min_sampled: int = 1,
) -> np.ndarray:
    """Return frames pooled into at most `columns` columns, float32 (rows, columns); see `ColumnPool`.

    `compute` returns the values (rows, n) of n frames, by their numbers. Past `FRAMES_A_COLUMN` frames a column only
    `frames_a_column` evenly spaced ones are computed, of at least `min_sampled` columns.
    """
    check_range("columns", columns, 1, MAX_COLUMNS, Integral)
    sampled = max(min(columns, len(frames)), min_sampled)
    dense = len(frames) > sampled * FRAMES_A_COLUMN
    numbers = evenly_sampled(frames, sampled * frames_a_column if dense else len(frames))
    pooled = ColumnPool(len(numbers), columns, pool)
    at_a_time = max(1, CHUNK_VALUES // config.n_freqs)

    def chunk(first: int) -> tuple[np.ndarray, np.ndarray]:
        return pooled.reduce(first, compute(numbers[first : first + at_a_time]).numpy())

    for reduced in map_chunks(chunk, range(0, len(numbers), at_a_time)):
        pooled.add(*reduced)
    return pooled.values()


def power_frames(waveform: Waveform, config: SpectrogramConfig, frames: np.ndarray, transform: Transform) -> torch.Tensor:
    """Return the power of the numbered frames, shape (rows, len(frames))."""
    starts = frames * config.hop_length - config.n_fft // 2
    consecutive = frames[-1] - frames[0] == len(frames) - 1
    if consecutive and config.hop_length <= config.n_fft:  # overlapping frames share their samples
        (segment,) = read_segments(waveform, starts[:1], starts[-1] - starts[0] + config.n_fft)
        return transform(segment, config, center=False)
    rows = read_segments(waveform, starts, config.n_fft)
    if config.n_fft > LIMITS["hop_length"][1]:
        return transform(rows, config, center=False)[..., 0].T
    # end to end they form one waveform: one product with the mel filters instead of one per frame
    return transform(rows.reshape(-1), dataclasses.replace(config, hop_length=config.n_fft), center=False)
