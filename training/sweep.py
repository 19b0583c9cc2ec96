"""Sweep over a grid of spectrogram parameters on the inner split."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import logging
import shutil
from pathlib import Path

from esc.config import LIMITS
from esc.errors import ParameterError
from esc.plotting.runs import plot_bars
from training.data.esc50 import Clip
from training.data.preprocessing import prepare_for
from training.recipes import Recipe
from training.runs.disk import save_figure, write_atomic
from training.runs.run_dir import CHECKPOINT, HISTORY, STATE, RunConfig, read_history, read_settings
from training.train import Validation, train

log = logging.getLogger(__name__)
TABLE, PLOT = "sweep.csv", "sweep.png"
_CHOICES = ("window", "mel_scale")


def parse_grid(texts: list[str]) -> dict[str, list]:
    """Return each parameter's values, from texts such as "n_mels=64,128" or "window=hann,hamming"."""
    grid: dict[str, list] = {}
    for text in texts:
        field, _, values = text.partition("=")
        if field not in LIMITS and field not in _CHOICES:
            choices = ", ".join((*LIMITS, *_CHOICES))
            raise ParameterError("parameter.choice", field="a parameter of the grid", value=field or text, choices=choices)
        grid[field] = list(dict.fromkeys(_parse_value(field, value) for value in values.split(",")))
    return grid


def _parse_value(field: str, text: str) -> str | float:
    if field in _CHOICES:
        return text.strip()
    try:
        return float(text)
    except ValueError as error:
        raise ParameterError("parameter.type", field=field, value=text, wanted="number") from error


def combinations(recipe: Recipe, grid: dict[str, list]) -> dict[str, Recipe]:
    """Return a recipe for each combination of the grid's values, by name."""
    found = {}
    for values in itertools.product(*grid.values()):
        changes = dict(zip(grid, values, strict=True))
        bands = changes.get("n_mels", recipe.spectrogram.n_mels)
        fitted = {"n_mfcc": min(recipe.spectrogram.n_mfcc, bands)} | changes  # MFCC are no input of the network
        name = ",".join(
            f"{field}={value:g}" if isinstance(value, float) else f"{field}={value}" for field, value in changes.items()
        )
        found[name] = dataclasses.replace(recipe, spectrogram=recipe.spectrogram.replace(**fitted))
    return found


def sweep(clips: list[Clip], configs: dict[str, RunConfig], folder: Path, cache: Path) -> list[dict]:
    """Train every configuration, and return the rows of the table, best first.

    `configs`: on the inner split, by the names of their runs in `folder`. Table and plot are updated after each. Interrupted
    runs are resumed. Settings and history of a finished run are kept, its weights are not. Raises DataError if the folder
    holds runs with other settings.
    """
    rows: list[dict] = []
    for number, (name, config) in enumerate(configs.items(), 1):
        run = folder / name
        if not _is_finished(run, config):
            log.info("%d of %d: %s", number, len(configs), name)
            train(prepare_for(config.recipe, clips, cache), config, run, Validation(every=config.recipe.epochs))
            shutil.rmtree(run / CHECKPOINT)
            (run / STATE).unlink()
        rows.append(_row(name, config.recipe, run))
        rows.sort(key=lambda row: -row["valid_accuracy"])
        _write(folder, rows)
    return rows


def _is_finished(run: Path, config: RunConfig) -> bool:
    """Return whether a run is finished; DataError if its settings differ."""
    if not (run / HISTORY).is_file() or (run / STATE).is_file():
        return False
    config.check(run, read_settings(run))
    history = read_history(run)
    return bool(history) and history[-1]["epoch"] == config.recipe.epochs


def _row(name: str, recipe: Recipe, run: Path) -> dict:
    last = read_history(run)[-1]
    return {
        "parameters": name,
        "image": f"{recipe.spectrogram.n_mels} x {recipe.n_frames}",
        "valid_accuracy": last["valid_accuracy"],
        "valid_loss": last["valid_loss"],
        "train_loss": last["train_loss"],
        "epochs": int(last["epoch"] or 0),
        "seconds": round(last["seconds"] or 0.0, 1),
    }


def _write(folder: Path, rows: list[dict]) -> None:
    lines = io.StringIO()
    writer = csv.DictWriter(lines, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(folder / TABLE, lines.getvalue())
    bars = {f"{row['parameters']}\n{row['image']}": row["valid_accuracy"] for row in rows}
    texts = [f"{row['valid_accuracy']:.3f}, {row['seconds'] / 60:.0f} min" for row in rows]
    title = f"Spectrogram parameters after {rows[0]['epochs']} epochs"
    save_figure(plot_bars(bars, "accuracy on the inner validation fold, last epoch", title, texts), folder / PLOT)
