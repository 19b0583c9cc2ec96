"""Open sounds, page sessions and their files."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from esc.audio.channels import check_track
from esc.audio.facts import Reading
from esc.audio.sandbox import detect_full_disk
from esc.audio.transcode import Decoded
from esc.errors import PageError

PREFIX = "esc-sound-"
MAX_NAME = 200
Written = TypeVar("Written")
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Sound:
    """An open sound.

    Attributes
    ----------
    id : str
        Unguessable.
    name : str
        The user's name for it.
    facts : Decoded
    original : Path
        The file as uploaded; not served if browsers play a copy.
    playable : Path
        The file that browsers play: the original, or a copy.
    waveform : float32 array or read-only memmap, shape (n_samples,)
        Mono, at `facts.sample_rate`; shared between threads, read-only.
    channels : float16 memmap, shape (n_samples, n_channels), or None
        For drawing; with the mean of several channels, if there was room.
    """

    id: str
    name: str
    facts: Decoded
    original: Path
    playable: Path
    waveform: np.ndarray = field(repr=False)
    channels: np.ndarray | None = field(default=None, repr=False)
    digest: str = ""  # of the original's content, by which a page knows the sound again
    slowed: Path | None = None  # a copy for slow playback, once it is asked for
    resampled: OrderedDict[int, np.ndarray] = field(default_factory=OrderedDict, repr=False)
    file_bytes: int = field(default=0, repr=False)  # of original and copy
    resampling: threading.Lock = field(default_factory=threading.Lock, repr=False)  # held while resampling
    slowing: threading.Lock = field(default_factory=threading.Lock, repr=False)  # held while the slowed copy is written
    leases: list[Lease] = field(default_factory=list, repr=False)
    dropped: bool = field(default=False, repr=False)  # files still being written for it are to be deleted

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.facts.seconds

    @property
    def on_disk(self) -> bool:
        """Whether its waveforms are memory-mapped files."""
        return isinstance(self.waveform, np.memmap)

    def resampled_path(self, folder: Path, sample_rate: int) -> Path:
        """Return the path of the waveform at another rate."""
        return folder / f"{PREFIX}{self.id}-{sample_rate}"

    def forget_rate(self, folder: Path, sample_rate: int) -> None:
        """Remove the waveform at another rate, and delete its file."""
        del self.resampled[sample_rate]
        delete_file(self.resampled_path(folder, sample_rate))


@dataclass(eq=False)
class Lease:
    """Keeps a resampled waveform's file until `is_over` returns True."""

    sample_rate: int
    is_over: Callable[[], bool] = lambda: False


@dataclass(eq=False)
class Session:
    """One open page: its token, its language and its sounds, the least recently used first."""

    token: str
    language: str
    sounds: OrderedDict[str, Sound] = field(default_factory=OrderedDict, repr=False)
    last_used: float = field(default_factory=time.monotonic, repr=False)
    closed: bool = field(default=False, repr=False)  # its page is reported closed, which may be a broken connection

    def read_as(self, of: Sound, how: Reading) -> Sound | None:
        """Return a sound's file read otherwise if it is open, now the newest sound."""
        how = how._replace(channel=check_track(how.channel, of.facts.tracks, of.facts.default_track, of.name))
        for sound in self.sounds.values():
            if (sound.digest, sound.name, sound.facts.reading) == (of.digest, of.name, how):
                self.sounds.move_to_end(sound.id)
                return sound
        return None


def held_bytes(sound: Sound) -> tuple[int, int]:
    """Return the bytes that a sound occupies on disk and in memory."""
    arrays = (sound.waveform, *sound.resampled.values())
    disk = sum(array.nbytes for array in arrays if isinstance(array, np.memmap))
    return sound.file_bytes + disk, sum(array.nbytes for array in arrays) - disk


def printable(name: str) -> str:
    """Return a name without control and direction characters, of at most `MAX_NAME`."""
    return "".join(filter(str.isprintable, str(name)))[:MAX_NAME]


def write_companion(sound: Sound, path: Path, write: Callable[[Path], Written]) -> Written:
    """Write a file that goes with a sound; return the result of `write`."""
    try:
        with detect_full_disk(path):
            written = write(path)
        if sound.dropped:
            raise PageError("page.gone")
        return written
    except BaseException as error:
        path.unlink(missing_ok=True)
        if sound.dropped and isinstance(error, Exception):  # its files were deleted meanwhile
            raise PageError("page.gone") from error
        raise


def link_or_copy(original: Path, copy: Path) -> None:
    """Give a file a second name that outlives the first."""
    try:
        os.link(original, copy)
    except OSError:  # another disk, or a file system without links
        try:
            shutil.copyfile(original, copy)
        except OSError:
            delete_file(copy)
            raise


def delete_files(folders: tuple[Path, ...], sound_id: str) -> None:
    """Delete all files of a sound, or of all sounds if the id is empty."""
    for folder in folders:
        for path in folder.glob(f"{PREFIX}{sound_id}*"):
            delete_file(path)


def delete_file(path: Path) -> None:
    """Delete a file if it exists, and log a failure."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # Windows keeps a mapped file; the next start deletes it
        _log.warning("%s is not deleted: %s", path, error)
