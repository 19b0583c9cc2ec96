"""Files of a decoded sound besides its waveform: a copy for browsers, channels for drawing."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from esc.audio.facts import AudioFacts
from esc.errors import AudioError

LOWEST_RATE = 8_000  # that every browser plays
_BROWSER_RATES = LOWEST_RATE, 192_000
_LOW_COPY_RATE = 48_000
_FLAC_ANY_RATE = 65_536  # Hz; from here on FLAC can store only multiples of ten
_FLOAT16_MOST = 65_504.0


@dataclasses.dataclass(frozen=True)
class DiskBudget:
    """Space for the files of a sound."""

    name: str | None
    max_bytes: int | None
    taken: int = 0

    def allows(self, n_bytes: int) -> bool:
        """Return whether there is space for another `n_bytes`."""
        return self.max_bytes is None or self.taken + n_bytes <= self.max_bytes

    def check(self, n_bytes: int, ahead: int = 1) -> None:
        """Raise AudioError if another `n_bytes` are too many."""
        if not self.allows(n_bytes):
            raise AudioError("audio.disk_full", name=self.name, needed_bytes=ahead * (self.taken + n_bytes), known=ahead == 1)


def copy_rate(sample_rate: float, low_rate: int = _LOW_COPY_RATE) -> int:
    """Return the rate at which all browsers play a sound.

    Sounds at a rate that some refuse as too low are resampled to `low_rate`.
    """
    low, high = _BROWSER_RATES  # the highest one keeps ultrasound for slow playback
    return round(min(sample_rate, high)) if sample_rate >= low else low_rate


class PlayableCopy:
    """A FLAC file for browsers, at one of the rates of `copy_rate`."""

    def __init__(self, path: str | os.PathLike, sample_rate: float, rate: int, channels: int) -> None:
        self._resampler = None
        if rate != round(sample_rate):
            self._resampler = soxr.ResampleStream(sample_rate, rate, channels, dtype="float32", quality="HQ")
        # rounding such a rate to tens changes it by less than 0.01 %, inaudibly
        named_rate = rate if rate < _FLAC_ANY_RATE else round(rate, -1)
        self._channels = channels
        self._file = soundfile.SoundFile(str(path), "w", named_rate, channels, "PCM_16", format="FLAC")

    def __enter__(self) -> PlayableCopy:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        with self._file:
            if self._resampler and kind is None:
                self._file.write(self._resampler.resample_chunk(np.zeros((0, self._channels), np.float32), last=True))

    def write(self, samples: np.ndarray) -> None:
        """Write samples `(n, channels)`."""
        self._file.write(self._resampler.resample_chunk(np.ascontiguousarray(samples)) if self._resampler else samples)


class ChannelFile:
    """Samples of all channels for drawing; without space for them there are none."""

    def __init__(self, path: Path, facts: AudioFacts, sample_bytes: int, budget: DiskBudget, announced: int) -> None:
        self._path, self._facts, self._budget = path, facts, budget
        self._sample_bytes = sample_bytes + 2 * facts.channels  # of all files
        self._file = path.open("wb") if budget.allows(announced * self._sample_bytes) else None

    def __enter__(self) -> ChannelFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def write(self, channels: np.ndarray) -> None:
        """Write a block `(channels, n)`, or delete the file if the budget is exceeded."""
        if self._file and self._budget.allows(self._facts.n_samples * self._sample_bytes):
            self._file.write(channels.T.clip(-_FLOAT16_MOST, _FLOAT16_MOST).astype(np.float16).tobytes())
        elif self._file:
            self._file.close()
            self._file = None
            self._path.unlink()
