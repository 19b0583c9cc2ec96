"""Server functions of the browser modules, with checked requests.

Gradio's server functions are fast but bypass its queue, carry no session and lose exceptions. So each handler takes one
dict with the session's token, waits for one of a few slots, and replies `{"ok": ...}` or `{"error": message, ...}`.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from esc.config import SpectrogramConfig
from esc.dsp.decibels import amplitude_to_dbfs
from esc.dsp.frames import MAX_COLUMNS
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.dsp.tiles import Tile
from esc.errors import EscError, PageError, ParameterError
from esc.features import FEATURES
from esc.ui.i18n.catalogue import error_message, note_messages
from esc.ui.server.features import FeatureOverlays
from esc.ui.server.measurements import Box, Measurements
from esc.ui.server.parameters import config_from_page
from esc.ui.server.public_files import playable_url
from esc.ui.server.rendering import ENVELOPE_COLUMNS, ViewRenderer, as_base64, envelope
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.uploaded_files import UploadedFiles

SLOTS = 4  # views computed at a time
WAIT_SECONDS = 20.0
MAX_NAME = 200
log = logging.getLogger(__name__)


class Handlers:
    """The handlers of one app over its sound store.

    Parameters
    ----------
    store : SoundStore
    upload_folder : Path
        Where the server puts uploads: other files are refused.
    examples : dict of str to Path
        Example sounds by name.
    uploads : UploadedFiles, optional
        Files of the batch tab, which may be opened, too.
    """

    def __init__(
        self, store: SoundStore, upload_folder: Path, examples: dict[str, Path], uploads: UploadedFiles | None = None
    ) -> None:
        self.store, self._uploads = store, uploads
        self._upload_folder = upload_folder.resolve()
        self._examples = examples
        self._slots = threading.BoundedSemaphore(SLOTS)
        self._renderer = ViewRenderer(store)
        self._measurements = Measurements(store)
        self._features = FeatureOverlays(store, self._renderer)

    def functions(self, *names: str) -> list[Callable[[Any], dict]]:
        """Return handlers of this class, by name, as Gradio server functions."""
        return self.wrap(*(getattr(self, name) for name in names))

    def wrap(self, *handlers: Callable[[dict], dict]) -> list[Callable[[Any], dict]]:
        """Return any handlers as Gradio server functions."""
        return [self._wrapped(handler) for handler in handlers]

    def open_sound(self, request: dict) -> dict:
        """Decode a sound and return its facts and envelope.

        The request has an upload (`path`, `name`), an `example` or a file of the batch tab (`uploaded`).
        """
        token = request.get("token")
        session = self.store.session(token)
        path, name = self._source(request)
        sound = self.store.open(token, path, name)
        facts = sound.facts
        return {
            "id": sound.id,
            "name": sound.name,
            "example": request["example"] if path in self._examples.values() else None,
            "url": playable_url(sound.playable),
            "seconds": sound.seconds,
            "sample_rate": facts.sample_rate,
            "channels": facts.channels,
            "format": facts.format,
            "peak_db": amplitude_to_dbfs(facts.peak),
            "rms_db": amplitude_to_dbfs(facts.rms),
            "silent": facts.silent,
            "notes": note_messages(facts.notes, session.language),
            "envelope": as_base64(envelope(sound.waveform, ENVELOPE_COLUMNS)),
        }

    def mel_view(self, request: dict) -> dict:
        """Return mel levels from `start` to `end` seconds in at most `columns` columns."""
        return self._view("mel", self._config(request), request)

    def stft_view(self, request: dict) -> dict:
        """Return STFT levels, see `mel_view`."""
        return self._view("stft", self._config(request), request)

    def mfcc_view(self, request: dict) -> dict:
        """Return the coefficients from 1, shaped by `cepstrum`, see `mel_view`."""
        return self._view("mfcc", self._config(request), request, _cepstrum(request))

    def surface_view(self, request: dict) -> dict:
        """Return levels of a surface, pooled from the "mel" or "stft" view (`of`)."""
        of = request.get("of", "mel")
        if of not in ("mel", "stft"):
            raise PageError("page.request", reason="of")
        return self._view("surface" if of == "mel" else "surface_stft", self._config(request), request)

    def wave_view(self, request: dict) -> dict:
        """Return each column's minimum, maximum and RMS sample, or the samples."""
        return self._view("wave", None, request)

    def level(self, request: dict) -> dict:
        """Return the exact value at a `time`: of a `band`, coefficient (`band`) or `hz`."""
        sound, config = self._sound(request), self._config(request)
        time_s = _real(request, "time", 0.0, 1e6)
        view = request.get("view", "mel")
        if view not in ("mel", "stft", "mfcc"):
            raise PageError("page.request", reason="view")
        highest = {"mel": config.n_mels - 1, "mfcc": config.n_mfcc - 1, "stft": 1e6}[view]
        row = _real(request, "hz" if view == "stft" else "band", 0, highest)
        cepstrum = _cepstrum(request) if view == "mfcc" else PLAIN
        with self._slot():
            return {"value": self._renderer.value(view, sound, config, time_s, row, cepstrum)}

    def measure(self, request: dict) -> dict:
        """Return the measurements of a selection (`start`, `end`, `low_hz`, `high_hz`)."""
        sound, config, box = self._sound(request), self._config(request), _box(request)
        with self._slot():
            return self._measurements.figures(sound, config, box)

    def spectrum(self, request: dict) -> dict:
        """Return the mean "mel" or "stft" spectrum (`view`) from `start` to `end`."""
        sound, config, box = self._sound(request), self._config(request), _box(request)
        if request.get("view") not in ("mel", "stft"):
            raise PageError("page.request", reason="view")
        with self._slot():
            return self._measurements.spectrum(request["view"], sound, config, box.start_s, box.end_s)

    def save_selection(self, request: dict) -> dict:
        """Write a selection's interval as a WAV file and return its address."""
        return self._measurements.save(self._sound(request), _box(request))

    def feature_start(self, request: dict) -> dict:
        """Start the computation of a `feature`, see `FeatureOverlays.start`."""
        sound, config, feature = self._sound(request), self._config(request), request.get("feature")
        if feature not in FEATURES or request.get("view") not in ("mel", "stft"):
            raise PageError("page.request", reason="feature")
        tile = _tile(request)
        if tile.end_s < tile.start_s:
            raise PageError("page.request", reason="end")
        with self._slot():  # for its waveform and scale; another process computes the feature
            return self._features.start(request["token"], request["view"], feature, sound, config, tile)

    def feature_state(self, request: dict) -> dict:
        """Return the progress of a feature's `job`, with the feature once done."""
        return self._features.state(request["token"], request.get("job"))

    def feature_cancel(self, request: dict) -> dict:
        """Cancel a feature's `job`."""
        return self._features.cancel(request["token"], request.get("job"))

    def _view(self, view: str, config: SpectrogramConfig | None, request: dict, cepstrum: CepstrumConfig = PLAIN) -> dict:
        sound = self._sound(request)
        tile = _tile(request)
        with self._slot():
            return self._renderer.render(view, sound, config, tile, cepstrum)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Hold one of the slots for computing views; the store's decoder has others."""
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            raise PageError("page.busy")
        try:
            yield
        finally:
            self._slots.release()

    def _sound(self, request: dict) -> Sound:
        return self.store.sound(request.get("token"), request.get("sound"))

    def _config(self, request: dict) -> SpectrogramConfig:
        values = request.get("config")
        if not isinstance(values, dict):
            raise PageError("page.request", reason="config")
        return config_from_page(values)

    def _source(self, request: dict) -> tuple[Path, str]:
        """Return the path and name of the file that a request names."""
        example = request.get("example")
        if isinstance(example, str) and example in self._examples:
            return self._examples[example], self._examples[example].name
        if self._uploads and "uploaded" in request:
            uploaded = self._uploads.get(self.store.session(request.get("token")), request["uploaded"])
            return uploaded.path, uploaded.name
        return self.upload(request)

    def upload(self, request: dict) -> tuple[Path, str]:
        """Return an upload's checked path and name (`path`, `name`)."""
        path, name = request.get("path"), request.get("name")
        if not isinstance(path, str) or not isinstance(name, str):
            raise PageError("page.request", reason="path")
        try:
            resolved = Path(path).resolve()
            known = resolved.is_relative_to(self._upload_folder) and resolved.is_file()
        except (OSError, ValueError):  # name too long, or a null byte
            known = False
        if not known:
            raise PageError("page.request", reason="path")
        return resolved, name[:MAX_NAME] or resolved.name

    def _wrapped(self, handler: Callable[[dict], dict]) -> Callable[[Any], dict]:
        @functools.wraps(handler)
        def reply(request: Any) -> dict:
            error: EscError
            language = "en"
            try:
                if not isinstance(request, dict):
                    raise PageError("page.request", reason=type(request).__name__)
                language = self.store.session(request.get("token")).language
                return {"ok": handler(request)}
            except EscError as known:
                log.info("%s: %s", handler.__name__, known)
                error = known
            except Exception:
                log.exception("%s failed", handler.__name__)
                error = PageError("page.failed")
            return {"error": error_message(error, language), "key": error.key, "fix": fix(error), "fields": fields(error)}

        return reply


def _cepstrum(request: dict) -> CepstrumConfig:
    values = request.get("cepstrum")
    if not isinstance(values, dict):
        raise PageError("page.request", reason="cepstrum")
    return CepstrumConfig.from_dict(values)


def fix(error: EscError) -> dict[str, Any] | None:
    """Return the change of a parameter that fixes an error, or None."""
    if not isinstance(error, ParameterError):
        return None
    values: dict[str, Any] = error.values
    if error.key == "parameter.window":
        return {"win_length": values["n_fft"]}
    if error.key == "parameter.nyquist":
        return {"fmax": values["nyquist"]}
    if error.key == "parameter.delta":
        return {"delta": 0}
    if error.key == "parameter.range" and isinstance(values["value"], int | float) and math.isfinite(values["value"]):
        return {values["field"]: min(max(values["value"], values["low"]), values["high"])}
    return None


def fields(error: EscError) -> list[str]:
    """Return the names of the parameters that an error concerns."""
    concerned = {
        "parameter.window": ["win_length"],
        "parameter.nyquist": ["fmax"],
        "parameter.band": ["fmin", "fmax"],
        "parameter.delta": ["delta"],
    }
    return concerned.get(error.key, [str(error.values["field"])] if "field" in error.values else [])


def _real(request: dict, name: str, low: float, high: float) -> float:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise PageError("page.request", reason=name)
    return float(value)


def _tile(request: dict) -> Tile:
    start, end = _real(request, "start", 0.0, 1e6), _real(request, "end", 0.0, 1e6)
    return Tile(start, end, int(_real(request, "columns", 1, MAX_COLUMNS)))


def _box(request: dict) -> Box:
    start = _real(request, "start", 0.0, 1e6)
    banded = request.get("low_hz") is not None or request.get("high_hz") is not None
    low, high = (_real(request, name, 0.0, 1e6) if banded else None for name in ("low_hz", "high_hz"))
    return Box(start, _real(request, "end", start, 1e6), low, high)
