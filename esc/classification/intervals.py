"""Classification of intervals of any length: padded to a clip, or averaged over clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from esc.audio.waveform import MIN_SAMPLES, is_silent
from esc.classification.calibration import SURE_PROBABILITY
from esc.classification.classifier import UNKNOWN, UNSURE, Classifier, Prediction
from esc.classification.first_clip import Clip
from esc.classification.sliding_window import HOP_PER_CLIP
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, check_range

MAX_CLIPS = 24  # of a long interval, spread evenly: the answer comes in about a second

_SAME_LENGTH = 0.02  # of a clip


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
    seconds = waveform.shape[-1] / sample_rate
    check_range("start_s", start_s, 0.0, seconds)
    check_range("end_s", end_s, start_s, seconds + 1e-3)  # a time in milliseconds may be rounded up
    part = waveform[..., round(start_s * sample_rate) : round(end_s * sample_rate)]
    if part.shape[-1] < MIN_SAMPLES:
        raise AudioError("audio.too_short", name="the interval", samples=part.shape[-1], least=MIN_SAMPLES)
    clip_seconds = classifier.checkpoint.input.clip_seconds
    rest_s = part.shape[-1] / sample_rate - clip_seconds
    count = (
        1
        if interval_fit(clip_seconds + rest_s, clip_seconds) != "mean"
        else min(MAX_CLIPS, 1 + math.ceil(rest_s / (HOP_PER_CLIP * clip_seconds)))
    )
    starts_s = np.linspace(0.0, max(0.0, rest_s), count).tolist()
    return tuple(Clip(start_s + offset_s, classifier.clip(part, sample_rate, offset_s)) for offset_s in starts_s)


def interval_fit(seconds: float, clip_seconds: float) -> Literal["padded", "whole", "mean"]:
    """Return how an interval fills its clips; lengths within `_SAME_LENGTH` are equal."""
    if seconds > (1 + _SAME_LENGTH) * clip_seconds:
        return "mean"
    return "padded" if seconds < (1 - _SAME_LENGTH) * clip_seconds else "whole"


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
