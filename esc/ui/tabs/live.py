"""The live tab: predictions for the last seconds of the microphone."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import numpy as np

from esc.audio.waveform import MIN_SAMPLES
from esc.config import SAMPLE_RATES
from esc.errors import AudioError, PageError
from esc.ui.inference.inference import classifier, predict
from esc.ui.server.requests import PageRequest
from esc.ui.tabs.base import Tab
from esc.ui.tabs.classify import answers, prediction_reply

WAIT_SECONDS = 5.0  # a page asks again a second later, so nobody gains by waiting longer
_FULL_SCALE = 32768.0  # as in WAV files


class LiveRequest(PageRequest):
    """A request with 16-bit mono PCM in base64."""

    rate: int
    samples: str


class LiveTab(Tab):
    """The live tab; nothing that is sent here is kept."""

    module = "tabs/live/live.js"
    elem_id = "live"
    template = '<div class="sg-live"></div>'
    functions = ("live_begin", "live_classify")

    def live_begin(self, request: PageRequest) -> dict:
        """Load the network and return the length of its input, `clip_seconds`."""
        return {"clip_seconds": max(map(_clip_seconds, self.checkpoints_of(request)))}

    def live_classify(self, request: LiveRequest) -> dict:
        """Return the prediction for `samples`, at most a clip: 16-bit mono PCM in base64."""
        rate, (low, high) = request.rate, SAMPLE_RATES
        if not low <= rate <= high:
            raise AudioError("audio.rate", name="the microphone", rate=rate, low=low, high=high)
        checkpoints = self.checkpoints_of(request)
        waveform = _waveform(request.samples, max(round(_clip_seconds(one) * rate) for one in checkpoints))

        def answer(checkpoint: Path) -> dict:
            samples = waveform[-round(_clip_seconds(checkpoint) * rate) :]
            turn = self.services.turns.turn(request.token, WAIT_SECONDS)
            return prediction_reply(checkpoint, predict(checkpoint, samples, rate, turn))

        return answers(checkpoints, answer)


def _clip_seconds(checkpoint: Path) -> float:
    return classifier(checkpoint).checkpoint.input.clip_seconds


def _waveform(text: str, most: int) -> np.ndarray:
    """Return the samples as float32, `MIN_SAMPLES` to `most` of them."""
    if len(text) > 4 * (-(-2 * most // 3)):  # before any of it is decoded
        raise PageError("page.request", reason="samples")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PageError("page.request", reason="samples") from None
    if len(content) % 2 or not 2 * MIN_SAMPLES <= len(content) <= 2 * most:
        raise PageError("page.request", reason="samples")
    return np.frombuffer(content, "<i2").astype(np.float32) / _FULL_SCALE
