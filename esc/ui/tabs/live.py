"""The live tab: what the network says of the microphone's last seconds, which the page sends once a second."""

from __future__ import annotations

import base64
import binascii
import threading
from pathlib import Path

import gradio as gr
import numpy as np

from esc.audio.waveform import MIN_SAMPLES
from esc.config import SAMPLE_RATES
from esc.errors import AudioError, PageError
from esc.ui.inference.inference import classifier, predict
from esc.ui.server.handlers import Handlers
from esc.ui.tabs.classify import verdict_for_page
from esc.ui.tabs.player import mount_script

PLACES = 2  # clips heard at a time: more would only slow each other down
WAIT_SECONDS = 5.0  # a page asks again a second later, so nobody gains by waiting longer
_FULL_SCALE = 32768.0  # as in WAV files


class Live:
    """The handlers of the live tab; nothing that comes here is kept.

    Parameters
    ----------
    checkpoint : path
        Folder of the checkpoint.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._places = threading.BoundedSemaphore(PLACES)

    def component(self, handlers: Handlers, loader: dict) -> gr.HTML:
        """Return the tab's content."""
        return gr.HTML(
            html_template='<div class="sg-live"></div>',
            js_on_load=mount_script("tabs/live.js"),
            server_functions=handlers.wrap(self.live_begin, self.live_classify),
            apply_default_css=False,
            elem_id="live",
            **loader,
        )

    def live_begin(self, request: dict) -> dict:
        """Make the network ready and return how much of the sound it wants to hear, `clip_seconds`."""
        return {"clip_seconds": classifier(self._checkpoint).checkpoint.input.clip_seconds}

    def live_classify(self, request: dict) -> dict:
        """Return what the network says of `samples`, 16-bit mono PCM in base64 at `rate` Hz, no longer than one clip."""
        rate = _rate(request)
        most = round(classifier(self._checkpoint).checkpoint.input.clip_seconds * rate)
        waveform = _waveform(request, most)
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise PageError("page.busy")
        try:
            return verdict_for_page(self._checkpoint, predict(self._checkpoint, waveform, rate))
        finally:
            self._places.release()


def _rate(request: dict) -> int:
    rate = request.get("rate")
    low, high = SAMPLE_RATES
    if isinstance(rate, bool) or not isinstance(rate, int):
        raise PageError("page.request", reason="rate")
    if not low <= rate <= high:
        raise AudioError("audio.rate", name="the microphone", rate=rate, low=low, high=high)
    return rate


def _waveform(request: dict, most: int) -> np.ndarray:
    """Return the samples as float32, `MIN_SAMPLES` to `most` of them."""
    text = request.get("samples")
    if not isinstance(text, str) or len(text) > 4 * (-(-2 * most // 3)):  # before any of it is decoded
        raise PageError("page.request", reason="samples")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PageError("page.request", reason="samples") from None
    if len(content) % 2 or not 2 * MIN_SAMPLES <= len(content) <= 2 * most:
        raise PageError("page.request", reason="samples")
    return np.frombuffer(content, "<i2").astype(np.float32) / _FULL_SCALE
