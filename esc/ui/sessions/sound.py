"""What the store of sounds keeps: a sound, the session that opened it, and their files."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from esc.audio.transcode import Decoded

PREFIX = "esc-sound-"
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Sound:
    """An open sound.

    Attributes
    ----------
    id : str
        Not guessable.
    name : str
        What the user calls it.
    facts : Decoded
        What the file holds.
    original : Path
        The file as it came, by another name; not served to anyone where the browser plays a copy.
    playable : Path
        What a browser can play: the original, or a copy.
    waveform : float32 array or read-only memmap, shape (n_samples,)
        Mono, at `facts.sample_rate`; shared between threads, not to be written to.
    """

    id: str
    name: str
    facts: Decoded
    original: Path
    playable: Path
    waveform: np.ndarray = field(repr=False)
    resampled: OrderedDict[int, np.ndarray] = field(default_factory=OrderedDict, repr=False)
    file_bytes: int = field(default=0, repr=False)  # of original and copy
    resampling: threading.Lock = field(default_factory=threading.Lock, repr=False)  # held while resampling
    gone: bool = field(default=False, repr=False)  # dropped: what is still being written for it is for nobody

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.facts.seconds


@dataclass(eq=False)
class Session:
    """One open page: its token, its language and its sounds, the oldest first."""

    token: str
    language: str
    sounds: OrderedDict[str, Sound] = field(default_factory=OrderedDict, repr=False)
    asked: float = field(default_factory=time.monotonic, repr=False)  # when something was last asked for


def held_bytes(sound: Sound) -> tuple[int, int]:
    """Return the bytes that a sound holds on disk and in memory."""
    arrays = (sound.waveform, *sound.resampled.values())
    disk = sum(array.nbytes for array in arrays if isinstance(array, np.memmap))
    return sound.file_bytes + disk, sum(array.nbytes for array in arrays) - disk


def link_or_copy(original: Path, copy: Path) -> None:
    """Keep a file under another name, whatever becomes of the original."""
    try:
        os.link(original, copy)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(original, copy)


def delete_files(folders: tuple[Path, ...], sound_id: str) -> None:
    """Delete all files of a sound, or of all sounds where the id is empty."""
    for folder in folders:
        for path in folder.glob(f"{PREFIX}{sound_id}*"):
            delete_file(path)


def delete_file(path: Path) -> None:
    """Delete a file, if it is there; one that can't be deleted now is told to the log."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # Windows keeps a mapped file; it goes at exit or at the next start
        _log.warning("%s is still there: %s", path, error)
