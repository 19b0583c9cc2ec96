"""Time ranges at display resolution, their frames and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from esc.config import SpectrogramConfig

_FRAME_EPS = 1e-6  # of a hop: a time computed from a frame's number still finds that frame


@dataclass(frozen=True)
class Tile:
    """A time range in seconds, shown in at most `columns` columns."""

    start_s: float
    end_s: float
    columns: int


def frame_range(n_samples: int, config: SpectrogramConfig, start_s: float, end_s: float) -> tuple[int, int]:
    """Return the first and last frame centred in [start_s, end_s], at least one frame."""
    n_frames, frames_per_second = config.n_frames(n_samples), config.sample_rate / config.hop_length
    first = max(0, math.ceil(start_s * frames_per_second - _FRAME_EPS))
    last = min(math.floor(end_s * frames_per_second + _FRAME_EPS), n_frames - 1)
    if first > last:
        first = last = min(round((start_s + end_s) / 2 * frames_per_second), n_frames - 1)
    return first, last


def quantised(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values as uint8: 0 at `low` and below, 255 at `high` and above."""
    return np.rint(np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0) * 255.0).astype(np.uint8)


class ColumnPool:
    """Pool of frames into at most `columns` columns, by `np.maximum` or, for the mean, `np.add`."""

    def __init__(self, n_frames: int, columns: int, pool: np.ufunc = np.maximum) -> None:
        columns = min(columns, n_frames)
        edges = np.arange(columns + 1) * n_frames // columns  # column c holds frames edges[c] to edges[c + 1] - 1
        self._sizes = np.diff(edges).astype(np.float32)
        self._column_of = np.repeat(np.arange(columns), np.diff(edges))
        self._pool = pool
        self._pooled: np.ndarray | None = None

    def reduce(self, first: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return column indices and pooled values of (rows, n) from frame `first`; thread-safe."""
        columns = self._column_of[first : first + values.shape[1]]
        cuts = np.flatnonzero(np.diff(columns, prepend=-1, append=len(self._sizes)))
        frames, starts, sizes = np.ascontiguousarray(values.T), cuts[:-1], np.diff(cuts)
        pooled = frames.take(starts, axis=0)
        for number in range(1, sizes.max()):  # all columns at once, of few frames each: many times faster than reduceat
            longer = np.flatnonzero(sizes > number)
            pooled[longer] = self._pool(pooled[longer], frames.take(starts[longer] + number, axis=0))
        return columns[starts], pooled

    def add(self, columns: np.ndarray, values: np.ndarray) -> None:
        """Add a result of `reduce`."""
        if self._pooled is None:
            empty = 0.0 if self._pool is np.add else -np.inf
            self._pooled = np.full((len(self._sizes), values.shape[1]), empty, np.float32)
        self._pooled[columns] = self._pool(self._pooled[columns], values)

    def values(self) -> np.ndarray:
        """Return the pooled values, float32 (rows, columns); at least one frame has been added."""
        assert self._pooled is not None
        return (self._pooled / self._sizes[:, None] if self._pool is np.add else self._pooled).T
