"""Sliding windows: equality with single clips, bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

import sounds
from esc.audio.io import open_audio
from esc.audio.resampling import resample
from esc.audio.waveform import fit_clip, is_silent
from esc.classification.classifier import Classifier, Outputs
from esc.classification.first_clip import BLOCK_SAMPLES
from esc.classification.predictions import SILENCE
from esc.classification.timeline.sliding_window import BATCH, windows
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, ParameterError

RATE, CLIP = 44_100, 5 * 44_100


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def varied() -> np.ndarray:
    """24.3 s of sounds that differ from second to second, at 44.1 kHz."""
    return np.concatenate([sounds.busy(2.7, seed=seed) for seed in range(9)])


@pytest.fixture
def shown(classifier, monkeypatch) -> list[np.ndarray]:
    """The pictures that the network is given, as they come."""
    pictures: list[np.ndarray] = []
    answer = classifier.outputs

    def note(spectrograms_db: torch.Tensor) -> Outputs:
        pictures.extend(spectrograms_db.numpy())
        return answer(spectrograms_db)

    monkeypatch.setattr(classifier, "outputs", note)
    return pictures


# windows


@pytest.mark.parametrize("hop_s", [5.0, 2.5, 1.7])
def test_window_equals_single_clip(classifier, varied, shown, hop_s):
    results = list(windows(classifier, varied, RATE, hop_s))
    config = classifier.checkpoint.spectrogram
    for result, picture in zip(results, list(shown), strict=True):  # a copy: the network is asked again below
        piece = varied[round(result.start_s * RATE) :][:CLIP]
        assert np.array_equal(picture, clip_mel_db(classifier.clip(piece, RATE), config).numpy())
        alone = classifier.predict(piece, RATE, top_k=3)
        assert result.verdict == alone.verdict
        for label, probability in alone.top:
            assert result.probabilities[classifier.class_names.index(label)] == pytest.approx(probability, abs=1e-5)


@pytest.mark.parametrize("hop_s", [5.0, 2.5, 1.7])
def test_window_grid_and_end(classifier, varied, hop_s):
    results = list(windows(classifier, varied, RATE, hop_s))
    seconds = len(varied) / RATE
    starts = [result.start_s for result in results]
    assert starts[:-1] == pytest.approx([hop_s * index for index in range(len(results) - 1)], abs=1 / RATE)
    assert starts[-1] == pytest.approx(seconds - 5.0)
    assert results[-1].end_s == pytest.approx(seconds)
    assert 0 < starts[-1] - starts[-2] <= hop_s
    assert all(result.end_s - result.start_s == pytest.approx(5.0) for result in results)


@pytest.mark.parametrize("n_clips", [1, 2])
def test_whole_number_of_clips(classifier, varied, n_clips):
    results = list(windows(classifier, varied[: n_clips * CLIP], RATE, 5.0))
    assert [(result.start_s, result.end_s) for result in results] == [(5.0 * i, 5.0 * i + 5.0) for i in range(n_clips)]


def test_short_sound_is_one_padded_window(classifier, varied, shown):
    (only,) = windows(classifier, varied[:RATE], RATE)
    assert (only.start_s, only.end_s) == (0.0, 1.0)
    assert np.array_equal(shown[0], clip_mel_db(fit_clip(varied[:RATE], CLIP), classifier.checkpoint.spectrogram).numpy())


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_other_rates_equal_resampled_sound(classifier, shown, rate):
    sound = sounds.busy(13.3, rate)
    results = list(windows(classifier, sound, rate, 5.0))
    whole = resample(sound, rate, RATE)
    assert results[-1].end_s <= len(sound) / rate
    assert results[-1].end_s == pytest.approx(len(sound) / rate, abs=1 / RATE)
    asked = [result for result in results if result.probabilities is not None]
    for result, picture in zip(asked, shown, strict=True):
        start = len(whole) - CLIP if result is results[-1] else round(result.start_s * RATE)
        expected = clip_mel_db(whole[start : start + CLIP], classifier.checkpoint.spectrogram).numpy()
        np.testing.assert_allclose(picture, expected, atol=1e-3)


@pytest.mark.slow
def test_blocks_arrays_and_memory_maps_are_equal(classifier, varied, tmp_path):
    path = sounds.write(tmp_path / "varied.wav", varied, RATE, "FLOAT")
    mapped = np.memmap(tmp_path / "varied.f32", np.float32, "w+", shape=varied.shape)
    mapped[:] = varied
    facts, blocks = open_audio(path)
    stereo = np.stack([varied, varied])
    ragged = np.split(varied, [1, 5, 100_000, 100_000, BLOCK_SAMPLES + 7])
    results = [
        [(result.start_s, result.end_s, result.verdict, *result.probabilities) for result in windows(classifier, sound, RATE)]
        for sound in (varied, mapped, stereo, (block for block in ragged if len(block)), blocks)
    ]
    assert all(result == results[0] for result in results[1:])
    assert facts.n_samples == len(varied)


def test_silence_skips_the_network(classifier, varied, shown):
    sound = np.concatenate([varied[:CLIP], np.full(2 * CLIP, 0.1, np.float32), varied[:CLIP]])
    assert is_silent(sound[CLIP : 3 * CLIP])
    results = list(windows(classifier, sound, RATE, 5.0))
    assert [result.verdict == SILENCE for result in results] == [False, True, True, False]
    assert [result.probabilities is None for result in results] == [False, True, True, False]
    assert len(shown) == 2


def test_results_before_the_end_of_input(classifier, varied):
    asked = 0

    def blocks():
        nonlocal asked
        for _ in range(100):
            asked += 1
            yield varied[:CLIP]

    results = windows(classifier, blocks(), RATE, 5.0)
    assert asked == 0
    next(results)
    assert asked == BATCH
    results.close()
    assert asked == BATCH


def test_memory_is_constant(classifier):
    block = np.zeros(BLOCK_SAMPLES, np.float32)  # silent, so that this takes no time
    peaks = []
    for n_blocks in (20, 200):  # 2 and 20 minutes, the latter 210 MB
        tracemalloc.start()
        results = sum(1 for _ in windows(classifier, (block for _ in range(n_blocks)), RATE, 5.0))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert results == -(-n_blocks * BLOCK_SAMPLES // CLIP)
    assert peaks[1] < peaks[0] + 1_000_000
    assert peaks[1] < 40_000_000


@pytest.mark.parametrize("hop_s", [0.0, 0.05, -1.0, 5.1, float("nan"), float("inf")])
def test_hop_limits(classifier, varied, hop_s):
    with pytest.raises(ParameterError, match="hop_seconds"):
        windows(classifier, varied, RATE, hop_s)


def test_invalid_sounds(classifier):
    with pytest.raises(ParameterError, match="sample_rate"):
        windows(classifier, np.zeros(9, np.float32), 0)
    for sound, key in (
        (np.zeros(0, np.float32), "audio.shape"),
        (np.zeros((1, 2, 3), np.float32), "audio.shape"),
        (np.zeros(1, np.float32), "audio.too_short"),
        (iter(()), "audio.too_short"),
    ):
        with pytest.raises(AudioError) as caught:
            list(windows(classifier, sound, RATE))
        assert caught.value.key == key
