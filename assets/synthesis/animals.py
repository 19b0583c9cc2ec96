"""Voices of animals in their surroundings."""

import numpy as np

from .blocks import (
    OUTDOOR_FLOOR,
    SAMPLE_RATE,
    Spectrum,
    bandpass,
    drift,
    gain,
    moving_noise,
    noise,
    place,
    reverb,
    silence,
    spectrum_db,
    times_s,
    tone,
)


def crickets(rng: np.random.Generator) -> np.ndarray:
    """Return the chorus of a warm night, and a field cricket some way off."""
    track = silence()
    time = times_s(0.022)
    for chirp_s in np.arange(0.12, 4.9, 0.36):
        for pulse in range(4):
            # Each closing of the wings sounds one pulse, slightly falling in pitch.
            glide_hz = 4650 * (1 + rng.normal(0, 0.002)) - 4500 * time
            wing = tone(glide_hz, (0, -28, -36, -44)) * np.sin(np.pi * time / time[-1]) ** 1.3
            start_s = chirp_s + 0.031 * pulse + rng.normal(0, 0.001)
            place(track, wing, start_s, (-9, -7.5, -6, -8.5)[pulse])
    chorus = silence()
    singers = ((4100, 11, -21), (5600, 17, -18), (7000, 23, -20), (8600, 14, -25))
    for freq_hz, rate_hz, level in singers:
        trill = np.clip(np.sin(2 * np.pi * rate_hz * times_s() + rng.uniform(0, 6)), 0, 1) ** 0.7
        band: Spectrum = {freq_hz / 1.7: -60, freq_hz / 1.15: -16, freq_hz: 0, freq_hz * 1.15: -16, freq_hz * 1.7: -60}
        chorus += gain(level) * noise(rng, band) * (0.35 + trill) * gain(drift(rng, 1, -2, 2))
    night = 0.045 * noise(rng, OUTDOOR_FLOOR)
    return gain(-20) * reverb(rng, track, 0.7, -6) + gain(6) * chorus + night


def syllable(contour_khz: tuple[float, ...], seconds: float) -> np.ndarray:
    """Return one whistled syllable that glides through the given frequencies."""
    time = times_s(seconds)
    knots_s = np.linspace(0, seconds, len(contour_khz))
    freq_hz = 1000 * np.interp(time, knots_s, contour_khz)
    smooth = np.hanning(max(3, round(0.2 * time.size)))
    padded = np.pad(freq_hz, smooth.size, mode="edge")
    freq_hz = np.convolve(padded, smooth / smooth.sum(), "same")[smooth.size : -smooth.size]
    return tone(freq_hz, (0, -36, -48)) * np.sin(np.pi * np.clip(time / seconds, 0, 1)) ** 0.6


def chirping_birds(rng: np.random.Generator) -> np.ndarray:
    """Return a songbird in front, a second one answering, and a wood around them."""
    song = silence()
    phrases = (
        (0.25, 4, 0.145, (3.1, 5.4, 4.2), 0.095),
        (0.88, 7, 0.068, (6.6, 4.1), 0.045),
        (1.42, 2, 0.210, (4.4, 5.6, 3.4, 4.9), 0.170),
        (2.45, 3, 0.160, (5.2, 3.3, 5.9), 0.110),
        (2.98, 9, 0.055, (4.2, 5.9), 0.036),
        (3.58, 2, 0.230, (3.0, 4.6, 6.4, 4.0), 0.190),
        (4.30, 4, 0.120, (5.9, 3.6), 0.080),
    )
    for start_s, count, gap_s, contour_khz, seconds in phrases:
        for index in range(count):
            shift = 1 + rng.normal(0, 0.015) - 0.012 * index
            note = syllable(tuple(f * shift for f in contour_khz), seconds)
            place(song, note, start_s + gap_s * index + rng.normal(0, 0.004), -6 + rng.normal(0, 1.5))
    answer = silence()
    for start_s in (0.05, 1.95, 2.15, 2.35, 4.0, 4.2):
        place(answer, syllable((2.4, 2.9, 2.3), 0.14), start_s, -22)
        place(answer, syllable((7.4, 6.3, 7.6), 0.10), start_s + 0.31, -24)
    leaves = 0.045 * noise(rng, OUTDOOR_FLOOR) * gain(drift(rng, 1.5, -1.5, 1.5))
    return reverb(rng, song, 1.2, -13, 0.02, 5000) + reverb(rng, answer, 1.6, -5, 0.04, 4000) + leaves


def caw(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Return one caw: a rough, arched voice through the resonances of a crow's tract."""
    time = times_s(seconds)
    arch = np.sin(np.pi * np.clip(time / seconds, 0, 1)) ** 0.5
    rough = 1 + 0.04 * bandpass(rng.standard_normal(time.size), 40, 160) / 0.07
    freq_hz = (430 + 130 * arch - 60 * time / seconds) * rough
    voice = tone(freq_hz, [-2.0 * k for k in range(36)], rng.uniform(0, 6))
    breath = 0.25 * rng.standard_normal(time.size)
    source = (voice + breath) * (1 + 0.5 * np.sin(2 * np.pi * 95 * time))
    tract: Spectrum = {100: -45, 400: -24, 900: -8, 1400: 0, 2000: -4, 2800: -9, 4500: -16, 8000: -24, 14000: -34, 20000: -60}
    freqs_hz = np.fft.rfftfreq(source.size, 1 / SAMPLE_RATE)
    formed = np.fft.irfft(np.fft.rfft(source) * gain(spectrum_db(tract, freqs_hz)), source.size)
    return formed * np.minimum(1, np.minimum(time / 0.03, (seconds - time) / 0.06))


def crow(rng: np.random.Generator) -> np.ndarray:
    """Return a crow that caws from a tree in the open."""
    track = silence()
    for start_s, seconds, level in ((0.5, 0.34, -2), (1.15, 0.36, 0), (1.82, 0.33, -1), (3.3, 0.38, 0), (3.98, 0.35, -2)):
        place(track, caw(rng, seconds), start_s, level)
    track /= np.max(np.abs(track))

    def air_db(freqs_hz, frames_s):
        return spectrum_db(OUTDOOR_FLOOR, freqs_hz) - 27 + 1.5 * np.sin(2.1 * frames_s)

    return reverb(rng, track, 0.9, -12, 0.03, 2500) + moving_noise(rng, air_db)
