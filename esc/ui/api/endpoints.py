"""Named endpoints for programs, with the same computations as the page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import gradio as gr
import numpy as np
import torch
from gradio.components import Component

from esc.batch.result_formats import as_row
from esc.batch.results import SoundResult
from esc.classification.sliding_window import check_hop
from esc.config import PRESETS, SpectrogramConfig
from esc.dsp.axes import frame_times_s, stft_freqs_hz
from esc.dsp.mel import mel_freqs_hz
from esc.dsp.mfcc import mfcc, shaped
from esc.dsp.spectrogram import mel_db, stft_db
from esc.dsp.tiles import Tile
from esc.errors import AudioError, PageError, ParameterError
from esc.ui.api.arguments import cepstrum_of, checked_question, config_of, localized_errors
from esc.ui.api.downloads import Downloads
from esc.ui.inference.inference import classifier, clip_offset_s, explain, predict
from esc.ui.inference.timeline_runs import TimelineRuns
from esc.ui.server.rendering import ViewRenderer
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore

log = logging.getLogger(__name__)
MAX_VALUES = 25_000_000  # of STFT and mel together, computed at once: 8 minutes at librosa's defaults, some 0.5 GB
MAX_SAMPLES = 100_000_000  # of a waveform, returned or transformed at once: 75 minutes at librosa's rate, 0.4 GB
MAX_WINDOWS = 7_200  # classified in one call: some 2.5 minutes on one core
SURFACE_COLUMNS = 320


class Endpoints:
    """The endpoints of one app.

    Parameters
    ----------
    store : SoundStore
    checkpoint : path
    folder : path
        For the .npz files that are returned, see `Downloads`.
    runs : TimelineRuns
    """

    def __init__(self, store: SoundStore, checkpoint: Path, folder: Path, runs: TimelineRuns) -> None:
        self._runs = runs
        self._store = store
        self._checkpoint = checkpoint
        self._downloads = Downloads(folder)

    def mel(
        self, sound: str, preset: str = "librosa", changes: dict | None = None, request: gr.Request | None = None
    ) -> tuple[dict, str]:
        """Mel spectrogram of a sound file, in dB.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong or clicks.
            changes: Parameters that differ from the preset, for example {"n_mels": 64, "hop_length": 256}.
        Returns:
            A JSON object with times_s, freqs_hz, shape (n_mels, n_frames) and config, and an .npz file with the
            float32 matrix as mel_db, its times_s and freqs_hz.
        """
        return self._matrix("mel_db", mel_db, mel_freqs_hz, sound, preset, changes, request)

    def stft(
        self, sound: str, preset: str = "librosa", changes: dict | None = None, request: gr.Request | None = None
    ) -> tuple[dict, str]:
        """Short-time Fourier transform of a sound file, in dB.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong or clicks.
            changes: Parameters that differ from the preset, for example {"n_fft": 4096, "hop_length": 256}.
        Returns:
            A JSON object with times_s, freqs_hz, shape (n_freqs, n_frames) and config, and an .npz file with the
            float32 matrix as stft_db, its times_s and freqs_hz.
        """
        return self._matrix("stft_db", stft_db, stft_freqs_hz, sound, preset, changes, request)

    def mfcc(
        self, sound: str, preset: str = "librosa", changes: dict | None = None, request: gr.Request | None = None
    ) -> tuple[dict, str]:
        """Mel-frequency cepstral coefficients of a sound file.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong or clicks.
            changes: Parameters that differ from the preset, for example {"n_mfcc": 13, "lifter": 22, "delta": 1}: number of
                coefficients, liftering (0: none), order of the time derivative (0, 1 or 2).
        Returns:
            A JSON object with times_s, shape (n_mfcc, n_frames), config and cepstrum, and an .npz file with the float32
            matrix as mfcc and its times_s.
        """
        with localized_errors(request):
            cepstrum, others = cepstrum_of(changes)

        def transform(waveform: np.ndarray, config: SpectrogramConfig) -> torch.Tensor:
            return torch.from_numpy(shaped(mfcc(waveform, config).numpy(), cepstrum))

        meta, path = self._matrix("mfcc", transform, None, sound, preset, others, request)
        return meta | {"cepstrum": cepstrum.to_dict()}, path

    def surface(
        self,
        sound: str,
        preset: str = "librosa",
        changes: dict | None = None,
        columns: int = SURFACE_COLUMNS,
        request: gr.Request | None = None,
    ) -> tuple[dict, str]:
        """Mel spectrogram of a sound file at the resolution of the 3D view.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong or clicks.
            changes: Parameters that differ from the preset, for example {"n_fft": 4096, "hop_length": 256}.
            columns: Maximum number of columns (time steps), 2 to 2000.
        Returns:
            A JSON object with times_s, freqs_hz, shape (rows, columns) and config, and an .npz file with the matrix as
            surface_db, in steps of top_db / 255 below its maximum. Each value is the maximum of the frames and bands
            that share its cell; freqs_hz are the mean centres of the rows, times_s the centres of the columns.
        """
        with localized_errors(request), self._opened(sound) as opened:
            config = config_of(preset, changes)
            if isinstance(columns, bool) or not isinstance(columns, int | float) or not float(columns).is_integer():
                raise ParameterError("parameter.type", field="columns", value=columns, wanted="whole number")
            if not 2 <= columns <= 2000:
                raise ParameterError("parameter.range", field="columns", value=columns, low=2, high=2000)
            view, freqs_hz = ViewRenderer(self._store).surface(opened, config, Tile(0.0, opened.seconds, int(columns)))
            levels_db = view.low_db + view.levels * ((view.high_db - view.low_db) / 255)
            edges_s = np.linspace(view.start_s, view.end_s, view.levels.shape[1] + 1)
            axes = {"times_s": (edges_s[:-1] + edges_s[1:]) / 2, "freqs_hz": freqs_hz}
            return self._written("surface_db", levels_db.astype(np.float32), axes, config)

    def waveform(self, sound: str, sample_rate: float | None = None, request: gr.Request | None = None) -> tuple[dict, str]:
        """Waveform of a sound file, the mean of its channels.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            sample_rate: Sample rate in Hz; that of the file by default.
        Returns:
            A JSON object with sample_rate, seconds, channels, peak and rms, and an .npz file with the float32 samples as
            waveform.
        """
        with localized_errors(request), self._opened(sound) as opened:
            rate = opened.facts.sample_rate if sample_rate is None else sample_rate
            if isinstance(rate, float) and rate.is_integer():  # JSON has one kind of number
                rate = int(rate)
            waveform = self._waveform(opened, rate)
            path = self._downloads.save("waveform", {"waveform": waveform}, compressed=False)
            facts = {name: getattr(opened.facts, name) for name in ("seconds", "channels", "peak", "rms")}
            return {"sample_rate": rate} | facts, path

    def _matrix(
        self,
        quantity: str,
        transform: Callable[[np.ndarray, SpectrogramConfig], torch.Tensor],
        freqs_hz: Callable[[SpectrogramConfig], np.ndarray] | None,
        sound: str,
        preset: str,
        changes: dict | None,
        request: gr.Request | None,
    ) -> tuple[dict, str]:
        with localized_errors(request), self._opened(sound) as opened:
            config = config_of(preset, changes)
            values = (config.n_freqs + config.n_mels) * config.n_frames(round(opened.seconds * config.sample_rate))
            if values > MAX_VALUES:
                raise ParameterError("parameter.too_much", millions=values / 1e6, limit=MAX_VALUES / 1e6)
            matrix = transform(np.array(self._waveform(opened, config.sample_rate)), config).numpy()
            axes = {"times_s": frame_times_s(matrix.shape[1], config)}
            if freqs_hz is not None:
                axes["freqs_hz"] = freqs_hz(config)
            return self._written(quantity, matrix, axes, config)

    def _written(
        self, quantity: str, matrix: np.ndarray, axes: dict[str, np.ndarray], config: SpectrogramConfig
    ) -> tuple[dict, str]:
        path = self._downloads.save(quantity, {quantity: matrix} | axes)
        meta = {name: axis.tolist() for name, axis in axes.items()}
        return meta | {"shape": list(matrix.shape), "config": config.to_dict()}, path

    def classify(self, sound: str, request: gr.Request | None = None) -> dict[str, float]:
        """ESC-50 class of a sound's first five seconds, after any long initial silence.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
        Returns:
            The likeliest class as label and the five likeliest with their probabilities as confidences. A silent sound has
            the label "silence"; a sound of no known class has the label "unknown" with confidence 1, before the
            likeliest classes.
        """
        with localized_errors(request), self._opened(sound) as opened:
            prediction = predict(self._checkpoint, opened.waveform, opened.facts.sample_rate)
            decided = {} if prediction.verdict in dict(prediction.top) else {prediction.verdict: 1.0}
            return decided | dict(prediction.top)

    def explain(
        self, sound: str, label: str | None = None, start: float | None = None, request: gr.Request | None = None
    ) -> tuple[dict, str]:
        """Saliency map of a class for five seconds of a sound file.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            label: One of the 50 classes; the likeliest by default.
            start: Start of the five seconds, in seconds; that of /classify by default. Moved back where the five seconds
                would exceed the sound.
        Returns:
            A JSON object with label, its probability, the verdict, start (seconds), times_s (in the sound; below 0 and past
            its end where a short sound was padded by reflection), freqs_hz and shape, and an .npz file with the float32
            matrices map (0 to 1: importance for the class) and picture_db (the network's input), and both axes. For a
            silent sound label and probability are null and the map is 0.
        """
        with localized_errors(request), self._opened(sound) as opened:
            label, start_s = checked_question(label, start)
            checkpoint = classifier(self._checkpoint).checkpoint
            found = explain(self._checkpoint, opened.waveform, opened.facts.sample_rate, start_s, [label] if label else [])
            spectrogram_db = found.prediction.spectrogram_db
            named = label or next((name for name, _ in found.prediction.top), None)
            before_s = clip_offset_s(checkpoint, len(opened.waveform), opened.facts.sample_rate)
            axes = {
                "times_s": found.prediction.start_s - before_s + frame_times_s(spectrogram_db.shape[1], checkpoint.spectrogram),
                "freqs_hz": mel_freqs_hz(checkpoint.spectrogram),
            }
            heat = found.maps[named] if named and named in found.maps else np.zeros_like(spectrogram_db)
            path = self._downloads.save("explain", {"map": heat, "picture_db": spectrogram_db} | axes)
            meta = {
                "label": named if named in found.maps else None,
                "probability": found.probabilities.get(named) if named else None,
                "verdict": found.prediction.verdict,
                "start": found.prediction.start_s,
                "shape": list(spectrogram_db.shape),
            }
            return meta | {name: axis.tolist() for name, axis in axes.items()}, path

    def timeline(self, sound: str, hop_seconds: float | None = None, request: gr.Request | None = None) -> dict:
        """Timeline of a sound file, as of `python -m esc classify --timeline --format json`.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            hop_seconds: Seconds between the starts of two windows, 0.1 to 5; 2.5 by default.
        Returns:
            A JSON object with file, seconds, the top and verdict of /classify, and timeline: a list of label,
            start, end (seconds) and mean probability of each segment.
        """
        with localized_errors(request), self._opened(sound) as opened:
            if isinstance(hop_seconds, bool) or not isinstance(hop_seconds, int | float | None):
                raise ParameterError("parameter.type", field="hop_seconds", value=hop_seconds, wanted="number")
            hop = check_hop(hop_seconds, self._runs.meta.input.clip_seconds)
            if opened.seconds / hop > MAX_WINDOWS:
                limit = MAX_WINDOWS * hop / 60
                raise AudioError("audio.too_long", name=opened.name, minutes=opened.seconds / 60, limit_minutes=limit)
            *_, result = self._runs.run(opened, hop_seconds, lambda: True)
            assert isinstance(result, SoundResult)  # only a cancelled run ends otherwise
            return as_row(result)

    def _opened(self, path: str | None) -> AbstractContextManager[Sound]:
        """Open a file in a session that ends with the request."""
        if not path:
            raise PageError("page.no_sound")
        return self._runs.opened(Path(path), Path(path).name)

    def _waveform(self, opened: Sound, sample_rate: float) -> np.ndarray:
        if isinstance(sample_rate, int) and opened.seconds * sample_rate > MAX_SAMPLES:
            minutes, limit = opened.seconds / 60, MAX_SAMPLES / sample_rate / 60
            raise AudioError("audio.too_long", name=opened.name, minutes=minutes, limit_minutes=limit)
        return self._store.waveform(opened, sample_rate)


def add(endpoints: Endpoints) -> None:
    """Declare the endpoints inside a gr.Blocks; they show nothing on the page."""

    def declare(name: str, inputs: list[Component], outputs: list[Component], limit: int, queue: str) -> None:
        function = getattr(endpoints, name)
        gr.Button().click(function, inputs, outputs, api_name=name, concurrency_limit=limit, concurrency_id=queue)

    with gr.Row(visible=False):
        sound = gr.File(type="filepath", label="sound")
        preset = gr.Dropdown(list(PRESETS), value="librosa", label="preset")
        changes = gr.JSON(label="changes")
        rate = gr.Number(value=None, label="sample_rate")
        matrix, classes = gr.File(label="matrix"), gr.Label(num_top_classes=6, label="classes")
        for name in ("mel", "stft", "mfcc"):
            declare(name, [sound, preset, changes], [gr.JSON(label=name), matrix], 2, "matrices")
        columns = gr.Number(value=SURFACE_COLUMNS, label="columns")
        declare("surface", [sound, preset, changes, columns], [gr.JSON(label="surface"), matrix], 2, "matrices")
        declare("waveform", [sound, rate], [gr.JSON(label="facts"), matrix], 2, "matrices")
        declare("classify", [sound], [classes], 1, "network")
        label, start = gr.Textbox(value=None, label="label"), gr.Number(value=None, label="start")
        declare("explain", [sound, label, start], [gr.JSON(label="explanation"), matrix], 1, "saliency")
        hop = gr.Number(value=None, label="hop_seconds")
        declare("timeline", [sound, hop], [gr.JSON(label="timeline")], 1, "api_timelines")
