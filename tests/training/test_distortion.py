"""Distortions against direct formulas, SciPy and librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from scipy.signal import oaconvolve, welch

from training.augmentation import distortion

RATE = 44_100


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def waveform(rng):
    return (0.1 * rng.standard_normal(RATE)).astype(np.float32)


def test_lower_sample_rate_removes_the_band_above(waveform):
    lower = distortion.lower_sample_rate(waveform, RATE, 8_000)
    freqs_hz, density = welch(lower, RATE, nperseg=4_096)
    assert lower.shape == waveform.shape and lower.dtype == np.float32
    assert density[freqs_hz > 4_400].max() < 1e-6 * density[(freqs_hz > 100) & (freqs_hz < 3_000)].mean()


def test_band_pass_slopes_by_db_per_octave(waveform):
    filtered = distortion.band_pass(waveform, RATE, 1_000, 4_000, 12)
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(filtered)) / np.abs(np.fft.rfft(waveform)))
    np.testing.assert_allclose(gain_db[[500, 2_000, 8_000, 16_000]], [-12, 0, -12, -24], atol=0.01)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_colored_noise_density(rng, exponent):
    noise = distortion.colored_noise(10 * RATE, RATE, exponent, rng)
    freqs_hz, density = welch(noise, RATE, nperseg=8_192)
    middle = (freqs_hz > 200) & (freqs_hz < 10_000)
    slope = np.polyfit(np.log(freqs_hz[middle]), np.log(density[middle]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.05)
    assert np.mean(noise**2) == pytest.approx(1.0, rel=1e-3)


def test_noise_at_10_db_snr(waveform, rng):
    noise = distortion.add_noise(waveform, RATE, 10, 0, rng) - waveform
    assert np.mean(waveform**2) / np.mean(noise**2) == pytest.approx(10.0, rel=1e-3)


def test_silence_has_no_snr(rng):
    silence = np.zeros(1_000, np.float32)
    np.testing.assert_array_equal(distortion.mix_at_snr(silence, np.ones(1_000, np.float32), 10), silence)


def test_room_impulse_response_decays_60_db_in_rt60(rng):
    response = distortion.room_impulse_response(RATE, 0.6, None, rng)
    left = np.cumsum(response[::-1] ** 2)[::-1]  # Schroeder's backward integration
    fall_db = 10 * np.log10(left[RATE // 10 * 3] / left[0])
    assert fall_db == pytest.approx(-30.0, abs=1.0)
    assert left[0] == pytest.approx(1.0, rel=1e-4)


def test_direct_to_reverberant_ratio(rng):
    response = distortion.room_impulse_response(RATE, 0.6, 6.0, rng)
    assert 10 * np.log10(response[0] ** 2 / np.sum(response[1:] ** 2)) == pytest.approx(6.0, abs=0.1)


def test_reverberation_equals_scipy_convolution(waveform):
    response = distortion.room_impulse_response(RATE, 0.3, 0.0, np.random.default_rng(1))
    reverberant = distortion.reverberate(waveform, RATE, 0.3, 0.0, np.random.default_rng(1))
    np.testing.assert_allclose(reverberant, oaconvolve(waveform, response)[:RATE], atol=1e-5)


def test_clipping_12_db_below_the_peak():
    np.testing.assert_allclose(distortion.clip_peaks(np.float32([1.0, -1.0, 0.1]), 12), [0.2512, -0.2512, 0.1], atol=1e-4)


def test_quantization_to_16_bits():
    amplified = distortion.amplify(np.float32([1.0, 0.5]), -20, 16)
    np.testing.assert_array_equal(amplified * 32_768, [3_277, 1_638])


@pytest.mark.parametrize("codec", distortion.CODECS)
@pytest.mark.parametrize("compression", [0.5, 1.0])
def test_codecs_keep_length_and_a_tone(codec, compression):
    tone = 0.5 * librosa.tone(1_000, sr=RATE, duration=1.0).astype(np.float32)
    decoded = distortion.encode(tone, RATE, codec, compression)
    spectrum = np.abs(np.fft.rfft(decoded[8_000:36_000] * np.hanning(28_000)))
    assert decoded.shape == tone.shape
    assert np.fft.rfftfreq(28_000, 1 / RATE)[spectrum.argmax()] == pytest.approx(1_000, abs=5)


def test_loudest_excerpt_contains_the_event(rng):
    waveform = np.zeros(RATE, np.float32)
    waveform[30_000:30_100] = 1.0
    for _ in range(20):
        assert distortion.loudest_excerpt(waveform, 5_000, rng).sum() == 100
