"""Synthetic sounds of no class: noise, tones and pseudo-speech."""

from __future__ import annotations

import numpy as np
import scipy

SAMPLE_RATE = 44_100
KINDS = ("noise", "tones", "speech")
_VOWELS_HZ = (  # F1, F2, F3 of adult speakers, rounded from Peterson and Barney (1952)
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
    (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240),
)  # fmt: skip
_WIDTHS_HZ = (60, 90, 150)


def synthesise(kind: str, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a sound, float32 (n_samples,), with a peak from -30 to -6 dBFS."""
    waveform = {"noise": _noise, "tones": _tones, "speech": _speech}[kind](round(seconds * SAMPLE_RATE), rng)
    peak_db = rng.uniform(-30, -6)
    return (10 ** (peak_db / 20) * waveform / np.abs(waveform).max()).astype(np.float32)


def _noise(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise whose power falls by 0 (white) to 6 dB (brown) per octave."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    freqs_hz = np.maximum(np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE), 20.0)
    return np.fft.irfft(spectrum * freqs_hz ** -rng.uniform(0, 1), n_samples)


def _tones(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return one to four tones, steady or gliding, each with up to five harmonics."""
    times_s = np.arange(n_samples) / SAMPLE_RATE
    waveform = np.zeros(n_samples)
    for _ in range(rng.integers(1, 5)):
        freq_hz = 100 * 2 ** rng.uniform(0, 5)
        octaves_a_second = rng.choice([0.0, rng.uniform(-0.3, 0.3)])
        phase = 2 * np.pi * np.cumsum(freq_hz * 2 ** (octaves_a_second * times_s)) / SAMPLE_RATE
        for harmonic in range(1, rng.integers(2, 7)):
            waveform += np.sin(harmonic * phase) / harmonic**2
    return waveform


def _speech(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return meaningless syllables: an optional fricative, a vowel, and occasional pauses."""
    pitch_hz = rng.uniform(90, 230)
    parts, length = [], 0
    while length < n_samples:
        vowel = _vowel(rng.uniform(0.08, 0.25), pitch_hz * rng.uniform(0.85, 1.2), rng)
        fricative = _fricative(rng.uniform(0.03, 0.12), rng) if rng.random() < 0.5 else np.zeros(0)
        pause = np.zeros(round(SAMPLE_RATE * (rng.uniform(0.2, 0.5) if rng.random() < 0.15 else 0.02)))
        parts += [fricative, vowel, pause]
        length += sum(map(len, parts[-3:]))
    waveform = np.concatenate(parts)[:n_samples]
    return waveform + 1e-4 * rng.standard_normal(n_samples)  # background noise: pauses are not digital silence


def _vowel(seconds: float, pitch_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Return glottal pulses of falling pitch, filtered by formants that glide to another vowel's."""
    n_samples = round(seconds * SAMPLE_RATE)
    glide = pitch_hz * np.linspace(1.05, 0.9, n_samples) * (1 + 0.01 * rng.standard_normal())
    cycles = np.cumsum(glide) / SAMPLE_RATE
    pulses = np.diff(np.floor(cycles), prepend=0.0)
    source = scipy.signal.lfilter([1.0], [1.0, -0.97], pulses)  # spectral tilt of the glottis: 6 dB per octave
    begin, end = (np.array(_VOWELS_HZ[rng.integers(len(_VOWELS_HZ))]) for _ in range(2))
    fade = np.linspace(0, 1, n_samples)
    voice = (1 - fade) * _resonances(source, begin) + fade * _resonances(source, end)
    return _faded(voice / np.abs(voice).max())


def _resonances(source: np.ndarray, formants_hz: np.ndarray) -> np.ndarray:
    for freq_hz, width_hz in zip(formants_hz, _WIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * width_hz / SAMPLE_RATE)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * freq_hz / SAMPLE_RATE), radius**2]
        source = scipy.signal.lfilter([sum(poles)], poles, source)
    return source


def _fricative(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a fricative: noise in a band between 2 and 10 kHz."""
    low_hz = rng.uniform(2_000, 5_000)
    band = scipy.signal.butter(4, (low_hz, low_hz + 4_000), "bandpass", fs=SAMPLE_RATE, output="sos")
    return 0.15 * _faded(scipy.signal.sosfilt(band, rng.standard_normal(round(seconds * SAMPLE_RATE))))


def _faded(part: np.ndarray) -> np.ndarray:
    n_fade = min(len(part) // 2, round(0.015 * SAMPLE_RATE))
    rise = np.sin(np.linspace(0, np.pi / 2, n_fade)) ** 2
    return part * np.concatenate([rise, np.ones(len(part) - 2 * n_fade), rise[::-1]])
