"""Report of a run, log of evaluations, cross-validation, errors of the commands."""

from __future__ import annotations

import csv
import dataclasses
import json
import re

import numpy as np
import pytest
import sklearn.metrics
import torch

import training.train as loop
from esc.classification.checkpoint import load_checkpoint
from esc.errors import DataError
from small_data import A_FOLD, CLASSES, EVERY_EPOCH, HELD_OUT, QUICK, outer
from training import cross_validation
from training.evaluation.held_out_log import evaluate_fold, record
from training.evaluation.metrics import evaluate
from training.evaluation.run_report import write_report
from training.runs import run_dir


@pytest.fixture(scope="module")
def run(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "a-run"
    loop.train(prepared, outer(dataclasses.replace(QUICK, epochs=2)), folder, EVERY_EPOCH)
    return folder


def rows(log) -> list[dict[str, str]]:
    with log.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.slow
def test_report_equals_scikit_learn(run, prepared, clips, cache, tmp_path):
    page = write_report(run, clips, cache, tmp_path / "evaluations.csv").read_text()
    for plot in ("curves", "confusion", "recall", "reliability"):
        assert f"({plot}.png)" in page
        assert (run / f"{plot}.png").read_bytes().startswith(b"\x89PNG")
    model, meta = load_checkpoint(run / "checkpoint")
    held_out = np.flatnonzero(prepared.folds == HELD_OUT)
    targets = prepared.targets[held_out]
    metrics = evaluate(model, torch.from_numpy(prepared.spectrograms_db[held_out]), torch.from_numpy(targets), meta.input)
    predicted = metrics.probabilities.argmax(1)
    assert f"Accuracy {sklearn.metrics.accuracy_score(targets, predicted):.4f}" in page
    recall = sklearn.metrics.recall_score(targets, predicted, average=None, zero_division=0)
    assert all(f"{CLASSES[index]} {recall[index]:.2f}" in page for index in np.flatnonzero(recall < 1))
    wrong = np.flatnonzero(predicted != targets)
    assert wrong.size, "a network of two epochs that makes no mistake shows nothing here"
    true, mistaken = targets[wrong[0]], predicted[wrong[0]]
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {CLASSES[true]} | {CLASSES[mistaken]} |")]
    assert f"`{prepared.names[held_out[wrong[0]]]}`" in line
    assert rows(tmp_path / "evaluations.csv")[0]["run"] == "a-run"


@pytest.mark.slow
def test_report_of_an_unfinished_run(run, clips, cache, tmp_path):
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    for name in ("config.json", "history.csv"):
        (unfinished / name).write_text((run / name).read_text())
    page = write_report(unfinished, clips, cache, tmp_path / "evaluations.csv").read_text()
    assert "has not ended" in page
    assert (unfinished / "curves.png").is_file()
    assert not (tmp_path / "evaluations.csv").exists()


@pytest.mark.slow
def test_report_without_run(run, clips, cache, tmp_path):
    log = tmp_path / "evaluations.csv"
    for name, text in (("config.json", None), ("config.json", "{"), ("history.csv", None), ("history.csv", "epoch\nx\n")):
        broken = tmp_path / f"{name}-{text and len(text)}"
        broken.mkdir()
        for kept in ("config.json", "history.csv"):
            (broken / kept).write_text((run / kept).read_text())
        (broken / name).write_text(text) if text else (broken / name).unlink()
        with pytest.raises(DataError, match=name) as caught:
            write_report(broken, clips, cache, log)
        assert caught.value.key == "run.missing"


@pytest.mark.slow
def test_log_of_held_out_evaluations(run, clips, cache, tmp_path):
    log = tmp_path / "log" / "evaluations.csv"
    found = evaluate_fold(run / "checkpoint", clips, HELD_OUT, cache, log)
    evaluate_fold(run / "checkpoint", clips, 1, cache, log)
    evaluate_fold(run / "checkpoint", clips, HELD_OUT, cache, log)
    logged = rows(log)
    assert list(logged[0]) == ["date", "run", "fold", "accuracy"]
    assert [(row["run"], row["fold"], row["accuracy"]) for row in logged] == [("a-run", "5", f"{found.metrics.accuracy:.4f}")] * 2
    with pytest.raises(DataError, match="Fold 7 does not exist"):
        evaluate_fold(run / "checkpoint", clips, 7, cache, log)


def test_log_that_can_not_be_written(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    record(tmp_path / "file" / "evaluations.csv", "a-run", 5, 0.5)
    assert "not in the log" in caplog.text


@pytest.mark.slow
def test_resume_cross_validation(clips, cache, tmp_path, monkeypatch):
    recipe, log = dataclasses.replace(QUICK, epochs=1), tmp_path / "evaluations.csv"

    def killed(prepared, config, *rest, **options):
        if config.valid_fold == 3:
            raise KeyboardInterrupt
        return loop.train(prepared, config, *rest, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cross_validation, "train", killed)
        cross_validation.cross_validate(clips, run_dir.RunConfig(recipe, (), 0, 1), tmp_path / "five", cache, log)
    assert not (tmp_path / "five" / "crossval.json").exists()
    summary = cross_validation.cross_validate(clips, run_dir.RunConfig(recipe, (), 0, 1), tmp_path / "five", cache, log)
    assert summary == json.loads((tmp_path / "five" / "crossval.json").read_text())
    assert [row["fold"] for row in rows(log)] == ["1", "2", "3", "4", "5"]  # each once
    logged = [float(row["accuracy"]) for row in rows(log)]
    assert list(summary["accuracy"].values()) == pytest.approx(logged, abs=1e-4)
    assert (summary["mean"], summary["std"]) == pytest.approx((np.mean(logged), np.std(logged, ddof=1)), abs=1e-4)
    assert summary["clips"] == len(clips) == 5 * len(CLASSES) * A_FOLD
    for fold in (1, 2, 3, 4, 5):
        assert run_dir.read_settings(tmp_path / "five" / f"fold{fold}")["valid_fold"] == fold
        _, meta = load_checkpoint(tmp_path / "five" / f"fold{fold}" / "checkpoint")
        assert fold not in meta.provenance["train_folds"]
    with pytest.raises(DataError, match="other settings"):
        cross_validation.cross_validate(clips, run_dir.RunConfig(recipe, (), 0, 2), tmp_path / "five", cache, log)


def test_too_few_clips(prepared, tmp_path):
    with pytest.raises(DataError, match="fewer than one batch of 999"):
        loop.train(prepared, outer(dataclasses.replace(QUICK, batch_size=999)), tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("look", "nowhere.wav"), "neither a file nowhere.wav"),
        (("look", "1-1000-A-0.wav", "--output", "/dev/null/look"), "error: /dev/null/look: Not a directory"),
        (("train", "--fold", "6"), "Fold 6 does not exist"),
        (("report", "nowhere"), "There is no run in nowhere"),
        (("results", "nowhere"), "There is no run in nowhere"),
        (("calibrate", "nowhere"), "There is no checkpoint in nowhere"),
        (("train", "--leave-out-classes", "purr"), "purr can't be left out"),
        (("sweep", "mels=3"), "mels is not possible: choose one of sample_rate"),
        (("download", "--url", "ftp://x/y"), "only http and https"),
    ],
)
def test_command_errors(data, monkeypatch, tmp_path, run_command, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESC50_DIR", str(data))
    code, _, errors = run_command(*arguments)
    assert code == 2
    (line,) = [line for line in errors.splitlines() if line.startswith("error")]
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "choices"),
    [
        (("train", "--recipe", "best-of-all"), "'best', 'first', 'notebook'"),
        (("train", "--arch", "vgg"), "'resnet18', 'resnet34', 'resnet50'"),
        (("evaluate", "--format", "xml"), "'text', 'json'"),
        (("look", "a.wav", "--preset", "none"), "'librosa', 'notebook'"),
    ],
)
def test_choices_of_options(run_command, arguments, choices):
    code, _, errors = run_command(*arguments)
    assert code == 2
    assert choices in " ".join(re.sub(r"[│╭╰─╮╯]", " ", errors).split())
