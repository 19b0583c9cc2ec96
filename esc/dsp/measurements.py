"""Figures of a selection: levels and peak of a stretch of time in a band of frequencies, and its mean spectrum.

A selection may be as long as the sound. Memory is bounded as in `esc.views.spectrogram_view`; time by `MAX_FFT_VALUES`:
of more frames than that allows, evenly spaced ones are taken, and the figures say how many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.frames import CHUNK_VALUES, Transform, frames_between, power_frames
from esc.dsp.spectrogram import AMIN, power_to_level, stft_power
from esc.errors import ParameterError

MAX_FFT_VALUES = 2**26  # n_fft * frames: 12 minutes at librosa's defaults, some two seconds on two cores
_BLOCK = 1 << 20  # samples read at a time
_BIN_EPS = 1e-6  # of a bin: a frequency that was computed from a bin's number still finds that bin


@dataclass(frozen=True)
class BoxFigures:
    """What the STFT holds between two times and two frequencies.

    Attributes
    ----------
    mean_db : float
        dB of the mean power over all frames and bins of the box, over `config.db_ref`.
    peak_db : float
        dB of the loudest single value, as it stands in the picture.
    peak_hz : float or None
        Its frequency, finer than the bins: the top of the parabola through the levels in dB of the bin and its two
        neighbours (Smith, "Spectral Audio Signal Processing", quadratic interpolation of peaks). A steady tone that
        stands alone is met to 0.03 bins with a tapered window, to 0.2 bins with "boxcar" unless n_fft exceeds
        win_length. The bin's own frequency where a neighbour outside the box is louder. None in silence.
    peak_s : float or None
        The centre of its frame. None in silence.
    n_frames : int
        Frames whose centres lie in the box, at least one: the nearest to its middle.
    measured : int
        How many of them the figures are made of; fewer than `n_frames` past `MAX_FFT_VALUES`.
    n_bins : int
        Bins that lie in the box, at least one: the nearest to its middle.
    """

    mean_db: float
    peak_db: float
    peak_hz: float | None
    peak_s: float | None
    n_frames: int
    measured: int
    n_bins: int


@dataclass(frozen=True)
class Loudness:
    """Root mean square and greatest magnitude of a stretch of the waveform; 1.0 is full scale."""

    rms: float
    peak: float
    n_samples: int


def measure_box(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    low_hz: float | None = None,
    high_hz: float | None = None,
) -> BoxFigures:
    """Return the figures of the STFT in a box of time and frequency.

    Parameters
    ----------
    waveform : float32 array or memmap, shape (n_samples,)
        At `config.sample_rate`.
    config : SpectrogramConfig
        Its STFT parameters.
    start_s, end_s : float
        Seconds, clamped to the sound.
    low_hz, high_hz : float, optional
        Hz, 0 to half the sample rate; left out: all frequencies.

    Raises
    ------
    ParameterError
        A time or a frequency is not possible.
    """
    frames = frames_between(waveform, config, start_s, end_s)
    low, high = _bins_between(config, low_hz, high_hz)
    taken = _affordable(frames, config)
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
    heard = peak_power > AMIN
    return BoxFigures(
        mean_db=_decibels(total / (n_bins * len(taken)), config),
        peak_db=_decibels(peak_power, config),
        peak_hz=(peak_bin + _top_of_parabola(peak_levels)) * config.sample_rate / config.n_fft if heard else None,
        peak_s=peak_frame * config.hop_length / config.sample_rate if heard else None,
        n_frames=len(frames),
        measured=len(taken),
        n_bins=n_bins,
    )


def mean_spectrum(
    waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float, transform: Transform = stft_power
) -> np.ndarray:
    """Return the mean power of the frames between two times, float64, shape (n_freqs,), or (n_mels,) by `mel_power`.

    Times are clamped to the sound; the same time twice gives the one frame that is nearest. Longer stretches than
    `MAX_FFT_VALUES` allows are sampled evenly.
    """
    taken = _affordable(frames_between(waveform, config, start_s, end_s), config)
    return sum(power.sum(axis=1, dtype=np.float64) for _, power in _chunks(waveform, config, taken, transform)) / len(taken)


def peak_of(power: np.ndarray, config: SpectrogramConfig) -> tuple[float, float] | None:
    """Return where a spectrum of STFT bins is loudest, in Hz by the parabola of `BoxFigures`, and its bin's dB.

    None in silence.
    """
    loudest = int(power.argmax())
    if power[loudest] <= AMIN:
        return None
    top = loudest + _top_of_parabola(_with_neighbours(power, loudest))
    return top * config.sample_rate / config.n_fft, _decibels(float(power[loudest]), config)


def measure_waveform(waveform: np.ndarray, sample_rate: int, start_s: float, end_s: float) -> Loudness:
    """Return RMS and peak of the samples between two times, block by block: an hour is read, not held."""
    first, stop = samples_between(len(waveform), sample_rate, start_s, end_s)
    squares, peak = 0.0, 0.0
    for begin in range(first, stop, _BLOCK):
        block = np.asarray(waveform[begin : min(begin + _BLOCK, stop)], dtype=np.float64)
        squares += float(block @ block)
        peak = max(peak, float(np.abs(block).max()))
    return Loudness(rms=math.sqrt(squares / (stop - first)), peak=peak, n_samples=stop - first)


def samples_between(n_samples: int, sample_rate: int, start_s: float, end_s: float) -> tuple[int, int]:
    """Return the first sample and the one after the last of a stretch of time, at least one sample within the sound."""
    first = min(max(0, round(start_s * sample_rate)), n_samples - 1)
    return first, min(max(first + 1, round(end_s * sample_rate)), n_samples)


def _bins_between(config: SpectrogramConfig, low_hz: float | None, high_hz: float | None) -> tuple[int, int]:
    """Return the first and the last bin between two frequencies, or twice the one nearest to their middle."""
    nyquist = config.sample_rate / 2
    low_hz, high_hz = 0.0 if low_hz is None else low_hz, nyquist if high_hz is None else high_hz
    for field, value, least in (("low_hz", low_hz, 0.0), ("high_hz", high_hz, low_hz)):
        number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < least or (field == "low_hz" and value > nyquist):
            raise ParameterError("parameter.range", field=field, value=value, low=least, high=nyquist)
    bins_a_hz = config.n_fft / config.sample_rate
    low = math.ceil(low_hz * bins_a_hz - _BIN_EPS)
    high = min(math.floor(high_hz * bins_a_hz + _BIN_EPS), config.n_freqs - 1)
    if low > high:
        low = high = min(round((low_hz + min(high_hz, nyquist)) / 2 * bins_a_hz), config.n_freqs - 1)
    return low, high


def _affordable(frames: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    """Return the frames, or as many of them as `MAX_FFT_VALUES` allows: the middles of equal parts."""
    most = max(1, MAX_FFT_VALUES // config.n_fft)
    return frames if len(frames) <= most else frames[(2 * np.arange(most) + 1) * len(frames) // (2 * most)]


def _chunks(
    waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, transform: Transform
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    at_a_time = max(1, CHUNK_VALUES // config.n_freqs)
    for begin in range(0, len(frames), at_a_time):
        numbers = frames[begin : begin + at_a_time]
        yield numbers, power_frames(waveform, config, numbers, transform).numpy()


def _with_neighbours(power: np.ndarray, bin_: int) -> np.ndarray:
    """Return a bin between its two neighbours; at either end of the axis the spectrum is its own mirror image."""
    last = len(power) - 1
    return power[[abs(bin_ - 1), bin_, last - abs(last - bin_ - 1)]].astype(np.float64)


def _top_of_parabola(three: np.ndarray) -> float:
    """Return how far from the middle one, in bins, the parabola through three powers in dB has its top."""
    left, middle, right = np.log(np.maximum(three, AMIN))
    if middle < max(left, right) or left == middle == right:
        return 0.0
    return float(0.5 * (left - right) / (left - 2 * middle + right))


def _decibels(power: float, config: SpectrogramConfig) -> float:
    return float(power_to_level(torch.tensor(power, dtype=torch.float64), config))
