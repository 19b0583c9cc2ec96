"""Reports, cross-validation and the log of readings; damaged clips, full disks and other things that go wrong."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import resource
import shutil
import sys

import numpy as np
import pytest
import safetensors.torch
import sklearn.calibration
import sklearn.metrics
import torch

import training.train as loop
from esc.classification.checkpoint import load_checkpoint
from esc.classification.classifier import Classifier
from esc.classification.metrics_file import write_metrics
from esc.errors import DataError
from test_metrics_file import FIGURES
from test_train import A_FOLD, CLASSES, HALF_A_SECOND, HELD_OUT, QUICK, SMALL, TRAINING_FOLDS, cache, data, make_data, prepared  # noqa: F401, fixtures
from training import cross_validation
from training.data.esc50 import read_clips
from training.data.preprocessing import prepare
from training.engine.state import State
from training.evaluation.held_out_log import Reading, read_fold, record
from training.evaluation.metrics import Figures, score
from training.evaluation.model_card import write_card
from training.evaluation.predictions import Predictions
from training.evaluation.results_page import take_up, write_results
from training.evaluation.run_report import write_report
from training.runs import run_dir
from training.runs.disk import full_disk_named
from training.runs.paths import RESULTS

# report, readings, cross-validation


@pytest.fixture(scope="module")
def run(prepared, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("runs") / "a-run"
    recipe = dataclasses.replace(QUICK, epochs=2)
    loop.train(prepared, recipe, TRAINING_FOLDS, HELD_OUT, 1, folder)
    return folder


def rows(readings) -> list[dict[str, str]]:
    with readings.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_report_says_what_scikit_learn_says(run, prepared, data, cache, tmp_path):  # noqa: F811
    page = write_report(run, read_clips(data), cache, tmp_path / "readings.csv").read_text()
    for picture in ("curves", "confusion", "recall", "reliability"):
        assert f"({picture}.png)" in page
        assert (run / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
    model, meta = load_checkpoint(run / "checkpoint")
    held_out = np.flatnonzero(prepared.folds == HELD_OUT)
    targets = prepared.targets[held_out]
    figures = score(model, torch.from_numpy(prepared.spectrograms_db[held_out]), torch.from_numpy(targets), meta.input)
    guesses = figures.probabilities.argmax(1)
    assert f"Accuracy {sklearn.metrics.accuracy_score(targets, guesses):.4f}" in page
    recall = sklearn.metrics.recall_score(targets, guesses, average=None, zero_division=0)
    assert all(f"{CLASSES[index]} {recall[index]:.2f}" in page for index in np.flatnonzero(recall < 1))
    wrong = np.flatnonzero(guesses != targets)
    assert wrong.size, "a network of two epochs that makes no mistake shows nothing here"
    true, guess = targets[wrong[0]], guesses[wrong[0]]
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {CLASSES[true]} | {CLASSES[guess]} |")]
    assert f"`{prepared.names[held_out[wrong[0]]]}`" in line
    assert rows(tmp_path / "readings.csv")[0]["run"] == "a-run"


def test_a_run_that_has_not_ended_gets_its_curves(run, data, cache, tmp_path):  # noqa: F811
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    for name in ("config.json", "history.csv"):
        (unfinished / name).write_text((run / name).read_text())
    page = write_report(unfinished, read_clips(data), cache, tmp_path / "readings.csv").read_text()
    assert "has not ended" in page
    assert (unfinished / "curves.png").is_file()
    assert not (tmp_path / "readings.csv").exists()


def test_what_is_no_run_is_told(run, data, cache, tmp_path):  # noqa: F811
    readings = tmp_path / "readings.csv"
    for name, text in (("config.json", None), ("config.json", "{"), ("history.csv", None), ("history.csv", "epoch\nx\n")):
        broken = tmp_path / f"{name}-{text and len(text)}"
        broken.mkdir()
        for kept in ("config.json", "history.csv"):
            (broken / kept).write_text((run / kept).read_text())
        (broken / name).write_text(text) if text else (broken / name).unlink()
        with pytest.raises(DataError, match=name) as caught:
            write_report(broken, read_clips(data), cache, readings)
        assert caught.value.key == "run.missing"


def test_readings_of_a_held_out_fold_are_logged_and_others_not(run, data, cache, tmp_path):  # noqa: F811
    readings = tmp_path / "log" / "readings.csv"
    clips = read_clips(data)
    reading = read_fold(run / "checkpoint", clips, HELD_OUT, cache, readings)
    read_fold(run / "checkpoint", clips, 1, cache, readings)
    read_fold(run / "checkpoint", clips, HELD_OUT, cache, readings)
    logged = rows(readings)
    assert list(logged[0]) == ["date", "run", "fold", "accuracy"]
    assert [(row["run"], row["fold"], row["accuracy"]) for row in logged] == [
        ("a-run", "5", f"{reading.figures.accuracy:.4f}")
    ] * 2
    with pytest.raises(DataError, match="Fold 7 does not exist"):
        read_fold(run / "checkpoint", clips, 7, cache, readings)


def test_a_run_is_taken_up_into_the_results(run, data, cache, tmp_path):  # noqa: F811
    readings, results = tmp_path / "readings.csv", tmp_path / "results"
    assert take_up(run, results, read_clips(data), cache, readings) == ["a-run"]
    kept = Predictions.load(results / "a-run" / "held_out.npz")
    assert np.array_equal(kept.logits, Predictions.load(run / "held_out.npz").logits)
    settings = json.loads((results / "a-run" / "config.json").read_text())
    assert (settings["seed"], settings["epoch"], settings["train_folds"]) == (1, 2, [1, 2, 3, 4])
    assert "CPU" in settings["device"] or torch.cuda.is_available()
    page = write_results(results, readings).read_text()
    accuracy = sklearn.metrics.accuracy_score(kept.targets, kept.logits.argmax(1))
    assert f"| `a-run` | other | 1, 2, 3, 4 → 5 | 1 | 2 | {accuracy:.4f} |" in page
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    for name in ("config.json", "history.csv"):
        shutil.copy(run / name, unfinished / name)
    take_up(unfinished, results, read_clips(data), cache, readings)
    assert not (results / "unfinished" / "held_out.npz").exists()


def test_the_notes_tell_every_reading_of_fold_5_that_is_in_the_results():
    notes = (RESULTS.parent / "NOTES.md").read_text().split("## Readings of fold 5")[1].split("##")[0]
    told = [re.findall(r"0\.\d{4}", row) for row in notes.splitlines() if row.startswith("| 2")]
    read = [path for path in RESULTS.glob("*/held_out.npz") if run_dir.read_settings(path.parent)["valid_fold"] == 5]
    assert len(read) >= 6
    for path in read:
        kept = Predictions.load(path)
        accuracy = f"{sklearn.metrics.accuracy_score(kept.targets, kept.logits.argmax(1)):.4f}"
        assert any(accuracy in row for row in told), f"{path.parent.name}, {accuracy}, has no row in training/NOTES.md"


def test_a_log_that_can_not_be_written_is_told(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    record(tmp_path / "file" / "readings.csv", "a-run", 5, 0.5)
    assert "not in the log" in caplog.text


def test_cross_validation_goes_on_where_it_stopped(data, cache, tmp_path, monkeypatch):  # noqa: F811
    recipe, clips, readings = dataclasses.replace(QUICK, epochs=1), read_clips(data), tmp_path / "readings.csv"

    def killed(*arguments):
        if arguments[3] == 3:
            raise KeyboardInterrupt
        return loop.train(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cross_validation, "train", killed)
        cross_validation.cross_validate(clips, recipe, 1, tmp_path / "five", cache, readings)
    assert not (tmp_path / "five" / "crossval.json").exists()
    summary = cross_validation.cross_validate(clips, recipe, 1, tmp_path / "five", cache, readings)
    assert summary == json.loads((tmp_path / "five" / "crossval.json").read_text())
    assert [row["fold"] for row in rows(readings)] == ["1", "2", "3", "4", "5"]  # each once
    read = [float(row["accuracy"]) for row in rows(readings)]
    assert list(summary["accuracy"].values()) == pytest.approx(read, abs=1e-4)
    assert (summary["mean"], summary["std"]) == pytest.approx((np.mean(read), np.std(read, ddof=1)), abs=1e-4)
    assert summary["clips"] == len(clips) == 5 * len(CLASSES) * A_FOLD
    for fold in (1, 2, 3, 4, 5):
        assert run_dir.read_settings(tmp_path / "five" / f"fold{fold}")["valid_fold"] == fold
        _, meta = load_checkpoint(tmp_path / "five" / f"fold{fold}" / "checkpoint")
        assert fold not in meta.provenance["train_folds"]
    with pytest.raises(DataError, match="other settings"):
        cross_validation.cross_validate(clips, recipe, 2, tmp_path / "five", cache, readings)


def test_a_run_from_before_a_recipe_had_more_fields_goes_on(run, prepared, tmp_path):  # noqa: F811
    older = json.loads((run / "config.json").read_text())
    for field in ("optimizer", "schedule", "sub_batch", "initial_weights", "first_layer", "mixed_precision"):
        del older["recipe"][field]
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("history.csv", "last.pt"):
        (copy / name).write_bytes((run / name).read_bytes())
    (copy / "config.json").write_text(json.dumps(older))
    loop.train(prepared, dataclasses.replace(QUICK, epochs=2), TRAINING_FOLDS, HELD_OUT, 1, copy)
    with pytest.raises(DataError, match="recipe"):
        loop.train(prepared, dataclasses.replace(QUICK, epochs=2, schedule="tenfold"), TRAINING_FOLDS, HELD_OUT, 1, copy)


# what can go wrong


@pytest.mark.parametrize("damage", ["noise", "empty", "cut"])
def test_a_damaged_clip_is_named(tmp_path, damage):
    clips = read_clips(make_data(tmp_path))
    path = clips[7].path
    whole = path.read_bytes()
    path.write_bytes({"noise": b"no sound at all" * 99, "empty": b"", "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(DataError) as caught:
        prepare(clips, SMALL, HALF_A_SECOND, tmp_path / "cache", jobs=1)
    assert (caught.value.key, caught.value.values["path"]) == ("data.damaged", str(path))
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_a_full_disk_while_preparing(data, tmp_path, monkeypatch):  # noqa: F811
    clips = read_clips(data)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the system's own error, met while writing
    try:
        with pytest.raises(DataError) as caught:
            prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.key == "disk.full"
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    monkeypatch.setattr("training.runs.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(DataError, match=r"needs 0 MB and the disk has 0 MB left") as caught:
        prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert caught.value.key == "disk.room"


def test_a_full_disk_while_training_keeps_the_epoch_before(run, prepared, tmp_path):  # noqa: F811
    state = State(torch.nn.Linear(900, 900), None, *[torch.optim.SGD(torch.nn.Linear(1, 1).parameters())] * 2)
    path = tmp_path / "last.pt"
    path.write_bytes(b"the epoch before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DataError) as caught:
            state.save(path)
        with pytest.raises(DataError) as of_checkpoint, full_disk_named(tmp_path):
            safetensors.torch.save_file({"a": torch.zeros(90_000)}, tmp_path / "a.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (caught.value.key, path.read_bytes()) == ("disk.full", b"the epoch before")
    assert of_checkpoint.value.key == "disk.full"
    assert not list(tmp_path.glob("*.tmp"))


def test_another_error_of_the_system_names_the_file_and_stays_one(tmp_path):
    gone = tmp_path / "nowhere"
    with pytest.raises(FileNotFoundError) as caught, full_disk_named(gone):
        safetensors.torch.save_file({"a": torch.zeros(3)}, gone / "a.safetensors")
    assert caught.value.filename == str(gone)
    with pytest.raises(FileNotFoundError), full_disk_named(gone):
        (gone / "history.csv").open("a")


@pytest.mark.parametrize("average", [0.9, None])
def test_a_card_tells_how_the_checkpoint_was_made(run, tmp_path, average):
    shutil.copytree(run / "checkpoint", tmp_path / "checkpoint")
    config = json.loads((tmp_path / "checkpoint" / "config.json").read_text())
    if average is None:  # as the notebook's recipe leaves it
        config["provenance"]["recipe"] |= {"average": None, "augmentation": None, "optimizer": "adam", "schedule": "tenfold"}
        config["provenance"]["initial_weights"] = "ImageNet, from a.pth"
    config["provenance"] |= {"hours": 0.07}
    config["provenance"]["recipe"] |= {"dropout": 0.2, "drop_path": 0.1}
    (tmp_path / "checkpoint" / "config.json").write_text(json.dumps(config))
    figures = Figures(0.75, 1.0, 0.05, 20, np.zeros((20, 4)), np.zeros((20, 4)))
    classifier = Classifier.load(tmp_path / "checkpoint")
    reading = Reading(figures, classifier.checkpoint, np.zeros(20, np.int64), ())
    card = write_card(tmp_path / "checkpoint", classifier, reading, 5, tmp_path).read_text()
    assert "| accuracy | 0.7500 |" in card
    assert "epochs in 4 minutes on" in card and ", dropout 0.2, stochastic depth up to 0.1, " in card
    assert "networks made this way" not in card
    held_out = FIGURES["held_out"] | {"folds": [1, 2, 5]}
    write_metrics(tmp_path / "checkpoint", held_out=held_out)
    with_folds = write_card(tmp_path / "checkpoint", classifier, reading, 5, tmp_path).read_text()
    assert "3 networks made this way, each on the fold that it held out: accuracy 0.7725 over 400 clips." in with_folds
    said = ("from scratch", "AdamW", "one-cycle", "50% of the clips", "running average")
    said_of_the_notebook = ("ImageNet, from a.pth", "Adam ", "divided by ten", "no augmentation")
    for words, wanted in ((said, average is not None), (said_of_the_notebook, average is None)):
        assert all((word in card) == wanted for word in words)


def test_too_few_clips_for_a_batch(prepared, tmp_path):  # noqa: F811
    with pytest.raises(DataError, match="fewer than one batch of 999"):
        loop.train(prepared, dataclasses.replace(QUICK, batch_size=999), TRAINING_FOLDS, HELD_OUT, 1, tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("look", "nowhere.wav"), "neither a file nowhere.wav"),
        (("look", "1-1000-A-0.wav", "--out", "/dev/null/look"), "error: /dev/null/look: Not a directory"),
        (("train", "--fold", "6"), "Fold 6 does not exist"),
        (("report", "nowhere"), "There is no run in nowhere"),
        (("results", "nowhere"), "There is no run in nowhere"),
        (("calibrate", "nowhere"), "There is no checkpoint in nowhere"),
        (("train", "--without", "purr"), "purr can't be left out"),
        (("sweep", "mels=3"), "mels is not possible: choose one of sample_rate"),
        (("download", "--url", "ftp://x/y"), "only http and https"),
    ],
)
def test_the_commands_say_what_is_wrong_in_one_line(data, monkeypatch, tmp_path, capsys, arguments, said):  # noqa: F811
    from training.__main__ import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESC50_DIR", str(data))
    monkeypatch.setattr(sys, "argv", ["training", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert said in line
