"""The waveform as a screen shows it: an envelope that loses no peak, and close up the samples themselves."""

from __future__ import annotations

import math

import numpy as np

from esc.dsp.frames import CHUNK_VALUES


def wave_view(waveform: np.ndarray, sample_rate: int, start_s: float, end_s: float, columns: int) -> np.ndarray:
    """Return the least, the greatest and the root mean square sample of each column, float32 (3, n_columns).

    No peak is lost however far one looks; where there are no more samples than columns, each is a column of its own.
    """
    first = min(max(0, math.floor(start_s * sample_rate)), len(waveform) - 1)
    last = min(max(first + 1, math.ceil(end_s * sample_rate)), len(waveform))
    columns = min(columns, last - first)
    edges = first + np.arange(columns + 1) * (last - first) // columns
    at_a_time = max(1, CHUNK_VALUES * columns // (last - first))
    parts = []
    for begin in range(0, columns, at_a_time):
        cut = edges[begin : begin + at_a_time + 1]
        piece, starts = np.asarray(waveform[cut[0] : cut[-1]]), cut[:-1] - cut[0]
        squares = np.add.reduceat(piece.astype(np.float64) ** 2, starts) / np.diff(cut)
        parts.append(np.stack([np.minimum.reduceat(piece, starts), np.maximum.reduceat(piece, starts), np.sqrt(squares)]))
    return np.concatenate(parts, axis=1).astype(np.float32)
