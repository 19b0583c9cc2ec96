"""Comparison of two sounds: difference, alignment and loudness against known gains, delays and standards."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import correlate, correlation_lags

import sounds
from esc.audio import resample
from esc.config import LIBROSA, SPEECH, SpectrogramConfig
from esc.dsp import alignment
from esc.dsp.alignment import align
from esc.dsp.loudness import k_weighting, loudness_lufs
from esc.dsp.mfcc import CepstrumConfig
from esc.dsp.spectrogram import mel_power, stft_power
from esc.dsp.tiles import Tile
from esc.errors import AudioError, ParameterError
from esc.views.comparison import Compared, Comparison, compare
from esc.views.spectrogram_view import peak_level_db

RATE = LIBROSA.sample_rate
NOISE = (0.1 * np.random.default_rng(3).standard_normal(3 * RATE)).astype(np.float32)
SIX_DB = np.float32(10 ** (6 / 20))


def compared(waveform: np.ndarray, config: SpectrogramConfig = LIBROSA, source: str = "mel", **options) -> Compared:
    transform = stft_power if source == "stft" else mel_power
    return Compared(waveform, config, peak_level_db(waveform, config, transform), **options)


def difference(a: np.ndarray, b: np.ndarray, source: str = "mel", offset_s: float = 0.0, columns: int = 400) -> Comparison:
    sides = (compared(each, source=source) for each in (a, b))
    return compare(source, *sides, offset_s, Tile(0.0, len(a) / RATE, columns))


@pytest.mark.parametrize("source", ["mel", "stft", "mfcc"])
@pytest.mark.parametrize(
    "waveform", [NOISE, sounds.busy(2.0, RATE), np.zeros(RATE, np.float32)], ids=["noise", "busy", "silence"]
)
def test_difference_with_itself_is_0(source, waveform):
    found = difference(waveform, waveform, source, columns=50)
    assert np.array_equal(found.difference, np.zeros_like(found.a))


@pytest.mark.parametrize("source", ["mel", "stft"])
def test_difference_with_itself_6_db_louder_is_6_db(source):
    louder, softer = difference(SIX_DB * NOISE, NOISE, source), difference(NOISE, SIX_DB * NOISE, source)
    np.testing.assert_allclose(louder.difference, 6.0, atol=2e-3)
    np.testing.assert_allclose(softer.difference, -6.0, atol=2e-3)
    assert louder.a.shape == louder.difference.shape == (len(louder.bounds) - 1, 130)


def test_shift_by_any_number_of_samples_is_exact():
    """B is A from sample 5000 on: no multiple of a hop."""
    found = difference(NOISE, NOISE[5_000:40_000], offset_s=5_000 / RATE)
    times_s = np.arange(found.a.shape[1]) * LIBROSA.hop_length / RATE
    inside = (times_s > 5_000 / RATE + 0.1) & (times_s < 40_000 / RATE - 0.1)  # windows without an edge of B
    np.testing.assert_allclose(found.difference[:, inside], 0.0, atol=1e-3)
    assert inside.sum() > 50
    outside = (times_s < 5_000 / RATE - 0.02) | (times_s > 40_000 / RATE + 0.02)
    assert np.isnan(found.b[:, outside]).all() and np.isnan(found.difference[:, outside]).all()
    assert not np.isnan(found.a).any()


def test_what_neither_shows_makes_no_difference():
    faint = NOISE.copy()
    faint[RATE:] *= 1e-6  # 120 dB below, past the range of 80 dB
    other = faint.copy()
    other[RATE:] *= 0.5
    assert np.all(difference(faint, other).difference[:, 60:] == 0.0)
    against_silence = difference(NOISE, np.zeros_like(NOISE))
    assert 0.0 < against_silence.difference.max() <= LIBROSA.top_db + 1e-3


def test_other_settings_meet_on_the_finer_grid_within_the_bands_of_each():
    waveform = resample(NOISE, RATE, SPEECH.sample_rate)
    found = compare("mel", compared(NOISE), compared(waveform, SPEECH), 0.0, Tile(0.0, 3.0, 2_000))
    assert found.a.shape[1] == SPEECH.n_frames(len(waveform))  # hops of 10 ms instead of 23
    assert found.bounds[0] < 50 and found.bounds[-1] > 10_000
    centres = (found.bounds[:-1] + found.bounds[1:]) / 2
    assert np.isnan(found.b[centres > 8_000]).all() and not np.isnan(found.a).any()
    both = (centres > 100) & (centres < 7_000)
    # power in a band of unit area: variance * (window ** 2).sum() * n_fft / sample_rate; resampling keeps variance / sample_rate
    powers = (np.square(np.hanning(length)).sum() * n_fft for length, n_fft in ((2_048, 2_048), (400, 512)))
    expected_db = 10 * np.log10(next(powers) / next(powers))
    measured = 10 * np.log10(np.mean(10 ** (found.a[both] / 10)) / np.mean(10 ** (found.b[both] / 10)))
    assert measured == pytest.approx(expected_db, abs=1.5)


def test_bounds_of_unequal_rows_rise_and_cover_both():
    a, b = LIBROSA.replace(n_mels=20, fmin=500.0), LIBROSA.replace(n_mels=128, fmax=6_000.0)
    bounds = compare("mel", compared(NOISE, a), compared(NOISE, b), 0.0, Tile(0.0, 1.0, 40)).bounds
    assert all(low < high for low, high in pairwise(bounds))
    inside = bounds[(bounds > 700) & (bounds < 5_500)]
    assert len(inside) > 80  # the finer one's


def test_coefficients_differ_by_none_for_another_gain():
    sides = (compared(gain * NOISE, cepstrum=CepstrumConfig(lifter=22.0)) for gain in (SIX_DB, np.float32(1)))
    found = compare("mfcc", *sides, 0.0, Tile(0.0, 3.0, 400))
    np.testing.assert_allclose(found.difference, 0.0, atol=0.05)  # only coefficient 0, which is not shown, has the level
    assert found.a.shape[0] == LIBROSA.n_mfcc - 1


def test_impossible_comparisons():
    with pytest.raises(ParameterError, match=r"offset of 3\.500 s .* between -3\.000 and 3\.000 s"):
        difference(NOISE, NOISE, offset_s=3.5)
    with pytest.raises(ParameterError, match="no frequency in common"):
        low, high = LIBROSA.replace(fmax=1_000.0), LIBROSA.replace(fmin=2_000.0)
        compare("mel", compared(NOISE, low), compared(NOISE, high), 0.0, Tile(0.0, 1.0, 40))


@pytest.mark.parametrize("delay", [0, 7, 12_345, -20_000])
@pytest.mark.parametrize("most", [2**22, 30_000], ids=["at once", "by envelopes"])
def test_alignment_finds_a_known_delay_as_scipy_does(monkeypatch, delay, most):
    monkeypatch.setattr(alignment, "MOST_SAMPLES", most)
    monkeypatch.setattr(alignment, "_MOST_BLOCKS", 4_000)
    rng = np.random.default_rng(5)
    source = np.concatenate([NOISE[:RATE] * np.hanning(RATE), np.zeros(RATE), NOISE[RATE:] * 0.3]).astype(np.float32)
    silence = np.zeros(abs(delay), np.float32)
    a, b = (np.concatenate([silence, source]), source) if delay >= 0 else (source, np.concatenate([silence, source]))
    b = (0.25 * b + 0.001 * rng.standard_normal(len(b))).astype(np.float32)
    found = align(a, b, RATE)
    lags = correlation_lags(len(a), len(b))
    assert found.offset_s == pytest.approx(lags[correlate(a - a.mean(), b - b.mean()).argmax()] / RATE, abs=1e-6)
    assert found.offset_s == pytest.approx(delay / RATE, abs=1e-3)
    assert 0.7 < found.correlation <= 1.0


def test_alignment_refuses_silence_and_sees_unlike_sounds():
    with pytest.raises(AudioError, match="B is silent"):
        align(NOISE, np.full(RATE, 0.5, np.float32), RATE)
    assert abs(align(NOISE[:RATE], NOISE[RATE:], RATE).correlation) < 0.5
    assert align(NOISE, NOISE, RATE).correlation == pytest.approx(1.0, abs=1e-6)


def test_loudness_by_the_standard():
    """EBU Tech 3341's first cases, in one channel, and the tables of BS.1770."""
    assert loudness_lufs(sounds.tone(997.0, 5.0, 48_000, amplitude=1.0), 48_000) == pytest.approx(-3.01, abs=0.01)
    quiet = sounds.tone(1_000.0, 20.0, 48_000, amplitude=10 ** (-23 / 20))
    assert loudness_lufs(quiet, 48_000) == pytest.approx(-26.01, abs=0.05)
    soft = quiet[: 48_000 * 10] * np.float32(10 ** (-13 / 20))  # case 3: -36 dB for 10 s, -23 dB for 60 s, and again
    gated = np.concatenate([soft, quiet, quiet, quiet, soft])
    assert loudness_lufs(gated, 48_000) == pytest.approx(-26.01, abs=0.1)
    shelf, high_pass = k_weighting(48_000)
    np.testing.assert_allclose(
        shelf, [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585], atol=1e-8
    )
    np.testing.assert_allclose(high_pass[3:], [1.0, -1.99004745483398, 0.99007225036621], atol=1e-8)


@pytest.mark.parametrize("rate", [1_000, 16_000, 384_000])
def test_loudness_at_any_rate_and_of_short_and_silent_sounds(rate):
    loud = sounds.tone(200.0, 1.0, rate)
    assert loudness_lufs(2 * loud, rate) == pytest.approx(loudness_lufs(loud, rate) + 20 * np.log10(2), abs=1e-6)
    assert loudness_lufs(loud[: rate // 20], rate) == pytest.approx(loudness_lufs(loud, rate), abs=1.5)
    assert loudness_lufs(np.zeros(rate, np.float32), rate) is None
