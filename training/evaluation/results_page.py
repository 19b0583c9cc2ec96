"""Results page: tables and plots of all runs, from their small files under version control."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.classification.checkpoint_files.config import read_config
from esc.plotting.runs import plot_confusion, plot_curves, plot_reliability
from training.data.esc50 import Clip
from training.evaluation.metrics import calibration_bins, compute_metrics, confusion_matrix
from training.evaluation.predictions import FILE, Pooled, Predictions, held_out
from training.recipes import FRESH_SUFFIX, Architecture, RecipeName, recipe_name
from training.runs.disk import disk_full_error, save_figure, write_atomic, write_json
from training.runs.run_dir import CHECKPOINT, HISTORY, SETTINGS, has_checkpoint, read_history, read_settings

PAGE = "RESULTS.md"
_PLOTS = "plots"
_NOT_RUN = "not run yet"
_ORIGINAL = 0.8025  # the original notebook's own figure
_FRESH_NOTEBOOK = f"{RecipeName.NOTEBOOK}{FRESH_SUFFIX}"
_RECIPES = (*RecipeName, _FRESH_NOTEBOOK)
_MAIN_NETWORK, _MAIN_FOLD, _MAIN_SEED = Architecture.RESNET18, 5, 1
_PLANNED = (
    *((RecipeName.BEST, _MAIN_NETWORK, fold, _MAIN_SEED) for fold in (1, 2, 3, 4, 5)),
    *((RecipeName.BEST, _MAIN_NETWORK, _MAIN_FOLD, seed) for seed in (2, 3)),
    *((RecipeName.NOTEBOOK, architecture, _MAIN_FOLD, _MAIN_SEED) for architecture in Architecture),
)
_PROTOCOL = """ESC-50 has 2,000 clips, 50 classes and five folds; clips of one recording share a fold. A run trains on four
folds and is evaluated on the fifth **after its last epoch** (with the average of the weights, if the recipe keeps one),
with neither test-time augmentation nor an ensemble. Settings were chosen on an inner split of folds 1 to 4 alone, see
[NOTES.md](NOTES.md): trained on folds 1 to 3, validated on fold 4. So only fold 5 had no influence on them, and the mean of
the five folds is slightly optimistic. "Best epoch" is given for comparison: it is selected on the fold that it is evaluated
on, and optimistic. The standard error of an accuracy on 400 clips is about 2 points."""


@dataclass(frozen=True)
class Result:
    """One run's small files."""

    name: str
    settings: dict
    history: list[dict[str, float | None]]
    predictions: Predictions | None

    @property
    def recipe(self) -> str:
        """The name of its recipe, or "other"."""
        return recipe_name(self.settings["recipe"]) or "other"

    @property
    def key(self) -> tuple[str, str, int, int]:
        """Recipe, network, held-out fold and seed."""
        settings = self.settings
        return self.recipe, settings["recipe"]["architecture"], settings["valid_fold"], settings["seed"]

    @property
    def finished(self) -> bool:
        """Whether the run has ended and its held-out fold was evaluated."""
        return self.predictions is not None

    @property
    def official(self) -> bool:
        """Whether it trained on all other folds and all classes."""
        return len(self.settings["train_folds"]) == 4 and not self.settings["left_out_classes"]

    @property
    def accuracy(self) -> float | None:
        """Held-out accuracy after the last epoch, or the last validation of an unfinished run."""
        if self.predictions is not None:
            return compute_metrics(self.predictions.logits, self.predictions.targets).accuracy
        return next((row["valid_accuracy"] for row in reversed(self.history) if row["valid_accuracy"] is not None), None)

    @property
    def best(self) -> str:
        """The best validation accuracy and its epoch."""
        rows = [(row["valid_accuracy"], row["epoch"]) for row in self.history if row["valid_accuracy"] is not None]
        accuracy, epoch = max(rows, key=lambda row: row[0], default=(None, None))
        return "–" if accuracy is None else f"{accuracy:.4f} (epoch {epoch:.0f})"

    @property
    def hours(self) -> float:
        """Training time."""
        return (self.history[-1]["seconds"] or 0.0) / 3600

    @property
    def epochs(self) -> str:
        """Number of epochs, and the recipe's if it is not reached."""
        taken, wanted = int(self.history[-1]["epoch"] or 0), self.settings["recipe"]["epochs"]
        return str(taken) if taken == wanted else f"{taken} of {wanted}"


def import_run(run: Path, results: Path, clips: list[Clip], cache: Path, evaluation_log: Path) -> list[str]:
    """Copy a run's small files into the folder of results, and return its name.

    A folder of `crossval` gives a name for each of its runs. A finished run's held-out fold is evaluated unless it was.
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
            held_out(one, clips, settings["valid_fold"], cache, evaluation_log).save(folder / FILE)
        settings.pop("data_folder", None)  # of this machine alone
        write_json(folder / SETTINGS, settings)
        with disk_full_error(folder / HISTORY):
            shutil.copyfile(one / HISTORY, folder / HISTORY)
        names.append(name)
    return names


def write_results(results: Path, evaluation_log: Path) -> Path:
    """Write `RESULTS.md` and its plots next to the results; return its path."""
    found = [_read(path) for path in sorted(results.glob("*/")) if (path / SETTINGS).is_file()]
    (results / _PLOTS).mkdir(parents=True, exist_ok=True)
    official = [result for result in found if result.official]
    sections = [
        "# Results\n\nWritten by `python -m training results` from the files in `results/`.\n",
        f"## Protocol\n\n{_PROTOCOL}\n\n{_evaluation_count(evaluation_log)}\n",
        _summary(official),
        _notebook(official),
        _networks(official),
        _all_runs(found),
        *_plots(official, results),
        _still_to_run(official),
    ]
    page = results.parent / PAGE
    write_atomic(page, "\n".join(sections))
    return page


def _read(folder: Path) -> Result:
    predictions = Predictions.load(folder / FILE) if (folder / FILE).is_file() else None
    return Result(folder.name, read_settings(folder), read_history(folder), predictions)


def _table(title: str, columns: str, rows: list[str], note: str = "") -> str:
    head = f"| {columns} |\n|{'---|' * len(columns.split(' | '))}"
    return f"## {title}\n\n{head}\n" + "\n".join(f"| {row} |" for row in rows) + "\n" + note


def _evaluation_count(evaluation_log: Path) -> str:
    if not evaluation_log.is_file():
        return "The log of evaluations is missing."
    with evaluation_log.open(newline="", encoding="utf-8") as lines:
        count = sum(row["fold"] == str(_MAIN_FOLD) for row in csv.DictReader(lines))
    return f"Evaluations on fold {_MAIN_FOLD} so far: {count}, each a row of `{evaluation_log}`."


def _finished(official: list[Result], recipe: str) -> list[Result]:
    return [result for result in official if result.finished and result.key[:2] == (recipe, _MAIN_NETWORK)]


def _pooled(results: list[Result]) -> Pooled:
    return Pooled.of([result.predictions for result in results if result.predictions is not None])


def _summary(official: list[Result]) -> str:
    rows = []
    for recipe in _RECIPES:
        ended = _finished(official, recipe)
        folds = [result for result in ended if result.key[3] == _MAIN_SEED]
        seeds = [result.accuracy for result in ended if result.key[2] == _MAIN_FOLD]
        five = _mean([result.accuracy for result in folds]) if len(folds) == 5 else f"{_NOT_RUN} ({len(folds)} of 5)"
        hours = f"{sum(result.hours for result in ended):.1f}" if ended else "–"
        rows.append(f"`{recipe}` | {five} | {_mean(seeds)} | {_calibration_errors(folds)} | {hours}")
    columns = "recipe | five folds, seed 1 | fold 5, all seeds | ECE before and after | total hours"
    note = "Mean and standard deviation (n - 1) after the last epoch. ECE: all held-out clips of seed 1 together; after: with the"
    return _table("Accuracy, ResNet18", columns, rows, f"\n{note}\ntemperature of the other folds.\n")


def _mean(accuracies: list[float | None]) -> str:
    values = [value for value in accuracies if value is not None]
    spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{spread} (n = {len(values)})" if values else _NOT_RUN


def _calibration_errors(ended: list[Result]) -> str:
    if not ended:
        return _NOT_RUN
    pooled = _pooled(ended)
    before = compute_metrics(pooled.logits, pooled.targets).ece
    after = f"{compute_metrics(pooled.cross_fitted(), pooled.targets).ece:.4f}" if len(ended) > 1 else _NOT_RUN
    return f"{before:.4f}, {after}"


def _notebook(official: list[Result]) -> str:
    rows = [
        f"the original notebook | ImageNet | {_ORIGINAL} | not reported | 50 epochs; best epoch, selected on its validation fold"
    ]
    for recipe, weights in ((str(RecipeName.NOTEBOOK), "ImageNet"), (_FRESH_NOTEBOOK, "fresh")):
        found = [result for result in official if result.key[:3] == (recipe, _MAIN_NETWORK, _MAIN_FOLD)]
        for result in found:
            accuracy = "not evaluated" if result.accuracy is None else f"{result.accuracy:.4f}"
            rows.append(f"`{result.name}` | {weights} | {result.best} | {accuracy} | {result.epochs} epochs")
        if not found:
            rows.append(f"recipe `{recipe}` | {weights} | {_NOT_RUN} | {_NOT_RUN} | ")
    note = "\nFrom fresh weights the recipe is another experiment: it does not reproduce the notebook.\n"
    columns = "fold 5 | initial weights | best epoch (optimistic) | last epoch | "
    return _table("The notebook, and its recipe re-run from fresh weights", columns, rows, note)


def _networks(official: list[Result]) -> str:
    rows = []
    for architecture in Architecture:
        found = [result for result in official if result.key[1:3] == (architecture, _MAIN_FOLD) and result.accuracy is not None]
        for result in found:
            cells = f"`{result.recipe}` | {result.settings['seed']} | {result.epochs} | {result.accuracy:.4f}"
            rows.append(f"{architecture} | {cells} | {result.history[-1]['train_loss']:.4f} | {result.hours:.2f}")
        if not found:
            rows.append(f"{architecture} | {_NOT_RUN} | | | | | ")
    return _table("ResNet18, 34 and 50", "network | recipe | seed | epochs | accuracy, fold 5 | train loss | hours", rows)


def _all_runs(found: list[Result]) -> str:
    if not found:
        return "## All runs\n\nNot run yet.\n"
    rows = []
    for result in found:
        settings = result.settings
        device = ", ".join(settings[name] for name in ("device", "precision") if name in settings) or "not noted"
        accuracy = "–" if result.accuracy is None else f"{result.accuracy:.4f}"
        left_out = f", without {len(settings['left_out_classes'])} classes" if settings["left_out_classes"] else ""
        folds = f"{', '.join(map(str, settings['train_folds']))} → {settings['valid_fold']}{left_out}"
        run = f"`{result.name}` | {result.recipe} | {folds} | {settings['seed']} | {result.epochs}"
        rows.append(f"{run} | {accuracy} | {result.best} | {result.hours:.2f} | {device}")
    return _table(
        "All runs", "run | recipe | folds | seed | epochs | last epoch | best epoch (optimistic) | hours | device", rows
    )


def _plots(official: list[Result], results: Path) -> list[str]:
    """Plot curves of fold 5 and predictions of each recipe; return the sections."""
    curves = []
    for result in official:
        if result.key[2:] == (_MAIN_FOLD, _MAIN_SEED) and result.recipe in _RECIPES:
            file = f"{_PLOTS}/{result.name}-curves.png"
            mark = (_ORIGINAL, f"the original, best epoch: {_ORIGINAL}") if "notebook" in result.recipe else None
            save_figure(plot_curves(result.history, f"{result.name}: validation fold {_MAIN_FOLD}", mark), results / file)
            curves.append(f"![Curves of {result.name}]({results.name}/{file})\n")
    sections = ["## Curves\n\n" + ("\n".join(curves) or "Not run yet.\n")]
    for recipe in _RECIPES:
        ended = [result for result in _finished(official, recipe) if result.key[3] == _MAIN_SEED]
        if ended:
            sections.append(_prediction_plots(recipe, ended, results))
    return sections


def _prediction_plots(recipe: str, ended: list[Result], results: Path) -> str:
    pooled, names = _pooled(ended), ended[0].predictions.class_names if ended[0].predictions else ()
    metrics = compute_metrics(pooled.logits, pooled.targets)
    confusion = confusion_matrix(pooled.targets, metrics.probabilities.argmax(axis=1), len(names))
    folds = ", ".join(str(result.key[2]) for result in ended)
    title = f"{recipe}, held-out fold {folds}"
    figures = {
        "confusion": plot_confusion(confusion, names, f"Confusion matrix: {title}"),
        "reliability": plot_reliability(*calibration_bins(metrics.probabilities, pooled.targets), f"Before calibration\n{title}"),
    }
    if len(ended) > 1:
        calibrated = compute_metrics(pooled.cross_fitted(), pooled.targets).probabilities
        bins = calibration_bins(calibrated, pooled.targets)
        figures["calibrated"] = plot_reliability(*bins, f"With the other folds' temperature\n{title}")
    for kind, figure in figures.items():
        save_figure(figure, results / _PLOTS / f"{recipe}-{kind}.png")
    images = "\n\n".join(f"![{kind} of {recipe}]({results.name}/{_PLOTS}/{recipe}-{kind}.png)" for kind in figures)
    return f"## `{recipe}`: {len(pooled.targets)} held-out clips, fold {folds}\n\n{images}\n"


def _still_to_run(official: list[Result]) -> str:
    done = {result.key: result for result in official}
    rows = []
    for recipe, architecture, fold, seed in _PLANNED:
        result = done.get((recipe, architecture, fold, seed))
        if result is None or not result.finished:
            state = _NOT_RUN if result is None else f"epochs {result.epochs}"
            rows.append(f"- `{recipe}`, {architecture}, fold {fold}, seed {seed}: {state}")
    return "## Still to be run\n\n" + ("\n".join(rows) or "Nothing: all planned runs have ended.") + "\n"
