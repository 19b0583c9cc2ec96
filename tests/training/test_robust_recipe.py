"""Recipe `robust`: a checkpoint fine-tuned on recordings and sounds of no class."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import sounds
import training.train as loop
from esc.classification.checkpoint import load_checkpoint
from esc.classification.checkpoint_files.config import Checkpoint, read_config
from esc.classification.resnet import build_model
from esc.classification.teaching.teach import _provenance
from esc.errors import DataError
from esc.paths import DEFAULT_CHECKPOINT
from small_data import CLASSES, HELD_OUT, QUICK, RATE, TRAINING_FOLDS, outer
from training.augmentation.plan import draw
from training.data.esc50 import ABOUT, OWN_TABLE, UNKNOWN, UNKNOWN_FOLD
from training.data.preprocessing import prepare_for
from training.engine import pretrained
from training.engine.batches import network_batch, on_device
from training.engine.pretrained import checkpoint_model, fingerprint
from training.engine.state import State
from training.evaluation import unknown_clips as module
from training.evaluation.held_out_log import log_evaluation
from training.evaluation.unknown_clips import unknown_clips
from training.recipes import RECIPES, fitted, recipe_name
from training.runs.run_dir import ESC_50, STATE, Origin, RunConfig, claim
from training.runs.train_command import train_command

ROBUST = dataclasses.replace(
    QUICK,
    initial_weights="checkpoint",
    epochs=2,
    unknown_batch=4,
    augmentation=dataclasses.replace(QUICK.augmentation, recordings=2, room_share=0.3, noise_share=0.3, band_share=0.3),
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def others(tmp_path_factory, cache):
    """Sounds of no class: three files, one in a subfolder, and two synthetic ones of each kind."""
    folder = tmp_path_factory.mktemp("unknown")
    (folder / "more").mkdir()
    for name in ("a.wav", "b.flac", "more/c.wav"):
        sounds.write(folder / name, sounds.sweep(0.7, RATE), RATE)
    (folder / "sounds.csv").write_text("name,licence\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PER_KIND", 2)
        return unknown_clips(folder, cache)


@pytest.fixture(scope="module")
def data_of_robust(clips, others, cache):
    return prepare_for(ROBUST, clips + others, cache, jobs=1)


def test_unknown_clips(others, clips, data_of_robust, tmp_path):
    names = [clip.name for clip in others]
    assert names == [
        "a.wav",
        "b.flac",
        "c.wav",
        *(f"{kind}-0{number}.wav" for kind in ("noise", "tones", "speech") for number in (0, 1)),
    ]
    assert {(clip.fold, clip.target) for clip in others} == {(UNKNOWN_FOLD, UNKNOWN)}
    assert data_of_robust.class_names == CLASSES
    with pytest.raises(DataError, match="no sound files"):
        unknown_clips(tmp_path, tmp_path)


def test_targets_and_shapes_of_a_batch(data_of_robust):
    clips = on_device(data_of_robust, (UNKNOWN_FOLD, *TRAINING_FOLDS), CPU)
    assert (clips.n_known, clips.n_unknown, len(clips.versions)) == (80, 9, 3)
    index = torch.cat([torch.arange(12), 80 + torch.arange(4)])
    plan = draw(ROBUST.augmentation, 16, torch.Generator().manual_seed(0), ROBUST.unknown_batch)
    batch, soft = network_batch(clips, index, torch.arange(16), plan, ROBUST, 4)
    assert batch.shape == (16, 1, 32, 32) and bool(batch.isfinite().all())
    torch.testing.assert_close(soft[12:], torch.full((4, 4), 0.25))
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(16))
    assert float(soft[:12].amax(dim=1).min()) > 0.5 - 1e-6
    chosen = torch.tensor([3, 85])
    assert torch.equal(clips.spectrograms_db(chosen), torch.from_numpy(data_of_robust.spectrograms_db[clips.rows[chosen]]))
    recorded = clips.spectrograms_db(chosen, torch.tensor([0, 2]))
    assert np.array_equal(recorded[1], data_of_robust.recordings[1][clips.rows[85]].astype(np.float32))
    assert torch.equal(recorded[0], clips.spectrograms_db(chosen)[0])


@pytest.mark.slow
def test_fine_tuning_resumes_to_the_last_bit(data_of_robust, trained, tmp_path, monkeypatch):
    weights, config = trained / "checkpoint", outer(ROBUST)
    loop.train(data_of_robust, config, tmp_path / "whole", weights=weights)
    save = State.save

    def kill(state, path):
        if state.epoch == 2:
            raise KeyboardInterrupt
        save(state, path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(State, "save", kill)
        loop.train(data_of_robust, config, tmp_path / "killed", weights=weights)
    loop.train(data_of_robust, config, tmp_path / "killed")
    whole, killed = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "killed"))
    for part in ("model", "ema"):
        assert all(torch.equal(whole[part][name], killed[part][name]) for name in whole[part])
    _, meta = load_checkpoint(tmp_path / "killed" / "checkpoint")
    assert (meta.provenance["initial_weights"], meta.provenance["unknown_clips"]) == ("fine-tuned from whole", 9)
    base, _ = load_checkpoint(weights)
    pair = (tensor.flatten() for tensor in (whole["model"]["conv1.weight"], base.conv1.weight.detach()))
    assert 0.9 < float(torch.cosine_similarity(*pair, dim=0)) < 0.99999, "it starts from the checkpoint"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fold": 4}, "trained on fold 4, which is held out"),
        ({"recipe": dataclasses.replace(ROBUST, architecture="resnet34")}, "another architecture"),
        ({"recipe": dataclasses.replace(ROBUST, spectrogram=ROBUST.spectrogram.replace(fmin=60.0))}, "another input"),
    ],
)
@pytest.mark.slow
def test_unusable_checkpoints(data_of_robust, trained, tmp_path, changes, reason):
    with pytest.raises(DataError, match=reason):
        loop.train(data_of_robust, outer(**({"recipe": ROBUST} | changes)), tmp_path / "run", weights=trained / "checkpoint")
    with pytest.raises(DataError, match="starts from a checkpoint"):
        loop.train(data_of_robust, outer(ROBUST), tmp_path / "run")


def test_too_few_sounds_of_no_class(prepared, tmp_path):
    with pytest.raises(DataError, match="0 clips to train on, fewer than one batch of 4"):
        loop.train(prepared, outer(ROBUST), tmp_path / "run")


@pytest.mark.slow
def test_robust_command(data, cache, trained, tmp_path, monkeypatch, run_command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("training.cli.options.RECIPES", {"robust": dataclasses.replace(ROBUST, epochs=1), "first": QUICK})
    monkeypatch.setattr(module, "_PER_KIND", 2)
    monkeypatch.setattr("training.data.preprocessing._usable_cores", lambda: 1)
    (tmp_path / "others").mkdir()
    sounds.write(tmp_path / "others" / "a.wav", sounds.sweep(0.7, RATE), RATE)
    command = ("train", "--data", data, "--cache", cache, "--unknown", tmp_path / "others")
    code, output, errors = run_command(*command, "--recipe", "robust", "--weights", trained / "checkpoint")
    assert code == 0, errors
    assert f"runs/{data.name}-robust-fold5-seed1/checkpoint" in output
    settings = json.loads((tmp_path / "runs" / f"{data.name}-robust-fold5-seed1" / "config.json").read_text())
    assert (settings["unknown_clips"], settings["valid_fold"]) == (7, HELD_OUT)
    code, _, errors = run_command(*command, "--recipe", "first")
    assert code == 2 and "trains without sounds of no class" in errors


@pytest.mark.slow
def test_fine_tuning_to_other_classes(data, data_of_robust, cache, trained, tmp_path, monkeypatch, run_command):
    monkeypatch.chdir(tmp_path)
    other_input = dataclasses.replace(
        QUICK, epochs=2, architecture="resnet34", spectrogram=QUICK.spectrogram.replace(hop_length=64)
    )
    monkeypatch.setattr("training.cli.options.RECIPES", {"first": other_input})
    own = shutil.copytree(data, tmp_path / "own")
    (own / OWN_TABLE).write_text((own / "meta" / "esc50.csv").read_text().replace(",hum,", ",buzz,"))
    (own / ABOUT).write_text('{"name": "own"}')  # or it would be ESC-50's by the names of its files
    command = ("train", "--data", own, "--cache", cache, "--fold", "4", "--from", trained / "checkpoint")
    code, _, errors = run_command(*command, "--leave-out-classes", "buzz", "--name", "tuned")
    assert code == 0, errors
    tuned = tmp_path / "runs" / "tuned" / "checkpoint"
    (model, meta), (base, known) = load_checkpoint(tuned), load_checkpoint(trained / "checkpoint")
    assert (meta.class_names, model.fc.out_features) == (("hiss", "chirp", "ticks"), 3)
    assert (meta.architecture, meta.spectrogram, meta.input) == (known.architecture, known.spectrogram, known.input)
    assert meta.provenance["initial_weights"] == f"fine-tuned from whole, trained on {ESC_50.name}"
    assert meta.provenance["licence"] == ESC_50.licence, "that of the weights below"
    pair = (one.conv1.weight.detach().flatten() for one in (model, base))
    assert 0.9 < float(torch.cosine_similarity(*pair, dim=0)) < 0.99999, "it starts from the checkpoint"
    with pytest.raises(DataError, match="trained on fold 5, which is held out"):
        loop.train(data_of_robust, outer(ROBUST), tmp_path / "back", weights=tuned)
    code, _, errors = run_command(*command, "--leave-out-classes", "hiss", "--name", "without")
    assert code == 2 and "trained on classes that are left out (hiss)" in errors
    code, _, errors = run_command(*command[:-1], tuned, "--leave-out-classes", "buzz", "--name", "tuned")
    assert code == 2 and "started with other settings (weights)" in errors
    for extra, message in ((("--arch", "resnet34"), "as it is"), (("--from", tmp_path / "none"), "Invalid value for --from")):
        code, _, errors = run_command(*command, *extra)
        assert code == 2 and message in " ".join(re.sub("[│╭╰─╮╯]", " ", errors).split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--recipe", "robust"), "give its folder"),
        (("crossval", "--recipe", "robust", "--weights", "a"), "several folds"),
        (("crossval", "--recipe", "best", "--from", DEFAULT_CHECKPOINT), "several folds"),
        (("train", "--recipe", "best", "--from", "w.pth"), "ImageNet weights is for 'notebook'"),
        (("sweep", "n_mels=64", "--recipe", "robust"), "several inputs"),
    ],
)
def test_robust_is_refused_before_anything_is_prepared(run_command, arguments, message):
    code, _, errors = run_command(*arguments)
    assert code == 2 and message in " ".join(re.sub("[│╭╰─╮╯]", " ", errors).split())


def test_robust_recipe_has_a_name():
    values = RECIPES["robust"].to_dict()
    assert recipe_name(values) == "robust"
    old = RECIPES["best"].to_dict()
    for gone in ("recordings", "as_it_is_share", "room_share", "noise_share", "band_share"):
        old["augmentation"].pop(gone)
    assert recipe_name(old | {"source": "spectrograms"}) == "best", "runs older than these options"


FOUR = Checkpoint(
    architecture=ROBUST.architecture, class_names=CLASSES, spectrogram=ROBUST.spectrogram, input=ROBUST.input,
    provenance={"run": "first", "data": "A", "train_folds": [1, 2, 3, 5], "valid_fold": 4},
)  # fmt: skip


def _tuned(
    monkeypatch, parent: Checkpoint, data: str, names: tuple[str, ...], fold: int, *, inner=False, left_out=()
) -> Checkpoint:
    """Return the checkpoint of a run that fine-tunes another one, without training it."""
    folds = tuple(other for other in (1, 2, 3, 4, 5) if other != fold)
    folds, fold = (folds[:-1], folds[-1]) if inner else (folds, fold)
    config = RunConfig(ROBUST, folds, fold, 1, left_out, Origin(data))
    monkeypatch.setattr(
        pretrained, "load_checkpoint", lambda _: (build_model(ROBUST.architecture, len(parent.class_names)), parent)
    )
    _, origin = checkpoint_model(config, names, Path("parent"))
    return dataclasses.replace(parent, class_names=names, provenance=config.to_dict() | {"run": "next"} | origin)


def test_all_data_below_a_checkpoint_are_remembered(monkeypatch, tmp_path):
    own = ("buzz", "hiss")
    once = _tuned(monkeypatch, FOUR, "B", own, 5)
    twice = _tuned(monkeypatch, once, "B", own, 5)
    assert twice.provenance["initial_weights"] == "fine-tuned from next, trained on A"
    assert twice.provenance["seen_classes"] == ["chirp", "hum", "ticks"]
    taught = dataclasses.replace(twice, class_names=("a", "b"), provenance=_provenance(twice, ("a", "b"), 9))
    assert taught.provenance["initial_weights"].endswith(", trained on B; A")
    for below in (twice, taught):
        with pytest.raises(DataError, match="trained on fold 4"):
            _tuned(monkeypatch, below, "A", CLASSES, 4)
        with pytest.raises(DataError, match=r"classes that are left out \(hum\)"):
            _tuned(monkeypatch, below, "C", ("x", "y"), 5, left_out=("hum", "z"))
    inner = _tuned(monkeypatch, FOUR, "A", CLASSES, 5, inner=True)
    assert (inner.provenance["train_folds"], inner.provenance["seen_folds"]) == ([1, 2, 3], [1, 2, 3, 5])
    with pytest.raises(DataError, match="trained on fold 5"):
        _tuned(monkeypatch, inner, "A", CLASSES, 5)
    for fold in (4, 5):
        log_evaluation(tmp_path / "log.csv", tmp_path, inner, fold, 0.5)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2, "header and fold 4"


def test_a_renamed_copy_is_the_same_data(monkeypatch):
    with pytest.raises(DataError, match="trained on fold 5"):
        _tuned(monkeypatch, FOUR, "copy", CLASSES[::-1], 5)
    assert _tuned(monkeypatch, FOUR, "copy", CLASSES, 4).provenance["seen_folds"] == [1, 2, 3, 5]
    assert "seen_folds" not in _tuned(monkeypatch, FOUR, "own sounds", CLASSES[:2], 5).provenance


def test_a_run_is_resumed_from_the_same_weights_only(tmp_path):
    file, config = tmp_path / "a.pth", outer(dataclasses.replace(QUICK, initial_weights="imagenet"))
    file.write_bytes(b"1")
    first = dataclasses.replace(config, weights=fingerprint(config.recipe, file))
    file.write_bytes(b"2")
    other = dataclasses.replace(config, weights=fingerprint(config.recipe, file))
    settings = claim(tmp_path / "run", first)
    (tmp_path / "run" / STATE).touch()
    assert claim(tmp_path / "run", first) == claim(tmp_path / "run", config) == settings
    with pytest.raises(DataError, match=r"other settings \(weights\)"):
        claim(tmp_path / "run", other)
    other.check(tmp_path, {name: value for name, value in settings.items() if name != "weights"})  # an older run
    assert fingerprint(ROBUST, DEFAULT_CHECKPOINT) != fingerprint(ROBUST, tmp_path) is None
    assert fingerprint(QUICK, file) is None


@pytest.mark.parametrize("n_clips", [100, 2_000])
def test_command_of_a_tuned_recipe(n_clips):
    shipped = read_config()
    tuned = dataclasses.replace(
        RECIPES["best"],
        initial_weights="checkpoint",
        architecture="resnet34",
        spectrogram=ROBUST.spectrogram,
        input=shipped.input,
    )
    made = RunConfig(fitted(tuned, n_clips), (1, 2, 3, 4), 5, origin=Origin("own")).to_dict()
    wanted = "python -m training train --data FOLDER --recipe best --from CHECKPOINT --fold 5 --seed 1"
    assert train_command(made) == wanted
