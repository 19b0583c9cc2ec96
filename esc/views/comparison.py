"""Two sounds, or one with two configs, on a common grid, and their difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esc.audio.resampling import LazyResampled, Shifted
from esc.config import SpectrogramConfig
from esc.dsp.axes import row_bounds_hz, rows_at
from esc.dsp.frames import Waveform, frames_between
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.dsp.spectrogram import mel_power
from esc.dsp.tiles import Tile
from esc.errors import ParameterError
from esc.views.mfcc_view import columns_mfcc
from esc.views.spectrogram_view import columns_db, pooled_stft

_EDGE_EPS = 1e-9  # of a row's bounds


@dataclass(frozen=True)
class Compared:
    """One of two sounds with its parameters."""

    waveform: np.ndarray | LazyResampled  # float32 (n_samples,), at `config.sample_rate`
    config: SpectrogramConfig  # its `db_ref` is a power or "full_scale"
    peak_db: float  # `peak_level_db` of the whole sound
    cepstrum: CepstrumConfig = PLAIN

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.waveform) / self.config.sample_rate


@dataclass(frozen=True)
class Comparison:
    """Levels of two sounds, and A minus B, on one grid.

    NaN stands where a sound, or the frequency range of its config, does not reach.
    """

    a: np.ndarray  # dB, or coefficients, float32 (n_rows, n_columns)
    b: np.ndarray
    difference: np.ndarray  # of the levels, not below `floor_db`
    bounds: np.ndarray  # of the rows in Hz, or numbers of coefficients +- 0.5, shape (n_rows + 1,)
    start_s: float  # outer edges, on A's time axis
    end_s: float
    floor_db: float  # the greater peak less the greater `top_db`; coefficients have none


@dataclass(frozen=True)
class _Layer:
    values: np.ndarray
    bounds: np.ndarray
    start_s: float
    end_s: float

    @property
    def times_s(self) -> np.ndarray:
        """Centres of the columns."""
        return self.start_s + (np.arange(self.values.shape[1]) + 0.5) * (self.end_s - self.start_s) / self.values.shape[1]


def compare(source: str, a: Compared, b: Compared, offset_s: float, tile: Tile) -> Comparison:
    """Return two sounds on A's time axis and their difference.

    Equal configs have the same grid, and each value is that of `mel_view` or `stft_view` before rounding: B is shifted by
    samples, not by frames. Otherwise both are interpolated linearly, in dB, to the smaller steps in time and, where both
    have rows, to the more numerous rows. In the difference what neither sound shows, below the floor of the louder one's
    dynamic range, is level with the floor: noise there makes no difference.

    Parameters
    ----------
    source : str
        "mel", "stft" or "mfcc".
    a, b : Compared
    offset_s : float
        Time of A at which B begins, from B's length before A's start to A's end.
    tile : Tile
        On A's time axis.

    Raises
    ------
    ParameterError
        "parameter.offset": nothing overlaps; or the configs have no frequency in common ("parameter.no_common_band").
    """
    if not -b.seconds <= offset_s <= a.seconds:  # also catches NaN
        raise ParameterError("parameter.offset", value=offset_s, low=-b.seconds, high=a.seconds)
    axis = Shifted(b.waveform, round(offset_s * b.config.sample_rate), round(a.seconds * b.config.sample_rate))
    layers = _layer(source, a, a.waveform, tile), _layer(source, b, axis, tile)
    bounds = _common_bounds(*(layer.bounds for layer in layers))
    finest = min(layers, key=lambda layer: (layer.end_s - layer.start_s) / layer.values.shape[1])
    times_s = finest.times_s
    levels_a, levels_b = (_on_grid(layer, bounds, times_s) for layer in layers)
    reach_s = b.config.hop_length / b.config.sample_rate / 2
    levels_b[:, (times_s < offset_s - reach_s) | (times_s > offset_s + b.seconds + reach_s)] = np.nan
    floor_db = -np.inf
    if source != "mfcc":
        floor_db = max(a.peak_db, b.peak_db) - max(a.config.top_db, b.config.top_db)
    difference = np.maximum(levels_a, floor_db) - np.maximum(levels_b, floor_db)
    return Comparison(levels_a, levels_b, difference, bounds, finest.start_s, finest.end_s, floor_db)


def _layer(source: str, side: Compared, waveform: Waveform, tile: Tile) -> _Layer:
    config, frames = side.config, frames_between(waveform, side.config, tile.start_s, tile.end_s)
    hop_s = config.hop_length / config.sample_rate
    edges_s = (frames[0] - 0.5) * hop_s, (frames[-1] + 0.5) * hop_s
    if source == "mfcc":
        values = columns_mfcc(waveform, config, frames, tile.columns, side.peak_db, side.cepstrum)
        return _Layer(values, np.arange(len(values) + 1) + 0.5, *edges_s)
    transform = mel_power if source == "mel" else pooled_stft
    return _Layer(columns_db(waveform, config, frames, tile.columns, transform), row_bounds_hz(source, config), *edges_s)


def _common_bounds(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return row bounds over both ranges, those of the finer one where both reach."""
    if np.array_equal(a, b):
        return a
    low, high = max(a[0], b[0]), min(a[-1], b[-1])
    if low >= high:
        raise ParameterError("parameter.no_common_band", a_low=a[0], a_high=a[-1], b_low=b[0], b_high=b[-1])
    inside = max((each[(each > low) & (each < high)] for each in (a, b)), key=len)
    outside = [each[(each < low) | (each > high)] for each in (a, b)]
    return np.unique(np.concatenate([inside, *outside, [low, high]]))


def _on_grid(layer: _Layer, bounds: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    values = layer.values
    if not np.array_equal(layer.times_s, times_s):
        values = rows_at(values.T, _indices(layer.times_s, times_s)).T
    if np.array_equal(layer.bounds, bounds):
        return values.copy()
    centres, wanted = ((edges[1:] + edges[:-1]) / 2 for edges in (layer.bounds, bounds))
    values = rows_at(values, _indices(centres, wanted))
    values[(wanted < layer.bounds[0] - _EDGE_EPS) | (wanted > layer.bounds[-1] + _EDGE_EPS)] = np.nan
    return values


def _indices(at: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the fractional indices of the wanted positions among increasing ones."""
    return np.interp(wanted, at, np.arange(len(at)))
