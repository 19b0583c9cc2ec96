"""Decoding of uploads into open sounds, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from esc.audio.transcode import Decoded, decode_in_worker
from esc.errors import PageError
from esc.ui.sessions.sound import PREFIX, Sound, delete_file, link_or_copy

MEMORY_SECONDS = 60.0  # longer sounds are memory-mapped files
DECODE_SECONDS = 120.0
DECODES_AT_A_TIME = 2
QUEUE_SECONDS = 30.0


class Decoder:
    """Decodes files into a store's folders.

    Parameters
    ----------
    samples_folder, playable_folder : Path
        As in `SoundStore`.
    """

    def __init__(self, samples_folder: Path, playable_folder: Path) -> None:
        self._folders = samples_folder, playable_folder
        self._slots = threading.BoundedSemaphore(DECODES_AT_A_TIME)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots for work on files, or raise PageError("page.busy") after `QUEUE_SECONDS`."""
        if not self._slots.acquire(timeout=QUEUE_SECONDS):
            raise PageError("page.busy")
        try:
            yield
        finally:
            self._slots.release()

    def decode(self, sound_id: str, path: Path, name: str, max_bytes: int) -> Sound:
        """Return a decoded sound; an error may leave unfinished files.

        Its files, without the upload, take at most `max_bytes`. The caller holds a slot.
        """
        samples, copy = (folder / f"{PREFIX}{sound_id}" for folder in self._folders)
        copy = copy.with_suffix(".flac")
        facts: Decoded = decode_in_worker(path, samples, copy, name, DECODE_SECONDS, max_bytes)
        if facts.seconds > MEMORY_SECONDS:
            waveform: np.ndarray = np.memmap(samples, np.float32, mode="r")
        else:
            waveform = np.fromfile(samples, np.float32)
            delete_file(samples)
        ending = path.suffix.lower()[:8]
        original = Path(f"{samples}-original{ending}") if facts.copied else copy.with_suffix(ending)
        playable = copy if facts.copied else original
        link_or_copy(path, original)
        held = sum(file.stat().st_size for file in {original, playable})
        return Sound(sound_id, name, facts, original, playable, waveform, file_bytes=held)
