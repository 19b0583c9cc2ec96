"""A-weighting (IEC 61672-1)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.axes import stft_freqs_hz

if TYPE_CHECKING:
    import torch

FLOOR_DB = -80.0
_WINDOW_S = 4096 / 44_100
_POLES_HZ = (12194.217, 20.598997, 107.65265, 737.86223)


def a_weighting_db(freqs_hz: np.ndarray, floor_db: float = FLOOR_DB) -> np.ndarray:
    """Return the A-weighting in dB at frequencies in Hz, at least `floor_db`.

    0 dB at 1 kHz. IEC 61672-1, annex E; equals `librosa.A_weighting`.
    """
    squares = np.square(np.asarray(freqs_hz, dtype=np.float64))
    high, low, second, third = np.square(_POLES_HZ)
    with np.errstate(divide="ignore"):  # -inf dB at 0 Hz
        weights_db = 2.0 + 20.0 * (
            np.log10(high)
            + 2.0 * np.log10(squares)
            - np.log10(squares + high)
            - np.log10(squares + low)
            - 0.5 * np.log10(squares + second)
            - 0.5 * np.log10(squares + third)
        )
    return np.maximum(weights_db, floor_db)


def max_a_weighted_db(waveforms: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Return the A-weighted level in dB of each waveform's loudest 93 ms.

    At least `FLOOR_DB`. As in between-class learning (Tokozume et al., 2018): Hann windows that overlap by half, their
    power summed over the weighted spectrum. Only differences between levels are meaningful.

    Parameters
    ----------
    waveforms : float tensor, shape (batch, n_samples)
    sample_rate : int
        Hz.

    Returns
    -------
    float32 tensor, shape (batch,)
    """
    from esc.dsp.spectrogram import stft_power  # late: the worker of esc.features runs without torch

    config = _windows(sample_rate, waveforms.shape[-1])
    power = stft_power(waveforms, config, center=False)
    weighted = (_weights(config).to(power.device) @ power).amax(dim=-1)
    return 10.0 * weighted.clamp_min(10.0 ** (FLOOR_DB / 10.0)).log10()


@lru_cache(maxsize=8)
def _windows(sample_rate: int, n_samples: int) -> SpectrogramConfig:
    n_fft = 2 ** round(np.log2(min(_WINDOW_S * sample_rate, n_samples)))
    n_fft = n_fft if n_fft <= n_samples else n_fft // 2
    lengths = {"n_fft": n_fft, "win_length": n_fft, "hop_length": n_fft // 2}
    return SpectrogramConfig(sample_rate=sample_rate, **lengths, n_mels=20, fmin=0.0, fmax=sample_rate / 2)


@lru_cache(maxsize=8)
def _weights(config: SpectrogramConfig) -> torch.Tensor:
    import torch

    return torch.from_numpy((10.0 ** (a_weighting_db(stft_freqs_hz(config)) / 10.0)).astype(np.float32))
