"""Tiles of the views, computed on request and cached."""

from __future__ import annotations

import base64
import itertools
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from esc.config import LIMITS, SpectrogramConfig
from esc.dsp.axes import row_bounds_hz
from esc.dsp.decibels import AMIN
from esc.dsp.frames import FRAMES_A_COLUMN, OVERVIEW_COLUMNS
from esc.dsp.mel import mel_edges_hz
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.dsp.spectrogram import mel_power, stft_power
from esc.dsp.tiles import Tile
from esc.errors import ParameterError
from esc.ui.server.answer_cache import AnswerCache, packed_bytes
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.views.mfcc_view import mfcc_at, mfcc_view
from esc.views.parameter_advice import advise, meaning
from esc.views.spectrogram_view import (
    View,
    level_at,
    mel_view,
    peak_level_db,
    stft_level_at,
    stft_view,
)
from esc.views.surface_view import Grid, pool_rows, row_freqs_hz, rows_between
from esc.views.waveform_view import wave_view

CACHED_BYTES, CACHED_PEAKS = 64 * 2**20, 512  # a view has some 0.2 MB, at most 4
ENVELOPE_COLUMNS = 1200


class ViewRenderer:
    """The views of one app's sounds, as JSON objects.

    Parameters
    ----------
    store : SoundStore
    """

    def __init__(self, store: SoundStore) -> None:
        self._store = store
        self._views: AnswerCache[dict] = AnswerCache(CACHED_BYTES, packed_bytes)
        self._peaks: AnswerCache[Any] = AnswerCache(CACHED_PEAKS)

    def render(
        self,
        view: str,
        sound: Sound,
        config: SpectrogramConfig | None,
        tile: Tile,
        cepstrum: CepstrumConfig = PLAIN,
        grid: Grid = Grid(),  # noqa: B008  # frozen
    ) -> dict:
        """Return a tile of a view: levels in base64, their range and axes.

        `view` is "mel", "stft", "mfcc" (shaped by `cepstrum`), "surface", "surface_stft" (both in rows of `grid`), "wave"
        (without a config) or "wave_channels", of each channel, too.
        """
        mfcc = partial(self._mfcc, cepstrum)
        methods: dict[str, Callable[..., dict]] = {"mel": self._levels, "stft": self._levels, "mfcc": mfcc}
        methods |= {"wave": self._wave, "wave_channels": self._wave}
        method = methods.get(view, partial(self._surface, grid))
        key = (view, sound.id, config, tile, cepstrum, grid)

        def compute() -> dict:
            rendered = method(view, sound, config, tile)
            if config is not None:
                self._store.resample_later(sound, config.sample_rate)  # after the first view, not before it
            return rendered

        return self._views.get(key, compute)

    def value(
        self, view: str, sound: Sound, config: SpectrogramConfig, time_s: float, row: float, cepstrum: CepstrumConfig = PLAIN
    ) -> float:
        """Return a view's exact value at a time; `row`: mel band, Hz (STFT) or coefficient."""
        config = self.fixed(sound, config, "stft" if view == "stft" else "mel")
        waveform = self._store.lazy_waveform(sound, config.sample_rate)
        if view == "stft":
            return stft_level_at(waveform, config, time_s, row, self.peak_db(sound, config, "stft"))
        high_db = self.peak_db(sound, config, "mel")
        if view == "mfcc":
            return float(mfcc_at(waveform, config, time_s, high_db, cepstrum)[int(row)])
        return level_at(waveform, config, time_s, int(row), high_db)

    def _levels(self, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> dict:
        shown, n_frames = self.anchored(view, sound, config, tile)
        axis = {
            "bounds_hz": row_bounds_hz(view, config).round(3).tolist(),
            "edges_hz": mel_edges_hz(config).round(3).tolist() if view == "mel" else [],
            "low_hz": config.fmin if view == "mel" else 0.0,
            "high_hz": config.fmax if view == "mel" else config.sample_rate / 2,
            "mel_scale": config.mel_scale,
        }
        return _packed(shown) | axis | _parameter_advice(config, sound, n_frames, view == "mel", shown)

    def anchored(self, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> tuple[View, int]:
        """Return a view scaled to the whole sound's maximum, and the sound's number of frames."""
        if config.db_ref == "max":  # the same levels, called otherwise
            shown, n_frames = self.anchored(view, sound, config.replace(db_ref=1.0), tile)
            return replace(shown, low_db=-config.top_db, high_db=0.0), n_frames
        waveform = self._store.lazy_waveform(sound, config.sample_rate)
        make = mel_view if view == "mel" else stft_view
        n_frames = config.n_frames(len(waveform))
        own_frames = tile.columns > OVERVIEW_COLUMNS and n_frames > OVERVIEW_COLUMNS * FRAMES_A_COLUMN
        if tile.start_s > 0 or tile.end_s < sound.seconds or own_frames:
            return make(waveform, config, tile, self.peak_db(sound, config, view)), n_frames
        shown = make(waveform, config, tile)  # of the frames that `peak_level_db` looks at
        self._peaks.keep(_peak_key(view, sound, config), shown.high_db)
        return shown, n_frames

    def surface(self, sound: Sound, config: SpectrogramConfig, tile: Tile, source: str = "mel") -> tuple[View, np.ndarray]:
        """Return a "mel" or "stft" view pooled for a surface, and its rows' frequencies."""
        return pool_rows(self.anchored(source, sound, config, tile)[0], row_freqs_hz(source, config))

    def _surface(self, grid: Grid, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> dict:
        source = "stft" if view == "surface_stft" else "mel"
        shown, n_frames = self.anchored(source, sound, config, tile)
        freqs_hz = row_freqs_hz(source, config)
        kept = (shown, freqs_hz) if grid.band_hz is None else rows_between(shown, freqs_hz, *grid.band_hz)
        pooled, freqs_hz = pool_rows(*kept, grid.max_rows)
        axis = {"centres_hz": freqs_hz.round(3).tolist(), "mel_scale": config.mel_scale}
        return _packed(pooled) | axis | _parameter_advice(config, sound, n_frames, source == "mel", shown)

    def _mfcc(self, cepstrum: CepstrumConfig, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> dict:
        shown, n_frames = self.coefficients(sound, config, tile, cepstrum)
        return _packed(shown) | _parameter_advice(config, sound, n_frames, True)

    def coefficients(
        self, sound: Sound, config: SpectrogramConfig, tile: Tile, cepstrum: CepstrumConfig = PLAIN
    ) -> tuple[View, int]:
        """Return a tile of the coefficients from 1, and the sound's number of frames."""
        if config.n_mfcc < 2:  # coefficient 0 is not shown
            raise ParameterError("parameter.range", field="n_mfcc", value=config.n_mfcc, low=2, high=config.n_mels)
        config = self.fixed(sound, config, "mel")
        waveform = self._store.lazy_waveform(sound, config.sample_rate)
        high_db, n_frames = self.peak_db(sound, config, "mel"), config.n_frames(len(waveform))
        key = "mfcc", sound.id, config, cepstrum
        if tile.start_s <= 0 and tile.end_s >= sound.seconds and n_frames <= min(tile.columns, ENVELOPE_COLUMNS):
            shown = mfcc_view(waveform, config, tile, high_db, cepstrum=cepstrum)  # the frames of `whole`
            self._peaks.keep(key, (shown.low_db, shown.high_db))
            return shown, n_frames

        def whole() -> tuple[float, float]:
            overview = mfcc_view(waveform, config, Tile(0.0, sound.seconds, ENVELOPE_COLUMNS), high_db, cepstrum=cepstrum)
            return overview.low_db, overview.high_db

        value_range = self._peaks.get(key, whole)
        return mfcc_view(waveform, config, tile, high_db, value_range, cepstrum), n_frames

    def _wave(self, view: str, sound: Sound, config: None, tile: Tile) -> dict:
        rate = sound.facts.sample_rate
        values = wave_view(sound.waveform, rate, tile)
        first = min(int(tile.start_s * rate), len(sound.waveform) - 1)
        n_samples = min(math.ceil(tile.end_s * rate), len(sound.waveform)) - first
        # a sample is shown at its own time, the middle of its column
        samples = values.shape[1] >= n_samples
        shift = 0.5 / rate if samples else 0.0
        drawn = sound.channels if view == "wave_channels" else None
        each = [] if drawn is None else [wave_view(drawn[:, index], rate, tile) for index in range(drawn.shape[1])]
        return {
            "envelope": as_base64(values),
            "channels": as_base64(np.stack(each)) if each else "",  # (n_channels, 3, columns)
            "columns": values.shape[1],
            "start": first / rate - shift,
            "end": (first + n_samples) / rate - shift,
            "samples": samples,
        }

    def fixed(self, sound: Sound, config: SpectrogramConfig, view: str) -> SpectrogramConfig:
        """Return a config whose dB reference is a power, also where it is "max"."""
        if config.db_ref != "max":
            return config
        absolute = config.replace(db_ref=1.0)
        return config.replace(db_ref=max(AMIN, 10 ** (self.peak_db(sound, absolute, view) / 10)))

    def peak_db(self, sound: Sound, config: SpectrogramConfig, view: str) -> float:
        """Return the whole sound's maximum level, the top of the dB scale at any zoom."""
        transform = mel_power if view == "mel" else stft_power
        return self._peaks.get(
            _peak_key(view, sound, config),
            lambda: peak_level_db(self._store.lazy_waveform(sound, config.sample_rate), config, transform),
        )


def _peak_key(view: str, sound: Sound, config: SpectrogramConfig) -> tuple:
    """Return the key of a sound's maximum level: all but what is applied after it."""
    return view, sound.id, config.replace(top_db=LIMITS["top_db"][0], n_mfcc=LIMITS["n_mfcc"][0])


def _packed(view: View) -> dict:
    return {
        "levels": as_base64(view.levels),
        "rows": view.levels.shape[0],
        "columns": view.levels.shape[1],
        "start": view.start_s,
        "end": view.end_s,
        "low_db": view.low_db,
        "high_db": view.high_db,
    }


def _parameter_advice(config: SpectrogramConfig, sound: Sound, n_frames: int, bands: bool, view: View | None = None) -> dict:
    """Return the meaning of the parameters, and advice on them and their view."""
    advice = advise(config, sound.facts.sample_rate, sound.seconds, bands, view)
    said = [asdict(one) for one in advice if not (sound.facts.silent and one.key == "rate")]  # silence has no frequencies
    return {"meaning": meaning(config, n_frames), "advice": said}


def envelope(waveform: np.ndarray, columns: int) -> np.ndarray:
    """Return each column's minimum and maximum sample times 127, int8, shape (2, columns)."""
    edges = np.linspace(0, len(waveform), min(columns, len(waveform)) + 1).astype(int)
    chunks = (waveform[start:end] for start, end in itertools.pairwise(edges))
    extremes = np.array([(chunk.min(), chunk.max()) for chunk in chunks])  # one pass: an hour comes from the disk
    return np.rint(np.clip(extremes.T, -1, 1) * 127).astype(np.int8)


def as_base64(array: np.ndarray) -> str:
    """Return an array's bytes, row by row, as base64 text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
