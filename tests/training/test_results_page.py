"""Results page, made from the small files of runs."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
import sklearn.metrics
import torch
from scipy.special import softmax

from esc.errors import DataError
from small_data import CLASSES
from test_metrics import direct_ece
from training.evaluation.predictions import FILE, Predictions
from training.evaluation.results_page import import_run, write_results
from training.recipes import RECIPES
from training.runs import run_dir
from training.runs.paths import RESULTS


def put(results, name: str, recipe: str, fold: int, seed: int, rng, epochs: int | None = None, **changes) -> Predictions | None:
    """Write a run's small files as `import_run` leaves them; without predictions if `epochs` makes it an unfinished run."""
    chosen = dataclasses.replace(RECIPES[recipe], **changes)
    folder = results / name
    folder.mkdir(parents=True)
    others = [other for other in (1, 2, 3, 4, 5) if other != fold]
    settings = run_dir.RunConfig(chosen, tuple(others), fold, seed).to_dict() | {"initial_weights": chosen.initial_weights}
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


@pytest.mark.slow
def test_results_page(tmp_path, rng):
    results = tmp_path / "training" / "results"
    runs = [put(results, f"first-fold{fold}", "first", fold, 1, rng) for fold in (1, 2, 3, 4, 5)]
    more = [put(results, f"first-fold5-seed{seed}", "first", 5, seed, rng) for seed in (2, 3)]
    put(results, "notebook-fold5", "notebook", 5, 1, rng, epochs=20)
    put(results, "notebook-fresh-fold5", "notebook", 5, 1, rng, epochs=30, initial_weights="fresh")
    put(results, "notebook-resnet34", "notebook", 5, 1, rng, epochs=4, architecture="resnet34", sub_batch=4)
    page = write_results(results, tmp_path / "none.csv").read_text()
    five = [sklearn.metrics.accuracy_score(one.targets, one.logits.argmax(1)) for one in runs]
    seeds = [sklearn.metrics.accuracy_score(one.targets, one.logits.argmax(1)) for one in (runs[4], *more)]
    logits, targets = np.concatenate([one.logits for one in runs]), np.concatenate([one.targets for one in runs])
    (line,) = [line for line in page.splitlines() if line.startswith("| `first` | 0.")]
    assert f"{np.mean(five):.4f} ± {np.std(five, ddof=1):.4f} (n = 5)" in line
    assert f"{np.mean(seeds):.4f} ± {np.std(seeds, ddof=1):.4f} (n = 3)" in line
    assert f"| {direct_ece(softmax(logits, axis=1), targets):.4f}, " in line
    assert "| `best` | not run yet (0 of 5) | not run yet |" in page
    assert "| the original notebook | ImageNet | 0.8025 |" in page
    assert "| `notebook-fold5` | ImageNet | 0.9500 (epoch 3) | 0.5000 | 20 of 50 epochs |" in page
    assert "| `notebook-fresh-fold5` | fresh | 0.9500 (epoch 3) | 0.7000 | 30 of 50 epochs |" in page
    assert "reproduced" not in page and "re-run from fresh weights" in page
    assert "| resnet34 | `notebook` | 1 | 4 of 50 | 0.1800 |" in page
    assert "| resnet50 | not run yet |" in page
    assert "- `best`, resnet18, fold 5, seed 3: not run yet" in page
    assert "- `notebook`, resnet34, fold 5, seed 1: epochs 4 of 50" in page
    plots = [line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert {"results/plots/first-reliability.png", "results/plots/first-calibrated.png"} <= set(plots)
    assert len(plots) >= 5
    for plot in plots:
        assert (results.parent / plot).read_bytes().startswith(b"\x89PNG"), plot
    assert not list(tmp_path.rglob("*.tmp"))


def test_results_page_without_runs(tmp_path):
    page = write_results(tmp_path / "results", tmp_path / "none.csv").read_text()
    assert page.count("not run yet") >= 15
    figures = [word for word in page.split() if word.startswith("0.")]
    assert figures == ["0.8025"], "the original's, and nothing else"


def test_import_of_a_missing_run(tmp_path, clips, cache):
    with pytest.raises(DataError, match="There is no run"):
        import_run(tmp_path / "nowhere", tmp_path / "results", clips, cache, tmp_path / "evaluations.csv")


@pytest.mark.slow
def test_import_of_a_run(trained, clips, cache, tmp_path):
    run = shutil.copytree(trained, tmp_path / "a-run")
    log, results = tmp_path / "evaluations.csv", tmp_path / "results"
    assert import_run(run, results, clips, cache, log) == ["a-run"]
    kept = Predictions.load(results / "a-run" / "held_out.npz")
    assert np.array_equal(kept.logits, Predictions.load(run / "held_out.npz").logits)
    settings = json.loads((results / "a-run" / "config.json").read_text())
    assert (settings["seed"], settings["epoch"], settings["train_folds"]) == (1, 3, [1, 2, 3, 4])
    assert "CPU" in settings["device"] or torch.cuda.is_available()
    page = write_results(results, log).read_text()
    accuracy = sklearn.metrics.accuracy_score(kept.targets, kept.logits.argmax(1))
    assert f"| `a-run` | other | 1, 2, 3, 4 → 5 | 1 | 3 | {accuracy:.4f} |" in page
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    for name in ("config.json", "history.csv"):
        shutil.copy(run / name, unfinished / name)
    import_run(unfinished, results, clips, cache, log)
    assert not (results / "unfinished" / "held_out.npz").exists()


def test_notes_list_every_evaluation_of_fold_5():
    notes = (RESULTS.parent / "NOTES.md").read_text().split("## Evaluations of fold 5")[1].split("##")[0]
    listed = [re.findall(r"0\.\d{4}", row) for row in notes.splitlines() if row.startswith("| 2")]
    evaluated = [path for path in RESULTS.glob("*/held_out.npz") if run_dir.read_settings(path.parent)["valid_fold"] == 5]
    assert len(evaluated) >= 6
    for path in evaluated:
        kept = Predictions.load(path)
        accuracy = f"{sklearn.metrics.accuracy_score(kept.targets, kept.logits.argmax(1)):.4f}"
        assert any(accuracy in row for row in listed), f"{path.parent.name}, {accuracy}, has no row in training/NOTES.md"
