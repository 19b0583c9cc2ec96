"""Five-fold cross-validation, ESC-50's official figure."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.data.esc50 import Clip, all_folds
from training.data.preprocessing import prepare_for
from training.evaluation.metrics import compute_metrics
from training.evaluation.predictions import Pooled, held_out
from training.runs.disk import write_json
from training.runs.run_dir import RunConfig
from training.train import train

log = logging.getLogger(__name__)
SUMMARY = "crossval.json"


def cross_validate(
    clips: list[Clip], config: RunConfig, folder: Path, cache: Path, evaluation_log: Path, weights: Path | None = None
) -> dict:
    """Train once per held-out fold as `config` says, evaluate each network, and return the summary.

    `folder` gets the runs `fold1`, `fold2` ... and `crossval.json`: accuracy of each fold, their mean and standard deviation
    (n - 1 in the denominator), and the ECE of all held-out predictions together. Interrupted runs are resumed; finished
    folds are neither trained nor evaluated again.
    """
    folds = all_folds(clips)
    prepared = prepare_for(config.recipe, clips, cache)
    accuracy: dict[str, float] = {}
    predictions = []
    for fold in folds:
        run = folder / f"fold{fold}"
        log.info("fold %d of %d is held out", fold, len(folds))
        train(prepared, replace(config, train_folds=tuple(f for f in folds if f != fold), valid_fold=fold), run, weights=weights)
        predictions.append(held_out(run, clips, fold, cache, evaluation_log))
        accuracy[str(fold)] = compute_metrics(predictions[-1].logits, predictions[-1].targets).accuracy
    pooled = Pooled.of(predictions)
    summary = {
        "accuracy": accuracy,
        "mean": float(np.mean(list(accuracy.values()))),
        "std": float(np.std(list(accuracy.values()), ddof=1)),
        "ece": compute_metrics(pooled.logits, pooled.targets).ece,
        "clips": len(pooled.targets),
        "seed": config.seed,
        "recipe": config.recipe.to_dict(),
    }
    write_json(folder / SUMMARY, summary)
    return summary
