"""A spectrogram as a 3D surface: few rows, every peak at its full height."""

from __future__ import annotations

import dataclasses

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.axes import row_bounds_hz
from esc.dsp.mel import mel_freqs_hz
from esc.views.spectrogram_view import View

MAX_ROWS = 160  # with 320 columns 51,200 vertices: from afar a rotating surface shows no more detail
MAX_FINE_ROWS = 256  # from near


@dataclasses.dataclass(frozen=True)
class Grid:
    """Rows of a surface: their greatest number, and their frequencies (None: all)."""

    max_rows: int = MAX_ROWS
    band_hz: tuple[float, float] | None = None


def rows_between(view: View, freqs_hz: np.ndarray, low_hz: float, high_hz: float) -> tuple[View, np.ndarray]:
    """Return the rows centred in a frequency range, at least two, and their frequencies.

    Parameters
    ----------
    view : View
        Levels of shape (n_rows, n_columns).
    freqs_hz : array, shape (n_rows,)
        The rows' centres in Hz, rising.
    low_hz, high_hz : float
        Hz.
    """
    inside = np.flatnonzero((freqs_hz >= low_hz) & (freqs_hz <= high_hz)).tolist()
    first = inside[0] if inside else int((freqs_hz < low_hz).sum())
    first = min(first, max(0, len(freqs_hz) - 2))
    kept = slice(first, max(first + len(inside), first + 2))
    return dataclasses.replace(view, levels=view.levels[kept]), freqs_hz[kept]


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
