"""Timelines of whole sounds: streamed as they are computed, cancelled when unwanted, cached by content."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary, ref

import numpy as np
from cachetools import LRUCache

from esc.audio.facts import AS_IT_IS, Reading
from esc.batch.results import SoundResult
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.predictions import WindowResult
from esc.classification.timeline.event_summary import UncertainInterval, silent_intervals, uncertain_intervals
from esc.classification.timeline.segments import Segment, segments
from esc.classification.times import check_hop
from esc.ui.inference.inference import classifier, classify_sound
from esc.ui.sessions.fair_turns import FairTurns
from esc.ui.sessions.sound import Session, Sound
from esc.ui.sessions.sound_store import SoundStore

KEPT_RESULTS = 64  # an hour has some hundred segments
TOP_K = 5
UPDATE_S = 0.4  # between two reports of progress, at least
UPDATE_SHARE = 0.1  # of the time of a run for its reports, at most
log = logging.getLogger(__name__)
_HASHED = 1 << 20  # samples at a time


@dataclass(frozen=True)
class TimelineProgress:
    """The timeline of the part of a sound that has been classified so far.

    Attributes
    ----------
    done_s : float
        End of that part, in seconds from the sound's start.
    timeline : tuple of Segment
        The last one may still grow.
    silences : tuple of (start, end) in seconds
    uncertain : tuple of Segment
        As `SoundResult.uncertain`; the next windows may settle the last one.
    """

    done_s: float
    timeline: tuple[Segment, ...] = ()
    silences: tuple[tuple[float, float], ...] = ()
    uncertain: tuple[UncertainInterval, ...] = ()


class TimelineRuns:
    """The timeline runs of one app.

    Parameters
    ----------
    store : SoundStore
    checkpoint : path
    turns : FairTurns, optional
        At the network; shared with nobody by default.
    """

    def __init__(self, store: SoundStore, checkpoint: Path, turns: FairTurns | None = None) -> None:
        self._store, self.checkpoint, self._network = store, checkpoint, turns or FairTurns()
        self._results: LRUCache[tuple, SoundResult] = LRUCache(KEPT_RESULTS)
        self._digests: WeakKeyDictionary[Sound, str] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, checkpoint: Path) -> TimelineRuns:
        """Return runs of another checkpoint, which share cache and turns with these."""
        other = copy(self)
        other.checkpoint = checkpoint
        return other

    @property
    def meta(self) -> Checkpoint:
        """The checkpoint's configuration; raises CheckpointError where it cannot be used."""
        return classifier(self.checkpoint).checkpoint

    def run(
        self, sound: Sound, hop_seconds: float | None, wanted: Callable[[], bool], owner: Hashable = None
    ) -> Iterator[TimelineProgress | SoundResult]:
        """Yield the progress a few times a second, and at last the result.

        `wanted` is called after every window: False cancels the run, which then ends with a `TimelineProgress`. Equal samples
        are classified once, whatever their name and session. `owner` is who takes turns with others at the network; the sound by
        default.

        Raises
        ------
        CheckpointError, ParameterError, AudioError
            As `esc.classification.timeline.sliding_window.windows` and `esc.classification.classifier.Classifier.load` do.
        """
        hop_seconds = check_hop(hop_seconds, self.meta.input.clip_seconds)
        known = self.result(sound, hop_seconds)
        if known is not None:
            yield known
            return
        done: list[WindowResult] = []
        due = time.monotonic() + UPDATE_S
        yield TimelineProgress(0.0)
        try:
            for news in classify_sound(self.checkpoint, sound, hop_seconds, TOP_K, self._network, owner or sound.id):
                if isinstance(news, SoundResult):
                    key = self._key(sound, hop_seconds)
                    with self._lock:
                        self._results[key] = news
                    done = []
                    yield news
                    return
                done.append(news)
                stop = not wanted()
                began = time.monotonic()
                if stop or began > due:
                    progress = self._progress(done)  # takes longer and longer: reports become rarer
                    due = began + max(UPDATE_S, (time.monotonic() - began) / UPDATE_SHARE)
                    yield progress
                if stop:
                    return
        finally:
            if done:
                log.info("the run over a sound of %.0f s was cancelled at %.0f s", sound.seconds, done[-1].end_s)

    def _progress(self, done: list[WindowResult]) -> TimelineProgress:
        names = self.meta.class_names
        found = segments(done, names)
        return TimelineProgress(done[-1].end_s, found, silent_intervals(done, found), uncertain_intervals(done, found, names))

    def result(self, sound: Sound, hop_seconds: float) -> SoundResult | None:
        """Return the cached result of a sound at a hop, or None."""
        key = self._key(sound, hop_seconds)
        with self._lock:
            result = self._results.get(key)
        return result and dataclasses.replace(result, file=sound.name, notes=sound.facts.notes, channel=sound.facts.channel)

    def _key(self, sound: Sound, hop_seconds: float) -> tuple:
        with self._lock:
            digest = self._digests.get(sound)
        if digest is None:  # outside the lock: hours of samples take seconds
            digest = _digest(sound.waveform)
            with self._lock:
                self._digests[sound] = digest
        return digest, sound.facts.sample_rate, self.checkpoint, hop_seconds

    @contextmanager
    def opened(self, path: Path, name: str, owner: Hashable = None, how: Reading = AS_IT_IS) -> Iterator[Sound]:
        """Open a file in a session of its own; `owner` and `how` as of `SoundStore.open`."""
        session = self._store.new_session("en")
        try:
            yield self._store.open(session.token, path, name, owner, how)
        finally:
            self._store.drop(session.token)


class Turns:
    """The newest run of each session; it ends all runs with smaller numbers."""

    def __init__(self) -> None:
        self._newest: WeakKeyDictionary[Session, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def begin(self, session: Session, turn: int) -> Callable[[], bool]:
        """Begin a run; return a function: whether it is the newest and its session lives."""
        self.end_before(session, turn)
        reference = ref(session)

        def wanted() -> bool:
            alive = reference()
            return alive is not None and self._newest.get(alive) == turn

        return wanted

    def end_before(self, session: Session, turn: int) -> None:
        """End all runs of a session with smaller numbers."""
        with self._lock:  # or an older number, read before, could overwrite a newer one
            self._newest[session] = max(turn, self._newest.get(session, turn))


def _digest(waveform: np.ndarray) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for start in range(0, len(waveform), _HASHED):
        digest.update(np.ascontiguousarray(waveform[start : start + _HASHED]).data)
    return digest.hexdigest()
