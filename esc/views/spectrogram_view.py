"""Spectrograms at display resolution: time range, screen columns, 8-bit levels.

Hour-long sounds are computed from `SpectrogramConfig`'s own frames, never from shortened audio. The loudest frame of a
column counts, so that a click of one frame stays visible at any zoom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.axes import stft_rows
from esc.dsp.decibels import power_to_level_db
from esc.dsp.frames import OVERVIEW_COLUMNS, Transform, Waveform, frame_at, frames_between, pool_columns, power_frames
from esc.dsp.spectrogram import mel_power, stft_power
from esc.dsp.tiles import Tile, quantised
from esc.errors import check_range

_SAMPLED_COLUMNS = 250  # of a view, for the share that is hidden


@dataclass(frozen=True)
class View:
    """A spectrogram's tile in 8-bit levels.

    Its edges lie half a hop before the first frame's centre and half a hop after the last one's, so the first may lie
    before 0 and the last beyond the sound. The columns between are equally wide; if frames share a column each is off by
    less than a hop.
    """

    levels: np.ndarray  # uint8 (n_rows, n_columns), linear in dB; silence is 0 throughout
    low_db: float  # dB of level 0, to which lower values are raised
    high_db: float  # dB of level 255
    start_s: float  # outer edge
    end_s: float
    n_frames: int  # between the edges; one column each unless there are more than columns
    hidden: float = 0.0  # share of the values below `low_db`, of those that are not silence
    depth_db: float = 0.0  # below `high_db`; nine tenths of those that are not silence lie above


def mel_view(waveform: Waveform, config: SpectrogramConfig, tile: Tile, high_db: float | None = None) -> View:
    """Return a tile of the mel spectrogram.

    Each value is the whole spectrogram's (`esc.dsp.spectrogram.mel_power`), rounded to 8 bits: half a step is
    `top_db / 510`. A column holds the greatest power of its frames, band by band. Past `FRAMES_A_COLUMN` frames a column,
    as many evenly spaced ones are computed (of the whole sound those of `peak_level_db`), so an hour's overview may miss
    an event shorter than their distance; zooming in shows it.

    Parameters
    ----------
    waveform : float32 array, memmap or LazyResampled, shape (n_samples,)
        At `config.sample_rate`.
    config : SpectrogramConfig
    tile : Tile
        The frames centred in it are shown, at least one. Times are clamped to the sound; 1 to
        `frames.MAX_COLUMNS` columns.
    high_db : float, optional
        dB of the brightest level, usually `peak_level_db` of the whole sound; by default the maximum of this view.

    Raises
    ------
    ParameterError
        A field of the tile is not possible.
    """
    return _view(waveform, config, tile, high_db, mel_power)


def stft_view(waveform: Waveform, config: SpectrogramConfig, tile: Tile, high_db: float | None = None) -> View:
    """Return a tile of the STFT, as `mel_view` does of the mel spectrogram.

    The rows are the bins, from 0 Hz up; past `axes.MAX_ROWS` adjacent bins share a row, more of them the higher they lie,
    and the loudest counts. `row_bounds_hz` gives the rows' bounds.
    """
    return _view(waveform, config, tile, high_db, pooled_stft)


def peak_level_db(waveform: Waveform, config: SpectrogramConfig, transform: Transform = mel_power) -> float:
    """Return the dB of the loudest value of a sound's spectrogram.

    Exact up to `OVERVIEW_COLUMNS * FRAMES_A_COLUMN` frames; of longer sounds, the maximum of the sampled overview.
    """
    frames = range(config.n_frames(len(waveform)))
    return float(columns_db(waveform, config, frames, OVERVIEW_COLUMNS, transform).max())


def level_at(waveform: Waveform, config: SpectrogramConfig, time_s: float, band: int, high_db: float) -> float:
    """Return the exact dB of a mel band at a time, floored as the view.

    Raises
    ------
    ParameterError
        `time_s` is not a number or there is no such band.
    """
    check_range("band", band, 0, config.n_mels - 1, Integral)
    return _level_at(waveform, config, time_s, int(band), high_db, mel_power)


def stft_level_at(waveform: Waveform, config: SpectrogramConfig, time_s: float, freq_hz: float, high_db: float) -> float:
    """Return the exact dB of an STFT bin at a time, floored as the view."""
    bin_ = min(max(0, round(freq_hz * config.n_fft / config.sample_rate)), config.n_freqs - 1)
    return _level_at(waveform, config, time_s, bin_, high_db, stft_power)


def make_view(levels: np.ndarray, low: float, high: float, frames: range, config: SpectrogramConfig) -> View:
    """Return levels with the outer edges of their frames."""
    hop_s = config.hop_length / config.sample_rate
    start_s, end_s = (frames[0] - 0.5) * hop_s, (frames[-1] + 0.5) * hop_s
    return View(levels, low_db=low, high_db=high, start_s=start_s, end_s=end_s, n_frames=len(frames))


def _level_at(
    waveform: Waveform, config: SpectrogramConfig, time_s: float, row: int, high_db: float, transform: Transform
) -> float:
    power = power_frames(waveform, config, frame_at(waveform, config, time_s), transform)[row, 0]
    return max(float(power_to_level_db(float(power), config)), high_db - config.top_db)


def pooled_stft(waveform: np.ndarray, config: SpectrogramConfig, center: bool) -> torch.Tensor:
    """Return `stft_power` in the rows of a view, see `stft_view`."""
    power = stft_power(waveform, config, center)
    rows = stft_rows(config)
    return power if len(rows) == config.n_freqs else torch.from_numpy(np.maximum.reduceat(power.numpy(), rows, axis=-2))


def _view(waveform: Waveform, config: SpectrogramConfig, tile: Tile, high_db: float | None, transform: Transform) -> View:
    frames = frames_between(waveform, config, tile.start_s, tile.end_s)
    level_db = columns_db(waveform, config, frames, tile.columns, transform)
    high_db = float(level_db.max()) if high_db is None else float(high_db)
    low_db, silence_db = high_db - config.top_db, float(power_to_level_db(0.0, config))
    levels = quantised(level_db, low_db, high_db) if high_db > silence_db else np.zeros(level_db.shape, np.uint8)
    hidden, depth_db = _below(level_db, low_db, high_db, silence_db)
    return replace(make_view(levels, low_db, high_db, frames, config), hidden=hidden, depth_db=depth_db)


def columns_db(waveform: Waveform, config: SpectrogramConfig, frames: range, columns: int, transform: Transform) -> np.ndarray:
    """Return the levels of a view's columns, dB (n_rows, n_columns) without a floor."""
    whole = len(frames) == config.n_frames(len(waveform))
    compute = partial(power_frames, waveform, config, transform=transform)
    power = pool_columns(frames, columns, config, compute, min_sampled=OVERVIEW_COLUMNS if whole else 1)
    return power_to_level_db(power, config)


def _below(level_db: np.ndarray, low_db: float, high_db: float, silence_db: float) -> tuple[float, float]:
    """Return `View.hidden` and `View.depth_db`."""
    some = level_db[:, :: max(1, level_db.shape[1] // _SAMPLED_COLUMNS)]
    audible = some[some > silence_db + 1e-3]
    if not audible.size:
        return 0.0, 0.0
    tenth = float(np.partition(audible, audible.size // 10)[audible.size // 10])
    return float((audible < low_db).mean()), high_db - tenth
