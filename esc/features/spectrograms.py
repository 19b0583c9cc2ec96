"""Spectrogram variants: constant-Q, reassigned, PCEN, harmonic and percussive parts.

`source`, "mel" or "stft", is the spectrogram whose rows they have; only constant-Q has its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.axes import row_bounds_hz, stft_rows
from esc.dsp.decibels import power_to_level_db
from esc.dsp.mel import mel_filters
from esc.dsp.tiles import ColumnPool, Tile, frame_range
from esc.features.chunks import Chunk, OnProgress, iter_chunks

LOWEST_HZ = 32.70320  # C1, librosa.cqt's default
BINS_PER_OCTAVE = 24  # quarter tones
HIGHEST_SHARE = 0.9  # of half the rate: the highest filter has to fit below it
CONSTANT_Q_CONTEXT_S = 1.2  # the lowest filter is 1.04 s long
HPSS_FRAMES = 31  # librosa.decompose.hpss's default kernel
PCEN_SCALE = 2.0**31  # PCEN's defaults are meant for 32-bit integer samples
PCEN_CONTEXT_S = 6.0  # fifteen of its time constants
_SHORTEST_S = 2.0  # a shorter sound is padded with silence, as its frames are anyway


@dataclass(frozen=True)
class FeatureImage:
    """A spectrogram variant."""

    values: np.ndarray  # float32 (n_rows, n_columns), in dB; of PCEN, its own values, 0 and up
    bounds_hz: np.ndarray  # (n_rows + 1,)
    frames: tuple[int, int]  # the first and the last
    decibels: bool = True


def harmonic(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, source: str, on_progress: OnProgress) -> FeatureImage:
    """Return the harmonic part by `librosa.decompose.hpss` (Fitzgerald 2010), as power in dB.

    The magnitudes of the whole sound's STFT are separated, then pooled into the rows.
    """
    return _separated(0, waveform, config, tile, source, on_progress)


def percussive(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, source: str, on_progress: OnProgress) -> FeatureImage:
    """Return the percussive part; see `harmonic`."""
    return _separated(1, waveform, config, tile, source, on_progress)


def pcen(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, source: str, on_progress: OnProgress) -> FeatureImage:
    """Return per-channel energy normalisation (Lostanlen et al. 2019) of the rows' magnitudes.

    Equals `librosa.pcen(S * 2**31, sr=..., hop_length=...)` of the whole sound's magnitude (mel) spectrogram; a later
    tile starts from `PCEN_CONTEXT_S` seconds of context, after which the smoother has forgotten its initial state.
    """
    import librosa

    state = None

    def compute(chunk: Chunk) -> np.ndarray:
        nonlocal state
        magnitude = _in_rows(chunk.magnitude(config), config, source) * PCEN_SCALE
        needed = magnitude[:, : chunk.own.stop] if state is None else magnitude[:, chunk.own]
        values, state = librosa.pcen(needed, sr=config.sample_rate, hop_length=config.hop_length, zi=state, return_zf=True)
        return values[:, -chunk.count :]

    values, frames = _pooled(waveform, config, tile, on_progress, compute, PCEN_CONTEXT_S)
    return FeatureImage(values, row_bounds_hz(source, config), frames, decibels=False)


def constant_q_bins(config: SpectrogramConfig) -> int:
    """Return the number of constant-Q bins below the highest possible frequency."""
    return math.floor(BINS_PER_OCTAVE * math.log2(HIGHEST_SHARE * config.sample_rate / 2 / LOWEST_HZ))


def constant_q(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, source: str, on_progress: OnProgress) -> FeatureImage:
    """Return the constant-Q transform, 24 bins an octave from C1, as power in dB.

    Equals `abs(librosa.cqt(y, sr=..., hop_length=..., n_bins=..., bins_per_octave=24)) ** 2`. A silent row at each end
    completes the frequency axis.
    """
    import librosa

    rate = config.sample_rate
    n_bins = constant_q_bins(config)
    bins: dict[str, Any] = {"fmin": LOWEST_HZ, "n_bins": n_bins, "bins_per_octave": BINS_PER_OCTAVE}

    def compute(chunk: Chunk) -> np.ndarray:
        samples = np.pad(chunk.samples, (0, max(0, round(_SHORTEST_S * rate) - len(chunk.samples))))
        transform = librosa.cqt(samples, sr=rate, hop_length=config.hop_length, **bins)
        return np.pad(np.abs(transform)[:, chunk.own] ** 2, ((1, 1), (0, 0)))

    bounds_hz = LOWEST_HZ * 2.0 ** ((np.arange(n_bins + 1) - 0.5) / BINS_PER_OCTAVE)
    power, frames = _pooled(waveform, config, tile, on_progress, compute, CONSTANT_Q_CONTEXT_S, n_bins)
    return FeatureImage(power_to_level_db(power, config), np.concatenate([[0.0], bounds_hz, [rate / 2]]), frames)


def reassigned(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, source: str, on_progress: OnProgress) -> FeatureImage:
    """Return the reassigned spectrogram (Auger and Flandrin 1995), as power in dB.

    The points of `librosa.reassigned_spectrogram`, summed in the rows and in columns of a frame or more.
    """
    import librosa

    rate, hop = config.sample_rate, config.hop_length
    lengths: dict[str, Any] = {"n_fft": config.n_fft, "hop_length": hop, "win_length": config.win_length, "window": config.window}
    first, last = frame_range(len(waveform), config, tile.start_s, tile.end_s)
    columns = min(tile.columns, last + 1 - first)
    edge_s = (first - 0.5) * hop / rate
    column_s = (last + 1 - first) * hop / rate / columns
    bounds_hz = row_bounds_hz(source, config)
    power = np.zeros((len(bounds_hz) - 1) * columns)
    around = math.ceil(config.n_fft / 2 / hop)  # frames beyond the ends have points within
    outer = max(0, first - around), min(config.n_frames(len(waveform)) - 1, last + around)
    for chunk in iter_chunks(waveform, config, outer, config.n_fft / rate, on_progress):
        with np.errstate(all="ignore"):  # librosa divides by silence, which gives NaN
            points = librosa.reassigned_spectrogram(y=chunk.samples, sr=rate, **lengths)
        freqs_hz, times_s, magnitudes = (values[:, chunk.own].ravel() for values in points)
        times_s = times_s + (chunk.first - chunk.skip) * hop / rate
        row = np.searchsorted(bounds_hz[1:-1], freqs_hz, side="right")
        column = np.floor((times_s - edge_s) / column_s)
        # librosa moves points beyond half the rate onto it; NaN is nowhere inside
        inside = (freqs_hz >= bounds_hz[0]) & (freqs_hz <= bounds_hz[-1]) & (column >= 0) & (column < columns)
        cells = row[inside] * columns + column[inside].astype(int)
        power += np.bincount(cells, weights=magnitudes[inside].astype(np.float64) ** 2, minlength=len(power))
    return FeatureImage(power_to_level_db(power.reshape(-1, columns), config), bounds_hz, (first, last))


def _separated(
    part: int, waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, source: str, on_progress: OnProgress
) -> FeatureImage:
    import librosa

    context_s = ((HPSS_FRAMES // 2 + 1) * config.hop_length + config.n_fft) / config.sample_rate

    def compute(chunk: Chunk) -> np.ndarray:
        magnitude = librosa.decompose.hpss(chunk.magnitude(config), kernel_size=HPSS_FRAMES)[part]
        return _in_rows(magnitude[:, chunk.own] ** 2, config, source)

    power, frames = _pooled(waveform, config, tile, on_progress, compute, context_s)
    return FeatureImage(power_to_level_db(power, config), row_bounds_hz(source, config), frames)


def _in_rows(values: np.ndarray, config: SpectrogramConfig, source: str) -> np.ndarray:
    """Return values (n_freqs, n) of an STFT in the rows of its view, (n_rows, n)."""
    if source == "mel":
        return mel_filters(config) @ values
    return np.maximum.reduceat(values, stft_rows(config), axis=0)


def _pooled(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    tile: Tile,
    on_progress: OnProgress,
    compute: Callable[[Chunk], np.ndarray],
    context_s: float,
    n_freqs: int | None = None,
) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the chunks' values pooled into the tile's columns, and the first and last frame."""
    first, last = frames = frame_range(len(waveform), config, tile.start_s, tile.end_s)
    pool = ColumnPool(last + 1 - first, tile.columns)
    for chunk in iter_chunks(waveform, config, frames, context_s, on_progress, n_freqs):
        pool.add(*pool.reduce(chunk.first - first, compute(chunk)))
    return pool.values(), frames
