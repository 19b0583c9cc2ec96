"""The sweep over spectrogram parameters, and the page of results made from small files."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
import sklearn.metrics
from scipy.special import softmax

import training.train as loop
from esc.errors import DataError, ParameterError
from test_train import CLASSES, QUICK, cache, data, direct_ece  # noqa: F401, fixtures
from training import grid_search as sweeping
from training.data.esc50 import read_clips
from training.evaluation.predictions import FILE, Predictions
from training.evaluation.results_page import take_up, write_results
from training.grid_search import PICTURE, TABLE, combinations, parse_grid, sweep
from training.recipes import RECIPES

ONE = dataclasses.replace(QUICK, epochs=1)


def test_a_grid_is_read_and_its_combinations_are_configs():
    grid = parse_grid(["n_mels=16,32,32", "window=hann, hamming", "fmax=3500"])
    assert grid == {"n_mels": [16, 32], "window": ["hann", "hamming"], "fmax": [3_500]}
    recipes = combinations(ONE, grid)
    assert next(iter(recipes)) == "n_mels=16,window=hann,fmax=3500"
    assert len(recipes) == 4
    last = recipes["n_mels=32,window=hamming,fmax=3500"]
    assert last == dataclasses.replace(ONE, spectrogram=ONE.spectrogram.replace(n_mels=32, window="hamming", fmax=3_500))


@pytest.mark.parametrize(
    "wrong", [["mels=3"], ["n_mels"], ["n_mels=a"], ["n_mels="], ["n_mels=16", "fmax=9000"], ["window=round"]]
)
def test_a_grid_that_is_not_possible_is_refused_before_anything_is_trained(wrong):
    with pytest.raises(ParameterError):
        combinations(ONE, parse_grid(wrong))


def test_a_sweep_goes_on_where_it_stopped(data, cache, tmp_path, monkeypatch):  # noqa: F811
    clips, recipes = read_clips(data), combinations(ONE, parse_grid(["n_mels=16,32", "hop_length=128,256"]))
    recipes.pop("n_mels=16,hop_length=256")
    trained = []

    def killed(prepared, recipe, *rest):
        if len(trained) == 1:
            raise KeyboardInterrupt
        trained.append(recipe)
        return loop.train(prepared, recipe, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sweeping, "train", killed)
        sweep(clips, recipes, (1, 2, 3), 4, 1, tmp_path / "sweep", cache)
    before = (tmp_path / "sweep" / next(iter(recipes)) / "history.csv").read_text()
    rows = sweep(clips, recipes, (1, 2, 3), 4, 1, tmp_path / "sweep", cache)
    assert (tmp_path / "sweep" / next(iter(recipes)) / "history.csv").read_text() == before, "what is done is not done again"
    assert {row["parameters"] for row in rows} == set(recipes)
    accuracies = [row["valid_accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    with (tmp_path / "sweep" / TABLE).open(newline="") as lines:
        table = list(csv.DictReader(lines))
    assert [row["parameters"] for row in table] == [row["parameters"] for row in rows]
    assert {row["picture"] for row in table} == {"16 x 32", "32 x 32", "32 x 16"}
    assert (tmp_path / "sweep" / PICTURE).read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "sweep").rglob("*.safetensors")), "hundreds of MB that nobody asked for"
    for row in rows:
        with (tmp_path / "sweep" / row["parameters"] / "history.csv").open(newline="") as lines:
            assert float(list(csv.DictReader(lines))[-1]["valid_accuracy"]) == row["valid_accuracy"]
    with pytest.raises(DataError, match="other settings"):
        sweep(clips, recipes, (1, 2, 3), 4, 2, tmp_path / "sweep", cache)


# results


def put(results, name: str, recipe: str, fold: int, seed: int, rng, epochs: int | None = None, **changes) -> Predictions | None:
    """Write a run's small files as they would lie there; without predictions where `epochs` says that it goes on."""
    chosen = dataclasses.replace(RECIPES[recipe], **changes)
    folder = results / name
    folder.mkdir(parents=True)
    others = [other for other in (1, 2, 3, 4, 5) if other != fold]
    settings = {"recipe": chosen.to_dict(), "train_folds": others, "valid_fold": fold, "seed": seed, "initial_weights": "fresh"}
    (folder / "config.json").write_text(json.dumps(settings))
    taken = epochs or chosen.epochs
    accuracies = [f"{min(0.7, 0.1 + 0.02 * epoch)}" for epoch in range(1, taken + 1)]
    accuracies[2] = "0.95"
    rows = [f"{epoch},0.001,{3 / epoch},0.5,1.0,{accuracies[epoch - 1]},{1800 * epoch}" for epoch in range(1, taken + 1)]
    header = "epoch,learning_rate,train_loss,train_accuracy,valid_loss,valid_accuracy,seconds"
    (folder / "history.csv").write_text("\n".join([header, *rows]) + "\n")
    if epochs is not None:
        return None
    targets = rng.integers(0, 4, 80)
    logits = rng.standard_normal((80, 4)).astype(np.float32)
    logits[np.arange(80), targets] += 2
    predictions = Predictions(logits, targets, tuple(map(str, range(80))), CLASSES)
    predictions.save(folder / FILE)
    return predictions


def test_the_page_says_what_was_run_and_what_was_not(tmp_path, rng):
    results = tmp_path / "training" / "results"
    read = [put(results, f"first-fold{fold}", "first", fold, 1, rng) for fold in (1, 2, 3, 4, 5)]
    more = [put(results, f"first-fold5-seed{seed}", "first", 5, seed, rng) for seed in (2, 3)]
    put(results, "notebook-fold5", "notebook", 5, 1, rng, epochs=20)
    put(results, "notebook-resnet34", "notebook", 5, 1, rng, epochs=4, architecture="resnet34", sub_batch=4)
    page = write_results(results, tmp_path / "none.csv").read_text()
    five = [sklearn.metrics.accuracy_score(one.targets, one.logits.argmax(1)) for one in read]
    seeds = [sklearn.metrics.accuracy_score(one.targets, one.logits.argmax(1)) for one in (read[4], *more)]
    logits, targets = np.concatenate([one.logits for one in read]), np.concatenate([one.targets for one in read])
    (line,) = [line for line in page.splitlines() if line.startswith("| `first` | 0.")]
    assert f"{np.mean(five):.4f} ± {np.std(five, ddof=1):.4f} (n = 5)" in line
    assert f"{np.mean(seeds):.4f} ± {np.std(seeds, ddof=1):.4f} (n = 3)" in line
    assert f"| {direct_ece(softmax(logits, axis=1), targets):.4f}, " in line
    assert "| `best` | not run yet (0 of 5) | not run yet |" in page
    assert "| the original notebook | 0.8025 |" in page
    assert "| `notebook-fold5` | 0.9500 (epoch 3) | 0.5000 | epochs 20 of 50, weights: fresh |" in page
    assert "| resnet34 | `notebook` | 1 | 4 of 50 | 0.1800 |" in page
    assert "| resnet50 | not run yet |" in page
    assert "- `best`, resnet18, fold 5, seed 3: not run yet" in page
    assert "- `notebook`, resnet34, fold 5, seed 1: epochs 4 of 50" in page
    pictures = [line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert {"results/pictures/first-reliability.png", "results/pictures/first-tempered.png"} <= set(pictures)
    assert len(pictures) >= 5
    for picture in pictures:
        assert (results.parent / picture).read_bytes().startswith(b"\x89PNG"), picture
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_page_without_runs_claims_nothing(tmp_path):
    page = write_results(tmp_path / "results", tmp_path / "none.csv").read_text()
    assert page.count("not run yet") >= 15
    figures = [word for word in page.split() if word.startswith("0.")]
    assert figures == ["0.8025"], "the original's, and nothing else"


def test_what_is_no_run_is_not_taken_up(tmp_path, data, cache):  # noqa: F811
    with pytest.raises(DataError, match="There is no run"):
        take_up(tmp_path / "nowhere", tmp_path / "results", read_clips(data), cache, tmp_path / "readings.csv")
