"""Mel scale and mel filter bank."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from esc.config import LIMITS, SpectrogramConfig

_SLANEY_BREAK_HZ, _SLANEY_HZ_PER_MEL, _SLANEY_LOG_STEP = 1000.0, 200.0 / 3.0, np.log(6.4) / 27.0
_BLOCK_BANDS = 16


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


def mel_filters(config: SpectrogramConfig) -> np.ndarray:
    """Return the triangular mel filters, float32, shape (n_mels, n_freqs), each of unit area in Hz.

    Equals `librosa.filters.mel(..., norm="slaney")`; a band narrower than a bin may be empty (see `empty_bands`). The
    array is cached: it must not be written to.
    """
    return _mel_filters(_filter_config(config))


def mel_filter_blocks(config: SpectrogramConfig) -> list[tuple[np.ndarray, slice]]:
    """Return `mel_filters` in blocks of neighbouring bands, each with its bins.

    The other bins' weights are zero. At 256 bands the products with a spectrogram take an eighth of the time of one with the
    whole matrix.
    """
    return _mel_filter_blocks(_filter_config(config))


@lru_cache(maxsize=64)
def _filter_config(config: SpectrogramConfig) -> SpectrogramConfig:
    """Return a config whose other parameters are fixed: they change no filter."""
    return config.replace(win_length=32, hop_length=32, window="hann", db_ref=1.0, top_db=80.0, n_mfcc=1)


@lru_cache(maxsize=8)  # of up to 33 MB each; the largest take half a second
def _mel_filters(config: SpectrogramConfig) -> np.ndarray:
    edges = mel_edges_hz(config)[:, None]
    freqs = np.arange(config.n_freqs) * (config.sample_rate / config.n_fft)
    widths = np.diff(edges, axis=0)
    rising = (freqs - edges[:-2]) / widths[:-1]
    falling = (edges[2:] - freqs) / widths[1:]
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return filters.astype(np.float32)


@lru_cache(maxsize=8)
def _mel_filter_blocks(config: SpectrogramConfig) -> list[tuple[np.ndarray, slice]]:
    filters, blocks = _mel_filters(config), []
    for block in np.split(filters, range(_BLOCK_BANDS, len(filters), _BLOCK_BANDS)):
        covered = np.flatnonzero(block.any(axis=0))
        bins = slice(int(covered[0]), int(covered[-1]) + 1) if len(covered) else slice(1)
        blocks.append((block[:, bins].copy(), bins))
    return blocks


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
