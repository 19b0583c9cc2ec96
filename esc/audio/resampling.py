"""Resampling of a waveform: whole, segments on demand, in blocks or to a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soxr

from esc.audio.waveform import to_mono

MARGIN = 128  # samples at the lower rate, on both sides of a segment: the filter's reach
MAX_STEPS = 1_000  # of a rate in the ratio of both: a segment begins where samples of both coincide
_BLOCK = 1 << 20  # samples resampled at a time


def resample(waveform: np.ndarray, sample_rate: int, new_rate: int) -> np.ndarray:
    """Return a waveform at another rate, `ceil(n * new_rate / sample_rate)` samples long; equals `librosa.resample`."""
    if sample_rate == new_rate:
        return waveform
    length = -(-len(waveform) * new_rate // sample_rate)
    resampled = soxr.resample(waveform, sample_rate, new_rate, quality="HQ").astype(np.float32, copy=False)
    return np.pad(resampled, (0, max(0, length - len(resampled))))[:length]


class LazyResampled:
    """A waveform at another rate, resampled only where it is read.

    Equals `resample` to float32's rounding, since the filter reaches no further than `MARGIN`; only the
    outermost samples of the sound differ, by some hundredths.

    Parameters
    ----------
    waveform : float32 array or memmap, shape (n_samples,)
    sample_rate, new_rate : int
        Hz.
    """

    def __init__(self, waveform: np.ndarray, sample_rate: int, new_rate: int) -> None:
        common = math.gcd(sample_rate, new_rate)
        self._waveform, self._from, self._to = waveform, sample_rate // common, new_rate // common

    @property
    def efficient(self) -> bool:
        """Whether short segments need few samples around them."""
        return max(self._from, self._to) <= MAX_STEPS

    def __len__(self) -> int:
        return -(-len(self._waveform) * self._to // self._from)

    def segments(self, starts: np.ndarray, length: int) -> np.ndarray:
        """Return what `read_segments` returns of the resampled waveform."""
        margin = math.ceil(MARGIN * max(1.0, self._to / self._from))
        steps = -(-(length + 2 * margin) // self._to) + 1  # each is `_from` samples that become `_to`
        first = (starts - margin) // self._to
        around = read_segments(self._waveform, first * self._from, steps * self._from)
        # laid end to end: what a joint spoils lies within the margins
        resampled = soxr.resample(around.reshape(-1), self._from, self._to, quality="HQ").reshape(len(starts), -1)
        windows = np.lib.stride_tricks.sliding_window_view(resampled, length, axis=1)
        rows = windows[np.arange(len(starts)), starts - first * self._to]
        for row in np.flatnonzero((starts < 0) | (starts + length > len(self))):
            numbers = starts[row] + np.arange(length)
            rows[row, (numbers < 0) | (numbers >= len(self))] = 0.0
        return rows


class Shifted:
    """A waveform on another one's time axis, with zeros before and after it.

    Parameters
    ----------
    waveform : float32 array, memmap or LazyResampled, shape (n_samples,)
    shift : int
        Sample of the axis at which it begins, negative if before the axis.
    n_samples : int
        Length of the axis.
    """

    def __init__(self, waveform: np.ndarray | LazyResampled, shift: int, n_samples: int) -> None:
        self._waveform, self._shift, self._n_samples = waveform, shift, n_samples

    def __len__(self) -> int:
        return self._n_samples

    def segments(self, starts: np.ndarray, length: int) -> np.ndarray:
        """Return what `read_segments` returns of the shifted waveform."""
        return read_segments(self._waveform, starts - self._shift, length)


class ResampledBlocks:
    """Resampled mono blocks of a sound, equal to `resample` of the whole."""

    def __init__(self, blocks: Iterable[np.ndarray], sample_rate: int, new_rate: int) -> None:
        self._blocks, self._from, self._to = blocks, sample_rate, new_rate
        self._received = 0

    @property
    def seconds(self) -> float:
        """Length of the blocks received so far."""
        return self._received / self._from

    def __iter__(self) -> Iterator[np.ndarray]:
        stream = soxr.ResampleStream(self._from, self._to, 1, dtype="float32", quality="HQ")
        same = self._from == self._to
        yielded = 0
        for block in self._blocks:
            mono = to_mono(block)
            self._received += len(mono)
            segment = mono if same else stream.resample_chunk(mono)
            yielded += len(segment)
            yield segment
        if not same:
            missing = -(-self._received * self._to // self._from) - yielded  # the length that `resample` gives
            tail = stream.resample_chunk(np.zeros(0, np.float32), last=True)[:missing]
            yield np.pad(tail, (0, missing - len(tail)))


def resample_to_file(waveform: np.ndarray, sample_rate: int, new_rate: int, path: Path) -> None:
    """Write a resampled waveform as raw float32, block by block.

    By plain writes: on a full disk, writing to a memmap kills the process.
    """
    stream = soxr.ResampleStream(sample_rate, new_rate, 1, dtype="float32", quality="HQ")
    with open(path, "wb") as file:
        for start in range(0, len(waveform), _BLOCK):
            block = np.asarray(waveform[start : start + _BLOCK])
            resampled = stream.resample_chunk(block, last=start + _BLOCK >= len(waveform))
            file.write(resampled.tobytes())  # `tofile` would hide the system's error
        # soxr rounds the length to the nearest; a missing sample becomes a zero
        file.truncate(4 * -(-len(waveform) * new_rate // sample_rate))


def read_segments(waveform: np.ndarray | LazyResampled | Shifted, starts: np.ndarray, length: int) -> np.ndarray:
    """Return `length` samples from each start on, shape (len(starts), length), zeros beyond the sound's ends."""
    if isinstance(waveform, LazyResampled | Shifted):
        return waveform.segments(starts, length)
    if isinstance(waveform, np.memmap):
        waveform = waveform.view(np.ndarray)  # three times as fast to slice
    rows = np.zeros((len(starts), length), np.float32)
    for row, start in zip(rows, starts.tolist(), strict=True):
        skip, stop = max(0, -start), min(length, len(waveform) - start)
        if skip < stop:
            row[skip:stop] = waveform[start + skip : start + stop]
    return rows
