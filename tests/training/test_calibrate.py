"""Calibration and out-of-distribution detection, against scikit-learn, a search and formulas."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import sklearn.metrics
import torch
from scipy.spatial.distance import mahalanobis as scipy_mahalanobis
from scipy.special import log_softmax, softmax

import sounds
import training.train as loop
from esc.audio.io import load_audio
from esc.audio.waveform import is_silent
from esc.classification.checkpoint_files.config import read_config
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import Calibration
from esc.classification.confidence.ood_fit import REFUSED_SHARE, UNSURE_SHARE, thresholds
from esc.classification.predictions import UNKNOWN
from esc.classification.teaching.synthetic_sounds import KINDS, SAMPLE_RATE, synthesise
from esc.errors import DataError
from small_data import CLASSES, HALF_A_SECOND, QUICK, SMALL, outer
from test_metrics import direct_ece
from training.data.esc50 import class_names, left_out, without_classes
from training.data.preprocessing import prepare
from training.evaluation.calibrate import calibrate
from training.evaluation.deletion_test import run_deletion_test
from training.evaluation.ood import LEFT_OUT, Decisions, auroc, by_label, cross_evaluated, examples
from training.evaluation.ood_fit import Features, fit_detector, scores
from training.evaluation.ood_sounds import RECORDED, OodFolders, recorded_sounds
from training.evaluation.predictions import FILE, Predictions, held_out
from training.evaluation.temperature import cross_entropy, cross_fitted, fit_temperature, groups_of_sources

# temperature


@pytest.fixture
def honest(rng) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the truth: targets are drawn from it."""
    logits = 2.0 * rng.standard_normal((3_000, 7))
    uniform = rng.random((3_000, 1))
    targets = (np.cumsum(softmax(logits, axis=1), axis=1) < uniform).sum(axis=1).clip(0, 6)
    return logits.astype(np.float32), targets


@pytest.mark.parametrize("wrong", [0.4, 1.0, 3.0])
def test_temperature_of_scaled_logits(honest, wrong):
    logits, targets = honest
    found = fit_temperature(wrong * logits, targets)
    assert found == pytest.approx(wrong, rel=0.08)
    tried = np.exp(np.linspace(-1.5, 1.5, 151))
    losses = [
        sklearn.metrics.log_loss(targets, softmax(wrong * logits.astype(float) / t, axis=1), labels=range(7)) for t in tried
    ]
    assert found == pytest.approx(tried[int(np.argmin(losses))], rel=0.015)
    assert cross_entropy(wrong * logits / found, targets) == pytest.approx(min(losses), abs=1e-4)


def test_few_right_clips_are_no_proof_of_certainty():
    logits, targets = 6.0 * np.eye(3)[[0, 0, 0, 1, 1, 1, 2, 2, 2]], np.repeat(range(3), 3)
    found = fit_temperature(logits, targets)
    share = 1 / (1 + 2 * np.exp(-6 / found))  # of the right class, by softmax
    assert share == pytest.approx((3 + 1) / (3 + 2), rel=1e-4), "Platt's target of three examples"


def test_cross_fitted_temperature(honest):
    logits, targets = (part[:600] for part in honest)
    groups = np.arange(600) % 3
    scaled = cross_fitted(logits, targets, groups)
    for group in range(3):
        inside = groups == group
        np.testing.assert_allclose(scaled[inside], logits[inside] / fit_temperature(logits[~inside], targets[~inside]), rtol=1e-6)
    spoilt = targets.copy()
    spoilt[groups == 1] = 0
    np.testing.assert_array_equal(cross_fitted(logits, spoilt, groups)[groups == 1], scaled[groups == 1])


def test_groups_of_recordings():
    sources = [str(number // 3) for number in range(60)]
    groups = groups_of_sources(sources, 5)
    assert sorted(np.bincount(groups).tolist()) == [12] * 5
    assert all(len({group for group, source in zip(groups, sources, strict=True) if source == one}) == 1 for one in sources)


# unknown sounds


def test_auroc_equals_scikit_learn(rng):
    for known, unknown in ((rng.normal(1, 1, 90), rng.normal(0, 2, 40)), (rng.integers(0, 4, 70), rng.integers(0, 3, 30))):
        truth = np.repeat([1, 0], [len(known), len(unknown)])
        expected = sklearn.metrics.roc_auc_score(truth, np.concatenate([known, unknown]))
        assert auroc(known, unknown) == pytest.approx(expected, abs=1e-12)


N_CLASSES, CHANNELS = 5, (2, 4, 8, 16)  # of the layers, each twice as wide as the one before, as a ResNet's


def features(rng, known: bool, count: int = 200) -> tuple[Features, np.ndarray]:
    """Features of clips, of which a class moves the embedding and a known clip one of the maxima of the first layer."""
    targets = np.arange(count) % N_CLASSES
    pooled = rng.standard_normal((count, 3 * sum(CHANNELS))).astype(np.float32)
    logits = rng.standard_normal((count, N_CLASSES)).astype(np.float32)
    if known:
        pooled[np.arange(count), len(pooled[0]) - 3 * CHANNELS[-1] + targets] += 6
        pooled[:, 2 * CHANNELS[0]] += 3
        logits[np.arange(count), targets] += 4
    return Features(logits, pooled), targets


def test_parts_of_the_detector(rng):
    """Against scikit-learn's regression and a distance computed class by class."""
    (known, targets), (unknown, _), (held_out, _) = (features(rng, is_known) for is_known in (True, False, True))
    detector = fit_detector(known, targets, unknown, held_out)
    assert (scores(detector, held_out) > np.quantile(scores(detector, unknown), 0.95)).mean() > 0.95
    one_class, (unseen, _) = Features(held_out.logits[:1], held_out.pooled[:1]), features(rng, False)
    parts = detector.parts(torch.from_numpy(held_out.logits), torch.from_numpy(held_out.pooled)).double().numpy()
    np.testing.assert_allclose((parts / parts.std(axis=0, ddof=1)).sum(axis=1), scores(detector, held_out), rtol=1e-4, atol=1e-5)
    probabilities = softmax(held_out.logits.astype(float), axis=1)
    np.testing.assert_allclose(parts[:, 3], np.log(probabilities.max(axis=1)), atol=1e-5)
    np.testing.assert_allclose(parts[:, 2] + parts[:, 3], held_out.logits.max(axis=1), atol=1e-5)
    regression = sklearn.metrics.roc_auc_score(np.repeat([1, 0], 200), np.append(parts[:, 1], _part(detector, unseen, 1)))
    assert regression > 0.95
    embeddings = known.pooled[:, -3 * CHANNELS[-1] : -2 * CHANNELS[-1]].astype(float)
    standard = (embeddings - embeddings.mean(axis=0)) / embeddings.std(axis=0)
    within = np.concatenate([standard[targets == t] - standard[targets == t].mean(axis=0) for t in range(N_CLASSES)])
    covariance = within.T @ within / len(within)
    covariance = 0.95 * covariance + 0.05 * np.diag(np.diag(covariance)) + 1e-4 * np.eye(len(covariance))
    wanted = held_out.pooled[0, -3 * CHANNELS[-1] : -2 * CHANNELS[-1]]
    offset = (wanted - embeddings.mean(axis=0)) / embeddings.std(axis=0)
    distances = [
        scipy_mahalanobis(offset, standard[targets == t].mean(axis=0), np.linalg.inv(covariance)) for t in range(N_CLASSES)
    ]
    assert -_part(detector, one_class, 0)[0] == pytest.approx(min(distances), rel=5e-3), "half precision of the matrices"


def _part(detector, of: Features, number: int) -> np.ndarray:
    return detector.parts(torch.from_numpy(of.logits), torch.from_numpy(of.pooled))[:, number].numpy()


def test_thresholds_and_verdicts(rng):
    (known, targets), (unknown, _), (held_out, truth) = (features(rng, is_known, 400) for is_known in (True, False, True))
    held_out.logits[:40] = np.roll(held_out.logits[:40], 1, axis=1)  # mistakes
    detector = fit_detector(known, targets, unknown, held_out)
    limits = thresholds(scores(detector, held_out))
    calibration = Calibration(temperature=1.0, unknown_score="detector", detector_sha256="", **limits)
    decided = Decisions.of(held_out, detector, calibration)
    assert (~decided.known).mean() == pytest.approx(REFUSED_SHARE, abs=0.005)
    assert (decided.scores < calibration.unsure_threshold).mean() == pytest.approx(UNSURE_SHARE, abs=0.005)
    likely = softmax(held_out.logits, axis=1).max(axis=1) >= 0.5
    np.testing.assert_array_equal(decided.sure, (decided.scores >= calibration.unsure_threshold) & likely)
    crossed = cross_evaluated(held_out, truth, np.arange(400) // 5 % 2, detector, 1.0)
    assert crossed["refused"] == pytest.approx(REFUSED_SHARE, abs=0.04)
    assert 0.85 < crossed["accuracy"] < 1.0
    others = Decisions.of(unknown, detector, calibration)
    group = others.group("noise", decided)
    assert group["refused"] == pytest.approx((others.scores < calibration.unknown_threshold).mean())
    assert group["refused"] + group["unsure"] == pytest.approx((~others.sure).mean())
    truth = np.repeat([1, 0], [400, 400])
    assert group["auroc"] == pytest.approx(sklearn.metrics.roc_auc_score(truth, np.append(decided.scores, others.scores)))
    labels = ("a",) * 390 + ("b",) * 8 + ("c",) * 2
    assert [(one["name"], one["sounds"]) for one in by_label(others, labels)] == [("a", 390), ("b", 8)]
    shown = examples(others, labels, tuple("vwxyz"))
    lowest = int(others.scores.argmin())
    first = shown["refused"][0]
    assert (first["label"], first["nearest"]) == (labels[lowest], "vwxyz"[others.targets[lowest]])
    assert first["probability"] == pytest.approx(others.probabilities[lowest])
    assert len(shown["refused"]) == len({one["label"] for one in shown["refused"]})


def test_labels_of_recorded_sounds(tmp_path, trained):
    classifier = Classifier.load(trained / "checkpoint")
    (tmp_path / "animals").mkdir()
    for name in ("dog_2", "wolf", "quiet"):
        samples = 0 * sounds.sweep(0.5, 8_000) if name == "quiet" else sounds.sweep(0.5, 8_000)
        sounds.write(tmp_path / "animals" / f"{name}.wav", samples, 8_000)
    found = recorded_sounds(tmp_path / "animals", classifier)
    assert (found.labels, len(found.spectrograms_db)) == (("dog", "wolf"), 2), "silence is left out"
    np.testing.assert_allclose(
        found.spectrograms_db[0], classifier.predict(sounds.sweep(0.5, 8_000), 8_000, top_k=1).spectrogram_db, atol=0.1
    )
    (tmp_path / "sounds.csv").write_text("file,label\nanimals/wolf.wav,canine\n")
    assert recorded_sounds(tmp_path / "animals", classifier).labels == ("dog", "canine")
    (tmp_path / "sounds.csv").write_text("name,label\nwolf.wav,canine\n")
    with pytest.raises(DataError) as caught:
        recorded_sounds(tmp_path / "animals", classifier)
    assert caught.value.key == "data.sounds"
    (tmp_path / "sounds.csv").unlink()
    with pytest.raises(DataError, match="no sound files"):
        recorded_sounds(tmp_path / "nothing", classifier)


@pytest.mark.parametrize("kind", KINDS)
def test_synthetic_sounds(kind):
    made = [synthesise(kind, 5.0, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    for waveform in made:
        assert (waveform.shape, waveform.dtype) == ((5 * SAMPLE_RATE,), np.float32)
        assert 10 ** (-30.1 / 20) < np.abs(waveform).max() < 10 ** (-5.9 / 20)
        assert not is_silent(waveform)


def test_synthetic_speech():
    waveform = synthesise("speech", 5.0, np.random.default_rng(4)).astype(np.float64)
    power = np.abs(np.fft.rfft(waveform)) ** 2
    freqs_hz = np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE)
    assert power[(freqs_hz > 80) & (freqs_hz < 4_000)].sum() > 0.7 * power.sum()
    envelope = np.sqrt(np.square(waveform[: len(waveform) // 2_205 * 2_205]).reshape(-1, 2_205).mean(axis=1))
    assert envelope.max() > 10 * np.quantile(envelope, 0.05)
    pitches_hz = []
    for begin in range(0, len(waveform) - 4_096, 4_096):
        part = waveform[begin : begin + 4_096]
        found = np.correlate(part, part, "full")[4_095:]
        lag = 150 + int(found[150:551].argmax())  # 294 down to 80 Hz
        if found[lag] > 0.5 * found[0]:
            pitches_hz.append(SAMPLE_RATE / lag)
    assert len(pitches_hz) > 10, "much of it is voiced"


# leaving classes out


def test_left_out_classes(clips):
    assert left_out(clips, "") == ()
    assert left_out(clips, " ticks, hum") == ("ticks", "hum")
    assert left_out(clips, "2") == left_out(clips, "2")
    assert len(set(left_out(clips, "2"))) == 2
    kept = without_classes(clips, ("hiss",))
    assert class_names(kept) == ("hum", "chirp", "ticks")
    assert {clip.category: clip.target for clip in kept} == {"hum": 0, "chirp": 1, "ticks": 2}
    assert without_classes(clips, ()) == clips
    for wrong in ("purr", "3", "hum,hiss,chirp"):
        with pytest.raises(DataError) as caught:
            left_out(clips, wrong)
        assert caught.value.key == "data.without"


# the command


@pytest.fixture(scope="module")
def runs(clips, cache, prepared, tmp_path_factory):
    """Two runs that held out folds 5 and 4, and one trained without `ticks`."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = dataclasses.replace(QUICK, epochs=2)
    loop.train(prepared, outer(recipe), folder / "five")
    loop.train(prepared, outer(recipe, 4), folder / "four")
    fewer = prepare(without_classes(clips, ("ticks",)), SMALL, HALF_A_SECOND, cache, jobs=1)
    loop.train(fewer, outer(recipe, left_out=("ticks",)), folder / "without")
    return folder


@pytest.mark.slow
def test_calibrate_and_card_commands(runs, data, clips, cache, tmp_path, run_command):
    def command(*arguments: object) -> str:
        common = ("--data", data, "--cache", cache, "--evaluation-log", tmp_path / "evaluations.csv")
        code, output, errors = run_command(*arguments, *common)
        assert code == 0, errors
        return output

    (tmp_path / "strange").mkdir()
    sounds.write(tmp_path / "strange" / "rattle.wav", sounds.busy(0.5, 8_000), 8_000)
    folders = ("--unknown", tmp_path / "strange", "--unknown-valid", tmp_path / "strange", "--known-valid", data / "audio")
    printed = command("calibrate", runs / "five", "--fold-run", runs / "four", *folders)
    calibration = read_config(runs / "five" / "checkpoint").calibration
    figures = read_metrics(runs / "five" / "checkpoint")
    predictions = [held_out(runs / name, clips, fold, cache, tmp_path / "e.csv") for name, fold in (("five", 5), ("four", 4))]
    logits, targets = (np.concatenate([getattr(one, name) for one in predictions]) for name in ("logits", "targets"))
    assert calibration.temperature == pytest.approx(fit_temperature(logits, targets))
    assert f"temperature {calibration.temperature:.3f}, from fold 4, 5" in printed
    crossed = [predictions[0].logits / fit_temperature(predictions[1].logits, predictions[1].targets)]
    crossed += [predictions[1].logits / fit_temperature(predictions[0].logits, predictions[0].targets)]
    part = figures["held_out"]
    assert (part["folds"], part["clips"]) == ([4, 5], 40)
    assert part["ece"] == pytest.approx(direct_ece(softmax(np.concatenate(crossed), axis=1), targets), abs=1e-5)
    assert part["ece_before"] == pytest.approx(direct_ece(softmax(logits, axis=1), targets), abs=1e-5)
    right = log_softmax(np.concatenate(crossed).astype(float), axis=1)[np.arange(40), targets]
    assert part["loss"] == pytest.approx(-right.mean(), rel=1e-5)
    assert part["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(targets, logits.argmax(1)))
    recall = sklearn.metrics.recall_score(targets, logits.argmax(1), average=None)
    assert [part["recall"][name] for name in CLASSES] == pytest.approx(recall.tolist())
    assert sum(row["clips"] for row in part["reliability"]) == 40
    unknown, classifier = figures["unknown"], Classifier.load(runs / "five" / "checkpoint")
    assert [one["name"] for one in unknown["kinds"]] == [*KINDS, RECORDED]
    assert [one["name"] for one in unknown["known"]] == ["held_out", RECORDED]
    assert unknown["fit_sounds"] == dict.fromkeys(KINDS, 40) | {RECORDED: 1}
    assert (unknown["score"], unknown["threshold"]) == ("detector", calibration.unknown_threshold)
    own = [clip for clip in clips if clip.fold == 5]
    refused = sum(classifier.predict(*load_audio(clip.path), top_k=1, start_s=0.0).verdict == UNKNOWN for clip in own)
    assert refused / len(own) == pytest.approx(REFUSED_SHARE, abs=1 / len(own)), "by the quantile of these"
    assert figures["history"]["epoch"] == [1, 2]

    result = json.loads(command("evaluate", "--checkpoint", runs / "five" / "checkpoint", "--format", "json"))
    plain = softmax(predictions[0].logits, axis=1)
    cooled = softmax(predictions[0].logits / calibration.temperature, axis=1)
    assert result["ece"] == pytest.approx(direct_ece(cooled, predictions[0].targets), abs=1e-4)
    assert result["ece_before"] == pytest.approx(direct_ece(plain, predictions[0].targets), abs=1e-4)
    assert result["calibration"] == calibration.to_dict()
    command("card", "--checkpoint", runs / "five" / "checkpoint", "--examples", tmp_path)
    card = (runs / "five" / "checkpoint" / "README.md").read_text()
    assert (result["ece_in_sample"], result["ece_cross_fitted"]) == (True, part["ece"])
    assert f"| ECE, cross-fitted temperature, 15 bins | | {part['ece']:.4f} |" in card
    assert f"{result['ece']:.4f}" not in card, "fitted on the same clips"
    text = command("evaluate", "--checkpoint", runs / "five" / "checkpoint")
    assert f"calibrated, cross-fitted, 40 clips of fold 4, 5: loss {part['loss']:.4f}, ECE {part['ece']:.4f}" in text
    assert f"{result['ece']:.4f}" not in text
    assert f"temperature of {calibration.temperature:.3f}" in card
    assert f"| noise, synthetic | 40 | {unknown['kinds'][0]['refused']:.1%} |" in card

    result = json.loads(command("evaluate", "--checkpoint", runs / "without" / "checkpoint", "--format", "json"))
    assert result["clips"] == 15, "without the clips of the left-out class"


@pytest.mark.slow
def test_calibrate_single_checkpoint(runs, clips, cache, tmp_path):
    """Without a run around it; clips of a class left out of training are unknown sounds."""
    shutil.copytree(runs / "without" / "checkpoint", tmp_path / "network")
    found = calibrate(tmp_path / "network", [], OodFolders(), clips, cache, tmp_path / "evaluations.csv")
    assert (found.folder, found.folds, found.after.clips) == (tmp_path / "network", (5,), 15)
    figures = read_metrics(tmp_path / "network")
    assert "history" not in figures
    assert [(one["name"], one["sounds"]) for one in figures["unknown"]["kinds"]] == [
        *((kind, 40) for kind in KINDS),
        (LEFT_OUT, 5),
    ]
    again = calibrate(tmp_path / "network", [], OodFolders(), clips, cache, tmp_path / "evaluations.csv")
    assert again.calibration == found.calibration, "all is seeded"


@pytest.mark.slow
def test_log_of_calibrate_and_deletion_test(runs, clips, cache, tmp_path):
    log = tmp_path / "evaluations.csv"
    accuracy = {}
    for name in ("five", "without"):
        predictions = held_out(runs / name, clips, 5, cache, tmp_path / "elsewhere.csv")
        accuracy[name] = sklearn.metrics.accuracy_score(predictions.targets, predictions.logits.argmax(1))
    calibrate(runs / "five", [], OodFolders(), clips, cache, log)
    for name, fold in (("five", 5), ("without", 5), ("five", 1)):  # trained on the last one: no row
        found = run_deletion_test(runs / name / "checkpoint", clips, fold, cache, log)
        assert len(found.before) == len(found.predicted) == (20 if name == "five" else 15)
    header, *rows = (line.split(",") for line in log.read_text().splitlines())
    assert header == ["date", "run", "fold", "accuracy"]
    assert [row[1:] for row in rows] == [[name, "5", f"{accuracy[name]:.4f}"] for name in ("five", "five", "without")]


@pytest.mark.slow
def test_incompatible_runs(runs, clips, cache, tmp_path):
    log = tmp_path / "evaluations.csv"
    for arguments, key in (
        ((runs / "five", [runs / "five"]), "run.folds"),
        ((runs / "four", [runs / "without"]), "run.classes"),
    ):
        with pytest.raises(DataError) as caught:
            calibrate(*arguments, OodFolders(), clips, cache, log)
        assert caught.value.key == key


@pytest.mark.slow
def test_stored_predictions(runs, clips, cache, tmp_path):
    log = tmp_path / "evaluations.csv"
    (runs / "five" / FILE).unlink(missing_ok=True)
    first = held_out(runs / "five", clips, 5, cache, log)
    held_out(runs / "five", clips, 5, cache, log)
    assert len(log.read_text().splitlines()) == 2, "the header and one evaluation"
    assert first.logits.dtype == np.float32
    broken = tmp_path / FILE
    first.save(broken)
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(DataError, match="held_out"):
        Predictions.load(broken)
    assert torch.from_numpy(first.logits).isfinite().all()
