"""Building blocks shared by the synthesised sounds.

Levels of noise are in dB relative to white noise of unit variance, levels of tones in dB relative
to an amplitude of 1. Every function that draws random numbers takes its generator as `rng`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

SAMPLE_RATE = 44100
CLIP_SECONDS = 5.0
PEAK_DB = -3.0
FADE_SECONDS = 0.02
HIGHEST_TONE_HZ = 20000.0

Spectrum = Mapping[float, float]
"""Frequency in Hz to level in dB, joined by straight lines over log-frequency."""

ROOM_FLOOR: Spectrum = {20: 4, 60: 0, 250: -8, 1000: -18, 4000: -25, 12000: -30, 17000: -34, 20000: -46}
OUTDOOR_FLOOR: Spectrum = {20: -4, 60: 0, 400: -2, 1500: -9, 5000: -18, 12000: -26, 17000: -32, 20000: -46}


def gain(level_db: ArrayLike) -> np.ndarray:
    """Return the amplitude factor of a level in dB."""
    return 10.0 ** (np.asarray(level_db) / 20.0)


def times_s(seconds: float = CLIP_SECONDS) -> np.ndarray:
    """Return the time of every sample, in seconds."""
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def silence() -> np.ndarray:
    """Return an empty track as long as a clip."""
    return np.zeros(round(CLIP_SECONDS * SAMPLE_RATE))


def spectrum_db(spectrum: Spectrum, freqs_hz: np.ndarray) -> np.ndarray:
    """Return the levels of a spectrum at the given frequencies, in dB."""
    known_hz = sorted(spectrum)
    levels = [spectrum[freq] for freq in known_hz]
    return np.interp(np.log(np.maximum(freqs_hz, 1.0)), np.log(known_hz), levels)


def noise(rng: np.random.Generator, spectrum: Spectrum, seconds: float = CLIP_SECONDS) -> np.ndarray:
    """Return stationary Gaussian noise with the given spectrum."""
    white = rng.standard_normal(times_s(seconds).size)
    freqs_hz = np.fft.rfftfreq(white.size, 1 / SAMPLE_RATE)
    return np.fft.irfft(np.fft.rfft(white) * gain(spectrum_db(spectrum, freqs_hz)), white.size)


def moving_noise(
    rng: np.random.Generator, level_db: Callable[[np.ndarray, np.ndarray], np.ndarray], seconds: float = CLIP_SECONDS
) -> np.ndarray:
    """Return noise whose spectrum moves in time.

    Parameters
    ----------
    level_db
        Takes frequencies in Hz, shape (n_freqs, 1), and times in seconds, shape (n_frames,), and
        returns the level of the noise there, (n_freqs, n_frames).
    """
    white = rng.standard_normal(times_s(seconds).size)
    framing = {"fs": SAMPLE_RATE, "nperseg": 1024, "noverlap": 768}
    freqs_hz, frames_s, stft = signal.stft(white, **framing)
    shaped = stft * gain(level_db(np.maximum(freqs_hz, 10.0)[:, None], frames_s))
    return signal.istft(shaped, **framing)[1][: white.size]


def bandpass(waveform: np.ndarray, low_hz: float, high_hz: float, order: int = 2) -> np.ndarray:
    """Return the waveform between two frequencies (Butterworth)."""
    sos = signal.butter(order, (low_hz, high_hz), "bandpass", fs=SAMPLE_RATE, output="sos")
    return signal.sosfilt(sos, waveform)


def drift(rng: np.random.Generator, rate_hz: float, low: float, high: float, seconds: float = CLIP_SECONDS) -> np.ndarray:
    """Return a smooth random curve between two values that turns about `rate_hz` times a second."""
    time = times_s(seconds)
    knots_s = np.arange(-1, seconds * rate_hz + 2) / rate_hz
    knots = rng.uniform(low, high, knots_s.size)
    place_in_knots = (time - knots_s[0]) * rate_hz
    left = place_in_knots.astype(int)
    blend = 0.5 - 0.5 * np.cos(np.pi * (place_in_knots - left))
    return knots[left] * (1 - blend) + knots[left + 1] * blend


def tone(freq_hz: np.ndarray, harmonics_db: Sequence[float], phase: float = 0.0) -> np.ndarray:
    """Return a tone that follows a frequency curve, with its harmonics.

    Parameters
    ----------
    freq_hz
        Frequency of the fundamental at every sample.
    harmonics_db
        Level of each harmonic, the fundamental first.
    phase
        Spreads the phases of the harmonics, in radians: the larger, the less peaked the wave.
    """
    angle = 2 * np.pi * np.cumsum(freq_hz) / SAMPLE_RATE
    waveform = np.zeros_like(angle)
    for number, level in enumerate(harmonics_db, start=1):
        # What would fold back at the Nyquist frequency is left out.
        audible = np.asarray(freq_hz) * number < HIGHEST_TONE_HZ
        waveform += gain(level) * np.sin(number * angle + number**2 * phase) * audible
    return waveform


def modes(rng: np.random.Generator, freqs_hz: ArrayLike, decays_s: ArrayLike, levels_db: ArrayLike, seconds: float) -> np.ndarray:
    """Return the sum of damped modes of a struck body.

    Parameters
    ----------
    freqs_hz, decays_s, levels_db
        Frequency, time to fall by 60 dB and first level of each mode.
    """
    time = times_s(seconds)
    freqs_hz, decays_s, levels_db = np.broadcast_arrays(freqs_hz, decays_s, levels_db)
    phases = rng.uniform(0, 2 * np.pi, freqs_hz.size)
    waveform = np.zeros_like(time)
    for freq, decay, level, phase in zip(freqs_hz, decays_s, levels_db, phases, strict=True):
        waveform += gain(level - 60 * time / decay) * np.sin(2 * np.pi * freq * time + phase)
    return waveform * np.minimum(1, time / 0.0003)


def burst(rng: np.random.Generator, spectrum: Spectrum, decay_s: float, attack_s: float = 0.0002) -> np.ndarray:
    """Return a burst of noise that falls by 60 dB in `decay_s`."""
    waveform = noise(rng, spectrum, decay_s)
    time = times_s(decay_s)
    return waveform * gain(-60 * time / decay_s) * np.minimum(1, time / attack_s)


def place(track: np.ndarray, event: np.ndarray, start_s: float, level_db: float = 0.0) -> None:
    """Add an event to a track in place; what reaches past either end is cut."""
    start = round(start_s * SAMPLE_RATE)
    event = event[max(0, -start) :]
    start = max(0, start)
    stop = min(track.size, start + event.size)
    if stop > start:
        track[start:stop] += gain(level_db) * event[: stop - start]


def poisson_times(rng: np.random.Generator, rate_hz: float) -> np.ndarray:
    """Return the start times, in seconds, of independent events over a clip."""
    return np.sort(rng.uniform(0, CLIP_SECONDS, rng.poisson(rate_hz * CLIP_SECONDS)))


def reverb(
    rng: np.random.Generator,
    waveform: np.ndarray,
    decay_s: float,
    wet_db: float,
    delay_s: float = 0.008,
    damping_hz: float = 4000.0,
) -> np.ndarray:
    """Return the waveform in a room: diffuse, exponentially decaying, shorter at high frequencies.

    Parameters
    ----------
    decay_s
        Time for the reverberation to fall by 60 dB at low frequencies.
    wet_db
        Level of the reverberation against the direct sound.
    damping_hz
        Frequency at which the decay is half as long.
    """

    def decay_db(freqs_hz, frames_s):
        return -60 * frames_s * (1 + freqs_hz / damping_hz) / decay_s - 3 * np.log2(1 + freqs_hz / damping_hz)

    tail = moving_noise(rng, decay_db, decay_s)
    tail /= np.sqrt(np.sum(tail**2))
    wet = np.concatenate([np.zeros(round(delay_s * SAMPLE_RATE)), signal.fftconvolve(waveform, tail)])
    return waveform + gain(wet_db) * wet[: waveform.size]


def finish(waveform: np.ndarray) -> np.ndarray:
    """Return the clip without rumble, with soft ends, at its peak level."""
    sos = signal.butter(2, 20, "highpass", fs=SAMPLE_RATE, output="sos")
    waveform = signal.sosfilt(sos, waveform)
    fades = signal.windows.tukey(waveform.size, 2 * FADE_SECONDS * SAMPLE_RATE / waveform.size)
    waveform = waveform * fades
    return waveform * gain(PEAK_DB) / np.max(np.abs(waveform))
