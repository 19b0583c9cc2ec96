"""The report of a run: curves, confusion matrix, recall per class, commonest mistakes and calibration, as a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from esc.plotting import plot_confusion, plot_curves, plot_recall, plot_reliability
from training.data.esc50 import Clip
from training.evaluation.held_out_log import Reading, read_fold
from training.evaluation.metrics import calibration_bins, confusion_matrix, most_confused, recall_per_class
from training.runs.disk import full_disk_named
from training.runs.run_dir import CHECKPOINT, has_checkpoint, read_history, read_settings

PAGE = "report.md"
_PAIRS, _WORST, _NAMES = 12, 8, 6


def write_report(run: Path, clips: list[Clip], cache: Path, readings: Path) -> Path:
    """Write `report.md` and its pictures into a run's folder and return the page's path.

    A run that has not ended yet gets its curves alone: figures of the held-out fold are the last epoch's.

    Parameters
    ----------
    run : path
        Folder that `training.train.train` filled.
    clips : list of Clip
    cache, readings : path
        As `training.evaluation.held_out_log.read_fold` takes them.

    Raises
    ------
    DataError
        There is no run in the folder, or the disk is full.
    """
    settings, history = read_settings(run), read_history(run)
    fold = settings["valid_fold"]
    _save(plot_curves(history, f"{run.name}: held out is fold {fold}"), run / "curves.png")
    sections = [_head(run, settings, history)]
    if has_checkpoint(run):
        sections += _measured(run, read_fold(run / CHECKPOINT, clips, fold, cache, readings))
    else:
        sections.append("The run has not ended: the rest of this page is made from its last epoch.\n")
    with full_disk_named(run / PAGE):
        (run / PAGE).write_text("\n".join(sections), encoding="utf-8")
    return run / PAGE


def plot_sweep(rows: list[dict]) -> Figure:
    """Return a bar for each combination of a sweep, best on top: accuracy on the inner split, and the time it took.

    Parameters
    ----------
    rows : list of dict
        As `training.grid_search.sweep` gives them.
    """
    figure = Figure(figsize=(9, 1.2 + 0.36 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(rows))
    axes.barh(places, [row["valid_accuracy"] for row in rows], color="#3b6ea5")
    names = [f"{row['parameters']}\n{row['picture']}" if len(rows) <= 12 else row["parameters"] for row in rows]
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    for place, row in zip(places, rows, strict=True):
        said = f" {row['valid_accuracy']:.3f}, {row['seconds'] / 60:.0f} min"
        axes.text(row["valid_accuracy"], place, said, va="center", fontsize=8)
    axes.set_xlim(0, 1.15)
    axes.set_xlabel("accuracy on the inner validation fold, last epoch")
    axes.set_title(f"Spectrogram parameters after {rows[0]['epochs']} epochs")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _head(run: Path, settings: dict, history: list[dict[str, float | None]]) -> str:
    recipe, last = settings["recipe"], history[-1]
    looks = [row for row in history if row["valid_accuracy"] is not None]
    table = [
        ("network", f"{recipe['architecture']}, first weights: {settings.get('initial_weights', 'fresh')}"),
        ("trained on folds", ", ".join(map(str, settings["train_folds"]))),
        ("held out", f"fold {settings['valid_fold']}"),
        ("seed", settings["seed"]),
        ("epochs", f"{last['epoch']:.0f} of {recipe['epochs']}"),
        ("time", f"{last['seconds'] / 3600:.2f} h"),
        ("training loss, last epoch", f"{last['train_loss']:.4f}"),
    ]
    if looks:
        best = max(looks, key=lambda row: row["valid_accuracy"])
        table.append((f"held-out accuracy, epoch {looks[-1]['epoch']:.0f}", f"{looks[-1]['valid_accuracy']:.4f}"))
        chosen = f"best of {len(looks)} looks at the held-out fold (epoch {best['epoch']:.0f}; flatters, chosen by that fold)"
        table.append((chosen, f"{best['valid_accuracy']:.4f}"))
    rows = "\n".join(f"| {name} | {value} |" for name, value in table)
    return f"# {run.name}\n\n| | |\n|---|---|\n{rows}\n\n![Loss and accuracy over the epochs](curves.png)\n"


def _measured(run: Path, reading: Reading) -> list[str]:
    """Draw what the checkpoint says of the held-out fold and return the page's sections on it."""
    names, targets, figures = reading.checkpoint.class_names, reading.targets, reading.figures
    guesses = figures.probabilities.argmax(axis=1)
    confusion = confusion_matrix(targets, guesses, len(names))
    recall = recall_per_class(confusion)
    _save(plot_confusion(confusion, names), run / "confusion.png")
    _save(plot_recall(recall, names), run / "recall.png")
    _save(plot_reliability(*calibration_bins(figures.probabilities, targets)), run / "reliability.png")
    measured = f"Accuracy {figures.accuracy:.4f}, cross-entropy {figures.loss:.4f} nats, ECE {figures.ece:.4f} (15 bins)"
    return [
        f"## The held-out fold, read with the checkpoint\n\n{measured}, {figures.clips} clips.\n\n"
        "![Confusion matrix](confusion.png)\n",
        _recall_section(recall, names),
        _pairs_section(confusion, guesses, reading),
        "## Calibration\n\n![How often it is right against how sure it is](reliability.png)\n",
    ]


def _recall_section(recall: np.ndarray, names: tuple[str, ...]) -> str:
    worst = [index for index in np.argsort(recall, kind="stable")[:_WORST] if recall[index] < 1]
    said = ", ".join(f"{names[index]} {recall[index]:.2f}" for index in worst) or "none: every clip was recognised"
    return f"## Recall per class\n\nHardest: {said}.\n\n![Recall per class](recall.png)\n"


def _pairs_section(confusion: np.ndarray, guesses: np.ndarray, reading: Reading) -> str:
    names, rows = reading.checkpoint.class_names, []
    for true, guess, count in most_confused(confusion, _PAIRS):
        chosen = np.flatnonzero((reading.targets == true) & (guesses == guess))
        files = ", ".join(f"`{reading.names[index]}`" for index in chosen[:_NAMES])
        rows.append(f"| {names[true]} | {names[guess]} | {count} | {files}{', …' if count > _NAMES else ''} |")
    table = "| is | taken for | clips | which |\n|---|---|---|---|\n" + "\n".join(rows) if rows else "No clip was mistaken."
    return f"## Most confused\n\n{table}\n"


def _save(figure: Figure, path: Path) -> None:
    with full_disk_named(path):
        figure.savefig(path)
