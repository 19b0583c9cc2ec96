"""Calibration: formulas, storage, and equal results of predict, timeline and files."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import scipy.special
import torch

import sounds
from esc.batch.result_formats import as_json
from esc.batch.runner import BatchOptions, classify_file
from esc.classification.calibration import UNKNOWN_SCORES, Calibration, calibrated_probabilities, is_known, unknown_score
from esc.classification.checkpoint import load_checkpoint, read_config, write_config
from esc.classification.classifier import SILENCE, UNKNOWN, Classifier
from esc.classification.sliding_window import WindowResult, segments, windows
from esc.errors import CheckpointError, ParameterError
from esc.paths import DEFAULT_CHECKPOINT

RATE = 44_100
CALIBRATION = Calibration(temperature=1.7, unknown_score="energy", unknown_threshold=-3.5)


@pytest.fixture(scope="module")
def plain() -> Classifier:
    return Classifier.load()


def with_calibration(classifier: Classifier, **fields) -> Classifier:
    meta = dataclasses.replace(classifier.checkpoint, calibration=Calibration(**fields))
    return Classifier(classifier.model, meta, classifier.device)


@pytest.fixture
def logits(rng) -> np.ndarray:
    return 6 * rng.standard_normal((40, 50))


@pytest.mark.parametrize("temperature", [0.05, 1.0, 1.7, 20.0])
def test_probabilities_and_scores_equal_formulas(logits, temperature):
    for score in UNKNOWN_SCORES:
        calibration = Calibration(temperature=temperature, unknown_score=score, unknown_threshold=0.5)
        expected = scipy.special.softmax(logits / temperature, axis=1)
        np.testing.assert_allclose(calibrated_probabilities(torch.from_numpy(logits), calibration).numpy(), expected, rtol=1e-9)
        scores = {"energy": scipy.special.logsumexp(logits, axis=1), "max_softmax": expected.max(axis=1)}[score]
        np.testing.assert_allclose(unknown_score(torch.from_numpy(logits), score, temperature).numpy(), scores, rtol=1e-9)
        threshold = float(np.median(scores))
        known = is_known(torch.from_numpy(logits), dataclasses.replace(calibration, unknown_threshold=threshold)).numpy()
        np.testing.assert_array_equal(known, scores >= threshold)
        assert 0 < known.sum() < len(known)


def test_no_calibration_is_softmax(logits):
    np.testing.assert_allclose(
        calibrated_probabilities(torch.from_numpy(logits), None), scipy.special.softmax(logits, axis=1), rtol=1e-9
    )
    assert is_known(torch.from_numpy(logits), None).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 0.0),
        ("temperature", -1.0),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("temperature", True),
        ("temperature", "1"),
        ("unknown_score", "entropy"),
        ("unknown_score", None),
        ("unknown_threshold", float("nan")),
        ("unknown_threshold", None),
    ],
)
def test_calibration_limits(field, value):
    with pytest.raises(ParameterError, match=field):
        dataclasses.replace(CALIBRATION, **{field: value})


def test_max_softmax_threshold_limits():
    for threshold in (-0.1, 1.1):
        with pytest.raises(ParameterError, match="unknown_threshold"):
            Calibration(temperature=1.0, unknown_score="max_softmax", unknown_threshold=threshold)


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped checkpoint that a test may change."""
    return shutil.copytree(DEFAULT_CHECKPOINT, tmp_path / "net")


def test_checkpoint_keeps_calibration(copy):
    before, weights = read_config(copy), {path.name: path.stat().st_mtime_ns for path in copy.glob("*.safetensors")}
    write_config(copy, dataclasses.replace(before, calibration=CALIBRATION))
    assert load_checkpoint(copy)[1] == dataclasses.replace(before, calibration=CALIBRATION)
    assert {path.name: path.stat().st_mtime_ns for path in copy.glob("*.safetensors")} == weights
    assert not list(copy.glob("*.new"))


def test_checkpoint_without_calibration(copy):
    values = json.loads((copy / "config.json").read_text())
    values.pop("calibration", None)
    (copy / "config.json").write_text(json.dumps(values))
    assert read_config(copy).calibration is None


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"temperature": 1.0},
        CALIBRATION.to_dict() | {"temperature": 0},
        CALIBRATION.to_dict() | {"more": 1},
        CALIBRATION.to_dict() | {"unknown_score": "entropy"},
        [1.0, "energy", 0.0],
        "energy",
    ],
)
def test_damaged_calibration(copy, broken):
    values = json.loads((copy / "config.json").read_text()) | {"calibration": broken}
    (copy / "config.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(copy)
    assert caught.value.key == "checkpoint.damaged"


@pytest.mark.slow
def test_calibration_in_predict_timeline_and_files(plain, tmp_path):
    """One temperature, one threshold, whichever way a sound comes in."""
    sound = sounds.busy(5.0, RATE)
    logits = plain.logits(torch.from_numpy(plain.predict(sound, RATE).spectrogram_db)[None])[0].double().numpy()
    energy = scipy.special.logsumexp(logits)
    expected = scipy.special.softmax(logits / 1.7)
    for above, verdict in ((-0.01, plain.class_names[int(logits.argmax())]), (0.01, UNKNOWN)):
        changed = with_calibration(plain, temperature=1.7, unknown_score="energy", unknown_threshold=energy + above)
        prediction = changed.predict(sound, RATE, top_k=50)
        assert prediction.verdict == verdict
        assert prediction.known == (verdict != UNKNOWN)
        np.testing.assert_allclose([value for _, value in prediction.top], np.sort(expected)[::-1], atol=1e-6)
        (window,) = windows(changed, sound, RATE)
        assert window.verdict == verdict
        np.testing.assert_allclose(window.probabilities, expected, atol=1e-6)
        path = tmp_path / "busy.wav"
        sounds.write(path, sound, RATE)
        (row,) = json.loads(as_json([classify_file(path, changed, BatchOptions(timeline=True))]))
        assert row["verdict"] == verdict
        assert row["top"][0]["probability"] == pytest.approx(expected.max(), abs=1e-3)  # 16 bits in the file
        if verdict == UNKNOWN:
            assert row["timeline"] == []


def test_silence_is_not_unknown(plain):
    strict = with_calibration(plain, temperature=1.0, unknown_score="max_softmax", unknown_threshold=1.0)
    prediction = strict.predict(np.zeros(RATE, np.float32), RATE)
    assert (prediction.verdict, prediction.top, prediction.known) == (SILENCE, (), False)


def test_unknown_window_has_no_segment():
    sure, unsure = np.array([0.9, 0.1], np.float32), np.array([0.7, 0.3], np.float32)
    known = [WindowResult(0.0, 4.0, "dog", sure), WindowResult(2.0, 6.0, "dog", unsure)]
    (found,) = segments(known, ("dog", "cat"))
    assert (found.start_s, found.end_s) == (0.0, 6.0)
    (found,) = segments([known[0], dataclasses.replace(known[1], verdict=UNKNOWN)], ("dog", "cat"))
    # 0.9 until 2 s, then (0.9 + 0) / 2 until 4 s, which keeps the segment but would not have opened one
    assert (found.start_s, found.end_s) == (0.0, 4.0)
    assert found.probability == pytest.approx((0.9 + 0.45) / 2)
