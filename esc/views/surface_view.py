"""A spectrogram as a 3D surface: few rows, every peak at its full height."""

from __future__ import annotations

import dataclasses

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.axes import row_bounds_hz
from esc.dsp.mel import mel_freqs_hz
from esc.views.spectrogram_view import View

MAX_ROWS = 160  # with 320 columns 51,200 vertices: a rotating surface shows no more detail


def pool_rows(view: View, freqs_hz: np.ndarray, max_rows: int = MAX_ROWS) -> tuple[View, np.ndarray]:
    """Return a view pooled to at most `max_rows` rows, and their frequencies.

    Adjacent rows share one, which holds the loudest of them at each moment, so that a pure tone keeps its height.

    Parameters
    ----------
    view : View
        Levels of shape (n_rows, n_columns).
    freqs_hz : array, shape (n_rows,)
        The rows' centres in Hz, rising.
    max_rows : int

    Returns
    -------
    View, float64 array of shape (n_pooled,)
        Levels (n_pooled, n_columns), and the mean of the centres of each row's rows.
    """
    first = np.arange(0, len(freqs_hz), -(-len(freqs_hz) // max_rows))
    pooled = dataclasses.replace(view, levels=np.maximum.reduceat(view.levels, first, axis=0))
    return pooled, np.add.reduceat(freqs_hz, first) / np.diff(np.append(first, len(freqs_hz)))


def row_freqs_hz(source: str, config: SpectrogramConfig) -> np.ndarray:
    """Return the row centres in Hz of a "mel" or an "stft" view."""
    if source == "mel":
        return mel_freqs_hz(config)
    bounds = row_bounds_hz(source, config)
    return (bounds[:-1] + bounds[1:]) / 2
