"""Tiles of the views, computed on request and cached."""

from __future__ import annotations

import base64
import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.frames import FRAMES_A_COLUMN, OVERVIEW_COLUMNS
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.dsp.spectrogram import mel_edges_hz, mel_power, stft_power
from esc.dsp.tiles import Tile
from esc.errors import ParameterError
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.views.mfcc_view import mfcc_at, mfcc_view
from esc.views.parameter_advice import advise, meaning
from esc.views.spectrogram_view import (
    View,
    level_at,
    mel_bounds_hz,
    mel_view,
    peak_level_db,
    stft_bounds_hz,
    stft_level_at,
    stft_view,
)
from esc.views.surface_view import pool_rows, row_freqs_hz
from esc.views.waveform_view import wave_view

CACHED_PICTURES, CACHED_PEAKS = 48, 512  # a picture has at most 4096 x 512 bytes, 2.8 MB in base64; usually 0.2
ENVELOPE_COLUMNS = 1200


class ViewRenderer:
    """The pictures of one app's sounds, as dicts that travel to the browser as JSON.

    Parameters
    ----------
    store : SoundStore
    """

    def __init__(self, store: SoundStore) -> None:
        self._store = store
        self._pictures: OrderedDict[tuple, dict] = OrderedDict()
        self._peaks: OrderedDict[tuple, Any] = OrderedDict()
        self._lock = threading.Lock()

    def draw(
        self,
        view: str,
        sound: Sound,
        config: SpectrogramConfig | None,
        tile: Tile,
        cepstrum: CepstrumConfig = PLAIN,
    ) -> dict:
        """Return the picture of a view ("mel", "stft", "mfcc", "surface", "surface_stft", "wave") in a tile.

        Levels as bytes in base64 with their range and axes. "wave" takes no config, `cepstrum` is for
        "mfcc".
        """
        mfcc = partial(self._mfcc, cepstrum)
        methods: dict[str, Callable[..., dict]] = {"mel": self._levels, "stft": self._levels, "mfcc": mfcc, "wave": self._wave}
        draw = methods.get(view, self._surface)
        key = (view, sound.id, config, tile, cepstrum)

        def drawn() -> dict:
            picture = draw(view, sound, config, tile)
            if config is not None:
                self._store.resample_later(sound, config.sample_rate)  # after the first picture, not before it
            return picture

        return self._cached(self._pictures, CACHED_PICTURES, key, drawn)

    def value(
        self, view: str, sound: Sound, config: SpectrogramConfig, time_s: float, place: float, cepstrum: CepstrumConfig = PLAIN
    ) -> float:
        """Return the exact value of a view at one time: of a mel band, of the STFT at Hz, or of a coefficient."""
        waveform = self._store.lazy_waveform(sound, config.sample_rate)
        if view == "stft":
            return stft_level_at(waveform, config, time_s, place, self.peak_db(sound, config, "stft"))
        high_db = self.peak_db(sound, config, "mel")
        if view == "mfcc":
            return float(mfcc_at(waveform, config, time_s, high_db, cepstrum)[int(place)])
        return level_at(waveform, config, time_s, int(place), high_db)

    def _levels(self, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> dict:
        drawn, n_frames = self._anchored(view, sound, config, tile)
        bounds = mel_bounds_hz(config) if view == "mel" else stft_bounds_hz(config)
        axis = {
            "bounds_hz": bounds.round(3).tolist(),
            "edges_hz": mel_edges_hz(config).round(3).tolist() if view == "mel" else [],
            "low_hz": config.fmin if view == "mel" else 0.0,
            "high_hz": config.fmax if view == "mel" else config.sample_rate / 2,
            "mel_scale": config.mel_scale,
        }
        return _drawable(drawn) | axis | _coach(config, sound, n_frames, view == "mel", drawn)

    def _anchored(self, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> tuple[View, int]:
        """Return levels whose brightest is the whole sound's maximum, and how many frames the sound has."""
        waveform = self._store.lazy_waveform(sound, config.sample_rate)
        make = mel_view if view == "mel" else stft_view
        key, n_frames = (view, sound.id, config), config.n_frames(len(waveform))
        own_frames = tile.columns > OVERVIEW_COLUMNS and n_frames > OVERVIEW_COLUMNS * FRAMES_A_COLUMN
        if tile.start_s > 0 or tile.end_s < sound.seconds or own_frames:
            return make(waveform, config, tile, self.peak_db(sound, config, view)), n_frames
        drawn = make(waveform, config, tile)  # of the frames that `peak_level_db` looks at
        self._cached(self._peaks, CACHED_PEAKS, key, lambda: drawn.high_db)
        return drawn, n_frames

    def _surface(self, view: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> dict:
        source = "stft" if view == "surface_stft" else "mel"
        drawn, n_frames = self._anchored(source, sound, config, tile)
        shared, freqs_hz = pool_rows(drawn, row_freqs_hz(source, config))
        axis = {"centres_hz": freqs_hz.round(3).tolist(), "mel_scale": config.mel_scale}
        return _drawable(shared) | axis | _coach(config, sound, n_frames, source == "mel", drawn)

    def _mfcc(
        self,
        cepstrum: CepstrumConfig,
        view: str,
        sound: Sound,
        config: SpectrogramConfig,
        tile: Tile,
    ) -> dict:
        if config.n_mfcc < 2:  # coefficient 0 is not drawn
            raise ParameterError("parameter.range", field="n_mfcc", value=config.n_mfcc, low=2, high=config.n_mels)
        waveform = self._store.lazy_waveform(sound, config.sample_rate)
        high_db = self.peak_db(sound, config, "mel")

        def whole() -> tuple[float, float]:
            overview = mfcc_view(waveform, config, Tile(0.0, sound.seconds, ENVELOPE_COLUMNS), high_db, cepstrum=cepstrum)
            return overview.low_db, overview.high_db

        value_range = self._cached(self._peaks, CACHED_PEAKS, ("mfcc", sound.id, config, cepstrum), whole)
        drawn = mfcc_view(waveform, config, tile, high_db, value_range, cepstrum)
        return _drawable(drawn) | _coach(config, sound, config.n_frames(len(waveform)), True)

    def _wave(self, view: str, sound: Sound, config: None, tile: Tile) -> dict:
        rate = sound.facts.sample_rate
        values = wave_view(sound.waveform, rate, tile)
        first = min(int(tile.start_s * rate), len(sound.waveform) - 1)
        n_samples = min(math.ceil(tile.end_s * rate), len(sound.waveform)) - first
        # a sample is drawn at its own time, the middle of its column
        samples = values.shape[1] >= n_samples
        shift = 0.5 / rate if samples else 0.0
        return {
            "envelope": as_base64(values),
            "columns": values.shape[1],
            "start": first / rate - shift,
            "end": (first + n_samples) / rate - shift,
            "samples": samples,
        }

    def peak_db(self, sound: Sound, config: SpectrogramConfig, view: str) -> float:
        """Return the loudest level of the whole sound, which anchors the dB scale at every zoom."""
        transform = mel_power if view == "mel" else stft_power
        return self._cached(
            self._peaks,
            CACHED_PEAKS,
            (view, sound.id, config),
            lambda: peak_level_db(self._store.lazy_waveform(sound, config.sample_rate), config, transform),
        )

    def _cached(self, cache: OrderedDict, most: int, key: tuple, compute: Callable[[], Any]) -> Any:
        with self._lock:
            if key in cache:
                cache.move_to_end(key)
                return cache[key]
        answer = compute()
        with self._lock:
            cache[key] = answer
            while len(cache) > most:
                cache.popitem(last=False)
        return answer


def _drawable(view: View) -> dict:
    return {
        "levels": as_base64(view.levels),
        "rows": view.levels.shape[0],
        "columns": view.levels.shape[1],
        "start": view.start_s,
        "end": view.end_s,
        "low_db": view.low_db,
        "high_db": view.high_db,
    }


def _coach(config: SpectrogramConfig, sound: Sound, n_frames: int, bands: bool, view: View | None = None) -> dict:
    """Return what the parameters mean together, and what to know about the picture that they make."""
    advice = advise(config, sound.facts.sample_rate, sound.seconds, bands, view)
    return {"meaning": meaning(config, n_frames), "advice": [one.to_dict() for one in advice]}


def envelope(waveform: np.ndarray, columns: int) -> np.ndarray:
    """Return the least and the greatest sample of each column as int8, shape (2, columns), scaled by 127."""
    edges = np.linspace(0, len(waveform), min(columns, len(waveform)) + 1).astype(int)
    pieces = (waveform[start:end] for start, end in itertools.pairwise(edges))
    extremes = np.array([(piece.min(), piece.max()) for piece in pieces])  # one pass: an hour comes from the disk
    return np.rint(np.clip(extremes.T, -1, 1) * 127).astype(np.int8)


def as_base64(array: np.ndarray) -> str:
    """Return an array's bytes, row by row, as base64 text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
