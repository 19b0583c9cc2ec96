"""First clip that is not silent: equal for arrays, blocks and files."""

from __future__ import annotations

import numpy as np
import pytest

import sounds
from esc.audio.io import open_audio
from esc.audio.resampling import resample
from esc.audio.waveform import fit_clip
from esc.batch.file_classification import classify_file
from esc.batch.options import BatchOptions
from esc.classification.classifier import Classifier
from esc.classification.first_clip import BLOCK_SAMPLES, FirstClipSearch
from esc.classification.predictions import SILENCE
from esc.classification.saliency.maps import explain
from esc.classification.similarity import SoundIndex
from esc.errors import AudioError

RATE, CLIP = 44_100, 5 * 44_100


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def after(silence_s: float, sound: np.ndarray, rate: int = RATE) -> np.ndarray:
    return np.concatenate([np.zeros(round(silence_s * rate), np.float32), sound])


@pytest.mark.parametrize(
    ("silence_s", "begins_s"), [(0.0, 0.0), (4.9, 0.0), (5.0, 5.0), (7.34, 7.3), (12.02, 12.0), (61.99, 61.9)]
)
@pytest.mark.parametrize("offset", [0.0, 0.01])
def test_clip_begins_with_onset_after_silence(classifier, silence_s, begins_s, offset):
    sound = after(silence_s, sounds.busy(9.0))
    clip = classifier.first_clip(sound + np.float32(offset), RATE)
    assert clip.start_s == pytest.approx(begins_s)
    np.testing.assert_array_equal(clip.samples, (sound + np.float32(offset))[round(begins_s * RATE) :][:CLIP])


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_clip_at_other_rates_equals_resampled_sound(classifier, rate):
    sound = after(8.25, sounds.busy(6.5, rate), rate)
    clip = classifier.first_clip(sound, rate)
    # a resampler rings a little before an onset, so the search may find it a moment early
    assert 8.1 <= clip.start_s <= 8.3
    whole = resample(sound, rate, RATE)
    np.testing.assert_allclose(clip.samples, whole[round(clip.start_s * RATE) :][:CLIP], atol=1e-4)


@pytest.mark.parametrize("sound_s", [0.5, 3.0, 4.99])
def test_clip_ends_with_the_sound(classifier, sound_s):
    sound = after(11.0, sounds.busy(sound_s))
    clip = classifier.first_clip(sound, RATE)
    assert clip.start_s == pytest.approx(6.0 + sound_s, abs=1 / RATE)
    np.testing.assert_array_equal(clip.samples, sound[-CLIP:])


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_arrays_blocks_and_channels_are_identical(classifier, rate):
    sound = after(13.0, sounds.busy(7.0, rate), rate)
    ragged = np.split(sound, [1, 5, 100_000, BLOCK_SAMPLES + 7, len(sound) - 3])
    clips = [classifier.first_clip(one, rate) for one in (sound, np.stack([sound, sound]), iter(ragged), iter([sound]))]
    assert len({clip.start_s for clip in clips}) == 1
    for clip in clips:
        np.testing.assert_array_equal(clip.samples, clips[0].samples)
        np.testing.assert_array_equal(clip.samples, classifier.clip(sound, rate, clip.start_s))


@pytest.mark.parametrize("seconds", [0.7, 5.0, 13.0])
def test_silent_sound(classifier, seconds):
    sound = np.full(round(seconds * RATE), 0.25, np.float32)  # a constant offset makes no sound
    clip = classifier.first_clip(sound, RATE)
    assert (clip.start_s, len(clip.samples)) == (0.0, CLIP)
    assert classifier.predict(sound, RATE).verdict == SILENCE


def test_short_and_empty_sounds(classifier):
    short = sounds.busy(1.0)
    np.testing.assert_array_equal(classifier.first_clip(short, RATE).samples, fit_clip(short, CLIP))
    with pytest.raises(AudioError, match="too short to name"):
        classifier.first_clip(short[:1], RATE)


def test_only_needed_blocks_are_read(classifier):
    read = []

    def blocks():
        for second in range(60):
            read.append(second)
            yield sounds.busy(1.0, seed=second)

    classifier.first_clip(blocks(), RATE)
    assert len(read) == 6  # the clip, and a second for the resampler's edge


def test_same_clip_in_predict_and_files(classifier, tmp_path):
    path = sounds.write(tmp_path / "late.wav", after(8.5, sounds.busy(7.0)), RATE, "FLOAT")
    facts, blocks = open_audio(path)
    waveform = np.concatenate(list(blocks))
    expected = classifier.predict(waveform, facts.sample_rate)
    assert expected.verdict != SILENCE and expected.start_s == pytest.approx(8.5)
    for task in (BatchOptions(timeline=True), BatchOptions(timeline=False)):
        result = classify_file(path, classifier, task)
        assert (result.top, result.verdict, result.clip_start_s) == (expected.top, expected.verdict, expected.start_s)
    (mark,) = classify_file(path, classifier, BatchOptions()).events
    assert (mark.start_s, mark.end_s) == (pytest.approx(8.5), pytest.approx(13.5))
    assert explain(classifier, waveform, RATE).prediction.top[:5] == expected.top
    index, refused = SoundIndex.of_files(classifier, [path])
    assert not refused and index.nearest(classifier.embedding(waveform[round(8.5 * RATE) :], RATE))[0].same


def test_too_short_to_name():
    search = FirstClipSearch(44_100, 44_100, 220_500)
    search.take(np.full(2_204, 0.5, np.float32))  # 49.98 ms
    with pytest.raises(AudioError) as caught:
        search.end()
    assert caught.value.key == "audio.too_short_to_name"
    search.take(np.full(1, -0.5, np.float32))
    assert search.end().start_s == 0.0
