"""The most similar sounds: the open sound's nearest neighbours in an index."""

from __future__ import annotations

import logging
import os
import threading
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from esc.audio.io import load_start
from esc.classification.classifier import Classifier
from esc.classification.similarity import Neighbour, SoundIndex, first_clip_of
from esc.dsp.decibels import share_of_range
from esc.dsp.spectrogram import mel_db
from esc.errors import AudioError
from esc.example_sounds import FOLDER, example_sounds
from esc.ui.inference.inference import classifier, embedding
from esc.ui.server.public.files import example_url, playable_url
from esc.ui.server.rendering import as_base64
from esc.ui.server.requests import PartRequest
from esc.ui.sessions.sound import Sound
from esc.ui.tabs.base import Services, Tab

log = logging.getLogger(__name__)
SHOWN = 6
_POOL = 2  # bands and frames of the network's input per cell of a thumbnail, which is never drawn larger


class SimilarSoundsTab(Tab):
    """The section of similar sounds; "similar_sounds" brings {"token", "sound", "turn"}, perhaps {"start", "end"}.

    Parameters
    ----------
    services : Services
    index : path, optional
        Written by `python -m esc index`; the example sounds by default.
    """

    module = "tabs/similar_sounds.js"
    elem_id = "similar-sounds"
    template = '<section class="sg-similar"></section>'
    event = "similar_sounds"

    def __init__(self, services: Services, index: Path | None = None) -> None:
        super().__init__(services)
        self._file = index
        self._index: SoundIndex | None = None
        self._lock = threading.Lock()

    def similar_sounds(self, request: PartRequest) -> dict:
        """Return the sounds of the index nearest to the first clip or an interval."""
        sound = self.sound(request)
        network, turn = classifier(self.checkpoint), self.services.turns.turn(request.token)
        own = embedding(self.checkpoint, sound.waveform, sound.facts.sample_rate, turn, request.interval)
        index = self._opened(network)
        nearest = [] if own is None else index.nearest(own, SHOWN)
        return {
            "count": len(index.paths),
            "examples": self._file is None,
            "features": index.embeddings.shape[1],
            "clip_seconds": network.checkpoint.input.clip_seconds,
            "silent": own is None,
            "interval": request.interval and list(request.interval),
            "rows": [self._row(sound, rank, one, index) for rank, one in enumerate(nearest)],
        }

    def _row(self, sound: Sound, rank: int, neighbour: Neighbour, index: SoundIndex) -> dict:
        row = self._name(neighbour.path, index) | {"similarity": neighbour.similarity, "same": neighbour.same}
        try:
            return row | self._clip(sound, rank, neighbour.path)
        except AudioError as error:  # moved or changed since it was indexed
            log.warning("similar sounds: %s", error)
            return row | {"clip": None}

    def _clip(self, sound: Sound, rank: int, path: Path) -> dict:
        """Return the address of a neighbour's clip, and its thumbnail."""
        network = classifier(self.checkpoint)
        spectrogram, clip = network.checkpoint.spectrogram, first_clip_of(path, network)
        small = _pooled(mel_db(clip.samples, spectrogram).numpy())
        levels = np.rint(share_of_range(small, spectrogram.top_db) * 255).astype(np.uint8)
        url = example_url(path) if path.is_relative_to(FOLDER) else self._copied(sound, rank, path, clip.start_s)
        return {"clip": url, "levels": as_base64(levels), "rows": levels.shape[0], "columns": levels.shape[1]}

    def _copied(self, sound: Sound, rank: int, path: Path, start_s: float) -> str:
        """Return the address of a copy of an indexed file's clip."""
        # the file's own folder is not served
        clip_seconds = classifier(self.checkpoint).checkpoint.input.clip_seconds
        waveform, sample_rate = load_start(path, start_s + clip_seconds)
        clip = waveform[round(start_s * sample_rate) :][: round(clip_seconds * sample_rate)]
        write = partial(soundfile.write, data=clip.clip(-1, 1), samplerate=sample_rate)
        return playable_url(self.store.companion(sound, f"neighbour-{rank}.flac", write)[0])

    def _name(self, path: Path, index: SoundIndex) -> dict[str, str]:
        """Return an example sound's class as "label", or an indexed file's "name"."""
        if self._file is None:
            return {"label": path.stem}
        try:
            return {"name": str(path.relative_to(os.path.commonpath([one.parent for one in index.paths])))}
        except ValueError:  # on several drives
            return {"name": path.name}

    def _opened(self, network: Classifier) -> SoundIndex:
        """Return the index, made or read when first needed."""
        with self._lock:  # a failure is not cached, so that a repaired file works at once
            if self._index is None and self._file is not None:
                self._index = SoundIndex.load(self._file, network)
            elif self._index is None:
                self._index, errors = SoundIndex.of_files(network, example_sounds().values())
                for error in errors:
                    log.warning("similar sounds: %s", error)
            return self._index


def _pooled(spectrogram_db: np.ndarray) -> np.ndarray:
    """Return the maximum of each `_POOL` x `_POOL` cells of a spectrogram (n_mels, n_frames)."""
    for axis, length in enumerate(spectrogram_db.shape):
        spectrogram_db = np.maximum.reduceat(spectrogram_db, np.arange(0, length, _POOL), axis=axis)
    return spectrogram_db
