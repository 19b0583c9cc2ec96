"""Samples of a waveform, stretch by stretch: as they are, or at another rate before the whole has been resampled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soxr

from esc.audio.waveform import to_mono

MARGIN = 128  # samples at the lower rate, on both sides of a stretch: the filter's reach
MOST_STEPS = 1_000  # of a rate in the ratio of both: a stretch begins where a sample of one is a sample of the other
_BLOCK = 1 << 20  # samples resampled at a time


class LazyResampled:
    """A waveform at another rate of which only what is looked at is resampled.

    Its samples are those of `esc.audio.resample` to float32's rounding, since a linear filter that reaches no further than
    `MARGIN` gives the same wherever it is begun; only at the sound's own ends the outermost differ by some hundredths.

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
        """Whether short segments can be had without many samples around them."""
        return max(self._from, self._to) <= MOST_STEPS

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


class ResampledBlocks:
    """Blocks of a sound as mono segments at another rate; joined, they equal `esc.audio.resample` of the whole.

    `seconds` tells how much sound has come in so far.
    """

    def __init__(self, blocks: Iterable[np.ndarray], sample_rate: int, new_rate: int) -> None:
        self._blocks, self._from, self._to = blocks, sample_rate, new_rate
        self._came = 0

    @property
    def seconds(self) -> float:
        return self._came / self._from

    def __iter__(self) -> Iterator[np.ndarray]:
        same = self._from == self._to
        stream = None if same else soxr.ResampleStream(self._from, self._to, 1, dtype="float32", quality="HQ")
        went = 0
        for block in self._blocks:
            mono = to_mono(block)
            self._came += len(mono)
            stretch = mono if same else stream.resample_chunk(mono)
            went += len(stretch)
            yield stretch
        if not same:
            missing = -(-self._came * self._to // self._from) - went  # as long as `resample` makes it
            tail = stream.resample_chunk(np.zeros(0, np.float32), last=True)[:missing]
            yield np.pad(tail, (0, missing - len(tail)))


def resample_to_file(waveform: np.ndarray, sample_rate: int, new_rate: int, path: Path) -> None:
    """Write what `esc.audio.resample` makes of a waveform as raw float32, block by block.

    By plain writes, for a full disk kills whoever writes to a memmap.
    """
    stream = soxr.ResampleStream(sample_rate, new_rate, 1, dtype="float32", quality="HQ")
    with open(path, "wb") as file:
        for start in range(0, len(waveform), _BLOCK):
            block = np.asarray(waveform[start : start + _BLOCK])
            stream.resample_chunk(block, last=start + _BLOCK >= len(waveform)).tofile(file)
        # soxr rounds the length to the nearest; a missing sample becomes a zero
        file.truncate(4 * -(-len(waveform) * new_rate // sample_rate))


def read_segments(waveform: np.ndarray | LazyResampled, starts: np.ndarray, length: int) -> np.ndarray:
    """Return `length` samples from each start on, shape (len(starts), length), zeros where that is beyond the sound's ends."""
    if isinstance(waveform, LazyResampled):
        return waveform.segments(starts, length)
    if isinstance(waveform, np.memmap):
        waveform = waveform.view(np.ndarray)  # to cut this takes a third of the time
    rows = np.zeros((len(starts), length), np.float32)
    for row, start in zip(rows, starts.tolist(), strict=True):
        skip, stop = max(0, -start), min(length, len(waveform) - start)
        if skip < stop:
            row[skip:stop] = waveform[start + skip : start + stop]
    return rows
