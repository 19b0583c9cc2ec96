"""Named endpoints for programs, with the same computations as the page."""

from __future__ import annotations

from typing import cast

import numpy as np

from esc.audio.channels import MEAN
from esc.batch.result_formats import as_row
from esc.batch.results import SoundResult
from esc.classification.intervals import interval_from
from esc.classification.predictions import Prediction
from esc.classification.saliency.regions import regions_within, saliency_regions
from esc.classification.times import Interval, check_hop, window_count
from esc.dsp.axes import frame_times_s
from esc.dsp.mel import mel_freqs_hz
from esc.errors import AudioError
from esc.ui.api import arguments
from esc.ui.api.arguments import lists_formats
from esc.ui.api.downloads import Downloads
from esc.ui.api.matrix_endpoints import MatrixEndpoints
from esc.ui.inference.inference import classifier, clip_offset_s, explain, predict
from esc.ui.sessions.sound import Sound
from esc.ui.tabs.base import Services

MAX_WINDOWS = 7_200  # classified in one call: some 2.5 minutes on one core


class Endpoints(MatrixEndpoints):
    """All endpoints of one app; parameters as of `MatrixEndpoints`."""

    def __init__(self, services: Services, downloads: Downloads) -> None:
        super().__init__(services, downloads)
        self._checkpoint, self._turns = services.checkpoint, services.turns

    @lists_formats
    def classify(
        self,
        sound: str,
        channel: str = MEAN,
        start: float | None = None,
        end: float | None = None,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> dict[str, float]:
        """ESC-50 class of an interval or the first five seconds after any silence.

        Parameters:
            sound: The file: {ACCEPTED}.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            start: Start of the interval in seconds, 0 by default if there is an end; without one, of five seconds, moved back
                where these would exceed the sound.
            end: Its end. A shorter interval is padded by reflection; of a longer one,
                probabilities are means over five seconds every 2.5 seconds, or over 24 spread evenly.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            The likeliest class as label and the five likeliest with their probabilities as confidences. A silent sound has
            the label "silence"; a sound of no known class has the label "unknown", and one whose class is uncertain
            the label "unsure", with confidence 1, before the likeliest classes.
        """
        with self._opened("classify", sound, channel, full_scale, time_expansion) as opened:
            prediction = self._predicted(opened, self._interval(opened, start, end))
            return ({} if prediction.verdict in dict(prediction.top) else {prediction.verdict: 1.0}) | dict(prediction.top)

    @lists_formats
    def explain(
        self,
        sound: str,
        label: str | None = None,
        start: float | None = None,
        channel: str = MEAN,
        end: float | None = None,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> tuple[dict, str]:
        """Saliency map of a class for five seconds of a sound file.

        Parameters:
            sound: The file: {ACCEPTED}.
            label: One of the 50 classes; the likeliest by default.
            start: Start of the five seconds, in seconds; that of /classify by default. Moved back where the five seconds
                would exceed the sound.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            end: End of an interval from start, in seconds. Padded if short; of a long one, its likeliest five seconds.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with label, its probability, the verdict, start and end (seconds), times_s (in the sound; before start
            and past end where a short interval was padded by reflection), freqs_hz and shape, and an .npz file with the
            float32 matrices map (0 to 1: importance for the class) and picture_db (the network's input), and both axes.
            regions lists start, end, low_hz, high_hz and weight (share of the map) of the map's largest parts.
            In silence label and probability are null and the map is 0.
        """
        with self._opened("explain", sound, channel, full_scale, time_expansion) as opened:
            labels, rate = arguments.checked_labels(label), opened.facts.sample_rate
            checkpoint, turn = classifier(self._checkpoint).checkpoint, self._turns.turn(arguments.caller())
            interval = self._interval(opened, start, end)
            begin_s, stop_s = interval or (None, None)
            if interval and interval[1] - interval[0] > checkpoint.input.clip_seconds:
                begin_s = self._predicted(opened, interval).start_s
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

    @lists_formats
    def timeline(
        self,
        sound: str,
        hop_seconds: float | None = None,
        channel: str = MEAN,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> dict:
        """Timeline of a sound file, as of `python -m esc classify --timeline --format json`.

        Parameters:
            sound: The file: {ACCEPTED}.
            hop_seconds: Seconds between the starts of two windows, 0.1 to 5; 2.5 by default.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with file, seconds, the top and verdict of /classify, timeline: a list of label, start, end
            (seconds), mean probability and uncertainty (of start and end, seconds) of each segment, and uncertain: intervals
            with verdict "unsure" or "unknown" and their likeliest label.
        """
        with self._opened("timeline", sound, channel, full_scale, time_expansion) as opened:
            hop = check_hop(arguments.checked_number("hop_seconds", hop_seconds), self._runs.meta.input.clip_seconds)
            if (windows := window_count(opened.seconds, hop, self._runs.meta.input.clip_seconds)) > MAX_WINDOWS:
                raise AudioError("audio.too_many_windows", name=opened.name, windows=windows, hop=hop, limit=MAX_WINDOWS)
            *_, result = self._runs.run(opened, hop, lambda: True, arguments.caller())
            return as_row(cast(SoundResult, result))  # only a cancelled run ends otherwise

    def _interval(self, opened: Sound, start: object, end: object) -> Interval | None:
        start_s, end_s = arguments.checked_number("start", start), arguments.checked_number("end", end)
        return interval_from(classifier(self._checkpoint), len(opened.waveform), opened.facts.sample_rate, start_s, end_s)

    def _predicted(self, opened: Sound, interval: Interval | None) -> Prediction:
        turn = self._turns.turn(arguments.caller())
        return predict(self._checkpoint, opened.waveform, opened.facts.sample_rate, turn, interval)
