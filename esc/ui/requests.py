"""What the browser modules ask the server for: opened sounds, pictures and exact levels, each request checked.

These go by Gradio's server functions, which are fast but bypass its queue, carry no session and lose exceptions. So
each handler takes one dict with the session's token, shares a bounded number of places, and answers `{"ok": ...}` or
`{"error": sentence, ...}`.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import itertools
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from esc.config import LIMITS, MEL_SCALES, PRESETS, WINDOWS, SpectrogramConfig
from esc.errors import EscError, PageError, ParameterError
from esc.spectrogram import empty_bands, mel_edges_hz, mel_freqs_hz, mel_power, mend_empty_bands, stft_power
from esc.ui.store import Sound, SoundStore
from esc.ui.text import say
from esc.view import (
    View,
    level_at,
    mel_bounds_hz,
    mel_view,
    mfcc_at,
    mfcc_view,
    peak_level_db,
    stft_bounds_hz,
    stft_level_at,
    stft_view,
    wave_view,
)

PLACES = 4  # pictures computed at a time
WAIT_SECONDS = 20.0
CACHED_PICTURES, CACHED_PEAKS = 48, 512  # a picture has at most 4096 x 512 bytes, 2.8 MB in base64; usually 0.2
ENVELOPE_COLUMNS = 1200
SURFACE_ROWS = 160
MAX_COLUMNS = 4096
MAX_NAME = 200
CONTAINERS = {"mov": "MP4", "matroska": "Matroska", "WAVEX": "WAV"}  # as people call them
log = logging.getLogger(__name__)


class Requests:
    """The handlers of one app over its sound store.

    Parameters
    ----------
    store : SoundStore
    upload_folder : Path
        Where the server puts uploads: files elsewhere are refused.
    examples : dict of str to Path
        Example sounds by name, the only other files that may be opened.
    """

    def __init__(self, store: SoundStore, upload_folder: Path, examples: dict[str, Path]) -> None:
        self.store = store
        self._upload_folder = upload_folder.resolve()
        self._examples = examples
        self._places = threading.BoundedSemaphore(PLACES)
        self._pictures: OrderedDict[tuple, dict] = OrderedDict()
        self._peaks: OrderedDict[tuple, float] = OrderedDict()
        self._lock = threading.Lock()

    def functions(self, *names: str) -> list[Callable[[Any], dict]]:
        """Return handlers as Gradio server functions that answer `{"ok": ...}` or `{"error": ...}`."""
        return [self._answering(getattr(self, name)) for name in names]

    def open_sound(self, request: dict) -> dict:
        """Decode an upload (`path`, `name`) or an example (`example`) and return its facts and envelope."""
        token = request.get("token")
        self.store.session(token)
        path, name = self._source(request)
        sound = self.store.open(token, path, name)
        facts = sound.facts
        return {
            "id": sound.id,
            "name": sound.name,
            "path": str(sound.playable),
            "seconds": sound.seconds,
            "sample_rate": facts.sample_rate,
            "channels": facts.channels,
            "format": f"{CONTAINERS.get(facts.container, facts.container.upper())} {facts.codec.replace('_', ' ')}",
            "peak_db": _decibels(facts.peak),
            "rms_db": _decibels(facts.rms),
            "silent": facts.silent,
            "cut_off": facts.cut_off,
            "envelope": as_base64(envelope(sound.waveform, ENVELOPE_COLUMNS)),
        }

    def mel_picture(self, request: dict) -> dict:
        """Return the mel levels between `start` and `end` seconds, at most `columns` wide, and what goes with them."""
        return self._picture("mel", self._config(request), request)

    def stft_picture(self, request: dict) -> dict:
        """Return the STFT's levels, as `mel_picture` returns the mel spectrogram's."""
        return self._picture("stft", self._config(request), request)

    def mfcc_picture(self, request: dict) -> dict:
        """Return the coefficients 1 and up, as `mel_picture` returns levels."""
        return self._picture("mfcc", self._config(request), request)

    def surface_picture(self, request: dict) -> dict:
        """Return mel levels for a surface: no more rows than it can show, the loudest of neighbours kept."""
        return self._picture("surface", self._config(request), request)

    def wave_picture(self, request: dict) -> dict:
        """Return the waveform's least, greatest and root mean square sample a column, or its samples."""
        return self._picture("wave", None, request)

    def level(self, request: dict) -> dict:
        """Return the exact value at one time: of a mel band, of the STFT at `hz`, or of a coefficient."""
        sound, config = self._sound(request), self._config(request)
        time_s = _real(request, "time", 0.0, 1e6)
        view = request.get("view", "mel")
        with self._place():
            waveform = self.store.waveform(sound, config.sample_rate)
            if view == "stft":
                high_db = self._peak_db(sound, config, "stft")
                return {"value": stft_level_at(waveform, config, time_s, _real(request, "hz", 0.0, 1e6), high_db)}
            high_db = self._peak_db(sound, config, "mel")
            if view == "mfcc":
                coefficient = int(_real(request, "band", 0, config.n_mfcc - 1))
                return {"value": float(mfcc_at(waveform, config, time_s, high_db)[coefficient])}
            band = int(_real(request, "band", 0, config.n_mels - 1))
            return {"value": level_at(waveform, config, time_s, band, high_db)}

    def _picture(self, view: str, config: SpectrogramConfig | None, request: dict) -> dict:
        sound = self._sound(request)
        start, end = _real(request, "start", 0.0, 1e6), _real(request, "end", 0.0, 1e6)
        columns = int(_real(request, "columns", 1, MAX_COLUMNS))
        draw = {"mel": self._levels, "stft": self._levels, "mfcc": self._mfcc, "surface": self._surface, "wave": self._wave}[view]
        key = (view, sound.id, config, start, end, columns)
        with self._place():
            return self._cached(self._pictures, CACHED_PICTURES, key, lambda: draw(view, sound, config, start, end, columns))

    def _levels(self, view: str, sound: Sound, config: SpectrogramConfig, start: float, end: float, columns: int) -> dict:
        waveform = self.store.waveform(sound, config.sample_rate)
        make = mel_view if view == "mel" else stft_view
        if start == 0 and end >= sound.seconds:  # all of it is shown: unless known, its own maximum is the sound's
            drawn = make(waveform, config, start, end, columns, self._peaks.get((view, sound.id, config)))
            self._cached(self._peaks, CACHED_PEAKS, (view, sound.id, config), lambda: drawn.high_db)
        else:
            drawn = make(waveform, config, start, end, columns, self._peak_db(sound, config, view))
        bounds = mel_bounds_hz(config) if view == "mel" else stft_bounds_hz(config)
        axis = {
            "bounds_hz": bounds.round(3).tolist(),
            "edges_hz": mel_edges_hz(config).round(3).tolist() if view == "mel" else [],
            "low_hz": config.fmin if view == "mel" else 0.0,
            "high_hz": config.fmax if view == "mel" else config.sample_rate / 2,
            "mel_scale": config.mel_scale,
        }
        return _drawable(drawn) | axis | _coach(config, config.n_frames(len(waveform)), bands=view == "mel")

    def _surface(self, view: str, sound: Sound, config: SpectrogramConfig, start: float, end: float, columns: int) -> dict:
        high_db = self._peak_db(sound, config, "mel")
        drawn = mel_view(self.store.waveform(sound, config.sample_rate), config, start, end, columns, high_db)
        rows = np.arange(0, config.n_mels, -(-config.n_mels // SURFACE_ROWS))
        pooled = dataclasses.replace(drawn, levels=np.maximum.reduceat(drawn.levels, rows, axis=0))
        centres = np.add.reduceat(mel_freqs_hz(config), rows) / np.diff(np.append(rows, config.n_mels))
        axis = {"centres_hz": centres.round(3).tolist(), "mel_scale": config.mel_scale}
        return _drawable(pooled) | axis | _coach(config, drawn.n_frames, bands=True)

    def _mfcc(self, view: str, sound: Sound, config: SpectrogramConfig, start: float, end: float, columns: int) -> dict:
        if config.n_mfcc < 2:  # coefficient 0 is not drawn
            raise ParameterError("parameter.range", field="n_mfcc", value=config.n_mfcc, low=2, high=config.n_mels)
        waveform = self.store.waveform(sound, config.sample_rate)
        high_db = self._peak_db(sound, config, "mel")

        def whole() -> tuple[float, float]:
            overview = mfcc_view(waveform, config, 0.0, sound.seconds, ENVELOPE_COLUMNS, high_db)
            return overview.low_db, overview.high_db

        value_range = self._cached(self._peaks, CACHED_PEAKS, ("mfcc", sound.id, config), whole)
        drawn = mfcc_view(waveform, config, start, end, columns, high_db, value_range)
        return _drawable(drawn) | _coach(config, config.n_frames(len(waveform)), bands=True)

    def _wave(self, view: str, sound: Sound, config: None, start: float, end: float, columns: int) -> dict:
        rate = sound.facts.sample_rate
        values = wave_view(sound.waveform, rate, start, end, columns)
        first = min(int(start * rate), len(sound.waveform) - 1)
        n_samples = min(math.ceil(end * rate), len(sound.waveform)) - first
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

    def _peak_db(self, sound: Sound, config: SpectrogramConfig, view: str) -> float:
        """Return the loudest level of the whole sound, which anchors the dB scale at every zoom."""
        transform = mel_power if view == "mel" else stft_power
        return self._cached(
            self._peaks,
            CACHED_PEAKS,
            (view, sound.id, config),
            lambda: peak_level_db(self.store.waveform(sound, config.sample_rate), config, transform),
        )

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places for computing pictures; decoding has places of its own, in the store."""
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise PageError("page.busy")
        try:
            yield
        finally:
            self._places.release()

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

    def _sound(self, request: dict) -> Sound:
        return self.store.sound(request.get("token"), request.get("sound"))

    def _config(self, request: dict) -> SpectrogramConfig:
        values = request.get("config")
        if not isinstance(values, dict):
            raise PageError("page.request", reason="config")
        return config_from_page(values)

    def _source(self, request: dict) -> tuple[Path, str]:
        """Return the file that a request names, and what to call it; anything but uploads and examples is refused."""
        example = request.get("example")
        if isinstance(example, str) and example in self._examples:
            return self._examples[example], self._examples[example].name
        path, name = request.get("path"), request.get("name")
        if not isinstance(path, str) or not isinstance(name, str):
            raise PageError("page.request", reason="path")
        try:
            resolved = Path(path).resolve()
            known = resolved.is_relative_to(self._upload_folder) and resolved.is_file()
        except (OSError, ValueError):  # too long a name, a null byte
            known = False
        if not known:
            raise PageError("page.request", reason="path")
        return resolved, name[:MAX_NAME] or resolved.name

    def _answering(self, handler: Callable[[dict], dict]) -> Callable[[Any], dict]:
        @functools.wraps(handler)
        def answer(request: Any) -> dict:
            language = "en"
            try:
                if not isinstance(request, dict):
                    raise PageError("page.request", reason=type(request).__name__)
                language = self.store.session(request.get("token")).language
                return {"ok": handler(request)}
            except EscError as error:
                log.info("%s: %s", handler.__name__, error)
                return {"error": say(error, language), "key": error.key, "mend": mend(error), "fields": fields(error)}
            except Exception:
                log.exception("%s failed", handler.__name__)
                return {"error": say(PageError("page.failed"), language), "key": "page.failed", "mend": None, "fields": []}

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


def _coach(config: SpectrogramConfig, n_frames: int, bands: bool) -> dict:
    """Return what the parameters mean together, and the empty mel bands with their mend where there are `bands`."""
    empty = empty_bands(config) if bands else []
    mended = mend_empty_bands(config) if empty else config
    return {
        "meaning": {
            "window_ms": 1000 * config.win_length / config.sample_rate,
            "hop_ms": 1000 * config.hop_length / config.sample_rate,
            "bin_hz": config.sample_rate / config.n_fft,
            "resolution_hz": config.resolution_hz,
            "overlap": max(0.0, 1 - config.hop_length / config.win_length),
            "frames": n_frames,
        },
        "empty_bands": empty,
        "mended": {"n_mels": mended.n_mels, "n_fft": mended.n_fft} if empty else None,
    }


def config_from_page(values: dict) -> SpectrogramConfig:
    """Return the config of the page's parameters; those that the mel view has no use for are left at their defaults."""
    n_mels = values.get("n_mels")
    spare = {"mel_scale": "slaney", "db_ref": 1.0, "n_mfcc": 20}
    if isinstance(n_mels, int) and LIMITS["n_mels"][0] <= n_mels < spare["n_mfcc"]:
        spare["n_mfcc"] = n_mels
    return SpectrogramConfig.from_dict(spare | values)


def parameters_for_page() -> dict:
    """Return what the parameter panel is built from: fields, limits, choices and presets."""
    fields = (
        "sample_rate",
        "n_fft",
        "win_length",
        "hop_length",
        "window",
        "n_mels",
        "fmin",
        "fmax",
        "top_db",
        "mel_scale",
        "n_mfcc",
    )
    return {
        "limits": {name: list(limits) for name, limits in LIMITS.items()},
        "windows": list(WINDOWS),
        "mel_scales": list(MEL_SCALES),
        "presets": {name: {f: getattr(config, f) for f in fields} for name, config in PRESETS.items()},
    }


def mend(error: EscError) -> dict | None:
    """Return the change of one parameter that lifts an error, where one does."""
    if not isinstance(error, ParameterError):
        return None
    values = error.values
    if error.key == "parameter.window":
        return {"win_length": values["n_fft"]}
    if error.key == "parameter.nyquist":
        return {"fmax": values["nyquist"]}
    if error.key == "parameter.range" and isinstance(values["value"], int | float) and math.isfinite(values["value"]):
        return {values["field"]: min(max(values["value"], values["low"]), values["high"])}
    return None


def fields(error: EscError) -> list[str]:
    """Return the parameters that an error is about."""
    about = {"parameter.window": ["win_length"], "parameter.nyquist": ["fmax"], "parameter.band": ["fmin", "fmax"]}
    return about.get(error.key, [str(error.values["field"])] if "field" in error.values else [])


def envelope(waveform: np.ndarray, columns: int) -> np.ndarray:
    """Return the least and the greatest sample of each column as int8, shape (2, columns), scaled by 127."""
    edges = np.linspace(0, len(waveform), min(columns, len(waveform)) + 1).astype(int)
    pieces = (waveform[start:end] for start, end in itertools.pairwise(edges))
    extremes = np.array([(piece.min(), piece.max()) for piece in pieces])  # one pass: an hour comes from the disk
    return np.rint(np.clip(extremes.T, -1, 1) * 127).astype(np.int8)


def as_base64(array: np.ndarray) -> str:
    """Return an array's bytes, row by row, as base64 text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _decibels(amplitude: float) -> float | None:
    return 20 * math.log10(amplitude) if amplitude > 0 else None


def _real(request: dict, name: str, low: float, high: float) -> float:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise PageError("page.request", reason=name)
    return float(value)
