"""Saliency maps of one clip of the open sound."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from pydantic import Field

from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.saliency.maps import Explanation, cell_size
from esc.classification.saliency.regions import Region, regions_within, saliency_regions
from esc.dsp.decibels import share_of_range
from esc.errors import CheckpointError
from esc.ui.inference.inference import LIKELIEST, classifier, clip_fit, clip_offset_s, explain
from esc.ui.server.public.files import playable_url
from esc.ui.server.rendering import as_base64
from esc.ui.server.requests import Seconds, SoundRequest
from esc.ui.sessions.sound import Sound
from esc.ui.tabs.base import Queue, Tab

MAX_LABELS = 8
log = logging.getLogger(__name__)


class SaliencyRequest(SoundRequest):
    """A request for saliency maps."""

    start: float = 0.0
    end: Seconds | None = None  # of what the clip holds; it is padded where that is shorter
    labels: list[str] = Field(default_factory=list, max_length=MAX_LABELS)
    second: bool = False  # of the checkpoints in use


class SaliencyTab(Tab):
    """The saliency maps; "explain" brings {"token", "sound", "start", "end", "labels", "second"}."""

    module = "tabs/saliency.js"
    elem_id = "saliency"
    template = '<section class="sg-saliency" hidden></section>'
    event = "explain"
    queue = Queue("saliency")  # of its own: a map must not wait for an hour of timeline

    def explain(self, request: SaliencyRequest) -> dict:
        """Return maps of the likeliest classes and of `labels` in the clip at `start` seconds."""
        sound = self.sound(request)
        turn = self.services.turns.turn(request.token)
        checkpoint = self.checkpoints_of(request)[-1 if request.second else 0]
        explanation = explain(
            checkpoint, sound.waveform, sound.facts.sample_rate, request.start, request.labels, turn, request.end
        )
        return self._drawable(checkpoint, sound, explanation, request.end) | {"asked": request.start, "end": request.end}

    def _drawable(self, checkpoint: Path, sound: Sound, explanation: Explanation, end_s: float | None) -> dict:
        meta, prediction = classifier(checkpoint).checkpoint, explanation.prediction
        own_s = sound.seconds if end_s is None else end_s - prediction.start_s
        common = {"start": prediction.start_s, "verdict": prediction.verdict}
        if not explanation.maps:
            return common | {"maps": {}}
        spectrogram, spectrogram_db = meta.spectrogram, prediction.spectrogram_db
        bands, frames = cell_size()
        before_s = clip_offset_s(meta, round(own_s * sound.facts.sample_rate), sound.facts.sample_rate)
        regions = {
            label: _regions(saliency_regions(heat, prediction.start_s - before_s, spectrogram), prediction.start_s, own_s)
            for label, heat in explanation.maps.items()
        }
        return common | {
            "top": [list(pair) for pair in prediction.top[:LIKELIEST]],
            "labels": list(meta.class_names),
            "probabilities": explanation.probabilities,
            "levels": as_base64(_bytes(share_of_range(spectrogram_db, spectrogram.top_db))),
            "maps": {label: as_base64(_bytes(heat)) for label, heat in explanation.maps.items()},
            "rows": spectrogram_db.shape[0],
            "columns": spectrogram_db.shape[1],
            "hop_s": spectrogram.hop_length / spectrogram.sample_rate,
            "low_hz": spectrogram.fmin,
            "high_hz": spectrogram.fmax,
            "mel_scale": spectrogram.mel_scale,
            "before_s": before_s,
            "regions": regions,
            "clip": self._clip_url(sound, prediction.clip, spectrogram.sample_rate),
            "clip_seconds": meta.input.clip_seconds,
            "fit": clip_fit(meta, own_s),
            "own_s": own_s,
            "cell_s": frames * spectrogram.hop_length / spectrogram.sample_rate,
            "cell_bands": bands,
            "deletion": _deletion(checkpoint),
        }

    def _clip_url(self, sound: Sound, clip: np.ndarray, sample_rate: int) -> str:
        write = partial(soundfile.write, data=clip.clip(-1, 1), samplerate=sample_rate)
        return playable_url(self.store.companion(sound, "clip.flac", write)[0])


def _regions(found: list[Region], start_s: float, own_s: float) -> list[dict]:
    """Return regions with their outlines."""
    within = regions_within(found, start_s, start_s + own_s)
    return [region.figures() | {"outlines": [line.round(2).tolist() for line in region.outlines]} for region in within]


def _bytes(shares: np.ndarray) -> np.ndarray:
    """Return shares between 0 and 1 as whole numbers up to 255."""
    return np.rint(shares * 255).astype(np.uint8)


def _deletion(checkpoint: Path) -> dict | None:
    """Return the result of the deletion test, if there is one."""
    try:
        return (read_metrics(checkpoint) or {}).get("deletion")
    except CheckpointError as error:  # the About tab shows it
        log.warning("%s", error)
        return None
