"""Matplotlib figures of whole sounds, without pyplot's global state.

Every function returns a `matplotlib.figure.Figure`; `figure.savefig(path)` writes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from esc.config import SpectrogramConfig
from esc.dsp.axes import frame_times_s
from esc.dsp.mel import hz_to_mel, mel_freqs_hz
from esc.plotting.style import COLOURS, FAINT, FIRST, INK, plain

_TICKS_HZ = np.array([20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000])
_ENVELOPE_COLUMNS = 2_000
_SURFACE_COLUMNS, _SURFACE_ROWS = 160, 96


def plot_waveform(waveform: np.ndarray, sample_rate: int, title: str = "Waveform") -> Figure:
    """Return a waveform (n_samples,) over time, or the envelope of a long one."""
    figure, axes = _figure(title, 3.2)
    seconds = len(waveform) / sample_rate
    if len(waveform) > 2 * _ENVELOPE_COLUMNS:
        edges = np.arange(_ENVELOPE_COLUMNS) * len(waveform) // _ENVELOPE_COLUMNS
        low, high = np.minimum.reduceat(waveform, edges), np.maximum.reduceat(waveform, edges)
        axes.fill_between(edges / sample_rate, low, high, color=FIRST, linewidth=0.4, edgecolor=FIRST)
    else:
        axes.plot(np.arange(len(waveform)) / sample_rate, waveform, color=FIRST, linewidth=0.8)
    axes.set(xlim=(0, seconds), xlabel="time, s", ylabel="amplitude, 1 = full scale")
    axes.grid(color=FAINT, linewidth=0.5, alpha=0.6)
    return figure


def plot_stft(stft_db: np.ndarray, config: SpectrogramConfig, title: str = "STFT") -> Figure:
    """Return an STFT (n_freqs, n_frames) in dB over time, on a linear frequency axis."""
    figure, axes = _figure(title, 4.2)
    bin_khz = config.sample_rate / config.n_fft / 1_000
    _image(axes, stft_db, config, (-0.5 * bin_khz, (config.n_freqs - 0.5) * bin_khz))
    axes.set(ylabel="frequency, kHz", ylim=(0, config.sample_rate / 2_000))
    return figure


def plot_mel(mel_db: np.ndarray, config: SpectrogramConfig, title: str = "Mel spectrogram") -> Figure:
    """Return a mel spectrogram (n_mels, n_frames) in dB over time, labelled in Hz."""
    figure, axes = _figure(title, 4.2)
    _image(axes, mel_db, config, (-0.5, config.n_mels - 0.5))
    axes.set_yticks(*_band_ticks(config))
    axes.set(ylabel="frequency, Hz (mel scale)")
    return figure


def plot_mel_surface(mel_db: np.ndarray, config: SpectrogramConfig, title: str = "Mel spectrogram in 3D") -> Figure:
    """Return a mel spectrogram as a surface; maxima survive the downsampling."""
    figure = Figure(figsize=(9, 6.5), dpi=120, layout="constrained")
    axes = figure.add_subplot(projection="3d")
    axes.set_title(title, color=INK)
    rows = _block_starts(mel_db.shape[0], _SURFACE_ROWS)
    columns = _block_starts(mel_db.shape[1], _SURFACE_COLUMNS)
    heights = np.maximum.reduceat(np.maximum.reduceat(mel_db, rows, axis=0), columns, axis=1)
    times_s, bands = np.meshgrid(frame_times_s(mel_db.shape[1], config)[columns], rows)
    surface = axes.plot_surface(
        times_s, bands, heights, cmap=COLOURS, rstride=1, cstride=1, linewidth=0, antialiased=False, shade=False
    )
    axes.set_yticks(*_band_ticks(config))
    axes.set_xlabel("time, s", labelpad=10)
    axes.set_ylabel("frequency, Hz", labelpad=16)
    axes.set_zlabel("level, dB")
    axes.view_init(elev=38, azim=-62)
    axes.set_box_aspect((1.7, 1.1, 0.6), zoom=1.1)
    figure.colorbar(surface, ax=axes, label="level, dB", shrink=0.6, pad=0.08)
    return figure


def plot_mfcc(mfcc: np.ndarray, config: SpectrogramConfig, title: str = "MFCC") -> Figure:
    """Return MFCCs (n_mfcc, n_frames) over time, each divided by its largest absolute value.

    Without this scaling the first coefficient, the loudness, would dominate.
    """
    figure, axes = _figure(title, 3.8)
    scaled = mfcc / np.maximum(np.abs(mfcc).max(axis=1, keepdims=True), 1e-9)
    label = "value / row maximum"
    _image(axes, scaled, config, (-0.5, len(mfcc) - 0.5), label, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(ylabel="coefficient")
    return figure


def _figure(title: str, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(10, height), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, color=INK)
    plain(axes)
    return figure, axes


def _image(
    axes: Axes, matrix: np.ndarray, config: SpectrogramConfig, rows: tuple[float, float], label: str = "level, dB", **style: Any
) -> None:
    """Draw a matrix, with frames centred on their times, and a colour bar."""
    hop_s = config.hop_length / config.sample_rate
    extent = (-0.5 * hop_s, (matrix.shape[1] - 0.5) * hop_s, *rows)
    style = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "cmap": COLOURS} | style
    image = axes.imshow(matrix, extent=extent, **style)
    axes.set(xlabel="time, s", xlim=(0.0, extent[1]))
    axes.figure.colorbar(image, ax=axes, label=label, pad=0.015)


def _band_ticks(config: SpectrogramConfig) -> tuple[np.ndarray, list[str]]:
    """Return positions and labels of round frequencies among the mel bands."""
    low, high = mel_freqs_hz(config)[[0, -1]]
    shown = _TICKS_HZ[(low <= _TICKS_HZ) & (high >= _TICKS_HZ)]
    mels = hz_to_mel(shown, config.mel_scale)
    first, last = hz_to_mel(np.array([low, high]), config.mel_scale)
    ticks = (mels - first) / (last - first) * (config.n_mels - 1)
    apart = [i for i in range(len(shown)) if i == len(shown) - 1 or ticks[i + 1] - ticks[i] > 0.035 * config.n_mels]
    return ticks[apart], [f"{shown[i]:,}" for i in apart]


def _block_starts(length: int, most: int) -> np.ndarray:
    """Return the first indices of at most `most` blocks of about equal size."""
    count = min(length, most)
    return np.arange(count) * length // count
