"""The learn tab: an excerpt of the open sound, and the network's layers on it."""

from __future__ import annotations

import numpy as np

from esc.audio.io import load_audio
from esc.classification.checkpoint_files.config import read_config
from esc.errors import PageError
from esc.example_sounds import example_sounds
from esc.ui.inference.inference import activations, classifier
from esc.ui.server.rendering import as_base64
from esc.ui.server.requests import PageRequest, Seconds, SoundRequest
from esc.ui.tabs.about_model import AboutModelTab
from esc.ui.tabs.base import Queue, Tab

EXCERPT_SECONDS, MAX_SAMPLES = 3.0, 2**18  # the browser computes the lesson's spectrograms itself
PARTNERS = ("chirping_birds", "church_bells")  # an example to mix with, and one for those who opened just that


class ExcerptRequest(SoundRequest):
    """A request for the samples from `start` seconds on."""

    start: Seconds


class LearnTab(Tab):
    """The lesson; "layers" brings {"token", "sound"}."""

    module = "tabs/learn/learn.js"
    elem_id = "learn"
    template = '<div class="sg-learn"></div>'
    event = "layers"
    queue = Queue("learn")
    functions = ("excerpt", "other_sound", "facts")

    def excerpt(self, request: ExcerptRequest) -> dict:
        """Return `EXCERPT_SECONDS` of the open sound as 16-bit PCM scaled by its `peak`."""
        sound = self.sound(request)
        rate = sound.facts.sample_rate
        first = min(round(request.start * rate), len(sound.waveform) - 1)
        return _pcm(sound.waveform[first : first + _length(rate)], rate) | {"start": first / rate}

    def other_sound(self, request: SoundRequest) -> dict:
        """Return an example sound at the rate of the open one, see `excerpt`."""
        sound, examples = self.sound(request), example_sounds()
        rate = sound.facts.sample_rate
        found = next((examples[name] for name in PARTNERS if name in examples and examples[name].name != sound.name), None)
        if found is None:
            raise PageError("page.request", reason="example")
        waveform, _ = load_audio(found, rate)
        return _pcm(waveform[: _length(rate)], rate) | {"name": found.name}

    def facts(self, request: PageRequest) -> dict:
        """Return what the about tab knows of the model, and the augmentation of its training."""
        recipe = read_config(self.checkpoint).provenance.get("recipe") or {}
        return AboutModelTab(self.services).about(request) | {"augmentation": recipe.get("augmentation")}

    def layers(self, request: SoundRequest) -> dict:
        """Return the network's input, mean activations, first filters and prediction."""
        sound = self.sound(request)
        turn = self.services.turns.turn(request.token)
        prediction, found = activations(self.checkpoint, sound.waveform, sound.facts.sample_rate, turn)
        network = classifier(self.checkpoint)
        filters = network.model.conv1.weight.detach()[:, 0].cpu().numpy()
        peaks = np.abs(filters).max(axis=(1, 2), keepdims=True)
        maps = {"input": (1, prediction.spectrogram_db)} | found
        return {
            "layers": [
                {"name": name, "channels": channels, "rows": mean.shape[0], "columns": mean.shape[1], "map": _bytes(mean)}
                for name, (channels, mean) in maps.items()
            ],
            "filters": _bytes(filters / np.maximum(peaks, 1e-12), -1.0, 1.0),
            "count": filters.shape[0],
            "size": filters.shape[-1],
            "top": [list(pair) for pair in prediction.top],
            "start": prediction.start_s,
            "seconds": network.checkpoint.input.clip_seconds,
        }


def _length(rate: int) -> int:
    return min(MAX_SAMPLES, round(EXCERPT_SECONDS * rate))


def _pcm(waveform: np.ndarray, rate: int) -> dict:
    peak = float(np.abs(waveform).max(initial=0.0))
    samples = np.rint(waveform / (peak or 1.0) * 32767).astype("<i2")
    return {"rate": rate, "peak": peak, "samples": as_base64(samples)}


def _bytes(values: np.ndarray, low: float | None = None, high: float | None = None) -> str:
    """Return values between two limits, by default their own, as bytes in base64."""
    low, high = values.min() if low is None else low, values.max() if high is None else high
    shares = (values - low) / max(high - low, 1e-12)
    return as_base64(np.rint(255 * shares).astype(np.uint8))
