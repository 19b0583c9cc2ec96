"""Segments of a sound at another rate, against soxr's resampling of the whole."""

import numpy as np
import pytest
import soundfile

from esc.audio.resampling import LazyResampled, read_segments, resample
from esc.config import LIBROSA
from esc.dsp.tiles import Tile
from esc.ui.sessions import decoding
from esc.ui.sessions import sound_store as store_module
from esc.views.spectrogram_view import mel_view

EDGE = 64  # samples at the sound's ends that may differ


@pytest.fixture(scope="module")
def busy():
    sound = np.random.default_rng(0).standard_normal(150_000).astype(np.float32) * 0.2
    sound[50_000] = 0.9
    return sound


@pytest.mark.parametrize("rates", [(44_100, 22_050), (44_100, 16_000), (48_000, 22_050), (8_000, 44_100), (96_000, 8_000)])
@pytest.mark.parametrize("length", [1, 100, 2_048])
def test_segments_equal_the_whole(busy, rates, length):
    whole, glance = resample(busy, *rates), LazyResampled(busy, *rates)
    assert glance.efficient
    assert len(glance) == len(whole)
    starts = np.linspace(EDGE, len(whole) - length - EDGE, 9).astype(int)
    np.testing.assert_allclose(glance.segments(starts, length), read_segments(whole, starts, length), atol=2e-6)


def test_segments_beyond_the_ends(busy):
    glance = LazyResampled(busy, 44_100, 22_050)
    starts = np.array([-5_000, -50, len(glance) - 50, len(glance) + 10])
    rows = glance.segments(starts, 100)
    expected = read_segments(resample(busy, 44_100, 22_050), starts, 100)
    np.testing.assert_array_equal(rows == 0.0, expected == 0.0)
    assert (expected == 0.0).sum(axis=1).tolist() == [100, 50, 50, 100]


def test_inefficient_rates(busy):
    assert not LazyResampled(busy, 44_100, 22_049).efficient


def test_a_long_sound_is_seen_before_it_is_resampled(busy, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MEMORY_SECONDS", 1.0)
    soundfile.write(tmp_path / "a.wav", busy, 44_100, "FLOAT")
    store = store_module.SoundStore(tmp_path / "samples", tmp_path / "playable")
    sound = store.open(store.new_session("en").token, tmp_path / "a.wav", "a")
    glance = store.lazy_waveform(sound, 22_050)
    assert isinstance(glance, LazyResampled)
    assert isinstance(store.lazy_waveform(sound, 22_049), np.memmap)  # not handy: made at once
    store.resample_later(sound, 22_050).result()
    whole = store.lazy_waveform(sound, 22_050)
    assert isinstance(whole, np.memmap)
    before, after = (mel_view(waveform, LIBROSA, Tile(0.0, 4.0, 500)) for waveform in (glance, whole))
    inner = slice(3, -3)  # frames without the sound's ends
    assert np.abs(before.levels[:, inner].astype(int) - after.levels[:, inner]).max() <= 1  # a rounding
    assert before.high_db == pytest.approx(after.high_db, abs=1e-3)


def test_a_sound_that_cannot_be_resampled_is_seen_all_the_same(busy, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MEMORY_SECONDS", 1.0)
    soundfile.write(tmp_path / "a.wav", busy, 44_100, "FLOAT")
    store = store_module.SoundStore(tmp_path / "samples", tmp_path / "playable")
    sound = store.open(store.new_session("en").token, tmp_path / "a.wav", "a")
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 1)
    store.resample_later(sound, 22_050).result()
    assert isinstance(store.lazy_waveform(sound, 22_050), LazyResampled)
