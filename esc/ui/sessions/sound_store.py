"""The sounds that the open pages work with: each decoded once, bounded in number and size, gone after use.

The page knows a session by its token and a sound by its id. Everything here may be called from many threads at once,
since the page's server functions are.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from esc.audio.resampling import LazyResampled, resample_to_file
from esc.audio.transcode import decode_in_worker
from esc.audio.waveform import resample
from esc.config import LIMITS
from esc.errors import AudioError, EscError, PageError, ParameterError
from esc.ui.sessions.sound import PREFIX, Session, Sound, delete_file, delete_files, held_bytes, link_or_copy

LANGUAGES = ("en", "ru")
MEMORY_SECONDS = 60.0  # longer sounds are memory-mapped files
SOUNDS_A_SESSION = 4
MAX_SESSIONS = 2000
IDLE_SECONDS = 3600.0  # a page that asked for something since is in use, whatever became of its connection
RATES_A_SOUND = 3  # resampled waveforms kept beside the original
MAX_DISK_BYTES = 6 * 10**9
MAX_MEMORY_BYTES = 2 * 10**9
DECODE_SECONDS = 120.0
DECODES_AT_A_TIME = 2
QUEUE_SECONDS = 30.0
_NAME_LENGTH = 200
_log = logging.getLogger(__name__)


class SoundStore:
    """All sessions of one app and their sounds.

    Parameters
    ----------
    folder : Path
        For decoded samples; not served to anyone.
    playable_folder : Path
        For copies that browsers can play; the web server may serve it.

    Notes
    -----
    Both folders are made if need be and are this store's alone: what an earlier run left in them under the store's own
    file names is removed at the start, and what this one leaves at exit. Originals are never touched. Past any of the
    limits at the top of this module the least recently used session, or the oldest sound, goes first.
    """

    def __init__(self, folder: Path, playable_folder: Path) -> None:
        self._folders = (Path(folder), Path(playable_folder))
        for place in self._folders:
            place.mkdir(parents=True, exist_ok=True)
        delete_files(self._folders, "")
        weakref.finalize(self, delete_files, self._folders, "")  # runs at exit, too
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.RLock()
        self._beside = ThreadPoolExecutor(1, "resample")
        self._decoders = threading.BoundedSemaphore(DECODES_AT_A_TIME)

    def new_session(self, language: str) -> Session:
        """Return a new session in "en" or "ru"."""
        if language not in LANGUAGES:
            raise ParameterError("parameter.choice", field="language", value=language, choices=", ".join(LANGUAGES))
        session = Session(secrets.token_urlsafe(24), language)
        with self._lock:
            self._sessions[session.token] = session
            while len(self._sessions) > MAX_SESSIONS:  # those without a sound have the least to lose
                idle = (token for token, one in self._sessions.items() if not one.sounds and one is not session)
                self.drop(next(idle, None) or next(iter(self._sessions)))
        return session

    def session(self, token: object) -> Session:
        """Return the session with this token; anything else than a known token raises PageError("page.session")."""
        with self._lock:
            if not isinstance(token, str) or token not in self._sessions:
                raise PageError("page.session")
            self._sessions.move_to_end(token)
            session = self._sessions[token]
            session.asked = time.monotonic()
            return session

    def open(self, token: str, path: str | os.PathLike, name: str) -> Sound:
        """Decode a file in a worker process and return it as a sound of the session.

        The caller vouches that this session may read `path`, which must stay while the sound is open; `name` is what
        the user calls it.

        Raises
        ------
        PageError
            "page.session", or "page.busy" where no decoder became free within `QUEUE_SECONDS`.
        AudioError
            What is wrong with the file.
        """
        self.session(token)
        path = Path(path)
        name = "".join(filter(str.isprintable, str(name)))[:_NAME_LENGTH] or path.name
        sound_id = secrets.token_hex(16)
        try:
            sound = self._decoded(sound_id, path, name)
            self._admit(token, sound)
        except BaseException:  # whatever ended it, the files go
            delete_files(self._folders, sound_id)
            raise
        return sound

    def sound(self, token: object, sound_id: object) -> Sound:
        """Return a sound of the session; one that is dropped or another's raises PageError("page.gone")."""
        with self._lock:
            sounds = self.session(token).sounds
            if not isinstance(sound_id, str) or sound_id not in sounds:
                raise PageError("page.gone")
            return sounds[sound_id]

    def waveform(self, sound: Sound, sample_rate: int) -> np.ndarray:
        """Return a sound's waveform at `sample_rate` Hz, resampled once and kept for the next call.

        A float32 array as `esc.audio.resample` makes of the whole; for sounds over `MEMORY_SECONDS` a read-only
        memmap, resampled block by block.

        Raises
        ------
        ParameterError
            `sample_rate` is not a whole number within the config's limits.
        PageError
            "page.gone" where the sound was dropped meanwhile.
        AudioError
            "audio.too_long" where it would not fit on the disk at this rate.
        """
        low, high = LIMITS["sample_rate"]
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or not low <= sample_rate <= high:
            raise ParameterError("parameter.range", field="sample_rate", value=sample_rate, low=low, high=high)
        if sample_rate == sound.facts.sample_rate:
            return sound.waveform
        with sound.resampling:  # a second asker waits here and finds the first one's
            if sample_rate not in sound.resampled:
                self._keep_resampled(sound, sample_rate)
            sound.resampled.move_to_end(sample_rate)
            return sound.resampled[sample_rate]

    def lazy_waveform(self, sound: Sound, sample_rate: int) -> np.ndarray | LazyResampled:
        """Return what `waveform` does; of a long sound not yet resampled, at once, what resamples only what is looked at."""
        at_hand = sound.seconds <= MEMORY_SECONDS or sample_rate == sound.facts.sample_rate or sample_rate in sound.resampled
        glance = None if at_hand else LazyResampled(sound.waveform, sound.facts.sample_rate, sample_rate)
        return glance if glance and glance.efficient else self.waveform(sound, sample_rate)

    def resample_later(self, sound: Sound, sample_rate: int) -> Future[None]:
        """Have a sound resampled beside what goes on, for those who look at it next."""
        return self._beside.submit(self._prepared, sound, sample_rate)

    def companion_path(self, sound: Sound, ending: str) -> Path:
        """Return where a file that the web server may serve can be written; it goes when the sound goes."""
        return self._folders[1] / f"{PREFIX}{sound.id}-{ending}"

    def keep_companion(self, sound: Sound, path: Path) -> None:
        """Confirm that a file written beside a sound is wanted: where the sound went meanwhile it goes, with "page.gone"."""
        if sound.gone:
            path.unlink(missing_ok=True)
            raise PageError("page.gone")

    @contextmanager
    def decode_slot(self) -> Iterator[None]:
        """Hold one of the places for work on files, or raise PageError("page.busy") after `QUEUE_SECONDS`."""
        if not self._decoders.acquire(timeout=QUEUE_SECONDS):
            raise PageError("page.busy")
        try:
            yield
        finally:
            self._decoders.release()

    def _prepared(self, sound: Sound, sample_rate: int) -> None:
        try:
            if not sound.gone:
                self.waveform(sound, sample_rate)
        except (EscError, OSError) as error:  # a disk without room: it is looked at as before
            _log.info("%s stays at its own rate: %s", sound.name, error)

    def drop_when_idle(self, token: str) -> None:
        """Drop a session whose page is said to be closed, once it has asked for nothing for `IDLE_SECONDS`.

        Gradio takes a page for closed after any break of its connection, and says so once.
        """
        with self._lock:
            session = self._sessions.get(token)
            rest_s = session.asked + IDLE_SECONDS - time.monotonic() if session else 0.0
            if rest_s <= 0.0:
                self.drop(token)
                return
        later = threading.Timer(rest_s, self.drop_when_idle, (token,))
        later.daemon = True
        later.start()

    def drop(self, token: str) -> None:
        """Forget a session, if it is known, and delete its files."""
        with self._lock:
            session = self._sessions.pop(token, None)
            for sound_id in list(session.sounds) if session else ():
                self._forget(session, sound_id)

    def _decoded(self, sound_id: str, path: Path, name: str) -> Sound:
        samples, copy = (place / f"{PREFIX}{sound_id}" for place in self._folders)
        copy = copy.with_suffix(".flac")
        with self.decode_slot():
            facts = decode_in_worker(path, samples, copy, name, DECODE_SECONDS)
        if facts.seconds > MEMORY_SECONDS:
            waveform = np.memmap(samples, np.float32, mode="r")
        else:
            waveform = np.fromfile(samples, np.float32)
            delete_file(samples)
        ending = path.suffix.lower()[:8]
        original = Path(f"{samples}-original{ending}") if facts.copied else copy.with_suffix(ending)
        playable = copy if facts.copied else original
        link_or_copy(path, original)
        held = sum(file.stat().st_size for file in {original, playable})
        return Sound(sound_id, name, facts, original, playable, waveform, file_bytes=held)

    def _admit(self, token: str, sound: Sound) -> None:
        with self._lock:
            session = self.session(token)  # it may have been dropped meanwhile
            self._make_room(sound, 0)
            session.sounds[sound.id] = sound
            while len(session.sounds) > SOUNDS_A_SESSION:
                self._forget(session, next(iter(session.sounds)))

    def _keep_resampled(self, sound: Sound, sample_rate: int) -> None:
        while len(sound.resampled) >= RATES_A_SOUND:
            rate, _ = sound.resampled.popitem(last=False)
            delete_file(self._resampled_path(sound, rate))
        if sound.seconds <= MEMORY_SECONDS:
            sound.resampled[sample_rate] = resample(sound.waveform, sound.facts.sample_rate, sample_rate)
            self._make_room(sound, 0)
            return
        length = -(-len(sound.waveform) * sample_rate // sound.facts.sample_rate)
        self._make_room(sound, 4 * length)
        path = self._resampled_path(sound, sample_rate)
        try:
            resample_to_file(sound.waveform, sound.facts.sample_rate, sample_rate, path)
            sound.resampled[sample_rate] = np.memmap(path, np.float32, mode="r")
        except BaseException:
            delete_file(path)
            raise
        if sound.gone:  # dropped while its file was being written
            delete_files(self._folders, sound.id)
            raise PageError("page.gone")

    def _resampled_path(self, sound: Sound, sample_rate: int) -> Path:
        return self._folders[0] / f"{PREFIX}{sound.id}-{sample_rate}"

    def _make_room(self, sound: Sound, more: int) -> None:
        """Drop sounds, the longest unused first, until this one fits and `more` bytes on disk beside it.

        Where it would not fit alone, its own copies at other rates go, and no other sound does.
        """
        with self._lock:
            if held_bytes(sound)[0] + more > MAX_DISK_BYTES:
                self._forget_rates(sound)
            alone = held_bytes(sound)[0] + more
            if alone > MAX_DISK_BYTES:
                minutes = sound.seconds / 60
                limit = float(minutes * MAX_DISK_BYTES / alone)
                raise AudioError("audio.too_long", name=sound.name, minutes=minutes, limit_minutes=limit)
            others = [(session, one) for session in self._sessions.values() for one in session.sounds.values()]
            others = [(session, one) for session, one in others if one is not sound]
            disk, memory = np.sum([held_bytes(one) for one in (sound, *(one for _, one in others))], axis=0)
            for session, one in others:
                if disk + more <= MAX_DISK_BYTES and memory <= MAX_MEMORY_BYTES:
                    return
                disk, memory = np.subtract((disk, memory), held_bytes(one))
                self._forget(session, one.id)

    def _forget_rates(self, sound: Sound) -> None:
        for rate in [rate for rate, array in sound.resampled.items() if isinstance(array, np.memmap)]:
            del sound.resampled[rate]
            delete_file(self._resampled_path(sound, rate))

    def _forget(self, session: Session, sound_id: str) -> None:
        session.sounds.pop(sound_id).gone = True
        delete_files(self._folders, sound_id)
