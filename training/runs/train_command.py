"""Command line of a finished run."""

from __future__ import annotations

import shlex

from training.recipes import FRESH_SUFFIX, RECIPES, TUNED_SUFFIX, RecipeName, recipe_name
from training.runs.run_dir import ESC_50


def train_command(made: dict) -> str:
    """Return the command that trains a network again, from its provenance."""
    name = recipe_name(made["recipe"])
    command = "python -m training train" if made["data"] == ESC_50.name else "python -m training train --data FOLDER"
    if name is None:
        return command
    fresh = " --fresh" if name.endswith(FRESH_SUFFIX) else ""
    options = _split(made)
    architecture = made["recipe"]["architecture"]
    plain = name.removesuffix(FRESH_SUFFIX).removesuffix(TUNED_SUFFIX)
    if made["recipe"]["initial_weights"] != "checkpoint" and architecture != RECIPES[RecipeName(plain)].architecture:
        options = f"--arch {architecture} {options}"
    if made["recipe"]["initial_weights"] == "checkpoint":
        unknown = " --unknown FOLDER" if made["recipe"].get("unknown_batch") else ""
        options = f"--from CHECKPOINT{unknown} {options}"
    return f"{command} --recipe {plain}{fresh} {options}"


def _split(made: dict) -> str:
    """Return the options for folds, seed and left-out classes; --inner spares a fold."""
    valid, rest = made["valid_fold"], {*range(1, 6)} - {*made["train_folds"], made["valid_fold"]}
    is_inner = len(rest) == 1 and valid > max(made["train_folds"])
    classes = f" --leave-out-classes {shlex.quote(','.join(made['left_out_classes']))}" if made.get("left_out_classes") else ""
    return f"--fold {min(rest) if is_inner else valid}{' --inner' if is_inner else ''} --seed {made['seed']}{classes}"
