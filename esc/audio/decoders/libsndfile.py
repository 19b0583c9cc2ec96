"""Decoding by libsndfile: what FFmpeg's libraries refuse or take for something else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile

from esc.audio.extent import EXACT_TOLERANCE_S, read_extent
from esc.audio.facts import AudioFacts

_SUBTYPE_BITS = MappingProxyType({"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32})
_BLOCK = 1 << 18  # samples per channel yielded at a time: 6 s at 44.1 kHz


def open_by_libsndfile(path: Path) -> SndfileTrack | None:
    """Return a track, None if libsndfile can't read the file."""
    try:
        return SndfileTrack(path)
    except (soundfile.LibsndfileError, TypeError):  # a TypeError for names that end in .raw
        return None


class SndfileTrack:
    """A file read by libsndfile, used like `esc.audio.decoders.ffmpeg.Track`."""

    def __init__(self, path: Path) -> None:
        self._source = source = soundfile.SoundFile(os.fsencode(path))  # a str would have to be valid UTF-8
        self._extent = read_extent(path)
        self.facts = AudioFacts(source.samplerate, source.channels, source.format, source.subtype, steady=False)
        self.facts.bits = _SUBTYPE_BITS.get(source.subtype, 0)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the samples as float32 `(channels, n)`, up to the first damage."""
        return self._extent.trimmed(self._blocks())

    def _blocks(self) -> Iterator[np.ndarray]:
        facts, n_samples = self.facts, 0
        with self._source as source:
            try:
                while len(block := source.read(_BLOCK, "float32", always_2d=True)):
                    n_samples += len(block)
                    yield np.ascontiguousarray(block.T)
            except soundfile.LibsndfileError:
                facts.cut_off = True
        facts.cut_off |= self._extent.missing * n_samples / facts.file_rate > EXACT_TOLERANCE_S
