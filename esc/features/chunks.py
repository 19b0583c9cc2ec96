"""Stretches of a sound with what lies around them, so that frames near their ends are the whole sound's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from esc.errors import ParameterError

CHUNK_S = 10.0  # computed at a time: what progress counts in, and what bounds memory
MAX_VALUES = 40_000_000  # of a chunk's spectrogram: librosa keeps several copies of it, in complex numbers or in float64

OnProgress = Callable[[float], None]  # hears what share of the work is done


@dataclass(frozen=True)
class Chunk:
    """Frames `first` to `first + count - 1`, and samples from which they can be computed.

    Attributes
    ----------
    samples : float32 array
        From the sample of frame `first - skip` on, or from the sound's first.
    skip : int
        Frames of the surroundings before frame `first`, if frames are centred at multiples of the hop.
    """

    samples: np.ndarray
    first: int
    count: int
    skip: int

    @property
    def shown(self) -> slice:
        """Which of the frames computed from `samples` are the chunk's own."""
        return slice(self.skip, self.skip + self.count)


def iter_chunks(
    waveform: np.ndarray,
    sample_rate: int,
    hop_length: int,
    first: int,
    last: int,
    around_s: float,
    n_freqs: int,
    on_progress: OnProgress,
) -> Iterator[Chunk]:
    """Cut frames `first` to `last` into chunks of some `CHUNK_S` seconds with `around_s` seconds on both sides.

    A sound that fits into one chunk is that chunk, whole: librosa then sees all of it. `on_progress` hears 0 to 1.

    Raises
    ------
    ParameterError
        A chunk's frames of `n_freqs` values are more than `MAX_VALUES`.
    """
    at_a_time = max(1, round(CHUNK_S * sample_rate / hop_length))
    around = math.ceil(around_s * sample_rate / hop_length)
    whole = len(waveform) <= CHUNK_S * sample_rate
    frames = len(waveform) // hop_length + 1 if whole else min(at_a_time, last + 1 - first) + 2 * around
    if frames * n_freqs > MAX_VALUES:
        raise ParameterError("feature.size", frames=frames, n_freqs=n_freqs, hop_length=hop_length)
    for begin in range(first, last + 1, at_a_time):
        on_progress((begin - first) / (last + 1 - first))
        count = min(at_a_time, last + 1 - begin)
        skip = min(begin, around)
        start = (begin - skip) * hop_length
        stop = (begin + count + around) * hop_length
        if whole:
            start, stop, skip = 0, len(waveform), begin
        yield Chunk(np.array(waveform[start:stop], np.float32), begin, count, skip)
    on_progress(1.0)


def frames_between(n_samples: int, sample_rate: int, hop_length: int, start_s: float, end_s: float) -> tuple[int, int]:
    """Return the first and the last frame whose centres lie between two times, at least one."""
    last_frame = n_samples // hop_length
    first = min(max(0, math.ceil(start_s * sample_rate / hop_length - 1e-6)), last_frame)
    return first, max(first, min(math.floor(end_s * sample_rate / hop_length + 1e-6), last_frame))


class Columns:
    """Frames gathered into at most `columns` columns, the greatest value of each one's frames."""

    def __init__(self, first: int, last: int, columns: int) -> None:
        self._first, self._n_frames = first, last + 1 - first
        self.count = min(columns, self._n_frames)
        self._gathered: np.ndarray | None = None

    def add(self, first: int, values: np.ndarray) -> None:
        """Take values (rows, n) of the frames from number `first` on."""
        if self._gathered is None:
            self._gathered = np.full((values.shape[0], self.count), -np.inf, np.float32)
        frames = first - self._first + np.arange(values.shape[1])
        columns = ((frames + 1) * self.count - 1) // self._n_frames  # frame f lies in [n * c // k, n * (c + 1) // k)
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        greatest = np.maximum.reduceat(values, starts, axis=1)
        filled = columns[starts]
        self._gathered[:, filled] = np.maximum(self._gathered[:, filled], greatest)

    def values(self) -> np.ndarray:
        """Return what was gathered, float32 (rows, columns)."""
        return self._gathered
