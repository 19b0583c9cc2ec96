"""The results of all runs on one page: small files of each run are kept with the code, tables and pictures made of them."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.classification.checkpoint import read_config
from esc.plotting import plot_confusion, plot_curves, plot_reliability
from training.data.esc50 import Clip
from training.evaluation.metrics import calibration_bins, confusion_matrix, figures_of
from training.evaluation.predictions import FILE, Predictions, held_out
from training.evaluation.temperature import cross_fitted
from training.recipes import RECIPES, recipe_name
from training.runs.disk import full_disk_named, write_whole
from training.runs.run_dir import CHECKPOINT, HISTORY, SETTINGS, has_checkpoint, read_history, read_settings

PAGE = "RESULTS.md"
_PICTURES = "pictures"
_ORIGINAL = 0.8025  # PIPELINE: the notebook's own figure
_ORIGINALS_MARK = (_ORIGINAL, f"the original, best epoch: {_ORIGINAL}")
_MAIN, _NOTEBOOK = "best", "notebook"
_WANTED = (
    *((_MAIN, "resnet18", fold, 1) for fold in (1, 2, 3, 4, 5)),
    *((_MAIN, "resnet18", 5, seed) for seed in (2, 3)),
    *((_NOTEBOOK, architecture, 5, 1) for architecture in ("resnet18", "resnet34", "resnet50")),
)
_PROTOCOL = """ESC-50 has 2,000 clips, 50 classes and five folds; clips of one recording share a fold. A run trains on four
folds and is read on the fifth **at its last epoch** (the running average of the weights where the recipe keeps one), with
neither test-time augmentation nor an ensemble. Settings were chosen on an inner split of folds 1 to 4 alone, see
[NOTES.md](NOTES.md): trained on folds 1 to 3, looked at on fold 4. So only fold 5 had no say in them, and the mean of the
five folds flatters a little. "Best epoch" stands beside it for comparison: it is chosen by the fold that it is read on, and
flatters. Accuracies of 400 clips are uncertain by some 2 points (one standard error)."""


@dataclass(frozen=True)
class Result:
    """One run's small files."""

    name: str
    settings: dict
    history: list[dict[str, float | None]]
    predictions: Predictions | None

    @property
    def recipe(self) -> str:
        """The name of its recipe, "other" where it has none."""
        return recipe_name(self.settings["recipe"]) or "other"

    @property
    def key(self) -> tuple[str, str, int, int]:
        """Recipe, network, held-out fold and seed."""
        made = self.settings
        return self.recipe, made["recipe"]["architecture"], made["valid_fold"], made["seed"]

    @property
    def done(self) -> bool:
        """Whether the run has ended, and its held-out fold was read."""
        return self.predictions is not None

    @property
    def official(self) -> bool:
        """Whether it trained on all folds but one and on all classes."""
        return len(self.settings["train_folds"]) == 4 and not self.settings["without"]

    @property
    def accuracy(self) -> float | None:
        """On the held-out fold at the last epoch; of a run that goes on, at the last epoch that was looked at."""
        if self.predictions is not None:
            return figures_of(self.predictions.logits, self.predictions.targets).accuracy
        return next((row["valid_accuracy"] for row in reversed(self.history) if row["valid_accuracy"] is not None), None)

    @property
    def best(self) -> tuple[float, int] | None:
        """The best accuracy of all looks at the held-out fold and its epoch."""
        looks = [(row["valid_accuracy"], int(row["epoch"])) for row in self.history if row["valid_accuracy"] is not None]
        return max(looks, key=lambda look: look[0], default=None)

    @property
    def hours(self) -> float:
        """Time that its epochs took."""
        return self.history[-1]["seconds"] / 3600

    @property
    def epochs(self) -> str:
        """Epochs taken, of how many."""
        taken, wanted = int(self.history[-1]["epoch"]), self.settings["recipe"]["epochs"]
        return str(taken) if taken == wanted else f"{taken} of {wanted}"


def take_up(run: Path, results: Path, clips: list[Clip], cache: Path, readings: Path) -> list[str]:
    """Copy a run's small files, or those of every fold of a cross-validation, into the results; return their names.

    A run that has not ended is taken up with its curve alone.

    Raises
    ------
    DataError
        There is no run in the folder, or the disk is full.
    """
    folds = sorted(path for path in run.glob("fold[0-9]*") if (path / SETTINGS).is_file())
    names = []
    for one in folds or [run]:
        name = f"{run.name}-{one.name}" if folds else run.name
        settings = read_settings(one)
        read_history(one)
        folder = results / name
        folder.mkdir(parents=True, exist_ok=True)
        if has_checkpoint(one):
            settings |= read_config(one / CHECKPOINT).provenance
            held_out(one, clips, settings["valid_fold"], cache, readings).save(folder / FILE)
        write_whole(folder / SETTINGS, json.dumps(settings, indent=1) + "\n")
        with full_disk_named(folder / HISTORY):
            shutil.copyfile(one / HISTORY, folder / HISTORY)
        names.append(name)
    return names


def write_results(results: Path, readings: Path) -> Path:
    """Write `RESULTS.md` beside the folder of results, with pictures in it, from what lies there; return its path."""
    found = [_read(path) for path in sorted(results.glob("*/")) if (path / SETTINGS).is_file()]
    (results / _PICTURES).mkdir(parents=True, exist_ok=True)
    official = [result for result in found if result.official]
    sections = [
        "# Results\n\nWritten by `python -m training results` from the files in `results/`.\n",
        f"## Protocol\n\n{_PROTOCOL}\n\n{_looks(readings)}\n",
        _summary(official),
        _beside_the_original(official),
        _networks(official),
        _runs(found),
        *_drawn(official, results),
        _missing(official),
    ]
    page = results.parent / PAGE
    write_whole(page, "\n".join(sections))
    return page


def _read(folder: Path) -> Result:
    predictions = Predictions.load(folder / FILE) if (folder / FILE).is_file() else None
    return Result(folder.name, read_settings(folder), read_history(folder), predictions)


def _looks(readings: Path) -> str:
    if not readings.is_file():
        return "The log of readings is not there."
    with readings.open(newline="", encoding="utf-8") as lines:
        count = sum(row["fold"] == "5" for row in csv.DictReader(lines))
    return f"Readings of fold 5 with a finished checkpoint so far: {count}, each a row of `{readings}`."


def _summary(official: list[Result]) -> str:
    rows = []
    for recipe in dict.fromkeys((_MAIN, *RECIPES)):
        ended = [result for result in official if result.done and result.key[:2] == (recipe, "resnet18")]
        folds = {result.key[2]: result for result in ended if result.key[3] == 1}
        seeds = [result.accuracy for result in ended if result.key[2] == 5]
        five = _mean([result.accuracy for result in folds.values()]) if len(folds) == 5 else f"not run yet ({len(folds)} of 5)"
        ece = f"{_calibration_errors(list(folds.values()))}" if folds else "not run yet"
        hours = f"{sum(result.hours for result in ended):.1f}" if ended else "–"
        rows.append(f"| `{recipe}` | {five} | {_mean(seeds) if seeds else 'not run yet'} | {ece} | {hours} |")
    head = "| recipe | five folds, seed 1 | fold 5, all seeds | ECE before and after | hours in all |\n|---|---|---|---|---|"
    said = "Mean and standard deviation (n - 1) at the last epoch. ECE is that of all held-out clips of seed 1 together"
    return f"## Accuracy, ResNet18\n\n{head}\n" + "\n".join(rows) + f"\n\n{said}; after: by the other folds' temperature.\n"


def _mean(values: list[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{spread} (n = {len(values)})"


def _calibration_errors(ended: list[Result]) -> str:
    logits, targets, groups = _together(ended)
    before = figures_of(logits, targets).ece
    after = f"{figures_of(cross_fitted(logits, targets, groups), targets).ece:.4f}" if len(ended) > 1 else "not run yet"
    return f"{before:.4f}, {after}"


def _together(ended: list[Result]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    read = [result.predictions for result in ended]
    groups = np.repeat(np.arange(len(read)), [len(one.targets) for one in read])
    return np.concatenate([one.logits for one in read]), np.concatenate([one.targets for one in read]), groups


def _beside_the_original(official: list[Result]) -> str:
    rows = [f"| the original notebook | {_ORIGINAL} | not told | best epoch, chosen on its own validation fold |"]
    for result in official:
        if result.key[:3] == (_NOTEBOOK, "resnet18", 5):
            accuracy, epoch = result.best or (float("nan"), 0)
            said = f"{result.accuracy:.4f}" if result.accuracy is not None else "not looked at"
            weights = result.settings.get("initial_weights", "fresh")
            rows.append(
                f"| `{result.name}` | {accuracy:.4f} (epoch {epoch}) | {said} | epochs {result.epochs}, weights: {weights} |"
            )
    if len(rows) == 1:
        rows.append("| recipe `notebook` | not run yet | not run yet | |")
    table = "| fold 5 | best epoch (flatters) | last epoch | |\n|---|---|---|---|\n" + "\n".join(rows)
    return f"## The notebook, reproduced\n\n{table}\n"


def _networks(official: list[Result]) -> str:
    rows = []
    for architecture in ("resnet18", "resnet34", "resnet50"):
        ended = [result for result in official if result.key[1:3] == (architecture, 5) and result.accuracy is not None]
        for result in ended:
            said = f"`{result.recipe}` | {result.settings['seed']} | {result.epochs} | {result.accuracy:.4f}"
            rows.append(f"| {architecture} | {said} | {result.history[-1]['train_loss']:.4f} | {result.hours:.2f} |")
        if not ended:
            rows.append(f"| {architecture} | not run yet | | | | | |")
    head = "| network | recipe | seed | epochs | accuracy, fold 5 | train loss | hours |\n|---|---|---|---|---|---|---|"
    return f"## ResNet18, 34 and 50\n\n{head}\n" + "\n".join(rows) + "\n"


def _runs(found: list[Result]) -> str:
    if not found:
        return "## Every run\n\nNot run yet.\n"
    rows = []
    for result in found:
        made, best = result.settings, result.best
        device = ", ".join(made[name] for name in ("device", "precision") if name in made) or "not noted"
        accuracy = "–" if result.accuracy is None else f"{result.accuracy:.4f}"
        flattered = "–" if best is None else f"{best[0]:.4f} (epoch {best[1]})"
        left = f", without {len(made['without'])} classes" if made["without"] else ""
        folds = f"{', '.join(map(str, made['train_folds']))} → {made['valid_fold']}{left}"
        cells = (
            f"`{result.name}`",
            result.recipe,
            folds,
            made["seed"],
            result.epochs,
            accuracy,
            flattered,
            f"{result.hours:.2f}",
        )
        rows.append(f"| {' | '.join(map(str, cells))} | {device} |")
    head = "| run | recipe | folds | seed | epochs | last epoch | best epoch (flatters) | hours | device |"
    return f"## Every run\n\n{head}\n|{'---|' * 9}\n" + "\n".join(rows) + "\n"


def _drawn(official: list[Result], results: Path) -> list[str]:
    """Draw curves of the runs on fold 5, and confusion and reliability of each recipe's held-out clips; return sections."""
    curves = []
    for result in official:
        if result.key[2:] == (5, 1) and result.recipe in RECIPES:
            file = f"{_PICTURES}/{result.name}-curves.png"
            with full_disk_named(results / file):
                mark = _ORIGINALS_MARK if result.recipe == _NOTEBOOK else None
                plot_curves(result.history, f"{result.name}: held out is fold 5", mark).savefig(results / file)
            curves.append(f"![Curves of {result.name}]({results.name}/{file})\n")
    sections = ["## Curves\n\n" + ("\n".join(curves) or "Not run yet.\n")]
    for recipe in dict.fromkeys((_MAIN, *RECIPES)):
        ended = [result for result in official if result.done and result.key[:2] == (recipe, "resnet18") and result.key[3] == 1]
        if ended:
            sections.append(_held_out_pictures(recipe, ended, results))
    return sections


def _held_out_pictures(recipe: str, ended: list[Result], results: Path) -> str:
    logits, targets, groups = _together(ended)
    names, figures = ended[0].predictions.class_names, figures_of(logits, targets)
    confusion = confusion_matrix(targets, figures.probabilities.argmax(axis=1), len(names))
    folds = ", ".join(str(result.key[2]) for result in ended)
    title = f"{recipe}, held out: fold {folds}"
    drawn = {
        "confusion": plot_confusion(confusion, names, f"Confusion matrix: {title}"),
        "reliability": plot_reliability(*calibration_bins(figures.probabilities, targets), f"As trained\n{title}"),
    }
    if len(ended) > 1:
        tempered = figures_of(cross_fitted(logits, targets, groups), targets).probabilities
        said = f"By the other folds' temperature\n{title}"
        drawn["tempered"] = plot_reliability(*calibration_bins(tempered, targets), said)
    for kind, figure in drawn.items():
        with full_disk_named(results / _PICTURES):
            figure.savefig(results / _PICTURES / f"{recipe}-{kind}.png")
    pictures = "\n\n".join(f"![{kind} of {recipe}]({results.name}/{_PICTURES}/{recipe}-{kind}.png)" for kind in drawn)
    return f"## `{recipe}`: {len(targets)} held-out clips, fold {folds}\n\n{pictures}\n"


def _missing(official: list[Result]) -> str:
    taken = {result.key: result for result in official}
    rows = []
    for recipe, architecture, fold, seed in _WANTED:
        result = taken.get((recipe, architecture, fold, seed))
        said = "not run yet" if result is None else "has ended" if result.done else f"epochs {result.epochs}"
        if result is None or not result.done:
            rows.append(f"- `{recipe}`, {architecture}, fold {fold}, seed {seed}: {said}")
    return "## Still to be run\n\n" + ("\n".join(rows) or "Nothing: all planned runs have ended.") + "\n"
