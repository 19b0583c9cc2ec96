"""STFT, mel spectrogram, decibels, MFCC and their axes, in torch.

Everything takes a NumPy array or a torch tensor, one waveform `(n_samples,)` or a batch `(..., n_samples)`, on any
device, and equals librosa 0.11's functions of the same names and parameters. Frames are centred: frame t covers the
samples around `t * hop_length`, with zeros beyond both ends.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.fft import dct
from scipy.signal import get_window

from esc.config import LIMITS, InputConfig, SpectrogramConfig
from esc.dsp.decibels import AMIN
from esc.errors import AudioError

_SLANEY_BREAK_HZ, _SLANEY_HZ_PER_MEL, _SLANEY_LOG_STEP = 1000.0, 200.0 / 3.0, np.log(6.4) / 27.0
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
    return _filters_tensor(config).to(power.device) @ power


def power_to_db(power: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power in dB over `config.db_ref`, floored `top_db` below each spectrogram's own maximum.

    Each spectrogram (the last two axes) of a batch has its own floor; silence becomes one flat value. Equals
    `librosa.power_to_db(S, ref=db_ref, top_db=top_db)` of each.
    """
    level_db = power_to_level(power, config)
    return torch.maximum(level_db, level_db.amax(dim=(-2, -1), keepdim=True) - config.top_db)


def power_to_level(power: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power in dB over `config.db_ref`, without a floor other than `AMIN`."""
    return 10.0 * torch.log10(power.clamp_min(AMIN) / max(AMIN, config.db_ref))


def stft_db(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the STFT in dB, float32, shape (..., n_freqs, n_frames)."""
    return power_to_db(stft_power(waveform, config), config)


def mel_db(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the mel spectrogram in dB, float32, shape (..., n_mels, n_frames)."""
    return power_to_db(mel_power(waveform, config), config)


def mfcc(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return mel-frequency cepstral coefficients, float32, shape (..., n_mfcc, n_frames).

    The orthonormal DCT-II of `mel_db` along the bands; equals `librosa.feature.mfcc(S=mel_db, n_mfcc=...)`.
    """
    return mfcc_of_db(mel_db(waveform, config), config)


def mfcc_of_db(db: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the coefficients (..., n_mfcc, n_frames) of a mel spectrogram in dB (..., n_mels, n_frames)."""
    return _dct_matrix(config.n_mels, config.n_mfcc).to(db.device) @ db


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


def hz_to_mel(freqs_hz: ArrayLike, mel_scale: str) -> np.ndarray:
    """Return frequencies in mel, by Slaney's or HTK's formula; equals `librosa.hz_to_mel`."""
    freqs_hz = np.asarray(freqs_hz, dtype=np.float64)
    if mel_scale == "htk":
        return 2595.0 * np.log10(1.0 + freqs_hz / 700.0)
    linear = freqs_hz / _SLANEY_HZ_PER_MEL
    above = np.maximum(freqs_hz, _SLANEY_BREAK_HZ)
    logarithmic = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL + np.log(above / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(freqs_hz < _SLANEY_BREAK_HZ, linear, logarithmic)


def mel_to_hz(mels: ArrayLike, mel_scale: str) -> np.ndarray:
    """Return mels in Hz, the inverse of `hz_to_mel`; equals `librosa.mel_to_hz`."""
    mels = np.asarray(mels, dtype=np.float64)
    if mel_scale == "htk":
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
    linear = mels * _SLANEY_HZ_PER_MEL
    logarithmic = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (np.maximum(mels, break_mel) - break_mel))
    return np.where(mels < break_mel, linear, logarithmic)


def mel_edges_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return the band edges in Hz, (n_mels + 2,).

    Band k spans edges k to k + 2.
    """
    low, high = hz_to_mel([config.fmin, config.fmax], config.mel_scale)
    return mel_to_hz(np.linspace(low, high, config.n_mels + 2), config.mel_scale)


def mel_freqs_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return the centre frequency of each mel band in Hz, shape (n_mels,)."""
    return mel_edges_hz(config)[1:-1]


def stft_freqs_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return the frequency of each STFT bin in Hz, shape (n_freqs,)."""
    return np.arange(config.n_freqs) * (config.sample_rate / config.n_fft)


def frame_times_s(n_frames: int, config: SpectrogramConfig) -> np.ndarray:
    """Return the time of each frame's centre in seconds, shape (n_frames,)."""
    return np.arange(n_frames) * (config.hop_length / config.sample_rate)


def mel_filters(config: SpectrogramConfig) -> np.ndarray:
    """Return the triangular mel filters, float32, shape (n_mels, n_freqs), each of unit area in Hz.

    Equals `librosa.filters.mel(..., norm="slaney")`; a band narrower than a bin may be empty (see `empty_bands`).
    """
    edges = mel_edges_hz(config)[:, None]
    freqs = stft_freqs_hz(config)[None, :]
    widths = np.diff(edges, axis=0)
    rising = (freqs - edges[:-2]) / widths[:-1]
    falling = (edges[2:] - freqs) / widths[1:]
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return filters.astype(np.float32)


def empty_bands(config: SpectrogramConfig) -> list[int]:
    """Return the indices of the mel bands that contain no STFT bin."""
    corners_in_bins = mel_edges_hz(config) * (config.n_fft / config.sample_rate)
    first = np.floor(corners_in_bins[:-2]) + 1
    last = np.minimum(np.ceil(corners_in_bins[2:]) - 1, config.n_fft // 2)
    return np.flatnonzero(last < first).tolist()


def fix_empty_bands(config: SpectrogramConfig) -> SpectrogramConfig:
    """Return the nearest config without empty mel bands: with fewer bands.

    A larger n_fft, which costs resolution in time, is the last resort.
    """
    n_mels = config.n_mels
    while n_mels > LIMITS["n_mels"][0] and empty_bands(config.replace(n_mels=n_mels, n_mfcc=min(config.n_mfcc, n_mels))):
        n_mels -= 1
    fixed = config.replace(n_mels=n_mels, n_mfcc=min(config.n_mfcc, n_mels))
    while empty_bands(fixed) and fixed.n_fft * 2 <= LIMITS["n_fft"][1]:
        fixed = fixed.replace(n_fft=fixed.n_fft * 2)  # a band of a few Hz: no number of bands helps
    return fixed


@lru_cache(maxsize=16)
def _window(name: str, win_length: int) -> torch.Tensor:
    return torch.from_numpy(get_window(name, win_length, fftbins=True).astype(np.float32))


@lru_cache(maxsize=8)  # of up to 33 MB each
def _filters_tensor(config: SpectrogramConfig) -> torch.Tensor:
    return torch.from_numpy(mel_filters(config))


@lru_cache(maxsize=16)
def _dct_matrix(n_mels: int, n_mfcc: int) -> torch.Tensor:
    basis = dct(np.eye(n_mels), type=2, norm="ortho", axis=0)[:n_mfcc]
    return torch.from_numpy(basis.astype(np.float32))
