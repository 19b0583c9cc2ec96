"""Decoded sounds of the open pages, bounded in number and size; thread-safe."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from esc.audio.facts import AS_IT_IS, Reading
from esc.audio.resampling import LazyResampled, resample, resample_to_file
from esc.config import LIMITS
from esc.errors import AudioError, PageError, ParameterError, check_choice
from esc.ui.i18n.catalogue import LANGUAGES
from esc.ui.sessions.background_resampler import BackgroundResampler
from esc.ui.sessions.decoding import DECODES_AT_A_TIME, Decoder
from esc.ui.sessions.sound import PREFIX, Lease, Session, Sound, Written, delete_file, delete_files, held_bytes, write_companion

SOUNDS_A_SESSION = 4
MAX_SESSIONS = 2000
IDLE_SECONDS = 3600.0  # after which a closed page's session is dropped
ABANDONED_SECONDS = 6 * 3600.0  # the same for any session: a program's is never reported closed
RATES_A_SOUND = 3  # resampled waveforms kept with the original
MAX_DISK_BYTES = 6 * 10**9  # or half of a small disk
MAX_SOUND_BYTES = 3 * 10**9  # on disk, of one sound: two hours of stereo at 48 kHz with a copy for browsers
MAX_MEMORY_BYTES = 10**9


class SoundStore:
    """All sessions of one app and their sounds.

    Parameters
    ----------
    folder : Path
        For decoded samples; never served.
    playable_folder : Path
        For copies that browsers can play; the web server may serve it.

    Both folders are created if necessary; files of an earlier run are deleted at the start, the new ones at exit. Past a limit
    of this module the least recently used session, or such a sound of the session with the most bytes, is dropped.
    """

    def __init__(self, folder: Path, playable_folder: Path) -> None:
        self._folders = (Path(folder), Path(playable_folder))
        for path in self._folders:
            path.mkdir(parents=True, exist_ok=True)
        delete_files(self._folders, "")
        weakref.finalize(self, delete_files, self._folders, "")  # runs at exit, too
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._half_of_disk = shutil.disk_usage(folder).total // 2
        self._lock = threading.RLock()
        self.decoder = Decoder(*self._folders)
        self._reserved: dict[object, int] = {}  # bytes on disk for files being written
        self._resampler = BackgroundResampler(self.waveform)

    def new_session(self, language: str) -> Session:
        """Return a new session in one of `LANGUAGES`."""
        check_choice("language", language, tuple(LANGUAGES))
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
            session.last_used = time.monotonic()
            return session

    def open(self, token: object, path: str | os.PathLike, name: str, owner: Hashable = None, how: Reading = AS_IT_IS) -> Sound:
        """Return a sound of the session, decoded in a worker process.

        The caller vouches that this session may read `path`; `name` is the user's name for it, `owner` who takes turns at the
        decoders, by default the session.

        Raises
        ------
        PageError
            "page.session", "page.gone" if the file has been deleted, "page.busy" if no decoder becomes free in time.
        AudioError
            The file can't be decoded, or not within a session's share of the disk.
        """
        self.session(token)
        path = Path(path)
        sound_id = secrets.token_hex(16)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            raise PageError("page.gone") from None
        try:
            with self.decoder.slot(owner or token):  # room is divided among those that decode, not among those that wait
                most = min(MAX_SOUND_BYTES, self._most_bytes)
                room = min((self._most_bytes - self._used_bytes()[0]) // DECODES_AT_A_TIME, most)  # without dropping others
                while True:
                    try:
                        with self.reserve(None, room) as release:
                            sound = self.decoder.decode(sound_id, path, name, max(0, room - size), how)
                            self._admit(token, sound, release)
                            return sound
                    except AudioError as error:
                        needed = error.values.get("needed_bytes")
                        if not isinstance(needed, int):
                            raise
                        if room >= most or (error.values["known"] and size + needed > most):
                            raise AudioError("audio.share", name=error.values["name"], limit_gb=most / 1e9) from error
                        room = min(size + needed, most)
        except BaseException:
            delete_files(self._folders, sound_id)
            raise

    def open_again(self, token: object, sound_id: object, how: Reading) -> Sound:
        """Return an open sound's file read otherwise, decoded unless the session has it."""
        sound = self.sound(token, sound_id)
        with self._lock:
            known = self.session(token).read_as(sound, how)
        return known or self.open(token, sound.original, sound.name, how=how)

    def sound(self, token: object, sound_id: object) -> Sound:
        """Return a sound of the session; a dropped one or another session's raises PageError("page.gone")."""
        with self._lock:
            sounds = self.session(token).sounds
            if not isinstance(sound_id, str) or sound_id not in sounds:
                raise PageError("page.gone")
            sounds.move_to_end(sound_id)
            return sounds[sound_id]

    def waveform(self, sound: Sound, sample_rate: float, lease: Lease | None = None) -> np.ndarray:
        """Return a sound's waveform at `sample_rate` Hz, resampled once and kept for the next call.

        For a sound on disk a read-only memmap, whose file stays until `lease` is over.

        Raises
        ------
        ParameterError
            `sample_rate` is not an integer within the config's limits.
        PageError
            "page.gone" if the sound has been dropped meanwhile.
        AudioError
            "audio.too_long" if it does not fit on the disk at this rate.
        """
        low, high = LIMITS["sample_rate"]
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or not low <= sample_rate <= high:
            raise ParameterError("parameter.range", field="sample_rate", value=sample_rate, low=low, high=high)
        if sample_rate == sound.facts.sample_rate:
            return sound.waveform
        with sound.resampling:  # concurrent calls wait here and find the first one's result
            sound.leases = [one for one in sound.leases if not one.is_over()] + ([lease] if lease else [])
            if sample_rate not in sound.resampled:
                self._keep_resampled(sound, sample_rate)
            sound.resampled.move_to_end(sample_rate)
            return sound.resampled[sample_rate]

    def lazy_waveform(self, sound: Sound, sample_rate: int) -> np.ndarray | LazyResampled:
        """Return `waveform`, or at once a lazily resampled one of a long sound."""
        ready = not sound.on_disk or sample_rate == sound.facts.sample_rate or sample_rate in sound.resampled
        lazy = None if ready else LazyResampled(sound.waveform, sound.facts.sample_rate, sample_rate)
        return lazy if lazy and lazy.efficient else self.waveform(sound, sample_rate)

    def resample_later(self, sound: Sound, sample_rate: int) -> Future[None]:
        """Resample a sound in the background."""
        return self._resampler.submit(sound, sample_rate)

    def companion(self, sound: Sound, ending: str, write: Callable[[Path], Written]) -> tuple[Path, Written]:
        """Return a served file, deleted with its sound, and the result of `write`."""
        path = self._folders[1] / f"{PREFIX}{sound.id}-{ending}"
        return path, write_companion(sound, path, write)

    def close(self, token: str) -> None:
        """Mark a session as closed, or its connection as broken: once idle it is dropped."""
        with self._lock:
            if token in self._sessions:
                self._sessions[token].closed = True

    def drop_idle(self) -> None:
        """Drop closed sessions idle for `IDLE_SECONDS`, and all idle for `ABANDONED_SECONDS`."""
        with self._lock:
            now = time.monotonic()
            for token, session in list(self._sessions.items()):
                if now - session.last_used > (IDLE_SECONDS if session.closed else ABANDONED_SECONDS):
                    self.drop(token)

    def drop(self, token: str) -> None:
        """Remove a session, if it is known, and delete its files."""
        with self._lock:
            if session := self._sessions.pop(token, None):
                for sound_id in list(session.sounds):
                    self._forget(session, sound_id)

    def _admit(self, token: object, sound: Sound, release: Callable[[], None]) -> None:
        with self._lock:
            session = self.session(token)  # it may have been dropped meanwhile
            release()
            self._make_room(sound, 0)
            session.sounds[sound.id] = sound
            while len(session.sounds) > SOUNDS_A_SESSION:
                self._forget(session, next(iter(session.sounds)))

    def _keep_resampled(self, sound: Sound, sample_rate: int) -> None:
        leased = {lease.sample_rate for lease in sound.leases}
        idle = [rate for rate in sound.resampled if rate not in leased]
        for rate in idle[: max(0, len(sound.resampled) - RATES_A_SOUND + 1)]:
            sound.forget_rate(self._folders[0], rate)
        if not sound.on_disk:
            sound.resampled[sample_rate] = resample(sound.waveform, sound.facts.sample_rate, sample_rate)
            self._make_room(sound, 0)
            return
        path = sound.resampled_path(self._folders[0], sample_rate)
        with self.reserve(sound, 4 * -(-len(sound.waveform) * sample_rate // sound.facts.sample_rate)):
            try:
                resample_to_file(sound.waveform, sound.facts.sample_rate, sample_rate, path)
                sound.resampled[sample_rate] = np.memmap(path, np.float32, mode="r")
            except BaseException:
                delete_file(path)
                raise
        if sound.dropped:
            delete_files(self._folders, sound.id)
            raise PageError("page.gone")

    @property
    def _most_bytes(self) -> int:
        return min(MAX_DISK_BYTES, self._half_of_disk)

    @contextmanager
    def reserve(self, sound: Sound | None, n_bytes: int) -> Iterator[Callable[[], None]]:
        """Reserve disk space until the block ends or the yielded function is called."""
        key = object()
        with self._lock:
            self._make_room(sound, n_bytes)
            self._reserved[key] = n_bytes
        try:
            yield lambda: self._reserved.update({key: 0})
        finally:
            with self._lock:
                del self._reserved[key]

    def _used_bytes(self, *more: Sound) -> tuple[int, int]:
        """Return the bytes on disk, with reservations, and in memory of all sounds and `more`."""
        with self._lock:
            sounds = {*more, *(sound for session in self._sessions.values() for sound in session.sounds.values())}
            held = [held_bytes(sound) for sound in sounds]
            return sum(disk for disk, _ in held) + sum(self._reserved.values()), sum(memory for _, memory in held)

    def _make_room(self, sound: Sound | None, n_bytes: int) -> None:
        """Drop the longest unused sounds of those who hold most until `n_bytes` more fit.

        If they don't fit alone, the sound's copies at other rates are deleted and no other sound is dropped: it raises
        AudioError("audio.too_long"), or PageError("page.busy") if files being written take up the room.
        """
        with self._lock:
            if sound:
                self._check_alone(sound, n_bytes)
            while (short := self._short_of(sound, n_bytes)) is not None:
                others = [session for session in self._sessions.values() if set(session.sounds.values()) - {sound}]
                if not others:
                    break
                # of equal ones the least recently used
                greediest = max(others, key=lambda one: sum(held_bytes(each)[short] for each in one.sounds.values()))
                self._forget(greediest, next(key for key, one in greediest.sounds.items() if one is not sound))
            if self._used_bytes(*filter(None, [sound]))[0] + n_bytes > self._most_bytes:
                raise PageError("page.busy")

    def _short_of(self, sound: Sound | None, n_bytes: int) -> int | None:
        """Return what `held_bytes` has too much of: 0 for disk, 1 for memory, or None."""
        disk, memory = self._used_bytes(*filter(None, [sound]))
        return 0 if disk + n_bytes > self._most_bytes else 1 if memory > MAX_MEMORY_BYTES else None

    def _check_alone(self, sound: Sound, n_bytes: int) -> None:
        if held_bytes(sound)[0] + n_bytes > self._most_bytes:
            leased = {lease.sample_rate for lease in sound.leases}
            on_disk = [rate for rate, array in sound.resampled.items() if isinstance(array, np.memmap)]
            for rate in set(on_disk) - leased:
                sound.forget_rate(self._folders[0], rate)
        alone = held_bytes(sound)[0] + n_bytes
        if alone > self._most_bytes:
            minutes = sound.seconds / 60
            limit = float(minutes * self._most_bytes / alone)
            raise AudioError("audio.too_long", name=sound.name, minutes=minutes, limit_minutes=limit)

    def _forget(self, session: Session, sound_id: str) -> None:
        session.sounds.pop(sound_id).dropped = True
        delete_files(self._folders, sound_id)
