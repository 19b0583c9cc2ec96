"""Mel-frequency cepstral coefficients, their liftering and derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral

import numpy as np
import scipy
import torch

from esc.config import Config, SpectrogramConfig
from esc.dsp.spectrogram import mel_db
from esc.errors import ParameterError, check_range

DELTA_WIDTH = 9  # frames; librosa.feature.delta's default
MAX_LIFTER = 256.0


@dataclass(frozen=True, kw_only=True)
class CepstrumConfig(Config):
    """Liftering and derivative of coefficients that `SpectrogramConfig` describes.

    Liftering by L > 0 multiplies coefficient n by `1 + L / 2 * sin(pi * (n + 1) / L)`, which raises the small high ones.

    Raises
    ------
    ParameterError
        Names the field, the value and the legal range.
    """

    lifter: float = 0.0  # 0: none
    delta: int = 0  # 0: the coefficients; 1 or 2: their first or second derivative, per frame

    def __post_init__(self) -> None:
        check_range("lifter", self.lifter, 0, MAX_LIFTER)
        check_range("delta", self.delta, 0, 2, Integral)


PLAIN = CepstrumConfig()


def mfcc(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return mel-frequency cepstral coefficients, float32, shape (..., n_mfcc, n_frames).

    The orthonormal DCT-II of `mel_db` along the bands; equals `librosa.feature.mfcc(S=mel_db, n_mfcc=...)`.
    """
    return mfcc_of_db(mel_db(waveform, config), config)


def mfcc_of_db(db: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the coefficients (..., n_mfcc, n_frames) of a mel spectrogram in dB (..., n_mels, n_frames)."""
    return _dct_matrix(config.n_mels, config.n_mfcc).to(db.device) @ db


def liftered(coefficients: np.ndarray, lifter: float) -> np.ndarray:
    """Return liftered coefficients (..., n_mfcc, n_frames); equals `librosa.feature.mfcc(lifter=...)`."""
    if lifter == 0:
        return coefficients
    order = np.arange(1, coefficients.shape[-2] + 1, dtype=coefficients.dtype)
    return coefficients * (1 + (lifter / 2) * np.sin(np.pi * order / lifter))[:, None]


def shaped(coefficients: np.ndarray, cepstrum: CepstrumConfig) -> np.ndarray:
    """Return a whole sound's coefficients (n_mfcc, n_frames), liftered and differentiated.

    Equals `librosa.feature.mfcc(lifter=...)`, and `librosa.feature.delta(..., order=...)` of that.

    Raises
    ------
    ParameterError
        "parameter.delta": a derivative needs `DELTA_WIDTH` frames.
    """
    values = liftered(coefficients, cepstrum.lifter)
    if cepstrum.delta == 0:
        return values
    n_frames = coefficients.shape[-1]
    firsts = first_of_windows(np.arange(n_frames), n_frames)
    windows = np.lib.stride_tricks.sliding_window_view(values, DELTA_WIDTH, axis=-1)
    return windows[..., firsts, :] @ delta_weights(cepstrum.delta, values.dtype)


def first_of_windows(frames: np.ndarray, n_frames: int) -> np.ndarray:
    """Return the start of each frame's window, centred on it except at the sound's ends."""
    if n_frames < DELTA_WIDTH:
        raise ParameterError("parameter.delta", width=DELTA_WIDTH, n_frames=n_frames)
    return np.clip(frames - DELTA_WIDTH // 2, 0, n_frames - DELTA_WIDTH)


def windows_of(frames: range, n_frames: int) -> range:
    """Return the frames that the derivatives of consecutive frames need.

    `shaped` of these alone equals that of the whole sound.
    """
    first, last = first_of_windows(np.array([frames.start, frames.stop - 1]), n_frames)
    return range(int(first), int(last) + DELTA_WIDTH)


def delta_weights(order: int, dtype: np.dtype) -> np.ndarray:
    """Return Savitzky-Golay weights (1964) of a window's frames for a derivative of `order`.

    The derivative of a fitted polynomial of that degree is constant, so valid at the ends (librosa's `mode="interp"`).
    """
    return scipy.signal.savgol_coeffs(DELTA_WIDTH, order, deriv=order, use="dot").astype(dtype)


@lru_cache(maxsize=16)
def _dct_matrix(n_mels: int, n_mfcc: int) -> torch.Tensor:
    basis = scipy.fft.dct(np.eye(n_mels), type=2, norm="ortho", axis=0)[:n_mfcc]
    return torch.from_numpy(basis.astype(np.float32))
