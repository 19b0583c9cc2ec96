"""Training runs: what they write, resuming, and what stays untouched."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import training.train as loop
from esc.classification.checkpoint import load_checkpoint
from esc.classification.checkpoint_files.config import read_config, write_config
from esc.classification.confidence.calibration import Calibration
from esc.errors import DataError
from small_data import CLASSES, EVERY_EPOCH, HALF_A_SECOND, HELD_OUT, QUICK, SMALL, outer
from training import recipes
from training.engine.state import State
from training.evaluation.metrics import evaluate
from training.runs.run_dir import read_history

pytestmark = pytest.mark.slow


def test_files_of_a_run(trained):
    rows = list(csv.DictReader((trained / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["valid_loss"]) > 0 for row in rows)
    settings = json.loads((trained / "config.json").read_text())
    assert (settings["seed"], settings["valid_fold"], settings["train_folds"]) == (1, 5, [1, 2, 3, 4])
    _, meta = load_checkpoint(trained / "checkpoint")
    assert (meta.class_names, meta.spectrogram, meta.input) == (CLASSES, SMALL, HALF_A_SECOND)
    assert meta.provenance["train_folds"] in ([1, 2, 3, 4], (1, 2, 3, 4))
    assert meta.provenance["recipe"]["epochs"] == 3
    assert "NC" in meta.provenance["licence"]


class Killed(BaseException):
    """Stands for a process that is gone."""


def test_resume_after_kill(prepared, trained, tmp_path, monkeypatch):
    save = State.save

    def kill_before_another_epoch_is_saved(state, path):
        if state.epoch > 1:  # the third, if the second took less than nine times what its state does
            raise Killed
        save(state, path)

    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(State, "save", kill_before_another_epoch_is_saved)
        loop.train(prepared, outer(), run, EVERY_EPOCH)
    assert not (run / "checkpoint").exists()
    torch.manual_seed(999)  # what the process drew before must not matter
    loop.train(prepared, outer(), run, EVERY_EPOCH)

    ours, theirs = (torch.load(folder / "last.pt", weights_only=True) for folder in (run, trained))
    for name in ("model", "ema"):
        for key, tensor in theirs[name].items():
            assert torch.equal(ours[name][key], tensor), f"{name}.{key}"
    for shard in sorted((trained / "checkpoint").glob("*.safetensors")):
        assert (run / "checkpoint" / shard.name).read_bytes() == shard.read_bytes()
    epochs = [row["epoch"] for row in csv.DictReader((run / "history.csv").open())]
    assert epochs == ["1", "2", "3"]


def test_state_saved_in_a_tenth_of_the_time(tmp_path, monkeypatch):
    """Epochs of 5 s and states of 2 s: the first, then whenever 18 s have gone by since the last, and the end."""
    now, saved = [0.0], []

    def save(path):
        saved.append(state.epoch)
        now[0] += 2.0

    monkeypatch.setattr(loop.time, "perf_counter", lambda: now[0])
    state = SimpleNamespace(epoch=0, save=save)
    config = SimpleNamespace(recipe=SimpleNamespace(epochs=30))
    run = SimpleNamespace(folder=tmp_path, config=config, state=state, next_save=0.0)
    for epoch in range(1, 31):
        now[0] += 5.0
        state.epoch = epoch
        loop._Run.note(run, {"epoch": epoch})
    assert saved == [1, 5, 9, 13, 17, 21, 25, 29, 30]
    assert [row["epoch"] for row in csv.DictReader((tmp_path / "history.csv").open())] == [str(epoch) for epoch in range(1, 31)]


def test_resume_with_other_settings(prepared, trained):
    before = (trained / "config.json").read_text()
    with pytest.raises(DataError, match="other settings \\(recipe, seed\\)"):
        loop.train(prepared, outer(dataclasses.replace(QUICK, epochs=4), seed=3), trained)
    assert (trained / "config.json").read_text() == before


def test_resume_after_truncated_row(prepared, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("checkpoint"))
    header, first, second, _ = (trained / "history.csv").read_text().splitlines(keepends=True)
    state = torch.load(run / "last.pt", weights_only=True)
    (run / "history.csv").write_text(header + first + second + "1")  # of what would have been "10,0.001,..."
    torch.save(state | {"epoch": 3}, run / "last.pt")
    loop.train(prepared, outer(), run, EVERY_EPOCH)
    assert (run / "history.csv").read_text() == header + first + second


@pytest.mark.parametrize("length", [0, 1_000, 1_000_000])
def test_resume_from_damaged_state(prepared, trained, tmp_path, length):
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("checkpoint"))
    (run / "last.pt").write_bytes((trained / "last.pt").read_bytes()[:length])
    with pytest.raises(DataError) as caught:
        loop.train(prepared, outer(), run, EVERY_EPOCH)
    assert caught.value.key == "run.damaged"
    assert "last.pt" in str(caught.value)


def test_finished_run_is_not_continued(prepared, trained):
    before = (trained / "last.pt").read_bytes()
    loop.train(prepared, outer(), trained, EVERY_EPOCH)
    assert (trained / "last.pt").read_bytes() == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("gone", [None, "last.pt"])
def test_calibrated_run_stays_unchanged(prepared, trained, tmp_path, gone):
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("log.txt", *filter(None, [gone])))
    (run / "held_out.npz").write_bytes(b"read with great care")
    meta = read_config(run / "checkpoint")
    measured = Calibration(
        temperature=0.7, unknown_score="max_softmax", unknown_threshold=0.4, unsure_threshold=0.5, detector_sha256=None
    )
    made_elsewhere = meta.provenance | {"device": "another machine"}
    write_config(run / "checkpoint", dataclasses.replace(meta, calibration=measured, provenance=made_elsewhere))
    before = contents(run)
    checkpoint = loop.train(prepared, outer(), run, EVERY_EPOCH)
    assert {name: part for name, part in contents(run).items() if name != "log.txt"} == before
    assert "has ended" in (run / "log.txt").read_text()
    kept = load_checkpoint(trained / "checkpoint")[0].state_dict()
    for name, tensor in load_checkpoint(checkpoint)[0].state_dict().items():
        assert torch.equal(tensor, kept[name]), "the same weights with and without the state"
    with pytest.raises(DataError, match="other settings \\(seed\\)"):
        loop.train(prepared, outer(seed=2), run)
    assert {name: part for name, part in contents(run).items() if name != "log.txt"} == before


def test_restart_deletes_old_predictions(prepared, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("last.pt", "checkpoint"))
    (run / "held_out.npz").write_bytes(b"of a network that is gone")
    loop.train(prepared, outer(), run, EVERY_EPOCH)
    assert not (run / "held_out.npz").exists()
    assert [row["epoch"] for row in csv.DictReader((run / "history.csv").open())] == ["1", "2", "3"]


def test_held_out_fold_has_no_influence(prepared, tmp_path):
    """Its spectrograms and labels do not change the weights."""
    spoilt = np.array(prepared.spectrograms_db)
    spoilt[prepared.folds == HELD_OUT] = 5.0
    targets = np.where(prepared.folds == HELD_OUT, 0, prepared.targets)
    recipe = dataclasses.replace(QUICK, epochs=1)
    weights = []
    for number, data in enumerate((prepared, dataclasses.replace(prepared, spectrograms_db=spoilt, targets=targets))):
        loop.train(data, outer(recipe), tmp_path / str(number))
        weights.append(torch.load(tmp_path / str(number) / "last.pt", weights_only=True)["model"])
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_accuracy_on_the_small_data_set(prepared, tmp_path):
    recipe = dataclasses.replace(QUICK, epochs=12, augmentation=dataclasses.replace(QUICK.augmentation, mix_share=0.2))
    learnt = tmp_path / "run"
    loop.train(prepared, outer(recipe), learnt)
    model, meta = load_checkpoint(learnt / "checkpoint")
    held_out = prepared.folds == HELD_OUT
    spectrograms_db, targets = torch.from_numpy(prepared.spectrograms_db[held_out]), torch.from_numpy(prepared.targets[held_out])
    assert evaluate(model, spectrograms_db, targets, meta.input).accuracy > 0.9
    rows = list(csv.DictReader((learnt / "history.csv").open()))
    assert float(rows[-1]["train_loss"]) < 0.7 * float(rows[0]["train_loss"])


def test_held_out_fold_not_validated_by_default(prepared, tmp_path):
    """The protocol: each evaluation of the held-out fold is logged, and training makes none unless asked to."""
    loop.train(prepared, outer(dataclasses.replace(QUICK, epochs=2)), tmp_path / "run")
    assert [row["valid_accuracy"] for row in read_history(tmp_path / "run")] == [None, None]
    log = tmp_path / "evaluations.csv"
    loop.train(prepared, outer(dataclasses.replace(QUICK, epochs=3)), tmp_path / "asked", loop.Validation(2, log))
    accuracies = [row["valid_accuracy"] for row in read_history(tmp_path / "asked")]
    with log.open(newline="") as lines:
        logged = [(row["run"], row["fold"], float(row["accuracy"])) for row in csv.DictReader(lines)]
    assert logged == [("asked", "5", pytest.approx(accuracy)) for accuracy in accuracies if accuracy is not None]
    assert [accuracy is None for accuracy in accuracies] == [True, False, False]


@pytest.mark.parametrize(("options", "evaluated", "logged"), [([], 0, 0), (["--inner"], 2, 0), (["--valid-every", "2"], 1, 1)])
def test_validation_options(data, cache, tmp_path, monkeypatch, run_command, options, evaluated, logged):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipes, "RECIPES", {"first": dataclasses.replace(QUICK, epochs=2)})
    monkeypatch.setattr("training.cli.options.RECIPES", recipes.RECIPES)
    code, _, errors = run_command("train", "--data", data, "--cache", cache, "--name", "run", *options)
    assert code == 0, errors
    history = read_history(tmp_path / "runs" / "run")
    assert sum(row["valid_accuracy"] is not None for row in history) == evaluated
    log = tmp_path / "runs" / "evaluations.csv"
    assert (len(log.read_text().splitlines()) - 1 if log.is_file() else 0) == logged
