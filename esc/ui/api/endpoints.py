"""Named endpoints for programs, with the same computations as the page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import cast

import gradio as gr
import numpy as np
import torch

from esc.audio.channels import MEAN, check_channel
from esc.batch.result_formats import as_row
from esc.batch.results import SoundResult
from esc.classification.classifier import Prediction
from esc.classification.intervals import Interval, interval_from
from esc.classification.saliency.regions import regions_within, saliency_regions
from esc.classification.sliding_window import check_hop
from esc.config import SpectrogramConfig
from esc.dsp.axes import frame_times_s, stft_freqs_hz
from esc.dsp.mel import mel_freqs_hz
from esc.dsp.mfcc import CepstrumConfig, mfcc, shaped
from esc.dsp.spectrogram import mel_db, stft_db
from esc.dsp.tiles import Tile
from esc.errors import AudioError, PageError, ParameterError
from esc.ui.api import arguments
from esc.ui.api.arguments import localized_errors
from esc.ui.api.downloads import Downloads
from esc.ui.inference.inference import classifier, clip_offset_s, explain, predict
from esc.ui.server.rendering import ViewRenderer
from esc.ui.sessions.sound import Sound
from esc.ui.tabs.base import Services

MAX_VALUES = 25_000_000  # of STFT and mel together, computed at once: 8 minutes at librosa's defaults, some 0.5 GB
MAX_SAMPLES = 100_000_000  # of a waveform, returned or transformed at once: 75 minutes at librosa's rate, 0.4 GB
MAX_WINDOWS = 7_200  # classified in one call: some 2.5 minutes on one core
SURFACE_COLUMNS = 320
Caller = gr.Request | None


class Endpoints:
    """The endpoints of one app.

    Parameters
    ----------
    services : Services
    downloads : Downloads
        For .npz files.
    """

    def __init__(self, services: Services, downloads: Downloads) -> None:
        self._store, self._checkpoint = services.store, services.checkpoint
        self._runs, self._turns = services.runs, services.turns
        self._downloads = downloads

    def mel(
        self, sound: str, preset: str = "librosa", changes: dict | None = None, channel: str = MEAN, request: Caller = None
    ) -> tuple[dict, str]:
        """Mel spectrogram of a sound file, in dB.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_mels": 64, "hop_length": 256}.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
        Returns:
            A JSON object with times_s, freqs_hz, shape (n_mels, n_frames), config and channel, and an .npz file with the
            float32 matrix as mel_db, its times_s and freqs_hz.
        """
        with localized_errors("mel", request), self._opened(sound, channel, request) as opened:
            return self._matrix("mel_db", mel_db, mel_freqs_hz, opened, arguments.config_of(preset, changes))

    def stft(
        self, sound: str, preset: str = "librosa", changes: dict | None = None, channel: str = MEAN, request: Caller = None
    ) -> tuple[dict, str]:
        """Short-time Fourier transform of a sound file, in dB.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_fft": 4096, "hop_length": 256}.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
        Returns:
            A JSON object with times_s, freqs_hz, shape (n_freqs, n_frames), config and channel, and an .npz file with the
            float32 matrix as stft_db, its times_s and freqs_hz.
        """
        with localized_errors("stft", request), self._opened(sound, channel, request) as opened:
            return self._matrix("stft_db", stft_db, stft_freqs_hz, opened, arguments.config_of(preset, changes))

    def mfcc(
        self, sound: str, preset: str = "librosa", changes: dict | None = None, channel: str = MEAN, request: Caller = None
    ) -> tuple[dict, str]:
        """Mel-frequency cepstral coefficients of a sound file.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_mfcc": 13, "lifter": 22, "delta": 1}: number of
                coefficients, liftering (0: none), order of the time derivative (0, 1 or 2).
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
        Returns:
            A JSON object with times_s, shape (n_mfcc, n_frames), config, channel and cepstrum, and an .npz file with the float32
            matrix as mfcc and its times_s.
        """
        with localized_errors("mfcc", request), self._opened(sound, channel, request) as opened:
            cepstrum, others = arguments.cepstrum_of(changes)
            config = arguments.config_of(preset, others)
            meta, path = self._matrix("mfcc", partial(_coefficients, cepstrum), None, opened, config)
            return meta | {"cepstrum": cepstrum.to_dict()}, path

    def surface(
        self,
        sound: str,
        preset: str = "librosa",
        changes: dict | None = None,
        columns: int = SURFACE_COLUMNS,
        channel: str = MEAN,
        request: Caller = None,
    ) -> tuple[dict, str]:
        """Mel spectrogram of a sound file at the resolution of the 3D view.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_fft": 4096, "hop_length": 256}.
            columns: Maximum number of columns (time steps), 2 to 2000.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
        Returns:
            A JSON object with times_s, freqs_hz, shape (rows, columns), config and channel, and an .npz file with the matrix as
            surface_db, in steps of top_db / 255 below its maximum. Each value is the maximum of the frames and bands
            that share its cell; freqs_hz are the mean centres of the rows, times_s the centres of the columns.
        """
        with localized_errors("surface", request), self._opened(sound, channel, request) as opened:
            config = arguments.config_of(preset, changes)
            tile = Tile(0.0, opened.seconds, arguments.checked_columns(columns))
            view, freqs_hz = ViewRenderer(self._store).surface(opened, config, tile)
            levels_db = view.low_db + view.levels * ((view.high_db - view.low_db) / 255)
            edges_s = np.linspace(view.start_s, view.end_s, view.levels.shape[1] + 1)
            axes = {"times_s": (edges_s[:-1] + edges_s[1:]) / 2, "freqs_hz": freqs_hz}
            meta, path = self._written("surface_db", {"surface_db": levels_db.astype(np.float32)}, axes)
            return meta | {"config": config.to_dict(), "channel": opened.facts.channel}, path

    def waveform(
        self, sound: str, sample_rate: float | None = None, channel: str = MEAN, request: Caller = None
    ) -> tuple[dict, str]:
        """Waveform of a sound file: the mean of its channels, or one.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            sample_rate: Sample rate in Hz; that of the file by default.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
        Returns:
            A JSON object with sample_rate, seconds, channels, channel, peak and rms, and an .npz file with the float32 samples as
            waveform.
        """
        with localized_errors("waveform", request), self._opened(sound, channel, request) as opened:
            rate = opened.facts.sample_rate if sample_rate is None else sample_rate
            rate = int(rate) if isinstance(rate, float) and rate.is_integer() else rate  # JSON has one kind of number
            waveform = self._waveform(opened, rate)
            path = self._downloads.save("waveform", {"waveform": waveform}, compressed=False)
            facts = {name: getattr(opened.facts, name) for name in ("seconds", "channels", "channel", "peak", "rms", "metadata")}
            return {"sample_rate": rate} | facts, path

    def _matrix(
        self,
        quantity: str,
        transform: Callable[[np.ndarray, SpectrogramConfig], torch.Tensor],
        freqs_hz: Callable[[SpectrogramConfig], np.ndarray] | None,
        opened: Sound,
        config: SpectrogramConfig,
    ) -> tuple[dict, str]:
        values = (config.n_freqs + config.n_mels) * config.n_frames(round(opened.seconds * config.sample_rate))
        if values > MAX_VALUES:
            raise ParameterError("parameter.too_much", millions=values / 1e6, limit=MAX_VALUES / 1e6)
        matrix = transform(np.array(self._waveform(opened, config.sample_rate)), config).numpy()
        axes = {"times_s": frame_times_s(matrix.shape[1], config)} | ({"freqs_hz": freqs_hz(config)} if freqs_hz else {})
        meta, path = self._written(quantity, {quantity: matrix}, axes)
        return meta | {"config": config.to_dict(), "channel": opened.facts.channel}, path

    def _written(self, name: str, matrices: dict[str, np.ndarray], axes: dict[str, np.ndarray]) -> tuple[dict, str]:
        """Return the shape and axes of matrices, and the path of their new file."""
        (shape,) = {matrix.shape for matrix in matrices.values()}
        meta = {axis: values.tolist() for axis, values in axes.items()}
        return meta | {"shape": list(shape)}, self._downloads.save(name, matrices | axes)

    def classify(
        self, sound: str, channel: str = MEAN, start: float | None = None, end: float | None = None, request: Caller = None
    ) -> dict[str, float]:
        """ESC-50 class of an interval or the first five seconds after any silence.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            start: Start of the interval in seconds, 0 by default if there is an end; without one, of five seconds, moved back
                where these would exceed the sound.
            end: Its end. A shorter interval is padded by reflection; of a longer one,
                probabilities are means over five seconds every 2.5 seconds, or over 24 spread evenly.
        Returns:
            The likeliest class as label and the five likeliest with their probabilities as confidences. A silent sound has
            the label "silence"; a sound of no known class has the label "unknown", and one whose class is uncertain
            the label "unsure", with confidence 1, before the likeliest classes.
        """
        with localized_errors("classify", request), self._opened(sound, channel, request) as opened:
            prediction = self._predicted(opened, self._interval(opened, start, end), request)
            return ({} if prediction.verdict in dict(prediction.top) else {prediction.verdict: 1.0}) | dict(prediction.top)

    def explain(
        self,
        sound: str,
        label: str | None = None,
        start: float | None = None,
        channel: str = MEAN,
        end: float | None = None,
        request: Caller = None,
    ) -> tuple[dict, str]:
        """Saliency map of a class for five seconds of a sound file.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            label: One of the 50 classes; the likeliest by default.
            start: Start of the five seconds, in seconds; that of /classify by default. Moved back where the five seconds
                would exceed the sound.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            end: End of an interval from start, in seconds. Padded if short; of a long one, its likeliest five seconds.
        Returns:
            A JSON object with label, its probability, the verdict, start and end (seconds), times_s (in the sound; before start
            and past end where a short interval was padded by reflection), freqs_hz and shape, and an .npz file with the
            float32 matrices map (0 to 1: importance for the class) and picture_db (the network's input), and both axes.
            regions lists start, end, low_hz, high_hz and weight (share of the map) of the map's largest parts.
            In silence label and probability are null and the map is 0.
        """
        with localized_errors("explain", request), self._opened(sound, channel, request) as opened:
            labels, rate = arguments.checked_labels(label), opened.facts.sample_rate
            checkpoint, turn = classifier(self._checkpoint).checkpoint, self._turns.turn(arguments.owner_of(request))
            interval = self._interval(opened, start, end)
            begin_s, stop_s = interval or (None, None)
            if interval and interval[1] - interval[0] > checkpoint.input.clip_seconds:
                begin_s = self._predicted(opened, interval, request).start_s
            found = explain(self._checkpoint, opened.waveform, rate, begin_s, labels, turn, stop_s)
            spectrogram_db = found.prediction.spectrogram_db
            named = next((name for name in (*labels, *dict(found.prediction.top)) if name in found.maps), None)  # none in silence
            end_s = min(found.prediction.start_s + checkpoint.input.clip_seconds, stop_s or opened.seconds)
            before_s = clip_offset_s(checkpoint, round((end_s - found.prediction.start_s) * rate), rate)
            first_s, spectrogram = found.prediction.start_s - before_s, checkpoint.spectrogram
            times_s = first_s + frame_times_s(spectrogram_db.shape[1], spectrogram)
            heat = found.maps[named] if named else np.zeros_like(spectrogram_db)
            axes = {"times_s": times_s, "freqs_hz": mel_freqs_hz(spectrogram)}
            meta, path = self._written("explain", {"map": heat, "picture_db": spectrogram_db}, axes)
            meta |= {"label": named, "probability": found.probabilities[named] if named else None}
            meta |= {"verdict": found.prediction.verdict, "start": found.prediction.start_s, "end": end_s}
            regions = regions_within(saliency_regions(heat, first_s, spectrogram), found.prediction.start_s, end_s)
            return meta | {"channel": opened.facts.channel, "regions": [one.figures() for one in regions]}, path

    def timeline(self, sound: str, hop_seconds: float | None = None, channel: str = MEAN, request: Caller = None) -> dict:
        """Timeline of a sound file, as of `python -m esc classify --timeline --format json`.

        Parameters:
            sound: The file: WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, WebM, MP4, MKA.
            hop_seconds: Seconds between the starts of two windows, 0.1 to 5; 2.5 by default.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
        Returns:
            A JSON object with file, seconds, the top and verdict of /classify, timeline: a list of label, start, end
            (seconds), mean probability and uncertainty (of start and end, seconds) of each segment, and uncertain: intervals
            with verdict "unsure" or "unknown" and their likeliest label.
        """
        with localized_errors("timeline", request), self._opened(sound, channel, request) as opened:
            hop = check_hop(arguments.checked_number("hop_seconds", hop_seconds), self._runs.meta.input.clip_seconds)
            if opened.seconds / hop > MAX_WINDOWS:
                limit = MAX_WINDOWS * hop / 60
                raise AudioError("audio.too_long", name=opened.name, minutes=opened.seconds / 60, limit_minutes=limit)
            *_, result = self._runs.run(opened, hop, lambda: True, arguments.owner_of(request))
            return as_row(cast(SoundResult, result))  # only a cancelled run ends otherwise

    def _interval(self, opened: Sound, start: object, end: object) -> Interval | None:
        start_s, end_s = arguments.checked_number("start", start), arguments.checked_number("end", end)
        return interval_from(classifier(self._checkpoint), len(opened.waveform), opened.facts.sample_rate, start_s, end_s)

    def _predicted(self, opened: Sound, interval: Interval | None, request: Caller) -> Prediction:
        turn = self._turns.turn(arguments.owner_of(request))
        return predict(self._checkpoint, opened.waveform, opened.facts.sample_rate, turn, interval)

    def _opened(self, path: str | None, channel: str, request: gr.Request | None) -> AbstractContextManager[Sound]:
        if not path:
            raise PageError("page.no_sound")
        return self._runs.opened(Path(path), Path(path).name, arguments.owner_of(request), check_channel(channel))

    def _waveform(self, opened: Sound, sample_rate: float) -> np.ndarray:
        if isinstance(sample_rate, int) and opened.seconds * sample_rate > MAX_SAMPLES:
            minutes, limit = opened.seconds / 60, MAX_SAMPLES / sample_rate / 60
            raise AudioError("audio.too_long", name=opened.name, minutes=minutes, limit_minutes=limit)
        return self._store.waveform(opened, sample_rate)


def _coefficients(cepstrum: CepstrumConfig, waveform: np.ndarray, config: SpectrogramConfig) -> torch.Tensor:
    return torch.from_numpy(shaped(mfcc(waveform, config).numpy(), cepstrum))
