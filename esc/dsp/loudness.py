"""Loudness in LUFS, by ITU-R BS.1770-4 and its gates."""

from __future__ import annotations

import math

import numpy as np
import scipy

_OFFSET_DB = -0.691  # so that a sine of 997 Hz at full scale in one channel has -3.01 LUFS
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_STEP_S, _STEPS_A_BLOCK = 0.1, 4
_SHELF_HZ, _SHELF_DB, _SHELF_Q, _SHELF_EXPONENT = 1681.974450955533, 3.999843853973347, 0.7071752369554196, 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
_LEAST_RATE = 8_000  # below it the shelf lies beyond what there is
_READ_STEPS = 100  # ten seconds at a time


def loudness_lufs(waveform: np.ndarray, sample_rate: int) -> float | None:
    """Return the integrated loudness of a mono waveform, None below -70 LUFS.

    Sounds shorter than a block of 0.4 s are one block.

    Parameters
    ----------
    waveform : float32 array or memmap, shape (n_samples,)
        Read block by block.
    sample_rate : int
        Hz.
    """
    step = max(1, round(_STEP_S * sample_rate))
    sections = k_weighting(sample_rate)
    state = np.zeros((len(sections), 2))
    powers = []
    for start in range(0, len(waveform), step * _READ_STEPS):
        excerpt = np.asarray(waveform[start : start + step * _READ_STEPS], np.float64)
        weighted, state = scipy.signal.sosfilt(sections, excerpt, zi=state)
        whole = len(weighted) // step * step
        powers.append(np.square(weighted[:whole]).reshape(-1, step).mean(axis=1))
    steps = np.concatenate(powers)
    if len(steps) < _STEPS_A_BLOCK:
        steps = np.full(_STEPS_A_BLOCK, np.square(weighted).mean())
    blocks = np.convolve(steps, np.full(_STEPS_A_BLOCK, 1 / _STEPS_A_BLOCK), mode="valid")
    audible = blocks[blocks > _power(_ABSOLUTE_GATE)]
    if not audible.size:
        return None
    gated = audible[audible > _power(_lufs(audible.mean()) + _RELATIVE_GATE)]
    return _lufs(gated.mean())


def k_weighting(sample_rate: int) -> np.ndarray:
    """Return the two second-order sections of the K-weighting at any rate, as for `scipy.signal.sosfilt`.

    At 48 kHz those of the standard's tables; at other rates their analogue prototypes by the bilinear transform.
    """
    k, q = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate), _HIGH_PASS_Q
    norm = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm]
    if sample_rate < _LEAST_RATE:
        return np.array([high_pass])
    k, q, gain = math.tan(math.pi * _SHELF_HZ / sample_rate), _SHELF_Q, 10 ** (_SHELF_DB / 20)
    middle, norm = gain**_SHELF_EXPONENT, 1 + k / q + k * k
    above = [(gain + middle * k / q + k * k) / norm, 2 * (k * k - gain) / norm, (gain - middle * k / q + k * k) / norm]
    return np.array([[*above, 1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm], high_pass])


def _lufs(power: float) -> float:
    return _OFFSET_DB + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return 10 ** ((lufs - _OFFSET_DB) / 10)
