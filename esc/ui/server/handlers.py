"""Server functions of the browser modules, with checked requests.

Gradio's server functions are fast but bypass its queue, carry no session and lose exceptions. So each handler takes one
dict with the session's token, waits for one of a few slots, and replies `{"ok": ...}` or `{"error": message, ...}`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from esc.audio.facts import AS_IT_IS, Reading
from esc.audio.transcode import SLOWDOWN
from esc.config import SpectrogramConfig
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.errors import PageError
from esc.ui.server.comparison import Comparisons
from esc.ui.server.error_replies import RequestLog, error_reply, fields, fix
from esc.ui.server.exports.exports import Exports
from esc.ui.server.exports.request import ExportRequest
from esc.ui.server.features import FeatureOverlays
from esc.ui.server.label_requests import LabelFileRequest, LabelsRequest, PageLabels, ReadLabelsRequest
from esc.ui.server.measurements import Measurements
from esc.ui.server.open_sounds import slowed_copy, sound_facts
from esc.ui.server.public.files import playable_url
from esc.ui.server.rendering import ViewRenderer
from esc.ui.server.requests import (
    AlignRequest,
    BoxRequest,
    CompareRequest,
    FeatureRequest,
    JobRequest,
    LevelRequest,
    MeasureRequest,
    MfccRequest,
    OpenRequest,
    SoundRequest,
    SpectrumRequest,
    SurfaceRequest,
    TileRequest,
    ViewRequest,
    WaveRequest,
    checked,
)
from esc.ui.sessions.fair_turns import FairTurns, Turn
from esc.ui.sessions.kept_files import delete_old_uploads
from esc.ui.sessions.sound import Sound, printable
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.uploaded_files import UploadedFiles

Configured = TypeVar("Configured", MeasureRequest, SpectrumRequest, FeatureRequest)
SLOTS = 4  # views computed at a time
WAIT_SECONDS = 20.0


class Handlers:
    """The handlers of one app over its sound store.

    Parameters
    ----------
    store : SoundStore
    upload_folder : Path
        Where the server puts uploads: other files are refused.
    examples : dict of str to Path
        Example sounds by name.
    uploads : sequence of UploadedFiles
        Files of the batch and teach tabs, which may be opened, too.
    """

    def __init__(
        self, store: SoundStore, upload_folder: Path, examples: dict[str, Path], uploads: Sequence[UploadedFiles] = ()
    ) -> None:
        self.store, self._uploads = store, uploads
        self._upload_folder = upload_folder.resolve()
        self._examples = examples
        self._slots = FairTurns(SLOTS)  # the store's decoder has others
        self._renderer = ViewRenderer(store)
        self._measurements = Measurements(store)
        self._features = FeatureOverlays(store, self._renderer)
        self._comparisons = Comparisons(store, self._renderer)
        self._labels = PageLabels(store, self._measurements.kept)
        self._exports = Exports(store, self._renderer, self._features)

    def delete_old(self) -> None:
        """Delete old uploads and saved selections."""
        delete_old_uploads(self._upload_folder)
        self._measurements.kept.delete_old()
        self._exports.kept.delete_old()

    def functions(self, *names: str) -> list[Callable[[Any], dict]]:
        """Return handlers of this class, by name, as Gradio server functions."""
        return self.wrap(*(getattr(self, name) for name in names))

    def wrap(self, *handlers: Callable[[Any], dict]) -> list[Callable[[Any], dict]]:
        """Return any handlers as Gradio server functions."""
        return [self._wrapped(handler) for handler in handlers]

    def open_sound(self, request: OpenRequest) -> dict:
        """Decode a sound and return its facts and envelope."""
        session = self.store.session(request.token)
        before = AS_IT_IS if request.sound is None else self.store.sound(request.token, request.sound).facts.reading
        how = Reading(request.channel, request.full_scale or before.full_scale, request.time_expansion or before.time_expansion)
        if request.sound is not None:
            sound = self.store.open_again(request.token, request.sound, how)
        else:
            sound = self.store.open(request.token, *self._source(request), how=how)
        return sound_facts(sound, request.example if request.example in self._examples else None, session.language)

    def slowed_copy(self, request: SoundRequest) -> dict:
        """Return the address of a copy that browsers play ten times slower."""
        return {"url": playable_url(slowed_copy(self.store, self._sound(request), request.token)), "slowdown": SLOWDOWN}

    def mel_view(self, request: ViewRequest) -> dict:
        """Return mel levels from `start` to `end` seconds in at most `columns` columns."""
        return self._view("mel", request, request.config)

    def stft_view(self, request: ViewRequest) -> dict:
        """Return STFT levels, see `mel_view`."""
        return self._view("stft", request, request.config)

    def mfcc_view(self, request: MfccRequest) -> dict:
        """Return the coefficients from 1, shaped by `cepstrum`, see `mel_view`."""
        return self._view("mfcc", request, request.config, request.cepstrum)

    def surface_view(self, request: SurfaceRequest) -> dict:
        """Return levels of a surface, pooled from the "mel" or "stft" view (`of`)."""
        sound, view = self._sound(request), "surface" if request.of == "mel" else "surface_stft"
        with self._slot(request):
            return self._renderer.render(view, sound, request.config, request.tile, grid=request.grid)

    def wave_view(self, request: WaveRequest) -> dict:
        """Return each column's minimum, maximum and RMS sample, or the samples."""
        return self._view("wave_channels" if request.channels else "wave", request, None)

    def level(self, request: LevelRequest) -> dict:
        """Return the exact value at a `time`: of a `band`, coefficient (`band`) or `hz`."""
        sound, row = self._sound(request), request.row
        with self._slot(request):
            value = self._renderer.value(request.view, sound, request.config, request.time, row, request.cepstrum or PLAIN)
            return {"value": value}

    def measure(self, request: MeasureRequest) -> dict:
        """Return the measurements of a selection (`start`, `end`, `low_hz`, `high_hz`)."""
        sound = self._sound(request)
        with self._slot(request):
            return self._measurements.figures(sound, self._fixed(sound, request, "stft"))

    def spectrum(self, request: SpectrumRequest) -> dict:
        """Return the mean "mel" or "stft" spectrum (`view`) from `start` to `end`."""
        sound = self._sound(request)
        with self._slot(request):
            return self._measurements.spectrum(sound, self._fixed(sound, request, request.view))

    def save_selection(self, request: BoxRequest) -> dict:
        """Write a selection's interval as a WAV file and return its address."""
        return self._measurements.save(self._sound(request), request.start, request.end, request.token)

    def read_labels(self, request: ReadLabelsRequest) -> dict:
        """Return the labels of a label file, see `PageLabels.read`."""
        return self._labels.read(self._sound(request), request)

    def label_file(self, request: LabelFileRequest) -> dict:
        """Return labels as a file."""
        return self._labels.text(self._sound(request), request)

    def label_excerpts(self, request: LabelsRequest) -> dict:
        """Write the labelled intervals to a ZIP of WAVs, a folder for each name."""
        return self._labels.excerpts(self._sound(request), request)

    def snap_edges(self, request: BoxRequest) -> dict:
        """Return the edges of energy near those of a selection."""
        sound = self._sound(request)
        with self._slot(request):
            return self._labels.snap(sound, request)

    def export(self, request: ExportRequest) -> dict:
        """Return a view as a file or as code, see `Exports.export`."""
        return self._exports.export(self._sound(request), request, self.store.session(request.token).language)

    def feature_start(self, request: FeatureRequest) -> dict:
        """Start the computation of a `feature`, see `FeatureOverlays.start`."""
        sound = self._sound(request)
        with self._slot(request):  # for its waveform and scale; another process computes the feature
            return self._features.start(sound, self._fixed(sound, request, request.view))

    def feature_state(self, request: JobRequest) -> dict:
        """Return the progress of a feature's `job`, with the feature once done."""
        return self._features.state(request.token, request.job)

    def feature_cancel(self, request: JobRequest) -> dict:
        """Cancel a feature's `job`."""
        return self._features.cancel(request.token, request.job)

    def compare_view(self, request: CompareRequest) -> dict:
        """Return two sounds on the axes of the first and their difference, see `Comparisons.view`."""
        sounds = self._sound(request), self.store.sound(request.token, request.other)
        with self._slot(request):
            return self._comparisons.view(*sounds, request)

    def compare_align(self, request: AlignRequest) -> dict:
        """Return the `offset` in seconds at which two sounds are most alike, and their `correlation`."""
        sounds = self._sound(request), self.store.sound(request.token, request.other)
        with self._slot(request):
            return self._comparisons.align(*sounds, request.sample_rate)

    def compare_loudness(self, request: SoundRequest) -> dict:
        """Return a sound's loudness in `lufs`, None in silence."""
        sound = self._sound(request)
        with self._slot(request):
            return {"lufs": self._comparisons.loudness(sound)}

    def _view(self, view: str, request: TileRequest, config: SpectrogramConfig | None, cepstrum: CepstrumConfig = PLAIN) -> dict:
        sound = self._sound(request)
        with self._slot(request):
            return self._renderer.render(view, sound, config, request.tile, cepstrum)

    def _fixed(self, sound: Sound, request: Configured, view: str) -> Configured:
        """Return a request whose dB reference is a power, see `ViewRenderer.fixed`."""
        return request.model_copy(update={"config": self._renderer.fixed(sound, request.config, view)})

    def _slot(self, request: SoundRequest) -> Turn:
        """Return one of the slots for computing views, to be held."""
        return self._slots.turn(request.token, WAIT_SECONDS)

    def _sound(self, request: SoundRequest) -> Sound:
        return self.store.sound(request.token, request.sound)

    def _source(self, request: OpenRequest) -> tuple[Path, str]:
        """Return the path and name of the file that a request names."""
        if request.example in self._examples:
            return self._examples[request.example], self._examples[request.example].name
        if request.uploaded is not None:
            session = self.store.session(request.token)
            uploaded = next((found for one in self._uploads if (found := one.find(session, request.uploaded))), None)
            if uploaded is None:
                raise PageError("page.gone")
            return uploaded.path, uploaded.name
        return self.upload(request.path or "", request.name or "")

    def upload(self, path: str, name: str) -> tuple[Path, str]:
        """Return an upload's checked path and name."""
        try:
            resolved = Path(path).resolve()
            known = resolved.is_relative_to(self._upload_folder) and resolved.is_file()
        except (OSError, ValueError):  # name too long, or a null byte
            known = False
        if not known:
            raise PageError("page.request", reason="path")
        return resolved, printable(name) or resolved.name

    def _wrapped(self, handler: Callable[[Any], dict]) -> Callable[[Any], dict]:
        @functools.wraps(handler)
        def reply(request: Any) -> dict:
            language = "en"
            with RequestLog(handler.__name__) as record:
                try:
                    if not isinstance(request, dict):
                        raise PageError("page.request", reason=type(request).__name__)
                    language = self.store.session(request.get("token")).language
                    return {"ok": handler(checked(handler, request))}
                except Exception as failed:
                    error = record.failure(failed)
            return error_reply(error, language) | {"fix": fix(error), "fields": fields(error)}

        return reply
