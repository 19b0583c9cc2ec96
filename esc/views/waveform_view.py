"""The waveform's envelope at display resolution; close up, its samples."""

from __future__ import annotations

import math

import numpy as np

from esc.dsp.frames import CHUNK_VALUES
from esc.dsp.tiles import Tile


def wave_view(waveform: np.ndarray, sample_rate: int, tile: Tile) -> np.ndarray:
    """Return minimum, maximum and root mean square of each column's samples, float32 (3, n_columns).

    No peak is lost at any zoom; each sample has its own column if the columns suffice.
    """
    first = min(max(0, math.floor(tile.start_s * sample_rate)), len(waveform) - 1)
    last = min(max(first + 1, math.ceil(tile.end_s * sample_rate)), len(waveform))
    columns = min(tile.columns, last - first)
    edges = first + np.arange(columns + 1) * (last - first) // columns
    at_a_time = max(1, CHUNK_VALUES * columns // (last - first))
    parts = []
    for begin in range(0, columns, at_a_time):
        cut = edges[begin : begin + at_a_time + 1]
        samples, starts = np.asarray(waveform[cut[0] : cut[-1]], np.float32), cut[:-1] - cut[0]
        squares = np.add.reduceat(samples.astype(np.float64) ** 2, starts) / np.diff(cut)
        parts.append(np.stack([np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts), np.sqrt(squares)]))
    return np.concatenate(parts, axis=1).astype(np.float32)
