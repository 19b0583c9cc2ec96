"""A picture as a landscape that a browser can turn: few enough rows, every peak at its full height."""

from __future__ import annotations

import dataclasses

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.spectrogram import mel_freqs_hz
from esc.views.spectrogram_view import View, stft_bounds_hz

MAX_ROWS = 160  # with 320 columns 51,200 corners: more can't be told apart on a surface that turns


def pool_rows(view: View, freqs_hz: np.ndarray, max_rows: int = MAX_ROWS) -> tuple[View, np.ndarray]:
    """Return a picture with at most `max_rows` rows and where they lie in Hz.

    Neighbouring rows share one, which shows the loudest of them at each moment, so that a pure tone stands as high as
    before; along time `esc.views.spectrogram_view` has done the same, frame by frame.

    Parameters
    ----------
    view : View
        Levels of shape (n_rows, n_columns).
    freqs_hz : array, shape (n_rows,)
        The rows' middles, rising.
    max_rows : int

    Returns
    -------
    View, float64 array of shape (n_kept,)
        Levels (n_kept, n_columns), and the mean of the middles that each row stands for.
    """
    first = np.arange(0, len(freqs_hz), -(-len(freqs_hz) // max_rows))
    shared = dataclasses.replace(view, levels=np.maximum.reduceat(view.levels, first, axis=0))
    return shared, np.add.reduceat(freqs_hz, first) / np.diff(np.append(first, len(freqs_hz)))


def row_freqs_hz(source: str, config: SpectrogramConfig) -> np.ndarray:
    """Return the middles in Hz of the rows of a "mel" view or an "stft" view (`esc.views.spectrogram_view`)."""
    if source == "mel":
        return mel_freqs_hz(config)
    bounds = stft_bounds_hz(config)
    return (bounds[:-1] + bounds[1:]) / 2
