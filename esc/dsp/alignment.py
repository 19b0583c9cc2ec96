"""Offset between two sounds by cross-correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from esc.audio.resampling import read_segments
from esc.audio.waveform import inner_product
from esc.dsp.frames import Waveform
from esc.errors import AudioError

MOST_SAMPLES = 2**22  # of both sounds, correlated at once: three minutes at 22050 Hz, half a second
_MOST_BLOCKS = 2**21  # of both envelopes
_REFINED_SAMPLES = 2**20  # of the excerpt that refines an offset of envelopes
_READ_SAMPLES = 2**20


@dataclass(frozen=True)
class Alignment:
    """Offset at which two sounds are most alike."""

    offset_s: float  # time of A at which B begins
    correlation: float  # coefficient of the parts that overlap then, -1 to 1


def align(a: Waveform, b: Waveform, sample_rate: int) -> Alignment:
    """Return the offset of the greatest cross-correlation, to a sample.

    Equals the maximum of `scipy.signal.correlate(a, b)` without their means. Past `MOST_SAMPLES` the envelopes of their power
    are correlated first; the loudest excerpt then gives the sample.

    Parameters
    ----------
    a, b : float32 array, memmap or LazyResampled, shape (n_samples,)
        At `sample_rate`.
    sample_rate : int
        Hz.

    Raises
    ------
    AudioError
        "audio.silent": one of them has no signal.
    """
    if len(a) + len(b) <= MOST_SAMPLES:
        lag = _best_lag(_centred(_read(a, 0, len(a)), "A"), _centred(_read(b, 0, len(b)), "B"))
    else:
        lag = _lag_of_long(a, b)
    return Alignment(lag / sample_rate, _coefficient(a, b, lag))


def _best_lag(a: np.ndarray, b: np.ndarray) -> int:
    """Return the lag at which a[n + lag] is most like b[n]."""
    return int(scipy.signal.correlate(a, b, mode="full", method="fft").argmax()) - (len(b) - 1)


def _lag_of_long(a: Waveform, b: Waveform) -> int:
    block = math.ceil((len(a) + len(b)) / _MOST_BLOCKS)
    power_a, power_b = _envelope(a, block), _envelope(b, block)
    coarse = _best_lag(_centred(power_a, "A"), _centred(power_b, "B")) * block
    first, stop = max(0, -coarse), min(len(b), len(a) - coarse)  # of B, where they overlap
    length = min(_REFINED_SAMPLES, stop - first)
    sums = np.convolve(power_b[first // block : stop // block], np.ones(max(1, length // block)), "valid")
    first += int(sums.argmax()) * block if sums.size else 0
    reach = 2 * block  # envelopes are right to a block
    around = _read(a, first + coarse - reach, length + 2 * reach)
    return coarse - reach + int(scipy.signal.correlate(around, _read(b, first, length), mode="valid", method="fft").argmax())


def _envelope(waveform: Waveform, block: int) -> np.ndarray:
    """Return the mean power of each block of samples, the last one filled with zeros."""
    step = max(1, _READ_SAMPLES // block) * block
    parts = []
    for start in range(0, len(waveform), step):
        size = -(-min(step, len(waveform) - start) // block) * block
        parts.append(np.square(_read(waveform, start, size)).reshape(-1, block).mean(axis=1))
    return np.concatenate(parts)


def _coefficient(a: Waveform, b: Waveform, lag: int) -> float:
    """Return the correlation coefficient of what overlaps, read block by block; 0 without an overlap."""
    first, stop = max(0, -lag), min(len(b), len(a) - lag)
    sums = np.zeros(5)
    for start in range(first, stop, _READ_SAMPLES):
        size = min(_READ_SAMPLES, stop - start)
        x, y = (_read(waveform, at, size).astype(np.float64) for waveform, at in ((a, start + lag), (b, start)))
        sums += x.sum(), y.sum(), inner_product(x, x), inner_product(y, y), inner_product(x, y)
    count = max(1, stop - first)
    mean_x, mean_y, xx, yy, xy = sums / count
    spread = math.sqrt(max(0.0, xx - mean_x**2) * max(0.0, yy - mean_y**2))
    return float((xy - mean_x * mean_y) / spread) if spread > 0 else 0.0


def _centred(samples: np.ndarray, name: str) -> np.ndarray:
    centred = samples - samples.mean(dtype=np.float64).astype(samples.dtype)
    if not np.abs(centred).max(initial=0.0) > 0:
        raise AudioError("audio.silent", name=name)
    return centred


def _read(waveform: Waveform, start: int, length: int) -> np.ndarray:
    return read_segments(waveform, np.array([start]), length)[0]
