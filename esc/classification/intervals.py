"""Classification of intervals of any length: padded to a clip, or averaged over clips.

The page and the API cut intervals from a waveform, the command line from a file's blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from esc.audio.io import check_memory
from esc.audio.waveform import MIN_SAMPLES, is_silent, to_mono
from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import SURE_PROBABILITY
from esc.classification.first_clip import Clip, cut_clip
from esc.classification.predictions import UNKNOWN, UNSURE, Prediction
from esc.classification.times import HOP_PER_CLIP, Interval, check_times, interval_fit
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, check_range

MAX_CLIPS = 24  # of a long interval, spread evenly: the answer comes in about a second

# a second for the resampler, up to one to a sample that both rates share, and a file's end up to 1 ms before the interval's
_MARGIN_S = 2.1


def interval_from(
    classifier: Classifier, n_samples: int, sample_rate: int, start_s: float | None, end_s: float | None
) -> Interval | None:
    """Return an interval; None without times: the first clip.

    Without a start it begins with the sound; without an end it is the clip from `start_s`, see `Classifier.clip_start`.
    """
    if end_s is not None:
        return start_s or 0.0, end_s
    if start_s is None:
        return None
    begin_s = classifier.clip_start(n_samples, sample_rate, start_s)
    return begin_s, min(begin_s + classifier.checkpoint.input.clip_seconds, n_samples / sample_rate)


def interval_clips(
    classifier: Classifier, waveform: np.ndarray, sample_rate: int, start_s: float, end_s: float
) -> tuple[Clip, ...]:
    """Return the clips of an interval: one, padded by reflection, or several within it.

    Parameters
    ----------
    classifier : Classifier
    waveform : array, shape (n_samples,) or (channels, n_samples)
    sample_rate : int
        Hz.
    start_s, end_s : float
        Seconds. Nothing outside is used.

    Raises
    ------
    ParameterError
        A time is outside the sound, or the end before the start.
    AudioError
        The interval has fewer than two samples.
    """
    _check_interval(start_s, end_s, waveform.shape[-1] / sample_rate)
    part = waveform[..., round(start_s * sample_rate) : round(end_s * sample_rate)]
    _check_samples(part.shape[-1])
    offsets_s = _offsets_s(classifier, part.shape[-1], sample_rate)
    return tuple(Clip(start_s + offset_s, classifier.clip(part, sample_rate, offset_s)) for offset_s in offsets_s)


class IntervalSearch:
    """Search for the clips of an interval, block by block, as `interval_clips` finds them.

    Of a long interval only the clips' samples are kept, whatever its length.

    Parameters
    ----------
    classifier : Classifier
    sample_rate : int
        Hz, of the sound.
    start_s, end_s : float or None
        As for `interval_from`, not both None.
    name : str
        The sound's, for errors.
    """

    def __init__(self, classifier: Classifier, sample_rate: int, start_s: float | None, end_s: float | None, name: str) -> None:
        check_times(start_s, end_s)
        self._classifier, self._rate, self._times, self._name = classifier, sample_rate, (start_s, end_s), name
        self._kept, self._received = [(*part, bytearray()) for part in self._parts()], 0  # first sample, the one after, samples

    def _parts(self) -> list[tuple[int, int]]:
        """Return the samples to keep: of the whole interval, or around each of its clips."""
        (start_s, end_s), clip_seconds = self._times, self._classifier.checkpoint.input.clip_seconds
        begin_s = start_s or 0.0
        if end_s is None:  # a clip, moved back by no more than its length
            earliest_s, latest_s = max(0.0, begin_s - clip_seconds), begin_s + clip_seconds
            return [(max(0, int(earliest_s * self._rate) - 1), math.ceil(latest_s * self._rate) + 1)]
        first, stop = round(begin_s * self._rate), round(end_s * self._rate)
        margin, length = math.ceil(_MARGIN_S * self._rate), math.ceil(clip_seconds * self._rate)
        if stop - first <= MAX_CLIPS * (length + 2 * margin):
            return [(first, stop)]
        begins = [first + int(at_s * self._rate) for at_s in _offsets_s(self._classifier, stop - first, self._rate)]
        return [(max(first, begin - margin), min(stop, begin + length + margin)) for begin in begins]

    def take(self, block: np.ndarray) -> None:
        """Take the next block, (n,) or (channels, n)."""
        for first, stop, kept in self._kept:
            part = block[..., max(0, first - self._received) : max(0, stop - self._received)]
            kept += to_mono(part).tobytes() if part.shape[-1] else b""
        self._received += block.shape[-1]
        check_memory(self._name, sum(len(kept) for *_, kept in self._kept), self._rate)

    def end(self) -> tuple[Interval, tuple[Clip, ...]]:
        """Return the interval and its clips after the last block; raises as `interval_clips` does."""
        found = interval_from(self._classifier, self._received, self._rate, *self._times)
        assert found is not None  # there are times
        _check_interval(*found, self._received / self._rate)
        first, stop = round(found[0] * self._rate), min(round(found[1] * self._rate), self._received)
        _check_samples(stop - first)
        offsets_s = _offsets_s(self._classifier, stop - first, self._rate)
        parts = self._kept if len(self._kept) > 1 else self._kept * len(offsets_s)
        clips = [
            Clip(found[0] + offset_s, self._clip(part[0], part[2], (first, stop), offset_s))
            for part, offset_s in zip(parts, offsets_s, strict=True)
        ]
        return found, tuple(clips)

    def _clip(self, begin: int, kept: bytearray, interval: tuple[int, int], offset_s: float) -> np.ndarray:
        """Return a clip of the interval as `Classifier.clip` does, of samples kept from `begin` on."""
        first, stop = interval
        samples = np.frombuffer(kept, np.float32)[max(0, first - begin) : stop - begin]
        rate, clip_samples = self._classifier.checkpoint.spectrogram.sample_rate, self._classifier.checkpoint.clip_samples
        start = round(self._classifier.clip_start(stop - first, self._rate, offset_s) * rate)
        return cut_clip(samples, self._rate, start, rate, clip_samples, max(0, begin - first))


def _check_interval(start_s: float, end_s: float, seconds: float) -> None:
    check_range("start_s", start_s, 0.0, seconds)
    check_range("end_s", end_s, start_s, seconds + 1e-3)  # a time in milliseconds may be rounded up


def _check_samples(n_samples: int) -> None:
    if n_samples < MIN_SAMPLES:
        raise AudioError("audio.too_short", name="the interval", samples=n_samples, least=MIN_SAMPLES)


def _offsets_s(classifier: Classifier, n_samples: int, sample_rate: int) -> list[float]:
    """Return where the clips of an interval begin in it, in seconds."""
    clip_seconds = classifier.checkpoint.input.clip_seconds
    rest_s = n_samples / sample_rate - clip_seconds
    count = (
        1
        if interval_fit(clip_seconds + rest_s, clip_seconds) != "mean"
        else min(MAX_CLIPS, 1 + math.ceil(rest_s / (HOP_PER_CLIP * clip_seconds)))
    )
    return np.linspace(0.0, max(0.0, rest_s), count).tolist()


@torch.inference_mode()
def classify_clips(classifier: Classifier, clips: Sequence[Clip], top_k: int = 5) -> Prediction:
    """Return one prediction for the clips of an interval.

    Probabilities are means over the clips that are not silent. The verdict is `UNKNOWN` if most of them are out of
    distribution, and `UNSURE` if no class is as likely as all others together, or most of them are unsure. Clip and
    spectrogram are those of the clip in which the likeliest class is likeliest.
    """
    sounding = [clip for clip in clips if not is_silent(clip.samples)]
    if len(clips) == 1 or not sounding:
        return classifier.classify_clip(clips[0], top_k)
    spectrograms_db = torch.stack([clip_mel_db(clip.samples, classifier.checkpoint.spectrogram) for clip in sounding])
    outputs = classifier.clip_outputs(spectrograms_db)
    each = np.stack([one.probabilities for one in outputs])
    mean, verdicts = each.mean(axis=0), [one.verdict for one in outputs]
    order = mean.argsort()[::-1]
    likeliest = classifier.class_names[int(order[0])]
    unknown, unsure = (2 * verdicts.count(verdict) > len(verdicts) for verdict in (UNKNOWN, UNSURE))
    verdict = UNKNOWN if unknown else UNSURE if unsure or mean.max() < SURE_PROBABILITY else likeliest
    best = int(each[:, order[0]].argmax())
    return Prediction(
        tuple((classifier.class_names[index], float(mean[index])) for index in order[:top_k]),
        verdict, sounding[best].start_s, sounding[best].samples, spectrograms_db[best].numpy(),
    )  # fmt: skip
