"""MFCC between two times, as a screen shows them."""

from __future__ import annotations

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.frames import FRAMES_A_COLUMN, Transform, frame_at, frames_between, pool_columns, power_frames
from esc.dsp.mfcc import DELTA_WIDTH, PLAIN, CepstrumConfig, delta_weights, first_of_windows, liftered
from esc.dsp.spectrogram import mel_power, mfcc_of_db, power_to_level
from esc.views.spectrogram_view import View, make_view


def mfcc_view(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    high_db: float,
    value_range: tuple[float, float] | None = None,
    cepstrum: CepstrumConfig = PLAIN,
) -> View:
    """Return the coefficients 1 to n_mfcc - 1 between two times; `low_db` and `high_db` are coefficients here, not dB.

    Coefficient 0, the overall level, is left out: its range would drown the others. Each value is the whole sound's
    (`shaped`), also at the edges of the stretch. Frames that share a column are averaged, which for a linear
    transform is the coefficients of their mean level. `high_db` is the sound's `peak_level_db`, below which `top_db`
    are kept; `value_range` the coefficients that read as 0 and 255, left out: the least and the greatest of this view.
    """
    frames = frames_between(waveform, config, start_s, end_s)
    sampled = 1 if cepstrum.delta else FRAMES_A_COLUMN  # each frame of a derivative costs nine

    def compute(numbers: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(_frames(waveform, config, numbers, high_db, cepstrum))

    values = pool_columns(frames, columns, config, compute, np.add, sampled).numpy()[1:]
    low, high = value_range or (float(values.min()), float(values.max()))
    share = (values - low) / max(high - low, 1e-9)
    return make_view(np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8), low, high, frames, config)


def mfcc_at(
    waveform: np.ndarray, config: SpectrogramConfig, time_s: float, high_db: float, cepstrum: CepstrumConfig = PLAIN
) -> np.ndarray:
    """Return the coefficients at the frame nearest to `time_s`, shape (n_mfcc,)."""
    return _frames(waveform, config, frame_at(waveform, config, time_s), high_db, cepstrum)[:, 0]


def _frames(
    waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, high_db: float, cepstrum: CepstrumConfig
) -> np.ndarray:
    """Return the whole sound's values, as `shaped` gives them, of the frames with these numbers: (n_mfcc, n)."""

    def plain(numbers: np.ndarray) -> np.ndarray:
        return liftered(power_frames(waveform, config, numbers, _mfcc_under(high_db)).numpy(), cepstrum.lifter)

    if cepstrum.delta == 0:
        return plain(frames)
    firsts = first_of_windows(frames, config.n_frames(len(waveform)))
    around = firsts[:, None] + np.arange(DELTA_WIDTH)
    needed, places = np.unique(around, return_inverse=True)  # neighbours share most of what they look at
    windows = plain(needed)[:, places.reshape(around.shape)]
    return windows @ delta_weights(cepstrum.delta, windows.dtype)


def _mfcc_under(high_db: float) -> Transform:
    def transform(waveform: np.ndarray, config: SpectrogramConfig, center: bool) -> torch.Tensor:
        level_db = power_to_level(mel_power(waveform, config, center), config)
        return mfcc_of_db(level_db.clamp_min(high_db - config.top_db), config)

    return transform
