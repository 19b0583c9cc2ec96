"""Report of a run: curves, confusion matrix, recall, most frequent mistakes and calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from esc.plotting.runs import plot_confusion, plot_curves, plot_recall, plot_reliability
from training.data.esc50 import Clip
from training.evaluation.held_out_log import Evaluation, evaluate_fold
from training.evaluation.metrics import calibration_bins, confusion_matrix, most_confused, recall_per_class
from training.runs.disk import save_figure, write_atomic
from training.runs.run_dir import CHECKPOINT, has_checkpoint, read_history, read_settings

PAGE = "report.md"
_PAIRS, _WORST, _NAMES = 12, 8, 6


def write_report(run: Path, clips: list[Clip], cache: Path, evaluation_log: Path) -> Path:
    """Write `report.md` and its plots into a run's folder, and return the page's path.

    An unfinished run gets its curves only: the held-out fold is evaluated after the last epoch.
    """
    settings, history = read_settings(run), read_history(run)
    fold = settings["valid_fold"]
    save_figure(plot_curves(history, f"{run.name}: validation fold {fold}"), run / "curves.png")
    sections = [_overview(run, settings, history)]
    if has_checkpoint(run):
        sections += _metrics(run, evaluate_fold(run / CHECKPOINT, clips, fold, cache, evaluation_log))
    else:
        sections.append("The run has not ended: the other sections need its checkpoint.\n")
    write_atomic(run / PAGE, "\n".join(sections))
    return run / PAGE


def _overview(run: Path, settings: dict, history: list[dict[str, float | None]]) -> str:
    recipe, last = settings["recipe"], history[-1]
    evaluated = [(row["valid_accuracy"], row["epoch"]) for row in history if row["valid_accuracy"] is not None]
    table = [
        ("network", f"{recipe['architecture']}, initial weights: {settings.get('initial_weights', 'fresh')}"),
        ("trained on folds", ", ".join(map(str, settings["train_folds"]))),
        ("held out", f"fold {settings['valid_fold']}"),
        ("seed", settings["seed"]),
        ("epochs", f"{last['epoch']:.0f} of {recipe['epochs']}"),
        ("time", f"{(last['seconds'] or 0.0) / 3600:.2f} h"),
        ("training loss, last epoch", f"{last['train_loss']:.4f}"),
    ]
    if evaluated:
        (accuracy, epoch), (best, best_epoch) = evaluated[-1], max(evaluated, key=lambda pair: pair[0])
        table.append((f"validation accuracy, epoch {epoch:.0f}", f"{accuracy:.4f}"))
        selected = f"best of {len(evaluated)} evaluations (epoch {best_epoch:.0f}; optimistic: selected on this fold)"
        table.append((selected, f"{best:.4f}"))
    rows = "\n".join(f"| {name} | {value} |" for name, value in table)
    return f"# {run.name}\n\n| | |\n|---|---|\n{rows}\n\n![Loss and accuracy over the epochs](curves.png)\n"


def _metrics(run: Path, evaluation: Evaluation) -> list[str]:
    """Plot the checkpoint's predictions for the held-out fold, and return the page's sections."""
    names, targets, metrics = evaluation.checkpoint.class_names, evaluation.targets, evaluation.metrics
    predicted = metrics.probabilities.argmax(axis=1)
    confusion = confusion_matrix(targets, predicted, len(names))
    recall = recall_per_class(confusion)
    save_figure(plot_confusion(confusion, names), run / "confusion.png")
    save_figure(plot_recall(recall, names), run / "recall.png")
    save_figure(plot_reliability(*calibration_bins(metrics.probabilities, targets)), run / "reliability.png")
    summary = f"Accuracy {metrics.accuracy:.4f}, cross-entropy {metrics.loss:.4f} nats, ECE {metrics.ece:.4f} (15 bins)"
    return [
        f"## Held-out fold, last epoch\n\n{summary}, {metrics.clips} clips.\n\n![Confusion matrix](confusion.png)\n",
        _recall_section(recall, names),
        _pairs_section(confusion, predicted, evaluation),
        "## Calibration\n\n![Accuracy against confidence](reliability.png)\n",
    ]


def _recall_section(recall: np.ndarray, names: tuple[str, ...]) -> str:
    worst = [index for index in np.argsort(recall, kind="stable")[:_WORST] if recall[index] < 1]
    listed = ", ".join(f"{names[index]} {recall[index]:.2f}" for index in worst) or "none, all clips are correct"
    return f"## Recall per class\n\nLowest: {listed}.\n\n![Recall per class](recall.png)\n"


def _pairs_section(confusion: np.ndarray, predicted: np.ndarray, evaluation: Evaluation) -> str:
    names, rows = evaluation.checkpoint.class_names, []
    for true, guess, count in most_confused(confusion, _PAIRS):
        chosen = np.flatnonzero((evaluation.targets == true) & (predicted == guess))
        files = ", ".join(f"`{evaluation.names[index]}`" for index in chosen[:_NAMES])
        rows.append(f"| {names[true]} | {names[guess]} | {count} | {files}{', …' if count > _NAMES else ''} |")
    table = "| true class | predicted | clips | files |\n|---|---|---|---|\n" + "\n".join(rows) if rows else "No mistakes."
    return f"## Most confused\n\n{table}\n"
