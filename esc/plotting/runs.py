"""Matplotlib figures of training runs, without pyplot's global state.

Every function returns a `matplotlib.figure.Figure`; `figure.savefig(path)` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from esc.plotting.style import FAINT, FIRST, INK, SECOND, plain


def plot_curves(
    history: Sequence[dict[str, float | None]], title: str = "Training", mark: tuple[float, str] | None = None
) -> Figure:
    """Return loss and accuracy over the epochs, of training and held-out clips.

    Rows of `history` hold `epoch`, `train_loss`, `train_accuracy`, `valid_loss`, `valid_accuracy`; the last two may be
    None. `mark` is a reference accuracy with its label.
    """
    figure = Figure(figsize=(10, 4), dpi=120, layout="constrained")
    figure.suptitle(title, color=INK)
    evaluated = [row for row in history if row["valid_loss"] is not None]
    for axes, name, unit in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("cross-entropy, nats", "share of clips"), strict=True
    ):
        for rows, part, colour, label in ((history, "train", FIRST, "training"), (evaluated, "valid", SECOND, "held out")):
            epochs, values = [row["epoch"] for row in rows], [row[f"{part}_{name}"] for row in rows]
            axes.plot(epochs, values, color=colour, label=label, marker="." if len(rows) < 30 else "", linewidth=1.6)
        if mark and name == "accuracy":
            axes.axhline(mark[0], color=INK, linewidth=1.0, linestyle="--", label=mark[1])
        axes.set(xlabel="epoch", ylabel=f"{name} ({unit})")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 1.02 if name == "accuracy" else None)
        axes.grid(color=FAINT, linewidth=0.5, alpha=0.6)
        axes.legend(frameon=False)
        plain(axes)
    return figure


def plot_confusion(confusion: np.ndarray, class_names: Sequence[str], title: str = "Confusion matrix") -> Figure:
    """Return a confusion matrix: true classes in rows, predicted ones in columns."""
    size = max(4.5, 0.2 * len(class_names) + 2)
    figure = Figure(figsize=(size, size), dpi=120, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.ma.masked_equal(confusion, 0), cmap="viridis_r", vmin=0, interpolation="nearest")
    ticks, names = range(len(class_names)), [name.replace("_", " ") for name in class_names]
    axes.set_xticks(ticks, names, rotation=90, fontsize=7)
    axes.set_yticks(ticks, names, fontsize=7)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=FAINT, linewidth=0.3)
    axes.tick_params(which="both", length=0)
    middle = confusion.max() / 2
    for true, guess in zip(*np.nonzero(confusion), strict=True):
        colour = "white" if confusion[true, guess] > middle else INK
        axes.text(guess, true, str(confusion[true, guess]), ha="center", va="center", fontsize=6, color=colour)
    axes.set(xlabel="taken for", ylabel="true class", title=title)
    figure.colorbar(image, ax=axes, label="clips", shrink=0.5)
    return figure


def plot_recall(recall: np.ndarray, class_names: Sequence[str], title: str = "Recall per class") -> Figure:
    """Return the recall of each class, the highest on top."""
    order = np.argsort(-np.nan_to_num(recall), kind="stable")
    bars = {class_names[index].replace("_", " "): float(recall[index]) for index in order}
    figure = plot_bars(bars, "recall (share of the class's clips)", title)
    mean, (axes,) = float(np.nanmean(recall)), figure.axes
    axes.axvline(mean, color=SECOND, linewidth=1.2, label=f"mean {mean:.3f}")
    axes.legend(frameon=False, loc="lower right")
    return figure


def plot_bars(
    bars: dict[str, float], xlabel: str, title: str, texts: Sequence[str] = (), dots: dict[str, dict[str, float]] | None = None
) -> Figure:
    """Return shares, 0 to 1, as horizontal bars, the first on top.

    `texts` stand to the right of the bars; `dots` are reference values of some bars, by the labels of their series.
    """
    names = list(bars)
    lines = max(name.count("\n") for name in names) + 1
    figure = Figure(figsize=(8, 0.18 * lines * len(names) + 1.5), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(names)), list(bars.values()), color=FIRST, height=0.72)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    for row, text in enumerate(texts):
        axes.text(1.01, row, text, va="center", fontsize=7)
    for colour, (label, values) in zip((SECOND, INK), (dots or {}).items(), strict=False):
        rows = [names.index(name) for name in values]
        axes.plot(list(values.values()), rows, "o", color=colour, markersize=5, markeredgecolor="white", label=label)
    if dots:
        axes.legend(frameon=False, fontsize=7, loc="upper right", bbox_to_anchor=(1, -0.1), ncols=len(dots))
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.4, -0.6), xlabel=xlabel, title=title)
    plain(axes)
    return figure


def plot_reliability(counts: np.ndarray, confidence: np.ndarray, right: np.ndarray, title: str = "Reliability") -> Figure:
    """Return a reliability diagram: accuracy over confidence, with counts.

    Per bin of equal width: number of clips, sum of confidences, number of correct predictions.
    """
    figure = Figure(figsize=(5.5, 6.5), dpi=120, layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    width = 1.0 / len(counts)
    middles = (np.arange(len(counts)) + 0.5) * width
    filled = counts > 0
    upper.plot([0, 1], [0, 1], color=INK, linewidth=1.0, linestyle="--", label="perfectly calibrated")
    heights = right[filled] / counts[filled]
    upper.bar(middles[filled], heights, width * 0.92, color=FIRST, alpha=0.85, label="accuracy")
    sure = confidence[filled] / counts[filled]
    upper.plot(sure, heights, "o", color=SECOND, markersize=4, label="at the bin's mean confidence")
    upper.set(ylabel="accuracy", ylim=(0, 1.02), xlim=(0, 1), title=title)
    upper.legend(frameon=False, loc="upper left")
    lower.bar(middles, counts, width * 0.92, color=FAINT)
    lower.set(xlabel="confidence (probability of the first guess)", ylabel="clips")
    for axes in (upper, lower):
        plain(axes)
    return figure
