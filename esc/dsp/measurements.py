"""Measurements of a selection: levels, peak, mean spectrum.

Time and memory are bounded for any length: past `MAX_FFT_VALUES`, evenly spaced frames are measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from esc.audio.waveform import inner_product
from esc.config import SpectrogramConfig
from esc.dsp.decibels import AMIN, power_to_level_db
from esc.dsp.frames import CHUNK_VALUES, Transform, Waveform, evenly_sampled, frames_between, power_frames
from esc.dsp.spectrogram import stft_power
from esc.errors import check_range

MAX_FFT_VALUES = 2**26  # n_fft * frames: 12 minutes at librosa's defaults, some two seconds on two cores
_BLOCK = 1 << 20  # samples read at a time
_MAX_HZ = 1e6  # a selection may reach beyond half the sample rate
_BIN_EPS = 1e-6  # of a bin: a frequency computed from a bin's number still finds that bin


@dataclass(frozen=True)
class BoxMeasurements:
    """Levels and peak of the STFT between two times and two frequencies.

    The peak's frequency is interpolated quadratically from the levels of its bin and the two neighbours (Smith, "Spectral
    Audio Signal Processing"): within 0.03 bins of a single steady tone with a tapered window, within 0.2 bins with
    "boxcar" unless n_fft exceeds win_length. It is the bin's own where a neighbour outside the box is louder.
    """

    mean_db: float  # of the mean power over all frames and bins of the box, over `config.db_ref`, which is not "max"
    peak_db: float  # of the loudest single value
    peak_hz: float | None  # None in silence
    peak_s: float | None  # centre of its frame; None in silence
    n_frames: int  # centred in the box, at least the one nearest to its middle
    measured: int  # frames that were computed; fewer than `n_frames` past `MAX_FFT_VALUES`
    n_bins: int  # in the box, at least the one nearest to its middle


@dataclass(frozen=True)
class WaveformLevels:
    """Root mean square and peak of a part of a waveform; 1.0 is full scale."""

    rms: float
    peak: float
    n_samples: int


def measure_box(
    waveform: Waveform,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    low_hz: float | None = None,
    high_hz: float | None = None,
) -> BoxMeasurements:
    """Return the levels and peak of the STFT in a time and frequency range.

    Parameters
    ----------
    waveform : float32 array or memmap, shape (n_samples,)
        At `config.sample_rate`.
    config : SpectrogramConfig
        Its STFT parameters.
    start_s, end_s : float
        Seconds, clamped to the sound.
    low_hz, high_hz : float, optional
        Hz, the lower one at most half the sample rate; left out: all frequencies.

    Raises
    ------
    ParameterError
        A time or a frequency is not possible.
    """
    frames = frames_between(waveform, config, start_s, end_s)
    low, high = _bins_between(config, low_hz, high_hz)
    taken = evenly_sampled(frames, MAX_FFT_VALUES // config.n_fft)
    total, peak_power, peak_frame, peak_levels = 0.0, -1.0, 0, np.zeros(3)
    peak_bin = low
    for numbers, power in _chunks(waveform, config, taken, stft_power):
        box = power[low : high + 1]
        total += float(box.sum(dtype=np.float64))
        row, column = np.unravel_index(int(box.argmax()), box.shape)
        if box[row, column] > peak_power:
            peak_power, peak_bin, peak_frame = float(box[row, column]), low + int(row), int(numbers[column])
            peak_levels = _with_neighbours(power[:, column], peak_bin)
    n_bins = high - low + 1
    audible = peak_power > AMIN
    return BoxMeasurements(
        mean_db=float(power_to_level_db(total / (n_bins * len(taken)), config)),
        peak_db=float(power_to_level_db(peak_power, config)),
        peak_hz=(peak_bin + _top_of_parabola(peak_levels)) * config.sample_rate / config.n_fft if audible else None,
        peak_s=peak_frame * config.hop_length / config.sample_rate if audible else None,
        n_frames=len(frames),
        measured=len(taken),
        n_bins=n_bins,
    )


def mean_spectrum(
    waveform: Waveform, config: SpectrogramConfig, start_s: float, end_s: float, transform: Transform = stft_power
) -> np.ndarray:
    """Return the mean power spectrum between two times, float64.

    Shape (n_freqs,), or (n_mels,) with `mel_power`. Times are clamped to the sound; the same time twice gives the nearest frame.
    """
    taken = evenly_sampled(frames_between(waveform, config, start_s, end_s), MAX_FFT_VALUES // config.n_fft)
    sums = [power.sum(axis=1, dtype=np.float64) for _, power in _chunks(waveform, config, taken, transform)]
    return np.sum(sums, axis=0) / len(taken)


def peak_of(power: np.ndarray, config: SpectrogramConfig) -> tuple[float, float] | None:
    """Return a spectrum's interpolated peak in Hz and its bin's dB; None in silence."""
    loudest = int(power.argmax())
    if power[loudest] <= AMIN:
        return None
    top = loudest + _top_of_parabola(_with_neighbours(power, loudest))
    return top * config.sample_rate / config.n_fft, float(power_to_level_db(power[loudest], config))


def measure_waveform(waveform: np.ndarray, sample_rate: int, start_s: float, end_s: float) -> WaveformLevels:
    """Return RMS and peak of the samples between two times, read block by block."""
    first, stop = samples_between(len(waveform), sample_rate, start_s, end_s)
    squares, peak = 0.0, 0.0
    for begin in range(first, stop, _BLOCK):
        block = waveform[begin : min(begin + _BLOCK, stop)]
        squares += inner_product(block, block)
        peak = max(peak, float(np.abs(block).max()))
    return WaveformLevels(rms=math.sqrt(squares / (stop - first)), peak=peak, n_samples=stop - first)


def samples_between(n_samples: int, sample_rate: int, start_s: float, end_s: float) -> tuple[int, int]:
    """Return the slice bounds of the samples between two times, at least one."""
    first = min(max(0, round(start_s * sample_rate)), n_samples - 1)
    return first, min(max(first + 1, round(end_s * sample_rate)), n_samples)


def _bins_between(config: SpectrogramConfig, low_hz: float | None, high_hz: float | None) -> tuple[int, int]:
    """Return the first and last bin between two frequencies, at least one bin."""
    nyquist = config.sample_rate / 2
    low_hz, high_hz = 0.0 if low_hz is None else low_hz, nyquist if high_hz is None else high_hz
    check_range("low_hz", low_hz, 0.0, nyquist)
    check_range("high_hz", high_hz, low_hz, _MAX_HZ)
    bins_a_hz = config.n_fft / config.sample_rate
    low = math.ceil(low_hz * bins_a_hz - _BIN_EPS)
    high = min(math.floor(high_hz * bins_a_hz + _BIN_EPS), config.n_freqs - 1)
    if low > high:
        low = high = min(round((low_hz + min(high_hz, nyquist)) / 2 * bins_a_hz), config.n_freqs - 1)
    return low, high


def _chunks(
    waveform: Waveform, config: SpectrogramConfig, frames: np.ndarray, transform: Transform
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    at_a_time = max(1, CHUNK_VALUES // config.n_freqs)
    for begin in range(0, len(frames), at_a_time):
        numbers = frames[begin : begin + at_a_time]
        yield numbers, power_frames(waveform, config, numbers, transform).numpy()


def _with_neighbours(power: np.ndarray, bin_: int) -> np.ndarray:
    """Return a bin's power between its neighbours', mirrored at the ends of the axis."""
    last = len(power) - 1
    return power[[abs(bin_ - 1), bin_, last - abs(last - bin_ - 1)]].astype(np.float64)


def _top_of_parabola(three: np.ndarray) -> float:
    """Return the vertex of the parabola through three levels, in bins."""
    left, middle, right = np.log(np.maximum(three, AMIN))
    if middle < max(left, right) or left == middle == right:
        return 0.0
    return float(0.5 * (left - right) / (left - 2 * middle + right))
