"""Segments: literal values, edges at changes of level, silence, real sounds."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import torch

import sounds
from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import Calibration
from esc.classification.confidence.scores import CELL_TEMPERATURE, cell_probabilities
from esc.classification.predictions import SILENCE, UNSURE, Activity, WindowResult
from esc.classification.timeline.event_summary import silent_intervals, uncertain_intervals
from esc.classification.timeline.segments import Segment, segments
from esc.classification.timeline.sliding_window import windows
from esc.errors import ParameterError

RATE, CLIP = 44_100, 5 * 44_100
NAMES = ("dog", "cat", "rain")
WIDE = 1.0  # uncertainty of an edge without a change of level


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def window(start_s: float, end_s: float, *probabilities: float, activity: Activity | None = None) -> WindowResult:
    if not probabilities:
        return WindowResult(start_s, end_s, SILENCE, None)
    row = np.array(probabilities, np.float32)
    return WindowResult(start_s, end_s, NAMES[row.argmax()], row, activity)


def activity(start_s: float, dog: list[float], levels_db: np.ndarray | float = -40.0, silent: object = ()) -> Activity:
    """Return the activity of a window of 5 s, in which a dog has a probability every half second."""
    cells = np.stack([dog, np.zeros(10), 1 - np.array(dog)], axis=1).astype(np.float32)
    quiet = np.zeros(50, bool)
    quiet[list(silent)] = True
    return Activity(start_s, cells, 0.5, np.broadcast_to(np.float32(levels_db), (500,)), 0.01, quiet)


def test_consecutive_segments():
    results = [window(0, 5, 0.9, 0.1, 0), window(5, 10, 0.7, 0.3, 0), window(10, 15, 0, 0.1, 0.8)]
    assert segments(results, NAMES, 0.5, 0.4) == (
        Segment("dog", 0.0, 10.0, pytest.approx(0.8), WIDE),
        Segment("rain", 10.0, 15.0, pytest.approx(0.8), WIDE),
    )


def test_overlapping_windows_are_averaged():
    results = [window(0, 4, 0.8, 0.1, 0.1), window(2, 6, 0.4, 0.6, 0)]
    # 0-2 s: dog 0.8; 2-4 s: dog 0.6, cat 0.35; 4-6 s: dog 0.4, cat 0.6
    assert segments(results, NAMES, 0.5, 0.5) == (
        Segment("dog", 0.0, 4.0, pytest.approx(0.7), WIDE),
        Segment("cat", 4.0, 6.0, pytest.approx(0.6), WIDE),
    )
    assert segments(results, NAMES, 0.5, 0.35) == (
        Segment("dog", 0.0, 6.0, pytest.approx(0.6), 0.0),  # both edges are the sound's own
        Segment("cat", 2.0, 6.0, pytest.approx((0.35 + 0.6) / 2), WIDE),
    )


def test_hysteresis():
    results = [window(5 * i, 5 * i + 5, p, 1 - p, 0) for i, p in enumerate((0.3, 0.6, 0.3, 0.2, 0.4, 0.2))]
    (dog,) = [segment for segment in segments(results, NAMES, 0.5, 0.25) if segment.label == "dog"]
    assert (dog.start_s, dog.end_s, dog.probability) == (0.0, 15.0, pytest.approx(0.4))  # 0.4 alone opens nothing


def test_silence_separates_segments():
    results = [window(0, 4, 1, 0, 0), window(2, 6), window(4, 8, 1, 0, 0)]
    assert segments(results, NAMES) == (Segment("dog", 0.0, 2.0, 1.0, WIDE), Segment("dog", 6.0, 8.0, 1.0, WIDE))
    assert segments([window(0, 5), window(5, 10)], NAMES, 0.0, 0.0) == ()


def test_window_order_and_no_windows():
    results = [window(5 * i, 5 * i + 5, 0.6, 0.4, 0) for i in range(4)]
    assert segments(results[::-1], NAMES) == segments(results, NAMES) != ()
    assert segments([], NAMES) == ()


@pytest.mark.parametrize(("opens", "keeps"), [(1.1, 0.5), (-0.1, -0.2), (0.5, 0.6), (float("nan"), 0.1)])
def test_threshold_limits(opens, keeps):
    with pytest.raises(ParameterError, match="probability"):
        segments([], NAMES, opens, keeps)


def test_activity_within_a_window():
    """Linear between the cells; a moment counts at its middle."""
    dog = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]  # from 1.5 to 3 s; 0.5 where it crosses at 1.25 and 3.25 s
    results = [window(0, 5, 0.5, 0, 0.4, activity=activity(0.0, dog))]
    found = next(one for one in segments(results, NAMES, 0.5, 0.5) if one.label == "dog")
    assert (found.start_s, found.end_s, found.uncertainty_s) == (
        pytest.approx(1.25, abs=0.051),
        pytest.approx(3.25, abs=0.051),
        WIDE,
    )
    unsure = [WindowResult(0, 5, UNSURE, np.array([0.5, 0, 0.4]), activity(0.0, dog))]
    assert segments(unsure, NAMES) == ()


@pytest.mark.parametrize(("step_db", "uncertainty_s"), [(30.0, 0.02), (12.0, 0.1), (3.0, 0.3), (1.0, WIDE)])
def test_edges_move_to_the_change_of_level(step_db, uncertainty_s):
    times_s = np.arange(500) / 100
    levels_db = np.where((times_s >= 1.5) & (times_s < 3.6), -60 + step_db, -60)
    dog = [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]
    (found,) = [
        one for one in segments([window(0, 5, 1, 0, 0, activity=activity(0, dog, levels_db))], NAMES) if one.label == "dog"
    ]
    assert found.uncertainty_s == uncertainty_s
    if uncertainty_s < WIDE:
        assert (found.start_s, found.end_s) == (pytest.approx(1.5, abs=0.011), pytest.approx(3.6, abs=0.011))


def test_short_pause_and_short_activation():
    pause = activity(0.0, [1, 1, 1, 0, 0, 1, 1, 1, 1, 1])  # below 0.1 from 1.45 to 2.05 s
    found = segments([window(0, 5, 1, 0, 0, activity=pause)], NAMES)
    assert [(one.start_s, one.end_s) for one in found if one.label == "dog"] == [(0.0, 5.0)]
    short = [window(0, 0.4, 1, 0, 0)]
    assert [(one.start_s, one.end_s) for one in segments(short, NAMES)] == [(0.0, 0.4)], "as long as the sound"


def test_a_sure_window_has_its_class():
    """A steady sound, whose activations stay below the opening probability, is where its window finds it most likely."""
    cells = np.tile(np.float32([0.3, 0.05, 0.05]), (10, 1))
    steady = Activity(0.0, cells, 0.5, np.full(500, -40.0, np.float32), 0.01, np.zeros(50, bool))
    sure = [window(0, 5, 0.85, 0.1, 0.05, activity=steady)]
    assert segments(sure, NAMES) == (Segment("dog", 0.0, 5.0, pytest.approx(0.3), 0.0),)
    assert segments(sure, NAMES, 0.9) == ()
    unsure = WindowResult(0, 5, UNSURE, np.array([0.85, 0.1, 0.05], np.float32), steady)
    assert segments([unsure], NAMES) == ()


def test_silence_within_a_window():
    whole = window(0, 5, 1, 0, 0, activity=activity(0.0, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0], silent=[*range(20, 30), 40]))
    found = segments([whole], NAMES)
    assert silent_intervals([whole], found) == (), "rain fills it"
    dog = tuple(one for one in found if one.label == "dog")
    assert silent_intervals([whole], dog) == ((2.0, 3.0),), "a pause of 0.1 s is none"
    assert uncertain_intervals([whole], dog, NAMES) == (), "the window is sure of the dog"


def test_cell_probabilities_formula(rng):
    logits = torch.from_numpy(rng.normal(0, 3, (2, 7, 5)))
    calibration = Calibration(
        temperature=1.5, unknown_score="energy", unknown_threshold=0.0, unsure_threshold=0.0, detector_sha256=None
    )
    for given, temperature in ((calibration, 1.5), (None, 1.0)):
        expected = scipy.special.softmax(logits.numpy() / (temperature * CELL_TEMPERATURE), axis=2)
        np.testing.assert_allclose(cell_probabilities(logits, given).numpy(), expected)


def test_activity_of_a_padded_sound(classifier):
    """Cells, levels and silence begin with the reflection before a short sound."""
    sound = sounds.busy(1.0, RATE)
    sound[RATE // 2 :] = 0
    (only,) = windows(classifier, sound, RATE)
    assert only.activity.start_s == pytest.approx(-2.0, abs=1e-3)
    assert len(only.activity.levels_db) == 431 and only.activity.probabilities.shape == (14, 50)
    middle = only.activity.levels_db[round(2.1 / only.activity.frame_s) : round(2.4 / only.activity.frame_s)].mean()
    assert middle > only.activity.levels_db[round(2.6 / only.activity.frame_s) : round(2.9 / only.activity.frame_s)].mean() + 20
    assert silent_intervals([only], ()) == ((0.5, 1.0),)


# real sounds


@pytest.mark.data
def test_segments_of_six_sounds_with_silence(classifier, minute):
    sound, rate, truth = minute
    found = segments(windows(classifier, sound, rate), classifier.class_names)
    hits = [any(s.label == label and s.start_s < end_s and s.end_s > start_s for s in found) for label, start_s, end_s in truth]
    assert sum(hits) >= 4, f"{found} of {truth}"
    assert all(0 <= segment.start_s < segment.end_s <= 60 and 0 < segment.probability <= 1 for segment in found)
    for segment in found:  # a segment may lean into the silence, but not lie in it
        assert any(segment.start_s < end_s and segment.end_s > start_s for _, start_s, end_s in truth)
