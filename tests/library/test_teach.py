"""Taught classes: against scikit-learn and SciPy, as a command, and with every kind of bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

import sounds
from command_line import run
from esc.audio.io import load_audio
from esc.batch import teach_files as files
from esc.classification.checkpoint_files.config import Checkpoint, read_config
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.classifier import Classifier
from esc.classification.confidence.ood_detector import OodDetector
from esc.classification.confidence.ood_fit import refit_distance
from esc.classification.predictions import UNKNOWN
from esc.classification.resnet import build_model
from esc.classification.teaching.backbone import Backbone
from esc.classification.teaching.head import PENALTY, balanced_weights, fit_head, smoothed_temperature, wilson_interval
from esc.classification.teaching.saving import save_taught
from esc.classification.teaching.teach import Example, fold_numbers, teach
from esc.config import ESC50, InputConfig
from esc.errors import CheckpointError, DataError
from esc.example_sounds import example_sounds

RATE = 44_100
N_FEATURES, N_POOLED = 512, 2_880


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    """An untrained network, with random activations for the synthetic sounds."""
    torch.manual_seed(0)
    checkpoint = Checkpoint(architecture="resnet18", class_names=("a", "b"), spectrogram=ESC50, input=InputConfig())
    found = Backbone(Classifier(build_model("resnet18", 2).eval(), checkpoint, torch.device("cpu")))
    found.__dict__["unknown"] = np.random.default_rng(1).random((20, N_POOLED), np.float32)  # a cached property
    return found


def examples(counts: dict[str, int], spread: float = 1.5, windows: int = 1, seed: int = 0) -> list[Example]:
    """Return examples whose activations scatter about a centre of their class."""
    rng, found = np.random.default_rng(seed), []
    for label, count in counts.items():
        centre = rng.random(N_POOLED)
        for number in range(count):
            pooled = centre + spread * rng.standard_normal((windows, N_POOLED))
            found.append(Example(f"{label}/{number}.wav", label, pooled.astype(np.float32)))
    return found


@pytest.mark.parametrize("n_classes", [2, 4])
def test_head_of_scikit_learn(rng, n_classes):
    targets = np.repeat(range(n_classes), (12, 5, 9, 7)[:n_classes])
    embeddings = rng.random((len(targets), 30)) * rng.uniform(0.5, 3, 30) + 0.3 * targets[:, None]
    weights = balanced_weights(targets, np.arange(len(targets)))
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", targets))
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1_000))
    theirs.fit(embeddings, targets, logisticregression__sample_weight=weights)
    ours = softmax(fit_head(embeddings, targets, weights).logits(embeddings), axis=1)
    np.testing.assert_allclose(ours, theirs.predict_proba(embeddings), atol=1e-4)


def test_weights_of_windows():
    weights = balanced_weights(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 2, 3]))
    np.testing.assert_allclose(weights, [0.5, 0.5, 1, 1, 1])


@pytest.mark.parametrize(("right", "total"), [(0, 6), (6, 6), (51, 60), (140, 150)])
def test_interval_of_scipy(right, total):
    interval = binomtest(right, total).proportion_ci(method="wilson")
    assert wilson_interval(right, total) == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_temperature_of_smoothed_targets(rng):
    targets, counts = np.repeat([0, 1, 2], 4), np.array([4, 4, 4])
    logits = 6.0 * np.eye(3)[targets] + rng.standard_normal((12, 3))
    found = smoothed_temperature(logits, targets, np.ones(12), counts)
    soft = np.full((12, 3), 1 / 12)
    soft[np.arange(12), targets] = 5 / 6
    tried = np.exp(np.linspace(-3, 3, 601))
    losses = [-(soft * np.log(softmax(logits / one, axis=1))).sum() for one in tried]
    assert found == pytest.approx(tried[int(np.argmin(losses))], rel=0.02)
    assert found > 1, "a dozen right answers are no proof of certainty"


def test_distance_of_few_examples(rng):
    embeddings, targets = rng.random((12, 5)), np.repeat([0, 1, 2], 4)
    known = {"embedding_mean": rng.random(5), "whitening": np.linalg.cholesky(np.diag(rng.uniform(1, 4, 5)))}
    arrays = refit_distance(embeddings, targets, known)
    white = (embeddings - known["embedding_mean"]) @ known["whitening"]
    means = np.stack([white[targets == one].mean(axis=0) for one in range(3)])
    inverse = np.linalg.inv(LedoitWolf(assume_centered=True).fit(white - means[targets]).covariance_ + 1e-4 * np.eye(5))
    new = rng.random(5)
    seen = (new - arrays["embedding_mean"]) @ arrays["whitening"]
    for mean, ours in zip(means, arrays["class_means"], strict=True):
        theirs = mahalanobis((new - known["embedding_mean"]) @ known["whitening"], mean, inverse)
        assert np.linalg.norm(seen - ours) == pytest.approx(theirs, rel=1e-6)


def test_folds_keep_recordings_together_and_have_every_class():
    several = [
        Example(f"{n}", label, np.zeros((1, 1)), f"tape {n // 2}") for label, count in (("a", 6), ("b", 9)) for n in range(count)
    ]
    folds, grouped = fold_numbers(several)
    assert grouped
    assert len(set(folds)) == 3, "as many as a has recordings"
    for fold in set(folds):
        inside = {(one.label, one.recording) for one, number in zip(several, folds, strict=True) if number == fold}
        outside = {(one.label, one.recording) for one, number in zip(several, folds, strict=True) if number != fold}
        assert not inside & outside
        assert {label for label, _ in inside} == {label for label, _ in outside} == {"a", "b"}
    shared = [
        Example("", label, np.zeros((1, 1)), tape)
        for label, tapes in (("a", "012"), ("b", "234"))
        for tape in tapes
        for _ in range(2)
    ]
    folds, grouped = fold_numbers(shared)
    assert grouped and {len({f for e, f in zip(shared, folds, strict=True) if e.recording == tape}) for tape in "01234"} == {1}
    one_tape = [Example(f"{n}", label, np.zeros((1, 1)), f"tape {label}") for label in "ab" for n in range(3)]
    folds, grouped = fold_numbers(one_tape)
    assert (len(set(folds)), grouped) == (3, False)


def test_cross_validation_of_scikit_learn(backbone):
    given = examples({"a": 9, "b": 12, "c": 7}, spread=3.0)
    taught = teach(backbone, given)
    embeddings, labels = backbone.embeddings(np.concatenate([one.pooled for one in given])), [one.label for one in given]
    theirs = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1_000, class_weight="balanced")),
        embeddings,
        labels,
        cv=PredefinedSplit(fold_numbers(given)[0]),
    )
    assert [one.guess for one in taught.guesses] == theirs.tolist()
    assert 0.3 < taught.figures["accuracy"] < 0.99, "some are wrong, or the test compares little"
    assert taught.figures["accuracy"] == pytest.approx(np.mean(theirs == np.array(labels)))
    assert taught.figures["confusion"] == confusion_matrix(labels, theirs).tolist()
    recall = recall_score(labels, theirs, average=None)
    assert [one["recall"] for one in taught.figures["classes"]] == pytest.approx(recall.tolist())
    assert {one.name for one in taught.wrong} == {
        one.name for one, guess in zip(given, theirs, strict=True) if one.label != guess
    }


def test_saved_network_is_the_taught_one(backbone, tmp_path):
    taught = teach(backbone, examples({"a": 4, "b": 5, "else": 4}, windows=2), other="else")
    assert taught.checkpoint.class_names == ("a", "b", "else")
    save_taught(tmp_path / "mine", taught)
    loaded = Classifier.load(tmp_path / "mine", "cpu")
    assert read_metrics(tmp_path / "mine") == {"taught": taught.figures}
    for name, tensor in taught.detector.state_dict().items():
        torch.testing.assert_close(loaded.detector.state_dict()[name], tensor)
    torch.testing.assert_close(loaded.model.fc.weight, taught.model.fc.weight, rtol=0, atol=0)
    assert loaded.checkpoint.calibration.temperature == taught.checkpoint.calibration.temperature
    card = (tmp_path / "mine" / "README.md").read_text()
    assert "3 taught classes" in card
    assert f"{taught.figures['accuracy']:.1%}" in card
    save_taught(tmp_path / "mine", taught)  # over itself
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("dear diary")
    with pytest.raises(DataError, match="no taught network"):
        save_taught(tmp_path / "full", taught)


@pytest.mark.parametrize(
    ("counts", "other", "key"),
    [
        ({"a": 5}, None, "teach.classes"),
        ({f"class {number}": 1 for number in range(101)}, None, "teach.classes"),
        ({"a": 5, "b": 2}, None, "teach.few"),
        ({"a": 5, "unknown": 5}, None, "own.reserved"),
        ({"a": 5, "  ": 5}, None, "teach.name"),
        ({"a": 5, "x" * 61: 5}, None, "teach.name"),
        ({"a": 5, "b\n": 5}, None, "teach.name"),
        ({"a": 5, "b": 5}, "c", "teach.other"),
    ],
)
def test_impossible_classes(backbone, counts, other, key):
    with pytest.raises(DataError) as raised:
        teach(backbone, [Example("x", label, np.zeros((1, 1))) for label, count in counts.items() for _ in range(count)], other)
    assert raised.value.key == key


# from files


def make_folders(folder: Path, count: int = 4) -> Path:
    """Write tones, noise and clicks, a folder each, every file another."""
    rng = np.random.default_rng(5)
    for number in range(count):
        clicks = np.zeros(RATE)
        clicks[rng.integers(0, RATE, 6)] = 0.9
        made = {
            "tone": sounds.tone(float(rng.uniform(400, 900)), 1.0),
            "hiss": 0.2 * rng.standard_normal(RATE),
            "clicks": clicks + 1e-3 * rng.standard_normal(RATE),
        }
        for label, waveform in made.items():
            (folder / label).mkdir(parents=True, exist_ok=True)
            sounds.write(folder / label / f"{number}.wav", waveform, RATE)
    return folder


@pytest.fixture(scope="module")
def taught_folder(tmp_path_factory):
    """What the command says of three classes and of two files that are no examples, and the folder."""
    folder = tmp_path_factory.mktemp("teach")
    make_folders(folder / "own")
    shutil.copy(folder / "own" / "tone" / "0.wav", folder / "own" / "tone" / "copy.wav")
    sounds.write(folder / "own" / "hiss" / "nothing.wav", np.zeros(RATE), RATE)
    (folder / "own" / "clicks" / "broken.wav").write_bytes(b"RIFF and no more")
    return run("teach", folder / "own", "-o", folder / "mine", "--json"), folder


@pytest.mark.slow
def test_command(taught_folder):
    ended, folder = taught_folder
    report = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert "nothing.wav is silent" in ended.stderr
    assert "broken.wav can't be read" in ended.stderr
    assert len(report["left_out"]) == 2
    assert [(one["name"], one["examples"]) for one in report["classes"]] == [("clicks", 4), ("hiss", 4), ("tone", 4)]
    assert report["accuracy"] >= 0.9
    assert report["low"] < report["accuracy"] <= report["high"]
    provenance = read_config(folder / "mine").provenance
    assert provenance["licence"] == read_config().provenance["licence"]
    assert all(path.stat().st_size < 10e6 for path in (folder / "mine").iterdir())


@pytest.mark.slow
def test_taught_network_elsewhere(taught_folder, tmp_path):
    """The command `classify` and the library name a new sound, and refuse what is like none of the examples."""
    _, folder = taught_folder
    new = sounds.write(tmp_path / "new.wav", sounds.tone(523.0, 2.0), RATE)
    said = run("classify", new, "--checkpoint", folder / "mine", "--format", "json")
    (row,) = json.loads(said.stdout)
    predicted = Classifier.load(folder / "mine", "cpu").predict(*load_audio(new))
    assert predicted.verdict == row["verdict"] == "tone"
    assert dict(predicted.top) == pytest.approx({one["label"]: one["probability"] for one in row["top"]}, abs=1e-5)
    far = Classifier.load(folder / "mine", "cpu").predict(*load_audio(example_sounds()["crow"]))
    assert far.verdict == UNKNOWN


@pytest.mark.slow
def test_bad_folders(tmp_path, monkeypatch):
    own = make_folders(tmp_path / "own", 3)

    def refused() -> str:
        with pytest.raises(DataError) as raised:
            files.teach_files(own, tmp_path / "mine")
        assert not (tmp_path / "mine").exists()
        return raised.value.key

    monkeypatch.setattr(files, "MAX_FILES", 8)
    assert refused() == "teach.many"
    monkeypatch.undo()
    monkeypatch.setattr(files, "MAX_WINDOWS", 4)
    assert refused() == "teach.long"
    monkeypatch.undo()
    sounds.write(own / "hiss" / "1.wav", np.zeros(RATE), RATE)
    assert refused() == "teach.few"
    shutil.copy(own / "tone" / "1.wav", own / "hiss" / "1.wav")
    assert refused() == "own.twice"
    for label in ("hiss", "clicks"):
        shutil.rmtree(own / label)
    assert refused() == "own.classes"
    with pytest.raises(CheckpointError):
        files.teach_files(make_folders(own), tmp_path / "mine", tmp_path)


def test_detector_needs_every_part(backbone):
    """What the taught detector sums are all four parts of the shipped one's score."""
    detector = teach(backbone, examples({"a": 4, "b": 4})).detector
    detector.check(backbone.with_head(torch.zeros(2, N_FEATURES), torch.zeros(2)))
    assert (detector.part_std > 1e-3).all()
    assert len(detector.part_std) == OodDetector.N_PARTS
