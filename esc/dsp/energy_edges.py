"""Edges of energy near a time: where a sound begins or ends."""

from __future__ import annotations

import numpy as np

from esc.dsp.decibels import AMIN

HOP_S = 0.002
SIDE_S = 0.02  # compared before and after a time
LEAST_DB = 6.0  # a smaller change is no edge
_DEPTH_DB = 60.0  # below the loudest level nearby, nothing counts
_PAD_S = 0.1  # for the filter to settle


def energy_edge(
    waveform: np.ndarray,
    sample_rate: int,
    near_s: float,
    rising: bool,
    reach_s: float,
    band_hz: tuple[float, float] | None = None,
) -> float | None:
    """Return the time of the steepest change of level near a time.

    None if the level hardly changes.

    The mean power of the 20 ms after each time is compared with that of the 20 ms before; beyond its ends a sound is silent.

    Parameters
    ----------
    waveform : float32 array or memmap, shape (n_samples,)
    sample_rate : int
        Hz.
    near_s, reach_s : float
        Times from `near_s - reach_s` to `near_s + reach_s` are searched.
    rising : bool
        Whether the level rises (the begin of a sound) or falls (its end).
    band_hz : (float, float), optional
        Only the energy between two frequencies, by a Butterworth filter of zero phase.
    """
    pad = round((SIDE_S + _PAD_S) * sample_rate)
    begin = round((near_s - reach_s) * sample_rate) - pad
    stop = round((near_s + reach_s) * sample_rate) + pad
    part = np.zeros(stop - begin, np.float64)
    first, last = max(0, begin), min(len(waveform), stop)
    if last <= first:
        return None
    part[first - begin : last - begin] = waveform[first:last]
    power = _in_band(part, sample_rate, band_hz) ** 2
    sums = np.concatenate([[0.0], np.cumsum(power)])
    side, hop = max(1, round(SIDE_S * sample_rate)), max(1, round(HOP_S * sample_rate))
    at = np.arange(pad, len(part) - pad + 1, hop)
    after, before = (sums[at + side] - sums[at]) / side, (sums[at] - sums[at - side]) / side
    floor = max(AMIN, 10 ** (-_DEPTH_DB / 10) * max(after.max(), before.max()))
    change_db = 10 * np.log10(np.maximum(after, floor) / np.maximum(before, floor)) * (1 if rising else -1)
    steepest = int(change_db.argmax())
    if change_db[steepest] < LEAST_DB:
        return None
    return float(min(max(0.0, (begin + at[steepest]) / sample_rate), len(waveform) / sample_rate))


def _in_band(part: np.ndarray, sample_rate: int, band_hz: tuple[float, float] | None) -> np.ndarray:
    if band_hz is None:
        return part
    from scipy.signal import butter, sosfiltfilt  # loads slowly

    low, high = max(band_hz[0], 1.0), min(band_hz[1], 0.499 * sample_rate)
    if low >= high:
        return part
    sections = butter(2, (low, high), "bandpass", fs=sample_rate, output="sos")
    return sosfiltfilt(sections, part)
