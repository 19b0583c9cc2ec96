"""Search for the first clip of a sound that is not silent.

It works block by block, for sounds of any length, with equal results for arrays and files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from esc.audio.resampling import resample
from esc.audio.waveform import MIN_SAMPLES, SILENCE_PEAK, fit_clip, is_silent, to_mono
from esc.errors import AudioError

BLOCK_SAMPLES = 1 << 18  # of an array, converted and resampled together: 6 s at 44.1 kHz
MIN_NAMED_S = 0.05  # shorter sounds are clicks to the network, whatever they are
_STEPS_PER_S = 10  # a clip after silence begins on the tenth of a second before the onset


@dataclass(frozen=True, eq=False)
class Clip:
    """Clip of a sound at the network's sample rate."""

    start_s: float  # within the sound
    samples: np.ndarray  # float32 (n_samples,), mono; padded if the sound is shorter than a clip


class FirstClipSearch:
    """Search for the first clip of a sound that is not silent.

    Parameters
    ----------
    sample_rate : int
        Hz, of the sound.
    clip_rate : int
        Hz, of the clip.
    n_samples : int
        Length of the clip at `clip_rate`.
    """

    def __init__(self, sample_rate: int, clip_rate: int, n_samples: int) -> None:
        self._from, self._to, self._n_samples = sample_rate, clip_rate, n_samples
        self._buffer, self._dropped = np.zeros(0, np.float32), 0  # samples, and the number of dropped ones before them
        self._start = 0  # of the next candidate, at the clip's rate
        self._at_onset = False  # whether the next candidate begins with an onset
        self._offset = 0.0  # constant offset of the silence before it
        self._first: Clip | None = None
        self._found: Clip | None = None

    def take(self, block: np.ndarray) -> bool:
        """Take the next block, (n,) or (channels, n); return whether the clip is found."""
        if self._found is None:
            self._buffer = np.concatenate([self._buffer, to_mono(block)])
            while self._found is None and _reach(self._start + self._n_samples, self._from, self._to) <= self._received:
                self._look(self._start)
        return self._found is not None

    def end(self) -> Clip:
        """Return the clip after the last block; the first one if all is silent.

        Raises AudioError if the sound is too short to be named.
        """
        if self._found is None and self._received < MIN_NAMED_S * self._from:
            raise AudioError("audio.too_short_to_name", ms=1_000 * self._received / self._from, least_ms=1_000 * MIN_NAMED_S)
        last = max(0, -(-self._received * self._to // self._from) - self._n_samples)
        while self._found is None:
            start = min(self._start, last)
            self._look(start)
            if start == last and not self._at_onset:
                self._found = self._found or self._first
        return self._found

    @property
    def _received(self) -> int:
        return self._dropped + len(self._buffer)

    def _look(self, start: int) -> None:
        """Check the candidate at `start`: found, silent, or silent up to an onset."""
        samples = cut_clip(self._buffer, self._from, start, self._to, self._n_samples, self._dropped)
        if is_silent(samples):
            self._first = self._first or Clip(0.0, samples)
            self._start, self._at_onset, self._offset = start + self._n_samples, False, float(samples.mean())
            self._forget(start)
        elif start == 0 or self._at_onset:
            self._found = Clip(start / self._to, samples)
            self._buffer = self._buffer[:0]
        else:
            onset = start + int(np.argmax(np.abs(samples - self._offset) >= SILENCE_PEAK))
            step = self._to // _STEPS_PER_S
            self._start, self._at_onset = onset // step * step, True

    def _forget(self, start: int) -> None:
        """Drop samples that no clip from `start` on needs."""
        begin = max(self._dropped, _begin(start - self._to // _STEPS_PER_S, self._from, self._to))
        self._buffer, self._dropped = self._buffer[begin - self._dropped :], begin


def cut_clip(waveform: np.ndarray, sample_rate: int, start: int, clip_rate: int, n_samples: int, dropped: int = 0) -> np.ndarray:
    """Return a clip of a waveform, resampled, and padded as in training if too short.

    Equals the same samples of the whole waveform after `resample`, up to rounding; exactly the same wherever `waveform`
    begins and ends.

    Parameters
    ----------
    waveform : array, shape (n,) or (channels, n)
    sample_rate : int
        Hz, of `waveform`.
    start : int
        First sample of the clip, at `clip_rate`, from the start of the sound.
    clip_rate : int
        Hz, of the clip.
    n_samples : int
        Length of the clip.
    dropped : int
        Samples of the sound before `waveform`.

    Raises
    ------
    AudioError
        The waveform has fewer than two samples there or an invalid shape.
    """
    begin, end = _begin(start, sample_rate, clip_rate), _reach(start + n_samples, sample_rate, clip_rate)
    at_rate = resample(to_mono(waveform[..., begin - dropped : end - dropped]), sample_rate, clip_rate)
    if len(at_rate) < MIN_SAMPLES:
        raise AudioError("audio.too_short", name="the waveform", samples=len(at_rate), least=MIN_SAMPLES)
    return fit_clip(at_rate[start - begin * clip_rate // sample_rate :], n_samples)


def array_blocks(sound: np.ndarray) -> Iterator[np.ndarray]:
    """Yield blocks of an array; one of invalid shape is passed on, to be refused."""
    if sound.ndim not in (1, 2) or sound.size == 0:
        yield sound
        return
    for start in range(0, sound.shape[-1], BLOCK_SAMPLES):
        yield sound[..., start : start + BLOCK_SAMPLES]


def _begin(start: int, sample_rate: int, clip_rate: int) -> int:
    """Return the first sample needed for a clip from `start` on.

    It is a second earlier, to exclude the resampler's transient, where samples of both rates coincide.
    """
    period = sample_rate // math.gcd(sample_rate, clip_rate)
    return max(0, (start - clip_rate) * sample_rate // clip_rate // period * period)


def _reach(end: int, sample_rate: int, clip_rate: int) -> int:
    """Return the number of samples needed for a clip up to `end`, a second later."""
    return -(-(end + clip_rate) * sample_rate // clip_rate)
