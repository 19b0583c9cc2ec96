"""Calibration: formulas, storage, and equal results of predict, timeline and files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from safetensors.torch import save

import sounds
from esc.batch.file_classification import classify_file
from esc.batch.options import BatchOptions
from esc.batch.result_formats import as_json
from esc.classification.checkpoint import load_checkpoint, save_checkpoint
from esc.classification.checkpoint_files.config import read_config, write_config
from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import Calibration
from esc.classification.confidence.ood_detector import FILE, OodDetector
from esc.classification.confidence.ood_fit import REFUSED_SHARE, UNSURE_SHARE, thresholds
from esc.classification.confidence.scores import calibrated_probabilities, known_and_sure, unknown_score
from esc.classification.predictions import SILENCE, UNKNOWN, UNSURE, WindowResult
from esc.classification.resnet import LAYERS, embed, layer_outputs, pooled_embedding
from esc.classification.timeline.segments import segments
from esc.classification.timeline.sliding_window import windows
from esc.errors import CheckpointError, ParameterError
from esc.paths import DEFAULT_CHECKPOINT

RATE = 44_100
CALIBRATION = Calibration(
    temperature=1.7, unknown_score="energy", unknown_threshold=-3.5, unsure_threshold=-1.0, detector_sha256=None
)


@pytest.mark.parametrize("n", (3, 6, 24, 240))
def test_thresholds_refuse_their_share_of_further_sounds(n, rng):
    """Of normal scores: the share of one more score below, on average over many sets of n."""
    sets = rng.normal(-3.0, 2.0, (4_000, n))
    limits = [thresholds(one) for one in sets]
    below = {name: scipy.stats.norm.cdf([one[name] for one in limits], -3.0, 2.0).mean() for name in limits[0]}
    assert below["unknown_threshold"] == pytest.approx(REFUSED_SHARE, abs=0.008)
    assert below["unsure_threshold"] == pytest.approx(UNSURE_SHARE, abs=0.025)


def test_thresholds_of_many_scores_are_quantiles(rng):
    scores = rng.gamma(2.0, size=500)
    limits = thresholds(scores)
    assert (scores < limits["unknown_threshold"]).mean() == pytest.approx(REFUSED_SHARE, abs=1 / 500)
    assert (scores < limits["unsure_threshold"]).mean() == pytest.approx(UNSURE_SHARE, abs=1 / 500)


def test_threshold_of_one_score_is_below_it():
    assert set(thresholds(np.array([1.5])).values()) == {1.5}


@pytest.fixture(scope="module")
def plain() -> Classifier:
    return Classifier.load()


def with_calibration(classifier: Classifier, **fields) -> Classifier:
    fields = {"unsure_threshold": fields["unknown_threshold"], "detector_sha256": None} | fields
    meta = dataclasses.replace(classifier.checkpoint, calibration=Calibration(**fields))
    return Classifier(classifier.model, meta, classifier.device)


@pytest.fixture
def logits(rng) -> np.ndarray:
    return 6 * rng.standard_normal((40, 50))


@pytest.mark.parametrize("temperature", [0.05, 1.0, 1.7, 20.0])
def test_probabilities_and_scores_equal_formulas(logits, temperature):
    for score in ("energy", "max_softmax"):
        calibration = dataclasses.replace(CALIBRATION, temperature=temperature)
        expected = scipy.special.softmax(logits / temperature, axis=1)
        np.testing.assert_allclose(calibrated_probabilities(torch.from_numpy(logits), calibration).numpy(), expected, rtol=1e-9)
        scores = {"energy": scipy.special.logsumexp(logits, axis=1), "max_softmax": expected.max(axis=1)}[score]
        np.testing.assert_allclose(unknown_score(torch.from_numpy(logits), score, temperature).numpy(), scores, rtol=1e-9)
        low, high = np.quantile(scores, (0.3, 0.6)).tolist()
        fields = {"unknown_score": score, "unknown_threshold": low, "unsure_threshold": high}
        tensors = torch.from_numpy(expected), torch.from_numpy(scores)
        known, sure = known_and_sure(*tensors, dataclasses.replace(calibration, **fields))
        np.testing.assert_array_equal(known.numpy(), scores >= low)
        np.testing.assert_array_equal(sure.numpy(), (scores >= high) & (expected.max(axis=1) >= 0.5))
        assert 0 < known.sum() < len(known)


def test_no_calibration_is_softmax(logits):
    np.testing.assert_allclose(
        calibrated_probabilities(torch.from_numpy(logits), None), scipy.special.softmax(logits, axis=1), rtol=1e-9
    )
    known, sure = known_and_sure(torch.from_numpy(logits), torch.from_numpy(logits[:, 0]), None)
    assert known.all() and sure.all()


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
        ("unsure_threshold", -4.0),
        ("detector_sha256", "0" * 64),
    ],
)
def test_calibration_limits(field, value):
    with pytest.raises(ParameterError, match=field):
        dataclasses.replace(CALIBRATION, **{field: value})


def test_max_softmax_threshold_limits():
    for threshold in (-0.1, 1.1):
        with pytest.raises(ParameterError, match="unknown_threshold"):
            dataclasses.replace(CALIBRATION, unknown_score="max_softmax", unknown_threshold=threshold)


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


def test_calibration_of_version_0_1(copy):
    values = json.loads((copy / "config.json").read_text())
    values["calibration"] = {"temperature": 1.5, "unknown_score": "max_softmax", "unknown_threshold": 0.4}
    (copy / "config.json").write_text(json.dumps(values))
    assert read_config(copy).calibration == Calibration(
        temperature=1.5, unknown_score="max_softmax", unknown_threshold=0.4, unsure_threshold=0.4, detector_sha256=None
    )


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
    logits = plain.in_float32().logits(torch.from_numpy(plain.predict(sound, RATE).spectrogram_db)[None])[0].double().numpy()
    energy = scipy.special.logsumexp(logits)
    expected = scipy.special.softmax(logits / 1.7)
    label = plain.class_names[int(logits.argmax())] if expected.max() >= 0.5 else UNSURE
    for low, high, verdict in ((-0.02, -0.01, label), (-0.01, 0.01, UNSURE), (0.01, 0.02, UNKNOWN)):
        fields = {"unknown_threshold": energy + low, "unsure_threshold": energy + high}
        changed = with_calibration(plain, temperature=1.7, unknown_score="energy", **fields)
        prediction = changed.predict(sound, RATE, top_k=50)
        assert prediction.verdict == verdict
        assert prediction.known == (verdict not in (UNSURE, UNKNOWN))
        np.testing.assert_allclose([value for _, value in prediction.top], np.sort(expected)[::-1], atol=1e-6)
        (window,) = windows(changed, sound, RATE)
        assert window.verdict == verdict
        np.testing.assert_allclose(window.probabilities, expected, atol=1e-6)
        path = tmp_path / "busy.wav"
        sounds.write(path, sound, RATE)
        (row,) = json.loads(as_json([classify_file(path, changed, BatchOptions(timeline=True))]))
        assert row["verdict"] == verdict
        assert row["top"][0]["probability"] == pytest.approx(expected.max(), abs=1e-3)  # 16 bits in the file
        if verdict in (UNSURE, UNKNOWN):
            assert row["timeline"] == []
            assert [(one["verdict"], one["label"]) for one in row["uncertain"]] == [(verdict, prediction.top[0][0])]


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


# the detector


@pytest.mark.slow
def test_noise_and_tones_are_unknown(rng):
    classifier = Classifier.load()
    noise = rng.standard_normal(5 * RATE).astype(np.float32)
    others = [level * noise for level in (0.3, 0.003)] + [sounds.tone(freq_hz, 5.0, RATE) for freq_hz in (200.0, 440.0, 3_000.0)]
    assert [classifier.predict(waveform, RATE).verdict for waveform in others] == [UNKNOWN] * 5
    assert {window.verdict for window in windows(classifier, np.tile(noise, 3), RATE)} == {UNKNOWN}


@pytest.fixture
def with_detector(plain, copy, rng):
    """The shipped network with a detector of random numbers, stored in a copy of the checkpoint."""
    n_classes, n_features = plain.model.fc.weight.shape
    n_pooled = 3 * (64 + 128 + 256 + 512)
    shapes = {
        "embedding_mean": (n_features,), "whitening": (n_features, n_features), "class_means": (n_classes, n_features),
        "pooled_mean": (n_pooled,), "pooled_std": (n_pooled,), "weight": (n_pooled,), "bias": (1,), "part_std": (4,),
    }  # fmt: skip
    arrays = {name: torch.from_numpy(np.abs(rng.standard_normal(shape)) + 0.1).float() for name, shape in shapes.items()}
    sha256 = OodDetector(arrays).save(copy)
    fields = {"unknown_threshold": -1e6, "unsure_threshold": -1e6, "detector_sha256": sha256}
    calibration = Calibration(temperature=1.0, unknown_score="detector", **fields)
    write_config(copy, dataclasses.replace(plain.checkpoint, calibration=calibration))
    return copy


def calibrated_again(folder, **fields) -> Classifier:
    checkpoint = read_config(folder)
    calibration = dataclasses.replace(checkpoint.calibration, **fields)
    write_config(folder, dataclasses.replace(checkpoint, calibration=calibration))
    return Classifier.load(folder)


def test_pooled_activations(plain, rng):
    """Against hooks on the layers; the logits are those of the network itself."""
    spectrograms = torch.from_numpy(rng.standard_normal((2, 1, 128, 200)).astype(np.float32))
    found = {}
    hooks = [
        getattr(plain.model, name).register_forward_hook(lambda *given, name=name: found.update({name: given[2].numpy()}))
        for name in LAYERS
    ]
    with torch.inference_mode():
        expected, embeddings = plain.model(spectrograms).numpy(), embed(plain.model, spectrograms).numpy()
        logits, pooled, cell_logits = (part.numpy() for part in layer_outputs(plain.model, spectrograms))
    for hook in hooks:
        hook.remove()
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(pooled_embedding(torch.from_numpy(pooled), 512).numpy(), embeddings, atol=1e-5)
    weight, bias = (part.detach().numpy() for part in plain.model.fc.parameters())
    by_cell = np.einsum("kc,bcft->btk", weight, found["layer4"]) / found["layer4"].shape[2] + bias
    np.testing.assert_allclose(cell_logits, by_cell, atol=1e-3)
    np.testing.assert_allclose(cell_logits.mean(axis=1), logits, atol=1e-3)
    parts = [getattr(found[name], how)(axis=(2, 3)) for name in LAYERS for how in ("mean", "std", "max")]
    np.testing.assert_allclose(pooled, np.concatenate(parts, axis=1), atol=1e-3)


@pytest.mark.slow
def test_verdicts_of_the_detector(with_detector):
    sound = sounds.busy(5.0, RATE)
    classifier = Classifier.load(with_detector)
    spectrogram_db = torch.from_numpy(classifier.predict(sound, RATE).spectrogram_db)[None]
    with torch.inference_mode():
        (score,) = classifier.outputs(spectrogram_db).scores.tolist()
    likely = float(classifier.probabilities(spectrogram_db).max()) >= 0.5
    cases = [
        (score - 0.2, score - 0.1, None if likely else UNSURE),
        (score - 0.1, score + 0.1, UNSURE),
        (score + 0.1,) * 2 + (UNKNOWN,),
    ]
    for low, high, verdict in cases:
        changed = calibrated_again(with_detector, unknown_threshold=low, unsure_threshold=high)
        prediction = changed.predict(sound, RATE)
        assert prediction.verdict == (verdict or prediction.top[0][0])
        assert [window.verdict for window in windows(changed, sound, RATE)] == [prediction.verdict]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weight", lambda array: array[:-1]),
        ("class_means", lambda array: array[1:]),
        ("whitening", lambda array: array * float("nan")),
        ("bias", lambda array: array * float("inf")),
        ("pooled_std", lambda array: 0 * array),
    ],
)
def test_invalid_detector(with_detector, name, change):
    detector = Classifier.load(with_detector).detector
    arrays = detector.state_dict()
    sha256 = OodDetector(arrays | {name: change(arrays[name])}).save(with_detector)
    with pytest.raises(CheckpointError, match=name):
        calibrated_again(with_detector, detector_sha256=sha256)


def test_damaged_detector(with_detector):
    file = with_detector / FILE
    content = file.read_bytes()
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="digest"):
            Classifier.load(with_detector)
    file.unlink()
    with pytest.raises(CheckpointError):
        Classifier.load(with_detector)
    model, checkpoint = load_checkpoint()
    save_checkpoint(with_detector, model, dataclasses.replace(checkpoint, calibration=None))
    assert Classifier.load(with_detector).detector is None


def test_detector_without_arrays(with_detector):
    content = save({"weight": torch.zeros(3)})
    (with_detector / FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=FILE):
        calibrated_again(with_detector, detector_sha256=hashlib.sha256(content).hexdigest())
