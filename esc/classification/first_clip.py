"""A sound's opening: its first clip or, where that is silent, the one that begins with the first sound; it gives the headline.

Looked for block by block, so that a sound of any length will do, and the same whether it comes as an array or from a file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from esc.audio.waveform import MIN_SAMPLES, SILENCE_PEAK, fit_clip, is_silent, resample, to_mono
from esc.errors import AudioError

BLOCK_SAMPLES = 1 << 18  # samples of an array that are converted and resampled at a time: 6 s at 44.1 kHz
_STEPS_PER_S = 10  # an opening begins on a tenth of a second, so that the onset is in it and the time reads well


@dataclass(frozen=True, eq=False)
class Clip:
    """A piece of a sound, as the network is given it.

    Attributes
    ----------
    start_s : float
        Where it begins in the sound, in seconds.
    samples : float32 array, shape (n_samples,)
        Mono, at the checkpoint's rate; a sound shorter than a clip is padded.
    """

    start_s: float
    samples: np.ndarray


class FirstClipSearch:
    """The search for a sound's opening.

    Parameters
    ----------
    sample_rate : int
        Hz, of the sound.
    rate : int
        Hz, of the clip.
    n_samples : int
        Length of the clip, at `rate`.
    """

    def __init__(self, sample_rate: int, rate: int, n_samples: int) -> None:
        self._from, self._to, self._n_samples = sample_rate, rate, n_samples
        self._kept, self._before = np.zeros(0, np.float32), 0  # samples of the sound, and how many were dropped before them
        self._start = 0  # where to look next, at the clip's rate
        self._sounds = False  # whether a sound begins there
        self._level = 0.0  # what silence lies around, up to there
        self._first: Clip | None = None
        self._found: Clip | None = None

    def take(self, block: np.ndarray) -> bool:
        """Look at the next block, (n,) or (channels, n); return whether the opening is found and no more is needed."""
        if self._found is None:
            self._kept = np.concatenate([self._kept, to_mono(block)])
            while self._found is None and _reach(self._start + self._n_samples, self._from, self._to) <= self._came:
                self._look(self._start)
        return self._found is not None

    def end(self) -> Clip:
        """Return the opening, now that no more blocks come; the first clip of a sound that is silent as a whole.

        Raises AudioError where the sound is too short for a spectrum.
        """
        last = max(0, -(-self._came * self._to // self._from) - self._n_samples)
        while self._found is None:
            start = min(self._start, last)
            self._look(start)
            if start == last and not self._sounds:
                self._found = self._found or self._first
        return self._found

    @property
    def _came(self) -> int:
        return self._before + len(self._kept)

    def _look(self, start: int) -> None:
        """Judge the clip that begins at `start`: it is the opening, is silent, or a sound begins somewhere in it."""
        samples = cut_clip(self._kept, self._from, start, self._to, self._n_samples, self._before)
        if is_silent(samples):
            self._first = self._first or Clip(0.0, samples)
            self._start, self._sounds, self._level = start + self._n_samples, False, float(samples.mean())
            self._forget(start)
        elif start == 0 or self._sounds:
            self._found = Clip(start / self._to, samples)
            self._kept = self._kept[:0]
        else:
            onset = start + int(np.argmax(np.abs(samples - self._level) >= SILENCE_PEAK))
            step = self._to // _STEPS_PER_S
            self._start, self._sounds = onset // step * step, True

    def _forget(self, start: int) -> None:
        """Drop the samples that no clip from `start` on needs."""
        begin = max(self._before, _begin(start - self._to // _STEPS_PER_S, self._from, self._to))
        self._kept, self._before = self._kept[begin - self._before :], begin


def cut_clip(waveform: np.ndarray, sample_rate: int, start: int, rate: int, n_samples: int, before: int = 0) -> np.ndarray:
    """Return a clip of a waveform at another rate, padded as in training where the waveform is shorter.

    Equal to what `resample` of the whole waveform gives there, up to rounding, and the same to the last bit wherever the
    waveform at hand begins and ends.

    Parameters
    ----------
    waveform : array, shape (n,) or (channels, n)
    sample_rate : int
        Hz, of `waveform`.
    start : int
        First sample of the clip, counted at `rate` from the start of the sound.
    rate : int
        Hz, of the clip.
    n_samples : int
        Of the clip.
    before : int
        Samples of the sound that lie before `waveform`.

    Raises
    ------
    AudioError
        The waveform has fewer than two samples there or another shape.
    """
    begin, end = _begin(start, sample_rate, rate), _reach(start + n_samples, sample_rate, rate)
    at_rate = resample(to_mono(waveform[..., begin - before : end - before]), sample_rate, rate)
    if len(at_rate) < MIN_SAMPLES:
        raise AudioError("audio.too_short", name="the waveform", samples=len(at_rate), least=MIN_SAMPLES)
    return fit_clip(at_rate[start - begin * rate // sample_rate :], n_samples)


def array_blocks(sound: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a sound's array cut along its samples; an unfit one goes on as it is, to be refused with its shape."""
    if sound.ndim not in (1, 2) or sound.size == 0:
        yield sound
        return
    for start in range(0, sound.shape[-1], BLOCK_SAMPLES):
        yield sound[..., start : start + BLOCK_SAMPLES]


def _begin(start: int, sample_rate: int, rate: int) -> int:
    """Return the first sample that a clip from `start` on needs.

    A second more keeps the resampler's edge out; it is begun where samples of both rates coincide.
    """
    together = sample_rate // math.gcd(sample_rate, rate)
    return max(0, (start - rate) * sample_rate // rate // together * together)


def _reach(end: int, sample_rate: int, rate: int) -> int:
    """Return how many samples a clip up to `end` needs, with a second more for the resampler's edge."""
    return -(-(end + rate) * sample_rate // rate)
