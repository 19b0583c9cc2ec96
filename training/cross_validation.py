"""Five-fold cross-validation by one recipe: ESC-50's official figure."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np

from training.data.esc50 import Clip, all_folds
from training.data.preprocessing import prepare_for
from training.evaluation.metrics import expected_calibration_error, figures_of
from training.evaluation.predictions import held_out
from training.recipes import Recipe
from training.runs.disk import write_whole
from training.train import train

log = logging.getLogger(__name__)
SUMMARY = "crossval.json"


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
        As `training.evaluation.held_out_log.read_fold` takes them.
    weights : path, optional
        ImageNet weights for a recipe that wants them.

    Returns
    -------
    dict
        `accuracy` (of each fold), `mean`, `std` (n - 1 in the denominator), `ece` of all held-out predictions
        together, `clips`, `seed`, `recipe`.
    """
    folds = all_folds(clips)
    prepared = prepare_for(recipe, clips, cache)
    accuracy, probabilities, targets = {}, [], []
    for fold in folds:
        run = folder / f"fold{fold}"
        log.info("fold %d of %d is held out", fold, len(folds))
        train(prepared, recipe, tuple(f for f in folds if f != fold), fold, seed, run, recipe.epochs, weights)
        predictions = held_out(run, clips, fold, cache, readings)
        figures = figures_of(predictions.logits, predictions.targets)
        accuracy[str(fold)] = figures.accuracy
        probabilities.append(figures.probabilities)
        targets.append(predictions.targets)
    summary = {
        "accuracy": accuracy,
        "mean": float(np.mean(list(accuracy.values()))),
        "std": float(np.std(list(accuracy.values()), ddof=1)),
        "ece": expected_calibration_error(np.concatenate(probabilities), np.concatenate(targets)),
        "clips": sum(map(len, targets)),
        "seed": seed,
        "recipe": recipe.to_dict(),
    }
    write_whole(folder / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return summary
