"""Classification of intervals: padded, averaged, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import sounds
from esc.classification.classifier import Classifier
from esc.classification.intervals import MAX_CLIPS, IntervalSearch, classify_clips, interval_clips, interval_from
from esc.classification.predictions import SILENCE, UNKNOWN, UNSURE
from esc.errors import AudioError, ParameterError

RATE = 44_100


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def varied() -> np.ndarray:
    """16 s of sounds that differ from second to second."""
    return np.concatenate([sounds.busy(4.0, seed=seed) for seed in range(4)])


@pytest.mark.parametrize("end_s", [6.5, 10.0])
def test_interval_up_to_a_clip_equals_the_sound_alone(classifier, varied, end_s):
    clips = interval_clips(classifier, varied, RATE, 5.0, end_s)
    found = classify_clips(classifier, clips)
    alone = classifier.predict(varied[5 * RATE : round(end_s * RATE)], RATE)
    assert (found.start_s, found.verdict, found.top) == (5.0, alone.verdict, alone.top)
    np.testing.assert_array_equal(found.clip, alone.clip)


def test_longer_interval_is_the_mean_of_its_clips(classifier, varied):
    clips = interval_clips(classifier, varied, RATE, 3.0, 13.5)
    assert [clip.start_s for clip in clips] == pytest.approx(np.linspace(3.0, 8.5, 4))
    found = classify_clips(classifier, clips, 50)
    each = [dict(classifier.predict(varied, RATE, 50, clip.start_s).top) for clip in clips]
    for label, probability in found.top:
        assert probability == pytest.approx(np.mean([one[label] for one in each]), abs=1e-3)
    best = max(range(4), key=lambda index: each[index][found.top[0][0]])
    assert found.start_s == clips[best].start_s
    assert found.verdict in (found.top[0][0], UNKNOWN, UNSURE)


def test_long_and_silent_intervals(classifier, varied):
    hour = np.zeros(600 * RATE, np.float32)
    clips = interval_clips(classifier, hour, RATE, 0.0, 600.0)
    assert len(clips) == MAX_CLIPS and clips[-1].start_s == 595.0
    assert classify_clips(classifier, clips).verdict == SILENCE
    hour[300 * RATE : 316 * RATE] = varied
    sounding = interval_clips(classifier, hour, RATE, 290.0, 326.0)
    assert 300 - 5 < classify_clips(classifier, sounding).start_s < 316, "silence is not averaged"


@pytest.mark.parametrize(
    ("rate", "seconds", "start_s", "end_s"),
    [
        (8_000, 700.0, 3.21, 690.0), (8_000, 700.0, None, 700.0008), (8_001, 420.0, 0.5, 420.0),
        (8_000, 30.0, 2.0, 29.0), (8_000, 10.0, None, 10.0008), (8_000, 9.0, 5.5, None),
    ],
)  # fmt: skip
def test_block_by_block_equals_the_whole_and_keeps_only_clips(classifier, rng, rate, seconds, start_s, end_s):
    sound = rng.uniform(-0.5, 0.5, (2, round(seconds * rate))).astype(np.float32)
    search = IntervalSearch(classifier, rate, start_s, end_s, "a")
    for at in range(0, sound.shape[1], 100_003):
        search.take(sound[:, at : at + 100_003])
    interval, clips = search.end()
    assert interval == interval_from(classifier, sound.shape[1], rate, start_s, end_s)
    expected = interval_clips(classifier, sound, rate, *interval)
    assert [clip.start_s for clip in clips] == [clip.start_s for clip in expected]
    for clip, same in zip(clips, expected, strict=True):
        np.testing.assert_allclose(clip.samples, same.samples, atol=1e-6)
    kept = sum(len(samples) // 4 for *_, samples in search._kept)
    assert kept <= (MAX_CLIPS if len(clips) == MAX_CLIPS else 30 / 5) * (5 + 4.3) * rate


def test_interval_beyond_the_end_of_a_file(classifier):
    search = IntervalSearch(classifier, 8_000, 0.0, 700.0, "a")
    search.take(np.zeros(690 * 8_000, np.float32))
    with pytest.raises(ParameterError, match="end_s"):
        search.end()


@pytest.mark.parametrize(("start_s", "end_s"), [(-1.0, 2.0), (3.0, 2.0), (2.0, 17.0), (float("nan"), 2.0)])
def test_interval_outside_the_sound(classifier, varied, start_s, end_s):
    with pytest.raises(ParameterError, match="_s"):
        interval_clips(classifier, varied, RATE, start_s, end_s)


def test_interval_of_no_samples(classifier, varied):
    with pytest.raises(AudioError, match="interval"):
        interval_clips(classifier, varied, RATE, 2.0, 2.0)
