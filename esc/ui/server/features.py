"""Starts, polls, cancels and caches the jobs of feature overlays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.tiles import Tile
from esc.errors import PageError
from esc.features import SLOW, SOUND_ONLY, SPECTROGRAMS, feature_sample_rate
from esc.features.job_queue import Job, JobQueue
from esc.features.spectrograms import Rows
from esc.features.worker import FeatureTask
from esc.ui.server.rendering import ViewRenderer, as_base64
from esc.ui.sessions.sound import Lease, Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.views.spectrogram_view import mel_bounds_hz, stft_bounds_hz, stft_rows

KEPT_LAYERS = 32  # finished, packed for the page: some 0.3 MB each
_COMPARED = ("harmonic", "percussive")  # shown at the levels of the picture that they are parts of


class FeatureOverlays:
    """The layers of one app's sounds, as dicts that travel to the browser as JSON.

    Parameters
    ----------
    store : SoundStore
    renderer : ViewRenderer
    """

    def __init__(self, store: SoundStore, renderer: ViewRenderer) -> None:
        self._store, self._renderer = store, renderer
        self._lanes = (JobQueue(), JobQueue())  # what takes long keeps nothing else waiting
        self._kept: OrderedDict[tuple, dict] = OrderedDict()
        self._begun: OrderedDict[str, tuple[JobQueue, tuple[str, tuple]]] = (
            OrderedDict()
        )  # each job's lane, and what its result is kept by
        self._lock = threading.Lock()

    def start(self, token: str, view: str, layer: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> dict:
        """Return a layer that is kept, as {"feature": ...}, or begin to compute it: {"job", "state", "progress"}.

        `view` is "mel" or "stft", whose rows the layer's picture has; a layer of lines has none.
        """
        key = _key(view, layer, sound, config, tile)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return {"feature": self._kept[key]}
        lease = Lease(feature_sample_rate(layer, config.sample_rate))  # the queued job reads the file when its turn comes
        waveform = self._store.waveform(sound, lease.sample_rate, lease)
        rows = Rows(mel_bounds_hz(config), None) if view == "mel" else Rows(stft_bounds_hz(config), stft_rows(config))
        samples = Path(str(waveform.filename)) if isinstance(waveform, np.memmap) else waveform
        high_db = self._renderer.peak_db(sound, config, view) if layer in _COMPARED else None
        lane = self._lanes[layer in SLOW]
        try:
            job = lane.start(token, f"{view} {layer}", FeatureTask(layer, config, samples, tile, rows, high_db))
        except BaseException:
            lease.is_over = lambda: True
            raise
        lease.is_over = lambda: job.over
        with self._lock:
            self._begun[job.id] = lane, (layer, key)
            while len(self._begun) > 4 * KEPT_LAYERS:
                self._begun.popitem(last=False)
        return _said(job)

    def state(self, token: str, job_id: object) -> dict:
        """Return how far a job is, with the layer once it is done; a failed one raises what it failed by."""
        lane, (name, key) = self._of(job_id)
        job = lane.ask(token, job_id)
        if job.error is not None:
            raise job.error
        if job.state != "done" or job.result is None:
            return _said(job)
        layer = _packed(name, job.result)
        with self._lock:
            self._kept[key] = layer
            while len(self._kept) > KEPT_LAYERS:
                self._kept.popitem(last=False)
        return _said(job) | {"feature": layer}

    def cancel(self, token: str, job_id: object) -> dict:
        """End a job now and return what became of it."""
        lane, _ = self._of(job_id)
        return _said(lane.cancel(token, job_id))

    def _of(self, job_id: object) -> tuple[JobQueue, tuple[str, tuple]]:
        with self._lock:
            if not isinstance(job_id, str) or job_id not in self._begun:
                raise PageError("page.request", reason="job")
            return self._begun[job_id]


def _key(view: str, layer: str, sound: Sound, config: SpectrogramConfig, tile: Tile) -> tuple:
    """Return what a layer depends on: onsets on the sound alone, pitch on the stretch, too."""
    if layer not in SOUND_ONLY:
        return layer, sound.id, view if layer in SPECTROGRAMS else "", config, tile
    return (layer, sound.id) if layer == "onsets" else (layer, sound.id, tile.start_s, tile.end_s)


def _said(job: Job) -> dict:
    return {"job": job.id, "state": job.state, "progress": job.progress}


def _packed(layer: str, result: dict) -> dict:
    if layer not in SPECTROGRAMS:
        return {name: as_base64(values.astype(np.float32)) for name, values in result.items()}
    levels = result["levels"]
    return {
        "levels": as_base64(levels),
        "rows": levels.shape[0],
        "columns": levels.shape[1],
        "start": result["start_s"],
        "end": result["end_s"],
        # what has no decibels reads as a share of its greatest value, in %
        "low_db": result["low"] if result["decibels"] else 0.0,
        "high_db": result["high"] if result["decibels"] else 100.0,
        "decibels": result["decibels"],
        "bounds_hz": result["bounds_hz"].round(3).tolist(),
    }
