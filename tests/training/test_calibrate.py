"""Calibration: the temperature against a search, AUROC against scikit-learn, and what is written against direct formulas."""

from __future__ import annotations

import dataclasses
import json
import sys

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
from test_train import CLASSES, HALF_A_SECOND, QUICK, SMALL, cache, data, direct_ece, prepared  # noqa: F401, fixtures
from training.data.esc50 import class_names, left_out, read_clips, without_classes
from training.data.preprocessing import prepare
from training.evaluation.calibrate import calibrate
from training.evaluation.deletion_test import maps_tested
from training.evaluation.ood import REFUSED, area_under_roc, scores, separate, threshold
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
def test_the_temperature_is_what_the_logits_are_wrong_by(honest, wrong):
    logits, targets = honest
    found = fit_temperature(wrong * logits, targets)
    assert found == pytest.approx(wrong, rel=0.08)
    tried = np.exp(np.linspace(-1.5, 1.5, 151))
    losses = [
        sklearn.metrics.log_loss(targets, softmax(wrong * logits.astype(float) / t, axis=1), labels=range(7)) for t in tried
    ]
    assert found == pytest.approx(tried[int(np.argmin(losses))], rel=0.015)
    assert cross_entropy(wrong * logits / found, targets) == pytest.approx(min(losses), abs=1e-4)


def test_no_clip_has_a_say_in_its_own_temperature(honest):
    logits, targets = (part[:600] for part in honest)
    groups = np.arange(600) % 3
    scaled = cross_fitted(logits, targets, groups)
    for group in range(3):
        inside = groups == group
        np.testing.assert_allclose(scaled[inside], logits[inside] / fit_temperature(logits[~inside], targets[~inside]), rtol=1e-6)
    spoilt = targets.copy()
    spoilt[groups == 1] = 0
    np.testing.assert_array_equal(cross_fitted(logits, spoilt, groups)[groups == 1], scaled[groups == 1])


def test_a_recording_stays_together():
    sources = [str(number // 3) for number in range(60)]
    groups = groups_of_sources(sources, 5)
    assert sorted(np.bincount(groups).tolist()) == [12] * 5
    assert all(len({group for group, source in zip(groups, sources, strict=True) if source == one}) == 1 for one in sources)


# the unknown


def test_the_area_is_scikit_learns(rng):
    for known, unknown in ((rng.normal(1, 1, 90), rng.normal(0, 2, 40)), (rng.integers(0, 4, 70), rng.integers(0, 3, 30))):
        truth = np.repeat([1, 0], [len(known), len(unknown)])
        expected = sklearn.metrics.roc_auc_score(truth, np.concatenate([known, unknown]))
        assert area_under_roc(known, unknown) == pytest.approx(expected, abs=1e-12)


def test_the_better_score_is_chosen_and_the_threshold_refuses_the_share(rng):
    known = rng.standard_normal((400, 5)).astype(np.float32)
    known[np.arange(400), rng.integers(0, 5, 400)] += 6
    flat, faint = rng.standard_normal((50, 5)).astype(np.float32) + 8, rng.standard_normal((50, 5)).astype(np.float32) - 8
    for unknown, better in (({"flat": flat}, "max_softmax"), ({"faint": known[:50] - 8}, "energy")):
        found = separate(known, unknown, 1.3)
        assert found.score == better
        for name in UNKNOWN_SCORES:
            of_known, of_unknown = (scores(part, name, 1.3) for part in (known, next(iter(unknown.values()))))
            truth = np.repeat([1, 0], [400, 50])
            assert found.auroc[name] == pytest.approx(sklearn.metrics.roc_auc_score(truth, np.append(of_known, of_unknown)))
        assert found.false_alarms == pytest.approx(REFUSED, abs=0.005)
        assert found.caught > 0.9
    both = separate(known, {"flat": flat, "faint": faint}, 1.0)
    assert set(both.kinds) == {"flat", "faint"}
    assert (scores(known, "energy", 1.0) < threshold(known, "energy", 1.0)).mean() == pytest.approx(REFUSED, abs=0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_nonsense_is_a_sound_and_hangs_on_its_seed(kind):
    made = [synthesise(kind, 5.0, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    for waveform in made:
        assert (waveform.shape, waveform.dtype) == ((5 * SAMPLE_RATE,), np.float32)
        assert 10 ** (-30.1 / 20) < np.abs(waveform).max() < 10 ** (-5.9 / 20)
        assert not is_silent(waveform)


def test_speech_has_a_pitch_formants_and_syllables():
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


def test_classes_are_left_out_by_name_or_number(data):  # noqa: F811
    clips = read_clips(data)
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
def runs(data, cache, prepared, tmp_path_factory):  # noqa: F811
    """Two runs that held out folds 5 and 4, and one that has never met `ticks`."""
    folder, clips = tmp_path_factory.mktemp("runs"), read_clips(data)
    recipe = dataclasses.replace(QUICK, epochs=2)
    loop.train(prepared, recipe, (1, 2, 3, 4), 5, 1, folder / "five")
    loop.train(prepared, recipe, (1, 2, 3, 5), 4, 1, folder / "four")
    fewer = prepare(without_classes(clips, ("ticks",)), SMALL, HALF_A_SECOND, cache, jobs=1)
    loop.train(fewer, recipe, (1, 2, 3, 4), 5, 1, folder / "without", without=("ticks",))
    return folder


def test_what_is_calibrated_is_written_and_told(runs, data, cache, tmp_path, monkeypatch, capsys):  # noqa: F811
    from training.__main__ import main

    def command(*arguments: object) -> str:
        wanted = ["--data", str(data), "--cache", str(cache), "--readings", str(tmp_path / "readings.csv")]
        monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments), *wanted])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    said = command("calibrate", runs / "five", "--with", runs / "four", "--without", runs / "without")
    calibration = read_config(runs / "five" / "checkpoint").calibration
    figures = read_metrics(runs / "five" / "checkpoint")
    read = [Predictions.load(runs / name / FILE) for name in ("five", "four")]
    logits, targets = (np.concatenate([getattr(one, name) for one in read]) for name in ("logits", "targets"))
    assert calibration.temperature == pytest.approx(fit_temperature(logits, targets))
    assert f"temperature {calibration.temperature:.3f}, from fold 4, 5" in said
    crossed = [read[0].logits / fit_temperature(read[1].logits, read[1].targets)]
    crossed += [read[1].logits / fit_temperature(read[0].logits, read[0].targets)]
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
    of_known = scores(read[0].logits, calibration.unknown_score, calibration.temperature)
    assert calibration.unknown_threshold == pytest.approx(np.quantile(of_known, REFUSED))
    assert figures["history"]["epoch"] == [1, 2]

    told = json.loads(command("evaluate", "--checkpoint", runs / "five" / "checkpoint", "--format", "json"))
    cooled = softmax(read[0].logits / calibration.temperature, axis=1)
    assert told["ece"] == pytest.approx(direct_ece(cooled, read[0].targets), abs=1e-4)
    assert told["ece_before"] == pytest.approx(direct_ece(softmax(read[0].logits, axis=1), read[0].targets), abs=1e-4)
    assert told["calibration"] == calibration.to_dict()
    command("card", "--checkpoint", runs / "five" / "checkpoint", "--examples", tmp_path)
    card = (runs / "five" / "checkpoint" / "README.md").read_text()
    assert f"{told['ece']:.4f} ({told['ece_before']:.4f} before" in card
    assert f"temperature of {calibration.temperature:.3f}" in card
    assert "| left-out classes |" in card
    shares = f"refuses {figures['unknown']['caught']:.1%} of unknown\nsounds and"
    assert "5% of the known clips that this network held out.\nAnother network, trained without 1 of the classes" in card
    assert f"with a threshold of its own, {shares}" in card
    assert "5% of the known clips that five held out" in said
    assert "unknown sounds, by without, at a threshold of its own: AUROC" in said
    write_metrics(runs / "five" / "checkpoint", unknown=figures["unknown"] | {"left_out_classes": []})
    command("card", "--checkpoint", runs / "five" / "checkpoint", "--examples", tmp_path)
    card = (runs / "five" / "checkpoint" / "README.md").read_text()
    assert f"The same network {shares}" in card

    told = json.loads(command("evaluate", "--checkpoint", runs / "without" / "checkpoint", "--format", "json"))
    assert told["clips"] == 15, "a network that has never met a class is not asked for it"


def test_a_single_fold_is_cross_fitted_by_recordings(runs, data, cache, tmp_path):  # noqa: F811
    clips = read_clips(data)
    found = calibrate(runs / "four", [], None, clips, cache, tmp_path / "readings.csv")
    assert (found.folds, found.after.clips) == ((4,), 20)
    assert set(found.separation.kinds) == set(KINDS)
    assert read_metrics(runs / "four" / "checkpoint")["unknown"]["left_out_classes"] == []


def test_every_reading_by_a_command_is_a_row_of_the_log(runs, data, cache, tmp_path):  # noqa: F811
    clips, readings = read_clips(data), tmp_path / "readings.csv"
    accuracy = {}
    for name in ("five", "without"):
        predictions = held_out(runs / name, clips, 5, cache, tmp_path / "elsewhere.csv")
        accuracy[name] = sklearn.metrics.accuracy_score(predictions.targets, predictions.logits.argmax(1))
    calibrate(runs / "five", [], runs / "without", clips, cache, readings)
    for name, fold in (("five", 5), ("without", 5), ("five", 1)):  # the last was trained on: no row
        found = maps_tested(runs / name / "checkpoint", clips, fold, cache, readings)
        assert len(found.before) == len(found.guesses) == (20 if name == "five" else 15)
    header, *rows = (line.split(",") for line in readings.read_text().splitlines())
    assert header == ["date", "run", "fold", "accuracy"]
    assert [row[1:] for row in rows] == [[name, "5", f"{accuracy[name]:.4f}"] for name in ("without", "five", "without")]


def test_runs_that_can_not_be_calibrated_together(runs, data, cache, tmp_path):  # noqa: F811
    clips, readings = read_clips(data), tmp_path / "readings.csv"
    for arguments, key in (
        ((runs / "five", [runs / "five"], None), "run.folds"),
        ((runs / "four", [runs / "without"], None), "run.classes"),
        ((runs / "five", [], runs / "four"), "run.whole"),
    ):
        with pytest.raises(DataError) as caught:
            calibrate(*arguments, clips, cache, readings)
        assert caught.value.key == key


def test_predictions_that_are_damaged_are_told_and_others_read_once(runs, data, cache, tmp_path):  # noqa: F811
    clips, readings = read_clips(data), tmp_path / "readings.csv"
    (runs / "five" / FILE).unlink(missing_ok=True)
    first = held_out(runs / "five", clips, 5, cache, readings)
    held_out(runs / "five", clips, 5, cache, readings)
    assert len(readings.read_text().splitlines()) == 2, "the header and one reading"
    assert first.logits.dtype == np.float32
    broken = tmp_path / FILE
    first.save(broken)
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(DataError, match="held_out"):
        Predictions.load(broken)
    assert torch.from_numpy(first.logits).isfinite().all()
