"""Calibration and out-of-distribution detection, against scikit-learn, a search and formulas."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import sklearn.metrics
import torch
from scipy.special import log_softmax, softmax

import training.train as loop
from esc.audio.waveform import is_silent
from esc.classification.calibration import UNKNOWN_SCORES
from esc.classification.checkpoint import read_config
from esc.classification.metrics_file import read_metrics, write_metrics
from esc.errors import DataError
from small_data import CLASSES, HALF_A_SECOND, QUICK, SMALL, outer
from test_metrics import direct_ece
from training.data.esc50 import class_names, left_out, without_classes
from training.data.preprocessing import prepare
from training.evaluation.calibrate import calibrate
from training.evaluation.deletion_test import run_deletion_test
from training.evaluation.ood import REFUSED, OodSample, auroc, evaluate_ood, scores, threshold
from training.evaluation.ood_sounds import KINDS, SAMPLE_RATE, synthesise
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


def test_ood_score_and_threshold(rng):
    known = rng.standard_normal((400, 5)).astype(np.float32)
    known[np.arange(400), rng.integers(0, 5, 400)] += 6
    flat, faint = rng.standard_normal((50, 5)).astype(np.float32) + 8, rng.standard_normal((50, 5)).astype(np.float32) - 8
    for unknown, better in (({"flat": flat}, "max_softmax"), ({"faint": known[:50] - 8}, "energy")):
        sample = OodSample(known, unknown)
        found = evaluate_ood(sample, sample, 1.3)
        assert found.score == better
        for name in UNKNOWN_SCORES:
            of_known, of_unknown = (scores(part, name, 1.3) for part in (known, next(iter(unknown.values()))))
            truth = np.repeat([1, 0], [400, 50])
            assert found.auroc[name] == pytest.approx(sklearn.metrics.roc_auc_score(truth, np.append(of_known, of_unknown)))
        assert found.false_alarms == pytest.approx(REFUSED, abs=0.005)
        assert found.caught > 0.9
    both = OodSample(known, {"flat": flat, "faint": faint})
    assert set(evaluate_ood(both, both, 1.0).kinds) == {"flat", "faint"}
    assert (scores(known, "energy", 1.0) < threshold(known, "energy", 1.0)).mean() == pytest.approx(REFUSED, abs=0.005)


def test_ood_score_is_chosen_on_other_sounds(rng):
    """By the mean over the kinds, in which many noises count no more than a few sounds of left-out classes."""
    known = rng.standard_normal((400, 5)).astype(np.float32)
    known[np.arange(400), rng.integers(0, 5, 400)] += 6
    faint, flat = known[:20] - 8, rng.standard_normal((400, 5)).astype(np.float32) + 3.5
    selection, test = OodSample(known, {"faint": faint, "flat": flat}), OodSample(known, {"flat": flat})
    found = evaluate_ood(selection, test, 1.0)
    pooled = {name: auroc(scores(known, name, 1.0), scores(np.concatenate([faint, flat]), name, 1.0)) for name in UNKNOWN_SCORES}
    assert (found.score, max(pooled, key=pooled.get)) == ("energy", "max_softmax")
    assert found.auroc["max_softmax"] > found.auroc["energy"], "its own figures have no part in the choice"
    assert found.kinds == {"flat": found.auroc["energy"]}
    assert found.selection_clips == 820


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
def test_calibrate_and_card_commands(runs, data, cache, tmp_path, run_command):
    def command(*arguments: object) -> str:
        common = ("--data", data, "--cache", cache, "--evaluation-log", tmp_path / "evaluations.csv")
        code, output, errors = run_command(*arguments, *common)
        assert code == 0, errors
        return output

    printed = command("calibrate", runs / "five", "--fold-run", runs / "four", "--ood-run", runs / "without")
    calibration = read_config(runs / "five" / "checkpoint").calibration
    figures = read_metrics(runs / "five" / "checkpoint")
    predictions = [Predictions.load(runs / name / FILE) for name in ("five", "four")]
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
    assert figures["unknown"]["left_out_classes"] == ["ticks"]
    assert set(figures["unknown"]["kinds"]) == {"left-out classes", *KINDS}
    assert calibration.unknown_score == figures["unknown"]["score"]
    of_known = scores(predictions[0].logits, calibration.unknown_score, calibration.temperature)
    assert calibration.unknown_threshold == pytest.approx(np.quantile(of_known, REFUSED))
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
    assert "| left-out classes |" in card
    shares = f"rejects {figures['unknown']['caught']:.1%} of unknown\nsounds and"
    assert "5% of the known clips that this network held out.\nAnother network, trained without 1 of the classes" in card
    assert f"with its own threshold, {shares}" in card
    assert "5% of the known clips that five held out" in printed
    assert "unknown sounds, without, with its own threshold: mean AUROC" in printed
    write_metrics(runs / "five" / "checkpoint", unknown=figures["unknown"] | {"left_out_classes": []})
    command("card", "--checkpoint", runs / "five" / "checkpoint", "--examples", tmp_path)
    card = (runs / "five" / "checkpoint" / "README.md").read_text()
    assert f"This network {shares}" in card

    result = json.loads(command("evaluate", "--checkpoint", runs / "without" / "checkpoint", "--format", "json"))
    assert result["clips"] == 15, "without the clips of the left-out class"


@pytest.mark.slow
def test_calibrate_single_fold(runs, clips, cache, tmp_path):
    found = calibrate(runs / "four", [], None, clips, cache, tmp_path / "evaluations.csv")
    assert (found.folds, found.after.clips) == ((4,), 20)
    assert set(found.ood.kinds) == set(KINDS)
    assert read_metrics(runs / "four" / "checkpoint")["unknown"]["left_out_classes"] == []


@pytest.mark.slow
def test_log_of_calibrate_and_deletion_test(runs, clips, cache, tmp_path):
    log = tmp_path / "evaluations.csv"
    accuracy = {}
    for name in ("five", "without"):
        predictions = held_out(runs / name, clips, 5, cache, tmp_path / "elsewhere.csv")
        accuracy[name] = sklearn.metrics.accuracy_score(predictions.targets, predictions.logits.argmax(1))
    calibrate(runs / "five", [], runs / "without", clips, cache, log)
    for name, fold in (("five", 5), ("without", 5), ("five", 1)):  # trained on the last one: no row
        found = run_deletion_test(runs / name / "checkpoint", clips, fold, cache, log)
        assert len(found.before) == len(found.predicted) == (20 if name == "five" else 15)
    header, *rows = (line.split(",") for line in log.read_text().splitlines())
    assert header == ["date", "run", "fold", "accuracy"]
    assert [row[1:] for row in rows] == [[name, "5", f"{accuracy[name]:.4f}"] for name in ("without", "five", "without")]


@pytest.mark.slow
def test_incompatible_runs(runs, clips, cache, tmp_path):
    log = tmp_path / "evaluations.csv"
    for arguments, key in (
        ((runs / "five", [runs / "five"], None), "run.folds"),
        ((runs / "four", [runs / "without"], None), "run.classes"),
        ((runs / "five", [], runs / "four"), "run.whole"),
    ):
        with pytest.raises(DataError) as caught:
            calibrate(*arguments, clips, cache, log)
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
