"""The classify tab: the prediction for the open sound."""

from __future__ import annotations

import math
from pathlib import Path

from esc.audio.waveform import SILENCE_PEAK
from esc.classification.classifier import Prediction
from esc.ui.inference.inference import classifier, predict
from esc.ui.server.requests import SoundRequest
from esc.ui.tabs.base import Tab


class ClassifyTab(Tab):
    """The prediction; "classify" brings {"token", "sound", "turn"}."""

    module = "tabs/classify.js"
    elem_id = "classify"
    template = '<div class="sg-classify" aria-live="polite"></div>'
    event = "classify"

    def classify(self, request: SoundRequest) -> dict:
        """Return the prediction for the open sound's first clip."""
        sound = self.sound(request)
        turn = self.services.turns.turn(request.token)
        return prediction_reply(self.checkpoint, predict(self.checkpoint, sound.waveform, sound.facts.sample_rate, turn))


def prediction_reply(checkpoint: Path, prediction: Prediction) -> dict:
    """Return a prediction, and what its probabilities mean, as JSON."""
    meta = classifier(checkpoint).checkpoint
    return {
        "verdict": prediction.verdict,
        "top": [list(pair) for pair in prediction.top],
        "calibrated": meta.calibration is not None,
        "count": len(meta.class_names),
        "limit_db": round(20 * math.log10(SILENCE_PEAK)),
        "start": prediction.start_s,
        "clip_seconds": meta.input.clip_seconds,
    }
