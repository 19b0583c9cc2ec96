"""The classify tab: the prediction for the open sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from esc.audio.channels import distinct_channels
from esc.audio.waveform import SILENCE_PEAK
from esc.classification.predictions import Prediction
from esc.classification.times import interval_fit
from esc.ui.inference.inference import classifier, predict
from esc.ui.server.requests import PartRequest
from esc.ui.sessions.sound import Sound
from esc.ui.tabs.base import Tab


class ClassifyTab(Tab):
    """The prediction; "classify" brings {"token", "sound", "turn"}, perhaps {"start", "end"}."""

    module = "tabs/classify.js"
    elem_id = "classify"
    template = '<div class="sg-classify" aria-live="polite"></div>'
    event = "classify"

    def classify(self, request: PartRequest) -> Iterator[dict]:
        """Yield the prediction for the first clip or an interval, then also for channels."""
        sound, checkpoints = self.sound(request), self.checkpoints_of(request)
        reply = answers(checkpoints, lambda one: self._answer(request, one, sound))
        yield reply
        if sound.channels is not None:
            checkpoint = checkpoints[0]
            names = distinct_channels(sound.facts.channels)
            each = [self._predict(request, checkpoint, sound, sound.channels[:, index]) for index in range(len(names))]
            yield reply | {"channels": [[name, *_headline(one)] for name, one in zip(names, each, strict=True)]}

    def _answer(self, request: PartRequest, checkpoint: Path, sound: Sound) -> dict:
        reply = prediction_reply(checkpoint, self._predict(request, checkpoint, sound, sound.waveform))
        if request.interval is None:
            return reply
        start_s, end_s = request.interval
        return reply | {
            "interval": [start_s, end_s],
            "fit": interval_fit(end_s - start_s, reply["clip_seconds"]),
            "end": min(reply["start"] + reply["clip_seconds"], end_s),
        }

    def _predict(self, request: PartRequest, checkpoint: Path, sound: Sound, waveform: np.ndarray) -> Prediction:
        return predict(
            checkpoint,
            waveform,
            sound.facts.sample_rate,
            self.services.turns.turn(request.token),
            request.interval,
        )


def answers(checkpoints: Sequence[Path], answer: Callable[[Path], dict]) -> dict:
    """Return the answer of the first checkpoint, with a second one's as `second`.

    They stay two answers: probabilities of two networks, over two lists of classes, are not on one scale.
    """
    first, *more = map(answer, checkpoints)
    return first | {"second": more[0]} if more else first


def _headline(prediction: Prediction) -> tuple[str, float | None]:
    """Return the verdict and, of a class, its probability."""
    return prediction.verdict, dict(prediction.top).get(prediction.verdict)


def prediction_reply(checkpoint: Path, prediction: Prediction) -> dict:
    """Return a prediction, and what its probabilities mean, as JSON."""
    meta = classifier(checkpoint).checkpoint
    return {
        "verdict": prediction.verdict,
        "top": [list(pair) for pair in prediction.top],
        "calibrated": meta.calibration is not None,
        "taught": bool(meta.provenance.get("taught")),
        "count": len(meta.class_names),
        "limit_db": round(20 * math.log10(SILENCE_PEAK)),
        "start": prediction.start_s,
        "clip_seconds": meta.input.clip_seconds,
    }
