"""A grid over spectrogram parameters on the inner split: which picture of a sound is learnt best, in few epochs each."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import logging
import shutil
from pathlib import Path

from esc.config import LIMITS
from esc.errors import DataError, ParameterError
from training.data.esc50 import Clip
from training.data.preprocessing import prepare_for
from training.recipes import Recipe
from training.runs.disk import full_disk_named, write_whole
from training.runs.run_dir import CHECKPOINT, HISTORY, STATE, read_history, read_settings
from training.train import train

log = logging.getLogger(__name__)
TABLE, PICTURE = "sweep.csv", "sweep.png"
_CHOICES = ("window", "mel_scale")


def parse_grid(texts: list[str]) -> dict[str, list]:
    """Return the values to try of each parameter, from texts such as "n_mels=64,128" or "window=hann,hamming".

    Raises
    ------
    ParameterError
        A text is no such thing, or names no spectrogram parameter.
    """
    grid: dict[str, list] = {}
    for text in texts:
        field, _, values = text.partition("=")
        if field not in LIMITS and field not in _CHOICES:
            choices = ", ".join((*LIMITS, *_CHOICES))
            raise ParameterError("parameter.choice", field="a parameter of the grid", value=field or text, choices=choices)
        grid[field] = list(dict.fromkeys(_value(field, value) for value in values.split(",")))
    return grid


def _value(field: str, text: str) -> str | float:
    if field in _CHOICES:
        return text.strip()
    try:
        return float(text)
    except ValueError as error:
        raise ParameterError("parameter.type", field=field, value=text, wanted="number") from error


def combinations(recipe: Recipe, grid: dict[str, list]) -> dict[str, Recipe]:
    """Return a recipe for each combination of the grid's values, by a name that tells them.

    Raises
    ------
    ParameterError
        A combination is not possible: said before the first of them is trained.
    """
    found = {}
    for values in itertools.product(*grid.values()):
        changes = dict(zip(grid, values, strict=True))
        bands = changes.get("n_mels", recipe.spectrogram.n_mels)
        fitted = {"n_mfcc": min(recipe.spectrogram.n_mfcc, bands)} | changes  # which the network is not given
        spectrogram = recipe.spectrogram.replace(**fitted)
        name = ",".join(
            f"{field}={value:g}" if isinstance(value, float) else f"{field}={value}" for field, value in changes.items()
        )
        found[name] = dataclasses.replace(recipe, spectrogram=spectrogram)
    return found


def sweep(
    clips: list[Clip],
    recipes: dict[str, Recipe],
    train_folds: tuple[int, ...],
    valid_fold: int,
    seed: int,
    folder: Path,
    cache: Path,
) -> list[dict]:
    """Train each recipe, write table and picture after each, and return the table's rows, best first.

    What was stopped goes on where it was; what is done is not trained again. Of a finished run its settings and history
    are kept, not its weights.

    Parameters
    ----------
    clips : list of Clip
    recipes : dict of str to Recipe
        By the names of their runs.
    train_folds, valid_fold : tuple of int, int
        The inner split.
    seed : int
        The same for all.
    folder : path
        Gets a run for each, `sweep.csv` and `sweep.png`.
    cache : path
        Folder for prepared clips.

    Raises
    ------
    DataError
        The folder holds a sweep with other settings, or the disk is full.
    """
    rows: list[dict] = []
    for number, (name, recipe) in enumerate(recipes.items(), 1):
        run = folder / name
        if not _is_done(run, recipe, train_folds, valid_fold, seed):
            log.info("%d of %d: %s", number, len(recipes), name)
            train(prepare_for(recipe, clips, cache), recipe, train_folds, valid_fold, seed, run)
            shutil.rmtree(run / CHECKPOINT)
            (run / STATE).unlink()
        rows.append(_row(name, recipe, run))
        rows.sort(key=lambda row: -row["valid_accuracy"])
        _write(folder, rows)
    return rows


def _is_done(run: Path, recipe: Recipe, train_folds: tuple[int, ...], valid_fold: int, seed: int) -> bool:
    """Return whether a run has taken all its epochs; raise DataError where it is another run."""
    if not (run / HISTORY).is_file() or (run / STATE).is_file():
        return False
    settings, history = read_settings(run), read_history(run)
    now = {"train_folds": list(train_folds), "valid_fold": valid_fold, "seed": seed, "recipe": recipe.to_dict()}
    different = [key for key, value in now.items() if settings[key] != value]
    if different:
        raise DataError("run.mismatch", path=run, differences=", ".join(different))
    return bool(history) and history[-1]["epoch"] == recipe.epochs


def _row(name: str, recipe: Recipe, run: Path) -> dict:
    last = read_history(run)[-1]
    return {
        "parameters": name,
        "picture": f"{recipe.spectrogram.n_mels} x {recipe.n_frames}",
        "valid_accuracy": last["valid_accuracy"],
        "valid_loss": last["valid_loss"],
        "train_loss": last["train_loss"],
        "epochs": int(last["epoch"]),
        "seconds": round(last["seconds"], 1),
    }


def _write(folder: Path, rows: list[dict]) -> None:
    from training.evaluation.run_report import plot_sweep

    lines = io.StringIO()
    writer = csv.DictWriter(lines, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(folder / TABLE, lines.getvalue())
    with full_disk_named(folder / PICTURE):
        plot_sweep(rows).savefig(folder / PICTURE)
