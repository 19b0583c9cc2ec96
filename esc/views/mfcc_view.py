"""MFCC between two times at display resolution."""

from __future__ import annotations

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.decibels import power_to_level_db
from esc.dsp.frames import FRAMES_A_COLUMN, Transform, Waveform, frame_at, frames_between, pool_columns, power_frames
from esc.dsp.mfcc import DELTA_WIDTH, PLAIN, CepstrumConfig, delta_weights, first_of_windows, liftered, mfcc_of_db
from esc.dsp.spectrogram import mel_power
from esc.dsp.tiles import Tile, quantised
from esc.views.spectrogram_view import View, make_view


def mfcc_view(
    waveform: Waveform,
    config: SpectrogramConfig,
    tile: Tile,
    high_db: float,
    value_range: tuple[float, float] | None = None,
    cepstrum: CepstrumConfig = PLAIN,
) -> View:
    """Return the coefficients 1 to n_mfcc - 1 of a tile.

    `low_db` and `high_db` of the view are coefficients, not dB. Coefficient 0, the overall level, is left out: its range
    would hide the others. Each value is the whole sound's (`shaped`), also at the edges of the tile. Frames that share a
    column are averaged, which for a linear transform gives the coefficients of their mean level.

    Parameters
    ----------
    waveform, config, tile
        As in `mel_view`.
    high_db : float
        The sound's `peak_level_db`, below which `top_db` are kept.
    value_range : tuple of float, optional
        The coefficients of the levels 0 and 255; by default the least and the greatest of this view.
    cepstrum : CepstrumConfig
    """
    frames = frames_between(waveform, config, tile.start_s, tile.end_s)
    values = columns_mfcc(waveform, config, frames, tile.columns, high_db, cepstrum)
    low, high = value_range or (float(values.min()), float(values.max()))
    return make_view(quantised(values, low, high), low, high, frames, config)


def columns_mfcc(
    waveform: Waveform, config: SpectrogramConfig, frames: range, columns: int, high_db: float, cepstrum: CepstrumConfig = PLAIN
) -> np.ndarray:
    """Return the coefficients of a view's columns, (n_mfcc - 1, n_columns)."""
    sampled = 1 if cepstrum.delta else FRAMES_A_COLUMN  # each frame of a derivative costs nine

    def compute(numbers: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(_frames(waveform, config, numbers, high_db, cepstrum))

    return pool_columns(frames, columns, config, compute, np.add, sampled)[1:]


def mfcc_at(
    waveform: Waveform, config: SpectrogramConfig, time_s: float, high_db: float, cepstrum: CepstrumConfig = PLAIN
) -> np.ndarray:
    """Return the coefficients at the frame nearest to `time_s`, shape (n_mfcc,)."""
    return _frames(waveform, config, frame_at(waveform, config, time_s), high_db, cepstrum)[:, 0]


def _frames(
    waveform: Waveform, config: SpectrogramConfig, frames: np.ndarray, high_db: float, cepstrum: CepstrumConfig
) -> np.ndarray:
    """Return the values (n_mfcc, n) of the numbered frames; equals `shaped` of the whole."""

    def plain(numbers: np.ndarray) -> np.ndarray:
        return liftered(power_frames(waveform, config, numbers, _mfcc_floored(high_db)).numpy(), cepstrum.lifter)

    if cepstrum.delta == 0:
        return plain(frames)
    firsts = first_of_windows(frames, config.n_frames(len(waveform)))
    window = firsts[:, None] + np.arange(DELTA_WIDTH)
    needed, indices = np.unique(window, return_inverse=True)  # adjacent windows overlap
    windows = plain(needed)[:, indices.reshape(window.shape)]
    return windows @ delta_weights(cepstrum.delta, windows.dtype)


def _mfcc_floored(high_db: float) -> Transform:
    def transform(waveform: np.ndarray, config: SpectrogramConfig, center: bool) -> torch.Tensor:
        level_db = power_to_level_db(mel_power(waveform, config, center).numpy(), config)
        return mfcc_of_db(torch.from_numpy(np.maximum(level_db, high_db - config.top_db)), config)

    return transform
