"""Axes of spectrograms: times of frames, frequencies of bins and rows."""

from __future__ import annotations

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.mel import hz_to_mel, mel_to_hz

MAX_ROWS = 1_025  # of a view; an STFT of 2048 shows all its bins


def frame_times_s(n_frames: int, config: SpectrogramConfig) -> np.ndarray:
    """Return the time of each frame's centre in seconds, shape (n_frames,)."""
    return np.arange(n_frames) * (config.hop_length / config.sample_rate)


def stft_freqs_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return the frequency of each STFT bin in Hz, shape (n_freqs,)."""
    return np.arange(config.n_freqs) * (config.sample_rate / config.n_fft)


def row_bounds_hz(source: str, config: SpectrogramConfig) -> np.ndarray:
    """Return the row bounds of a "mel" or an "stft" view in Hz."""
    return mel_bounds_hz(config) if source == "mel" else stft_bounds_hz(config)


def mel_bounds_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return a mel view's row bounds in Hz, midway in mel between band centres."""
    low, high = hz_to_mel([config.fmin, config.fmax], config.mel_scale)
    step = (high - low) / (config.n_mels + 1)
    return mel_to_hz(low + step * (np.arange(config.n_mels + 1) + 0.5), config.mel_scale)


def stft_bounds_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return an STFT view's row bounds in Hz, from 0 to half the sample rate."""
    bounds = (np.append(stft_rows(config), config.n_freqs) - 0.5) * config.sample_rate / config.n_fft
    return bounds.clip(0.0, config.sample_rate / 2)


def stft_rows(config: SpectrogramConfig) -> np.ndarray:
    """Return each row's first bin; past `MAX_ROWS` bins, groups evenly spaced in mel."""
    if config.n_freqs <= MAX_ROWS:
        return np.arange(config.n_freqs)
    mels = np.linspace(0.0, hz_to_mel(config.sample_rate / 2, "slaney"), MAX_ROWS, endpoint=False)
    return np.unique(np.round(mel_to_hz(mels, "slaney") * config.n_fft / config.sample_rate).astype(int))


def rows_at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return rows (n, ...) at fractional indices, interpolated linearly, constant beyond the ends."""
    index = index.clip(0, len(values) - 1)
    below = np.minimum(index.astype(int), max(0, len(values) - 2))
    above = np.minimum(below + 1, len(values) - 1)
    weight = (index - below).astype(np.float32)[:, None]
    return values[below] * (1 - weight) + values[above] * weight
