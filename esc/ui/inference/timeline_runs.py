"""Whole sounds heard for the page and for programs: piece by piece, given up when nobody wants them, kept for the next time."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary, ref

import numpy as np

from esc.batch.results import SoundResult
from esc.classification.checkpoint import Checkpoint
from esc.classification.event_summary import silent_intervals, uncertain_intervals
from esc.classification.sliding_window import Segment, check_hop, segments
from esc.ui.inference.inference import classifier, hear
from esc.ui.sessions.sound import Session, Sound
from esc.ui.sessions.sound_store import SoundStore

KEPT_RESULTS = 64  # an hour has some hundred segments
TOP_K = 5
UPDATE_S = 0.4  # from one word on the way to the next
log = logging.getLogger(__name__)
_HASHED = 1 << 20  # samples at a time


@dataclass(frozen=True)
class Heard:
    """What has been heard so far of a sound that is being worked through.

    Attributes
    ----------
    heard_s : float
        How far, in seconds from its start.
    timeline : tuple of Segment
        The last one may still grow.
    silences : tuple of (start, end) in seconds
    uncertain : tuple of Segment
        As `SoundResult.uncertain`; what is heard next may settle the last one.
    """

    heard_s: float
    timeline: tuple[Segment, ...] = ()
    silences: tuple[tuple[float, float], ...] = ()
    uncertain: tuple[Segment, ...] = ()


class Hearings:
    """The hearings of one app.

    Parameters
    ----------
    store : SoundStore
    checkpoint : path
    """

    def __init__(self, store: SoundStore, checkpoint: Path) -> None:
        self._store, self._checkpoint = store, checkpoint
        self._results: OrderedDict[tuple, SoundResult] = OrderedDict()
        self._digests: WeakKeyDictionary[Sound, str] = WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def meta(self) -> Checkpoint:
        """The checkpoint's own account of itself; raises CheckpointError where it can't be used."""
        return classifier(self._checkpoint).checkpoint

    def listen(self, sound: Sound, hop_seconds: float | None, wanted: Callable[[], bool]) -> Iterator[Heard | SoundResult]:
        """Yield what has been heard so far, a few times a second, and at last the result; stop where it is not `wanted`.

        `wanted` is asked after every window. What is yielded last is a `Heard` where the work was given up. A sound
        of equal samples that was heard before, under whatever name, by whomever, is not heard again.

        Raises
        ------
        CheckpointError, ParameterError, AudioError
            As `esc.classification.sliding_window.windows` and `esc.classification.classifier.Classifier.load` do.
        """
        hop_seconds = check_hop(hop_seconds, self.meta.input.clip_seconds)
        known = self.result(sound, hop_seconds)
        if known is not None:
            yield known
            return
        heard, said = [], time.monotonic()
        yield Heard(0.0)
        try:
            for news in hear(self._checkpoint, sound, hop_seconds, TOP_K):
                if isinstance(news, SoundResult):
                    self._keep(sound, hop_seconds, news)
                    heard = []
                    yield news
                    return
                heard.append(news)
                stop = not wanted()
                if stop or time.monotonic() - said > UPDATE_S:
                    found = segments(heard, self.meta.class_names)
                    uncertain = uncertain_intervals(heard, found, self.meta.class_names)
                    yield Heard(news.end_s, found, silent_intervals(heard), uncertain)
                    said = time.monotonic()
                if stop:
                    return
        finally:
            if heard:
                log.info("a sound of %.0f s was given up at %.0f s", sound.seconds, heard[-1].end_s)

    def result(self, sound: Sound, hop_seconds: float) -> SoundResult | None:
        """Return what was heard in a sound at this hop, under the name that it has now; None: not yet, or too long ago."""
        key = self._key(sound, hop_seconds)
        with self._lock:
            if key not in self._results:
                return None
            self._results.move_to_end(key)
            return dataclasses.replace(self._results[key], file=sound.name, cut_off=sound.facts.cut_off)

    def _keep(self, sound: Sound, hop_seconds: float, result: SoundResult) -> None:
        key = self._key(sound, hop_seconds)
        with self._lock:
            self._results[key] = result
            while len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)

    def _key(self, sound: Sound, hop_seconds: float) -> tuple:
        digest = self._digests.get(sound)
        if digest is None:
            digest = self._digests[sound] = _digest(sound.waveform)
        return digest, sound.facts.sample_rate, self._checkpoint, hop_seconds

    @contextmanager
    def borrowed(self, path: Path, name: str) -> Iterator[Sound]:
        """Open a file in a session of its own, which ends with the block."""
        session = self._store.new_session("en")
        try:
            yield self._store.open(session.token, path, name)
        finally:
            self._store.drop(session.token)


class Turns:
    """Which of a session's runs is still wanted: the page numbers them, and a newer one, or a stop, ends those before."""

    def __init__(self) -> None:
        self._newest: WeakKeyDictionary[Session, int] = WeakKeyDictionary()

    def begin(self, session: Session, turn: int) -> Callable[[], bool]:
        """Begin a run; return what tells whether it is still wanted: no longer, once its session has ended."""
        self.end_before(session, turn)
        reference = ref(session)

        def wanted() -> bool:
            alive = reference()
            return alive is not None and self._newest.get(alive) == turn

        return wanted

    def end_before(self, session: Session, turn: int) -> None:
        """End all runs of a session with smaller numbers."""
        self._newest[session] = max(turn, self._newest.get(session, turn))


def _digest(waveform: np.ndarray) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for start in range(0, len(waveform), _HASHED):
        digest.update(np.ascontiguousarray(waveform[start : start + _HASHED]))
    return digest.hexdigest()
