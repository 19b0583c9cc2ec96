"""The views beside the mel spectrogram: STFT, MFCC and waveform, against librosa and NumPy."""

import itertools

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc.config import LIBROSA, NOTEBOOK, PRESETS
from esc.dsp.axes import MAX_ROWS, mel_bounds_hz, stft_bounds_hz
from esc.dsp.spectrogram import mel_db, stft_power
from esc.dsp.tiles import Tile
from esc.views.mfcc_view import mfcc_at, mfcc_view
from esc.views.spectrogram_view import peak_level_db, stft_level_at, stft_view
from esc.views.waveform_view import wave_view


@pytest.fixture(scope="module")
def sound():
    rng = np.random.default_rng(5)
    times = np.arange(3 * LIBROSA.sample_rate) / LIBROSA.sample_rate
    tone = 0.3 * np.sin(2 * np.pi * 1000 * times) * (times > 1)
    return (tone + 0.01 * rng.standard_normal(len(times))).astype(np.float32)


def librosa_stft_db(sound, config):
    stft = librosa.stft(
        sound, n_fft=config.n_fft, win_length=config.win_length, hop_length=config.hop_length, window=config.window
    )
    return librosa.power_to_db(np.abs(stft) ** 2, ref=config.db_ref, top_db=config.top_db)


def test_stft_levels_are_librosas_to_half_a_step(sound):
    view = stft_view(sound, LIBROSA, Tile(0.0, 3.0, 2000))
    shown_db = view.low_db + view.levels / 255.0 * (view.high_db - view.low_db)
    np.testing.assert_allclose(shown_db, librosa_stft_db(sound, LIBROSA), atol=LIBROSA.top_db / 510 + 0.01)


def test_stft_rows_keep_the_loudest_of_their_bins(sound):
    config = NOTEBOOK.replace(sample_rate=LIBROSA.sample_rate, fmax=11_000.0)
    view = stft_view(sound, config, Tile(0.0, 3.0, 4000))
    assert len(view.levels) <= MAX_ROWS < config.n_freqs
    bounds = stft_bounds_hz(config)
    assert len(bounds) == len(view.levels) + 1
    assert bounds[0] == 0
    assert bounds[-1] == config.sample_rate / 2
    assert np.all(np.diff(bounds) > 0)
    loudest = view.levels[:, -20].argmax()
    assert bounds[loudest] <= 1000 <= bounds[loudest + 1]
    assert view.levels.max() == 255  # no bin is lost to the rows


def test_each_stft_bin_lies_in_its_row():
    bounds = stft_bounds_hz(LIBROSA)
    bins = np.arange(LIBROSA.n_freqs) * LIBROSA.sample_rate / LIBROSA.n_fft
    assert np.all(bounds[:-1] <= bins)
    assert np.all(bins <= bounds[1:])


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_mel_rows_meet_between_their_centres(config):
    centres = librosa.mel_frequencies(config.n_mels + 2, fmin=config.fmin, fmax=config.fmax, htk=config.mel_scale == "htk")[1:-1]
    bounds = mel_bounds_hz(config)
    assert np.all(bounds[:-1] < centres)
    assert np.all(centres < bounds[1:])


def test_mfcc_levels_are_librosas_coefficients(sound):
    high_db = peak_level_db(sound, LIBROSA)
    view = mfcc_view(sound, LIBROSA, Tile(0.0, 3.0, 2000), high_db)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=sound, sr=22_050), ref=1.0, top_db=80)
    expected = librosa.feature.mfcc(S=mel, n_mfcc=LIBROSA.n_mfcc)[1:]
    shown = view.low_db + view.levels / 255.0 * (view.high_db - view.low_db)
    np.testing.assert_allclose(shown, expected, atol=(view.high_db - view.low_db) / 510 + 0.01)


def test_mfcc_columns_are_means(sound):
    high_db = peak_level_db(sound, LIBROSA)
    every = mfcc_view(sound, LIBROSA, Tile(0.0, 3.0, 2000), high_db, (-100.0, 100.0))
    few = mfcc_view(sound, LIBROSA, Tile(0.0, 3.0, 20), high_db, (-100.0, 100.0))
    edges = np.arange(21) * every.n_frames // 20
    means = np.stack([every.levels[:, a:b].mean(axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    np.testing.assert_allclose(few.levels, means, atol=1.0)


def test_exact_figures(sound):
    frame = 100
    time_s = frame * LIBROSA.hop_length / LIBROSA.sample_rate
    high_db = peak_level_db(sound, LIBROSA, stft_power)
    row = round(1000 * LIBROSA.n_fft / LIBROSA.sample_rate)
    assert stft_level_at(sound, LIBROSA, time_s, 1000, high_db) == pytest.approx(
        librosa_stft_db(sound, LIBROSA)[row, frame], abs=0.01
    )
    mel_high = peak_level_db(sound, LIBROSA)
    expected = librosa.feature.mfcc(S=mel_db(sound, LIBROSA).numpy(), n_mfcc=LIBROSA.n_mfcc)[:, frame]
    np.testing.assert_allclose(mfcc_at(sound, LIBROSA, time_s, mel_high), expected, atol=3e-3)


def test_no_peak_of_the_wave_is_lost(sound):
    clicks = sound.copy()
    clicks[[12_345, 40_000]] = 0.99, -0.98
    low, high, rms = wave_view(clicks, 22_050, Tile(0.0, 3.0, 50))
    assert (low.min(), high.max()) == (np.float32(-0.98), np.float32(0.99))
    edges = np.arange(51) * len(clicks) // 50
    expected = [np.sqrt(np.mean(clicks[a:b].astype(float) ** 2)) for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(rms, expected, rtol=1e-5)


def test_close_up_the_wave_is_its_samples(sound):
    low, high, _ = wave_view(sound, 22_050, Tile(1.0, 1.01, 900))
    np.testing.assert_array_equal(low, sound[22_050 : 22_050 + 221])
    np.testing.assert_array_equal(low, high)


@given(
    start=st.floats(0, 2.99),
    span=st.floats(1e-5, 3),
    columns=st.integers(1, 3_000),
    peak=st.integers(0, 3 * 22_050 - 1),
    up=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_no_zoom_loses_a_peak(start, span, columns, peak, up):
    sound = np.zeros(3 * 22_050, np.float32)
    sound[peak] = 0.9 if up else -0.9
    low, high, rms = wave_view(sound, 22_050, Tile(start, start + span, columns))
    first = min(int(np.floor(start * 22_050)), len(sound) - 1)
    last = min(max(first + 1, int(np.ceil((start + span) * 22_050))), len(sound))
    assert len(low) == len(high) == len(rms) == min(columns, last - first)
    seen = first <= peak < last
    assert (low.min(), high.max()) == (sound[first:last].min(), sound[first:last].max())
    assert max(-low.min(), high.max()) == (np.float32(0.9) if seen else 0)
    if seen:
        edges = first + np.arange(len(low) + 1) * (last - first) // len(low)
        column = np.searchsorted(edges, peak, side="right") - 1
        assert np.flatnonzero(rms).tolist() == [column]  # in its own column, and no other
