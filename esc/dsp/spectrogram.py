"""STFT, mel spectrogram and decibels, in torch.

Everything takes a NumPy array or a torch tensor, one waveform `(n_samples,)` or a batch `(..., n_samples)`, on any
device, and equals librosa 0.11's functions of the same names and parameters. Frames are centred: frame t covers the
samples around `t * hop_length`, with zeros beyond both ends.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.signal import get_window

from esc.config import InputConfig, SpectrogramConfig
from esc.dsp.decibels import AMIN
from esc.dsp.mel import mel_filters
from esc.errors import AudioError

_STANDARDISE_EPS = 1e-6


def stft_power(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig, center: bool = True) -> torch.Tensor:
    """Return the squared magnitude of the short-time Fourier transform.

    Parameters
    ----------
    waveform : array or tensor, shape (..., n_samples)
        At `config.sample_rate`, nominally in [-1, 1].
    config : SpectrogramConfig
    center : bool
        False if `n_fft // 2` samples of context are already on both sides.

    Returns
    -------
    tensor, float32, shape (..., n_freqs, n_frames)
        Power, not normalised: a sine of amplitude 1 under a Hann window peaks at `(win_length / 4) ** 2`.
        Equals `abs(librosa.stft(y, n_fft=..., win_length=..., hop_length=..., window=...)) ** 2`.
    """
    samples = torch.as_tensor(waveform)
    if not samples.is_floating_point():
        raise AudioError("audio.whole", dtype=str(samples.dtype).removeprefix("torch."))
    samples = samples.float()
    window = _window(config.window, config.win_length).to(samples.device)
    leading = samples.shape[:-1]
    stft = torch.stft(
        samples.reshape(-1, samples.shape[-1]),
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.win_length,
        window=window,
        center=center,
        pad_mode="constant",
        return_complex=True,
    )
    power = stft.real.square() + stft.imag.square()
    return power.reshape(*leading, *power.shape[-2:])


def mel_power(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig, center: bool = True) -> torch.Tensor:
    """Return the mel power spectrogram, shape (..., n_mels, n_frames); equals `librosa.feature.melspectrogram`."""
    power = stft_power(waveform, config, center)
    return torch.from_numpy(mel_filters(config)).to(power.device) @ power


def power_to_db(power: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power in dB over `config.db_ref`, floored `top_db` below each spectrogram's own maximum.

    Each spectrogram (the last two axes) of a batch has its own floor; silence becomes one flat value. Equals
    `librosa.power_to_db(S, ref=db_ref, top_db=top_db)` of each.
    """
    level_db = 10.0 * torch.log10(power.clamp_min(AMIN) / max(AMIN, config.db_ref))
    return torch.maximum(level_db, level_db.amax(dim=(-2, -1), keepdim=True) - config.top_db)


def stft_db(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the STFT in dB, float32, shape (..., n_freqs, n_frames)."""
    return power_to_db(stft_power(waveform, config), config)


def mel_db(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the mel spectrogram in dB, float32, shape (..., n_mels, n_frames)."""
    return power_to_db(mel_power(waveform, config), config)


def network_input(db: torch.Tensor, config: InputConfig) -> torch.Tensor:
    """Return mel spectrograms in dB, (..., n_mels, n_frames), scaled for the network.

    A silent clip becomes zeros ("clip", "notebook").
    """
    if config.scaling == "dataset":
        return (db - config.mean_db) / config.std_db
    centred = db - db.mean(dim=(-2, -1), keepdim=True)
    std = centred.square().mean(dim=(-2, -1), keepdim=True).sqrt()  # torch's own std takes thirty times as long
    standard = centred / (std + _STANDARDISE_EPS)
    if config.scaling == "clip":
        return standard
    low, high = standard.amin(dim=(-2, -1), keepdim=True), standard.amax(dim=(-2, -1), keepdim=True)
    return torch.where(high - low > _STANDARDISE_EPS, 255.0 * (standard - low) / (high - low), 0.0).trunc()


@lru_cache(maxsize=16)
def _window(name: str, win_length: int) -> torch.Tensor:
    return torch.from_numpy(get_window(name, win_length, fftbins=True).astype(np.float32))
