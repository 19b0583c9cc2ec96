"""Starts, polls, cancels and caches the jobs of feature overlays."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import numpy as np
from cachetools import FIFOCache

from esc.errors import PageError
from esc.features import SLOW, SOUND_ONLY, SPECTROGRAMS, feature_sample_rate
from esc.features.job_queue import Job, JobQueue
from esc.features.worker import FeatureTask
from esc.ui.server.answer_cache import AnswerCache, packed_bytes
from esc.ui.server.rendering import ViewRenderer, as_base64
from esc.ui.server.requests import FeatureRequest
from esc.ui.sessions.sound import Lease, Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.temp_dir import make_temp_dir

KEPT_BYTES = 32 * 2**20  # of finished features; one has some 0.3 MB
KEPT_JOBS = 128
_COMPARED = ("harmonic", "percussive")  # at the levels of the spectrogram that they are parts of


class FeatureOverlays:
    """The features of one app's sounds, as JSON objects.

    Parameters
    ----------
    store : SoundStore
    renderer : ViewRenderer
    """

    def __init__(self, store: SoundStore, renderer: ViewRenderer) -> None:
        self._store, self._renderer = store, renderer
        new_folder = partial(make_temp_dir, "soundglass-compiled")
        self._queues = (JobQueue(new_folder), JobQueue(new_folder))  # slow features delay no others
        self._kept: AnswerCache[dict] = AnswerCache(KEPT_BYTES, packed_bytes)
        # each job's queue, feature and key in the cache
        self._started: FIFOCache[str, tuple[JobQueue, str, tuple]] = FIFOCache(KEPT_JOBS)
        self._lock = threading.Lock()

    def start(self, sound: Sound, request: FeatureRequest) -> dict:
        """Return a cached feature as {"feature": ...}, or start its job.

        The reply to a started job is {"job", "state", "progress"}. `view`, "mel" or "stft", gives the rows of a feature
        that is a spectrogram.
        """
        key = _key(request, sound)
        if (known := self._kept.find(key)) is not None:
            return {"feature": known}
        return _progress(self._start(sound, request, key))

    def exact(self, sound: Sound, request: FeatureRequest) -> dict | float:
        """Return a feature's arrays with exact values, or the progress of its job."""
        key = ("exact", *_key(request, sound))
        with self._lock:
            started = [job_id for job_id, (_, _, of) in self._started.items() if of == key]
        for job_id in reversed(started):
            queue, *_ = self._of(job_id)
            try:
                job = queue.ask(request.token, job_id)
            except PageError:  # of another session, or no longer kept
                continue
            if job.error is not None:
                raise job.error
            if job.state != "cancelled":
                return job.progress if job.result is None else job.result
        return self._start(sound, request, key, exact=True).progress

    def _start(self, sound: Sound, request: FeatureRequest, key: tuple, exact: bool = False) -> Job:
        """Return a new job; it replaces the session's earlier one of this kind."""
        view, feature, config, tile = request.view, request.feature, request.config, request.tile
        lease = Lease(feature_sample_rate(feature, config.sample_rate))  # the queued job reads the file when its turn comes
        waveform = self._store.waveform(sound, lease.sample_rate, lease)
        samples = Path(str(waveform.filename)) if isinstance(waveform, np.memmap) else waveform
        high_db = self._renderer.peak_db(sound, config, view) if feature in _COMPARED else None
        queue = self._queues[feature in SLOW]
        try:
            task = FeatureTask(feature, config, samples, tile, view, high_db, exact)
            job = queue.start(request.token, f"{view} {feature} {exact}", task)
        except BaseException:
            lease.is_over = lambda: True
            raise
        lease.is_over = lambda: job.over
        with self._lock:
            self._started[job.id] = queue, feature, key
        return job

    def state(self, token: str, job_id: str) -> dict:
        """Return a job's progress, with its feature once done; raise a failed job's error."""
        queue, feature, key = self._of(job_id)
        job = queue.ask(token, job_id)
        if job.error is not None:
            raise job.error
        if job.state != "done" or job.result is None:
            return _progress(job)
        result = job.result
        return _progress(job) | {"feature": self._kept.get(key, lambda: _packed(feature, result))}

    def cancel(self, token: str, job_id: str) -> dict:
        """Cancel a job and return its state."""
        queue, *_ = self._of(job_id)
        return _progress(queue.cancel(token, job_id))

    def _of(self, job_id: str) -> tuple[JobQueue, str, tuple]:
        with self._lock:
            if job_id not in self._started:
                raise PageError("page.request", reason="job")
            return self._started[job_id]


def _key(request: FeatureRequest, sound: Sound) -> tuple:
    """Return the parameters that a feature depends on."""
    view, feature, config, tile = request.view, request.feature, request.config, request.tile
    if feature not in SOUND_ONLY:
        return feature, sound.id, view if feature in SPECTROGRAMS else "", config, tile
    return (feature, sound.id) if feature == "onsets" else (feature, sound.id, tile.start_s, tile.end_s)


def _progress(job: Job) -> dict:
    return {"job": job.id, "state": job.state, "progress": job.progress}


def _packed(feature: str, result: dict) -> dict:
    if feature not in SPECTROGRAMS:
        return {name: as_base64(values.astype(np.float32)) for name, values in result.items()}
    levels = result["levels"]
    return {
        "levels": as_base64(levels),
        "rows": levels.shape[0],
        "columns": levels.shape[1],
        "start": result["start_s"],
        "end": result["end_s"],
        # without decibels: % of the maximum
        "low_db": result["low"] if result["decibels"] else 0.0,
        "high_db": result["high"] if result["decibels"] else 100.0,
        "decibels": result["decibels"],
        "bounds_hz": result["bounds_hz"].round(3).tolist(),
    }
