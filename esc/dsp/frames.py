"""Frames of a sound of any length: which ones a stretch of time has, and their values, chunk by chunk, as columns.

Memory is bounded by `CHUNK_VALUES`, whatever the sound's length; a memory-mapped waveform is read, and one that is not
resampled yet (`esc.audio.resampling.LazyResampled`) resampled, only where frames are computed.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from numbers import Real

import numpy as np
import torch

from esc.audio.resampling import read_segments
from esc.config import LIMITS, SpectrogramConfig
from esc.errors import ParameterError

FRAMES_A_COLUMN = 8  # more frames than this in a column are sampled: an hour in 1000 columns stays a matter of a blink
OVERVIEW_COLUMNS = 1_000  # a whole sound is sampled for no fewer: a narrow screen shows the same frames as its peak was found in
CHUNK_VALUES = 500_000  # n_freqs * frames computed at a time: 4 MB as complex64, which a core's cache nearly holds
_FRAME_EPS = 1e-6  # of a hop: a time that was computed from a frame's number still finds that frame

Transform = Callable[..., torch.Tensor]  # (waveform, config, center=...) -> power (..., rows, n_frames)


def frames_between(waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float) -> np.ndarray:
    """Return the numbers of the frames with centres in [start_s, end_s], or of the one nearest to the middle."""
    start_s, end_s = (clamped_time(waveform, config, *named) for named in (("start_s", start_s), ("end_s", end_s)))
    if start_s > end_s:
        raise ParameterError("parameter.range", field="start_s", value=start_s, low=0.0, high=end_s)
    frames_a_second = config.sample_rate / config.hop_length
    last_frame = config.n_frames(len(waveform)) - 1
    first = math.ceil(start_s * frames_a_second - _FRAME_EPS)
    last = min(math.floor(end_s * frames_a_second + _FRAME_EPS), last_frame)
    if first > last:
        first = last = min(round((start_s + end_s) / 2 * frames_a_second), last_frame)
    return np.arange(first, last + 1)


def frame_at(waveform: np.ndarray, config: SpectrogramConfig, time_s: float) -> np.ndarray:
    """Return the number of the frame nearest to a time, shape (1,)."""
    time_s = clamped_time(waveform, config, "time_s", time_s)
    return np.array([min(round(time_s * config.sample_rate / config.hop_length), config.n_frames(len(waveform)) - 1)])


def clamped_time(waveform: np.ndarray, config: SpectrogramConfig, field: str, value: float) -> float:
    """Return a time clamped to the sound; infinite ones are fine, what is no number is not."""
    seconds = len(waveform) / config.sample_rate
    if isinstance(value, bool) or not isinstance(value, Real) or math.isnan(value):
        raise ParameterError("parameter.range", field=field, value=value, low=0.0, high=seconds)
    return float(min(max(value, 0.0), seconds))


def pool_columns(
    frames: np.ndarray,
    columns: int,
    config: SpectrogramConfig,
    compute: Callable[[np.ndarray], torch.Tensor],
    pool: np.ufunc = np.maximum,
    frames_a_column: int = FRAMES_A_COLUMN,
    at_least: int = 1,
) -> torch.Tensor:
    """Return frames in at most `columns` columns: the maximum of each one's frames, or their mean (`pool=np.add`).

    `compute` makes the values (rows, n) of n frames, by their numbers. More than `FRAMES_A_COLUMN` are sampled:
    `frames_a_column` evenly spaced ones a column, of `at_least` so many columns.
    """
    columns = min(columns, len(frames))
    sampled = max(columns, at_least)
    if len(frames) > sampled * FRAMES_A_COLUMN:
        wanted = sampled * frames_a_column
        frames = frames[(2 * np.arange(wanted) + 1) * len(frames) // (2 * wanted)]  # the middles of equal parts
    edges = np.arange(columns + 1) * len(frames) // columns  # column c holds frames[edges[c]:edges[c + 1]]
    column_of = np.repeat(np.arange(columns), np.diff(edges))
    at_a_time = max(1, CHUNK_VALUES // config.n_freqs)

    def chunk(first: int) -> tuple[np.ndarray, np.ndarray]:
        owners = column_of[first : first + at_a_time]
        cuts = np.flatnonzero(np.diff(owners, prepend=-1, append=columns))
        values = np.ascontiguousarray(compute(frames[first : first + at_a_time]).numpy().T)
        # a column's frames lie side by side, which makes this many times as fast as reduceat
        return owners[cuts[:-1]], np.stack([pool.reduce(values[start:end], axis=0) for start, end in itertools.pairwise(cuts)])

    drawn = None
    for filled, values in _workers().map(chunk, range(0, len(frames), at_a_time)):
        if drawn is None:
            drawn = np.full((columns, values.shape[1]), 0.0 if pool is np.add else -np.inf, np.float32)
        drawn[filled] = pool(drawn[filled], values)
    return torch.from_numpy((drawn / np.diff(edges)[:, None].astype(np.float32) if pool is np.add else drawn).T)


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    """Return one thread a core, each without helpers of torch's own.

    Those wait for each other after every operation, which on a busy machine is most of the time; chunks need not.
    """
    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    together = threading.Barrier(cores)
    workers = ThreadPoolExecutor(cores, "frames", initializer=torch.set_num_threads, initargs=(1,))
    list(workers.map(lambda _: together.wait(), range(cores)))  # all have begun
    torch.set_num_threads(threads)  # the number holds for its thread, and for threads that begin later
    return workers


def power_frames(waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, transform: Transform) -> torch.Tensor:
    """Return the power of the frames with these numbers, shape (rows, len(frames)), as in the whole picture."""
    starts = frames * config.hop_length - config.n_fft // 2
    consecutive = frames[-1] - frames[0] == len(frames) - 1
    if consecutive and config.hop_length <= config.n_fft:  # overlapping frames share their samples
        (segment,) = read_segments(waveform, starts[:1], starts[-1] - starts[0] + config.n_fft)
        return transform(segment, config, center=False)
    rows = read_segments(waveform, starts, config.n_fft)
    if config.n_fft > LIMITS["hop_length"][1]:
        return transform(rows, config, center=False)[..., 0].T
    # laid end to end they are one waveform's frames: one product with the mel filters instead of one a frame
    return transform(rows.reshape(-1), dataclasses.replace(config, hop_length=config.n_fft), center=False)
