"""Decoding of uploads into open sounds, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from esc.audio.facts import AS_IT_IS, Reading
from esc.audio.transcode import Decoded, channels_path, decode_in_worker
from esc.errors import PageError
from esc.paths import sha256_of
from esc.ui.sessions.fair_turns import FairTurns
from esc.ui.sessions.sound import PREFIX, Sound, delete_file, link_or_copy, printable

MEMORY_SECONDS = 60.0  # longer sounds are memory-mapped files
DECODE_SECONDS = 120.0
DECODES_AT_A_TIME = 2  # of those that have just begun
SHORT_SECONDS = 8.0  # longer work goes on outside the slots of the short one
LONG_AT_A_TIME = 4
OF_ONE = 2  # at a time in any slot
QUEUE_SECONDS = 30.0


class Decoder:
    """Decodes files into a store's folders.

    Hours of sound delay no other visitor: work past `SHORT_SECONDS` leaves its slot to the next.

    Parameters
    ----------
    samples_folder, playable_folder : Path
        As in `SoundStore`.
    """

    def __init__(self, samples_folder: Path, playable_folder: Path) -> None:
        self._folders = samples_folder, playable_folder
        self._all = FairTurns(DECODES_AT_A_TIME + LONG_AT_A_TIME, OF_ONE)
        self._short = FairTurns(DECODES_AT_A_TIME)

    @contextmanager
    def slot(self, owner: Hashable) -> Iterator[None]:
        """Hold one of the slots for work on files, or raise PageError("page.busy") after `QUEUE_SECONDS`."""
        with self._all.turn(owner, QUEUE_SECONDS), ExitStack() as short:
            short.enter_context(self._short.turn(owner, QUEUE_SECONDS))
            leave = threading.Timer(SHORT_SECONDS, short.pop_all().close)
            leave.daemon = True
            leave.start()
            try:
                yield
            finally:
                leave.cancel()
                leave.join()  # or both could leave at once
                leave.function()

    def decode(self, sound_id: str, path: Path, name: str, max_bytes: int, how: Reading = AS_IT_IS) -> Sound:
        """Return a decoded sound; an error may leave unfinished files.

        Its files, without the upload, take at most `max_bytes`. The caller holds a slot.

        Raises
        ------
        PageError
            "page.gone" if the file has been deleted.
        """
        samples, copy = (folder / f"{PREFIX}{sound_id}" for folder in self._folders)
        name = printable(name) or path.name
        copy, ending = copy.with_suffix(".flac"), path.suffix.lower()[:8]
        original = Path(f"{samples}-original{ending}")
        try:
            if not original.exists():  # from a first attempt
                link_or_copy(path, original)  # the upload may be deleted meanwhile
        except FileNotFoundError:
            raise PageError("page.gone") from None
        facts: Decoded = decode_in_worker(original, samples, copy, name, DECODE_SECONDS, max_bytes, how)
        if facts.seconds > MEMORY_SECONDS:
            waveform: np.ndarray = np.memmap(samples, np.float32, mode="r")
        else:
            waveform = np.fromfile(samples, np.float32)
            delete_file(samples)
        playable = copy
        if not facts.copied:
            playable = original = original.replace(copy.with_suffix(ending))
        files, channels = {original, playable}, None
        if (drawn := channels_path(samples)).exists():
            channels = np.memmap(drawn, np.float16, mode="r").reshape(-1, facts.channels)
            files.add(drawn)
        held = sum(file.stat().st_size for file in files)
        return Sound(sound_id, name, facts, original, playable, waveform, channels, content_digest(original), file_bytes=held)


def content_digest(path: Path) -> str:
    """Return half of a file's SHA-256, the key of its labels in the browser."""
    return sha256_of(path)[:32]
