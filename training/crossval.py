"""Five-fold cross-validation by one recipe: ESC-50's official figure."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import numpy as np

from training.data import Clip, all_folds
from training.disk import full_disk_named
from training.evaluate import expected_calibration_error
from training.prepare import prepare
from training.readings import read_fold
from training.recipes import Recipe
from training.runfolder import CHECKPOINT
from training.train import train

log = logging.getLogger(__name__)
SUMMARY, _PREDICTIONS = "crossval.json", "held_out.npz"


def cross_validate(
    clips: list[Clip], recipe: Recipe, seed: int, folder: Path, cache: Path, readings: Path, weights: Path | None = None
) -> dict:
    """Train once for each fold that is held out, read each at the last epoch, and return the summary.

    What was stopped goes on where it was; a fold that is done is neither trained nor read again.

    Parameters
    ----------
    clips : list of Clip
    recipe : Recipe
    seed : int
        The same for all folds.
    folder : path
        Gets a run `fold1`, `fold2` ... for each and `crossval.json`.
    cache, readings : path
        As `training.readings.read_fold` takes them.
    weights : path, optional
        ImageNet weights for a recipe that wants them.

    Returns
    -------
    dict
        `accuracy` (of each fold), `mean`, `std` (n - 1 in the denominator), `ece` of all held-out predictions
        together, `clips`, `seed`, `recipe`.
    """
    folds = all_folds(clips)
    prepared = prepare(clips, recipe.spectrogram, recipe.input, cache)
    accuracy, probabilities, targets = {}, [], []
    for fold in folds:
        run = folder / f"fold{fold}"
        log.info("fold %d of %d is held out", fold, len(folds))
        train(prepared, recipe, tuple(f for f in folds if f != fold), fold, seed, run, recipe.epochs, weights)
        guessed, true = _held_out(run, clips, fold, cache, readings)
        accuracy[str(fold)] = float((guessed.argmax(axis=1) == true).mean())
        probabilities.append(guessed)
        targets.append(true)
    summary = {
        "accuracy": accuracy,
        "mean": float(np.mean(list(accuracy.values()))),
        "std": float(np.std(list(accuracy.values()), ddof=1)),
        "ece": expected_calibration_error(np.concatenate(probabilities), np.concatenate(targets)),
        "clips": sum(map(len, targets)),
        "seed": seed,
        "recipe": recipe.to_dict(),
    }
    unfinished = folder / f"{SUMMARY}.tmp"
    with full_disk_named(folder / SUMMARY):
        unfinished.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, folder / SUMMARY)
    return summary


def _held_out(run: Path, clips: list[Clip], fold: int, cache: Path, readings: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and targets of the held-out fold: read once, then kept beside the run."""
    path = run / _PREDICTIONS
    if not path.is_file():
        reading = read_fold(run / CHECKPOINT, clips, fold, cache, readings)
        unfinished = path.with_suffix(".tmp")
        with full_disk_named(path), unfinished.open("wb") as file:
            np.savez(file, probabilities=reading.figures.probabilities, targets=reading.targets, names=reading.names)
        os.replace(unfinished, path)
    with np.load(path) as kept:
        return kept["probabilities"], kept["targets"]
