"""Matplotlib figures of sounds and training runs, without pyplot's global state.

Every function returns a `matplotlib.figure.Figure`; `figure.savefig(path)` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from esc.config import SpectrogramConfig
from esc.dsp.axes import frame_times_s
from esc.dsp.mel import hz_to_mel, mel_freqs_hz

_COLOURS = "magma"
_INK, _FIRST, _SECOND, _FAINT = "#333333", "#3b6fb6", "#d1603d", "#c9ccd1"
_TICKS_HZ = np.array([20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000])
_ENVELOPE_COLUMNS = 2_000
_SURFACE_COLUMNS, _SURFACE_ROWS = 160, 96


def plot_waveform(waveform: np.ndarray, sample_rate: int, title: str = "Waveform") -> Figure:
    """Return a waveform (n_samples,) over time, or the envelope of a long one."""
    figure, axes = _figure(title, 3.2)
    seconds = len(waveform) / sample_rate
    if len(waveform) > 2 * _ENVELOPE_COLUMNS:
        edges = np.arange(_ENVELOPE_COLUMNS) * len(waveform) // _ENVELOPE_COLUMNS
        low, high = np.minimum.reduceat(waveform, edges), np.maximum.reduceat(waveform, edges)
        axes.fill_between(edges / sample_rate, low, high, color=_FIRST, linewidth=0.4, edgecolor=_FIRST)
    else:
        axes.plot(np.arange(len(waveform)) / sample_rate, waveform, color=_FIRST, linewidth=0.8)
    axes.set(xlim=(0, seconds), xlabel="time, s", ylabel="amplitude, 1 = full scale")
    axes.grid(color=_FAINT, linewidth=0.5, alpha=0.6)
    return figure


def plot_stft(stft_db: np.ndarray, config: SpectrogramConfig, title: str = "STFT") -> Figure:
    """Return an STFT (n_freqs, n_frames) in dB over time, on a linear frequency axis."""
    figure, axes = _figure(title, 4.2)
    bin_khz = config.sample_rate / config.n_fft / 1_000
    _image(axes, stft_db, config, (-0.5 * bin_khz, (config.n_freqs - 0.5) * bin_khz))
    axes.set(ylabel="frequency, kHz", ylim=(0, config.sample_rate / 2_000))
    return figure


def plot_mel(mel_db: np.ndarray, config: SpectrogramConfig, title: str = "Mel spectrogram") -> Figure:
    """Return a mel spectrogram (n_mels, n_frames) in dB over time, labelled in Hz."""
    figure, axes = _figure(title, 4.2)
    _image(axes, mel_db, config, (-0.5, config.n_mels - 0.5))
    axes.set_yticks(*_band_ticks(config))
    axes.set(ylabel="frequency, Hz (mel scale)")
    return figure


def plot_mel_surface(mel_db: np.ndarray, config: SpectrogramConfig, title: str = "Mel spectrogram in 3D") -> Figure:
    """Return a mel spectrogram as a surface; maxima survive the downsampling."""
    figure = Figure(figsize=(9, 6.5), dpi=120, layout="constrained")
    axes = figure.add_subplot(projection="3d")
    axes.set_title(title, color=_INK)
    rows = _block_starts(mel_db.shape[0], _SURFACE_ROWS)
    columns = _block_starts(mel_db.shape[1], _SURFACE_COLUMNS)
    heights = np.maximum.reduceat(np.maximum.reduceat(mel_db, rows, axis=0), columns, axis=1)
    times_s, bands = np.meshgrid(frame_times_s(mel_db.shape[1], config)[columns], rows)
    surface = axes.plot_surface(
        times_s, bands, heights, cmap=_COLOURS, rstride=1, cstride=1, linewidth=0, antialiased=False, shade=False
    )
    axes.set_yticks(*_band_ticks(config))
    axes.set_xlabel("time, s", labelpad=10)
    axes.set_ylabel("frequency, Hz", labelpad=16)
    axes.set_zlabel("level, dB")
    axes.view_init(elev=38, azim=-62)
    axes.set_box_aspect((1.7, 1.1, 0.6), zoom=1.1)
    figure.colorbar(surface, ax=axes, label="level, dB", shrink=0.6, pad=0.08)
    return figure


def plot_mfcc(mfcc: np.ndarray, config: SpectrogramConfig, title: str = "MFCC") -> Figure:
    """Return MFCCs (n_mfcc, n_frames) over time, each divided by its largest absolute value.

    Without this scaling the first coefficient, the loudness, would dominate.
    """
    figure, axes = _figure(title, 3.8)
    scaled = mfcc / np.maximum(np.abs(mfcc).max(axis=1, keepdims=True), 1e-9)
    label = "value / row maximum"
    _image(axes, scaled, config, (-0.5, len(mfcc) - 0.5), label, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(ylabel="coefficient")
    return figure


def plot_curves(
    history: Sequence[dict[str, float | None]], title: str = "Training", mark: tuple[float, str] | None = None
) -> Figure:
    """Return loss and accuracy over the epochs, of training and held-out clips.

    Rows of `history` hold `epoch`, `train_loss`, `train_accuracy`, `valid_loss`, `valid_accuracy`; the last two may be
    None. `mark` is a reference accuracy with its label.
    """
    figure = Figure(figsize=(10, 4), dpi=120, layout="constrained")
    figure.suptitle(title, color=_INK)
    evaluated = [row for row in history if row["valid_loss"] is not None]
    for axes, name, unit in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("cross-entropy, nats", "share of clips"), strict=True
    ):
        for rows, part, colour, label in ((history, "train", _FIRST, "training"), (evaluated, "valid", _SECOND, "held out")):
            epochs, values = [row["epoch"] for row in rows], [row[f"{part}_{name}"] for row in rows]
            axes.plot(epochs, values, color=colour, label=label, marker="." if len(rows) < 30 else "", linewidth=1.6)
        if mark and name == "accuracy":
            axes.axhline(mark[0], color=_INK, linewidth=1.0, linestyle="--", label=mark[1])
        axes.set(xlabel="epoch", ylabel=f"{name} ({unit})")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 1.02 if name == "accuracy" else None)
        axes.grid(color=_FAINT, linewidth=0.5, alpha=0.6)
        axes.legend(frameon=False)
        _plain(axes)
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
    axes.grid(which="minor", color=_FAINT, linewidth=0.3)
    axes.tick_params(which="both", length=0)
    middle = confusion.max() / 2
    for true, guess in zip(*np.nonzero(confusion), strict=True):
        colour = "white" if confusion[true, guess] > middle else _INK
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
    axes.axvline(mean, color=_SECOND, linewidth=1.2, label=f"mean {mean:.3f}")
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
    axes.barh(range(len(names)), list(bars.values()), color=_FIRST, height=0.72)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    for row, text in enumerate(texts):
        axes.text(1.01, row, text, va="center", fontsize=7)
    for colour, (label, values) in zip((_SECOND, _INK), (dots or {}).items(), strict=False):
        rows = [names.index(name) for name in values]
        axes.plot(list(values.values()), rows, "o", color=colour, markersize=5, markeredgecolor="white", label=label)
    if dots:
        axes.legend(frameon=False, fontsize=7, loc="upper right", bbox_to_anchor=(1, -0.1), ncols=len(dots))
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.4, -0.6), xlabel=xlabel, title=title)
    _plain(axes)
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
    upper.plot([0, 1], [0, 1], color=_INK, linewidth=1.0, linestyle="--", label="perfectly calibrated")
    heights = right[filled] / counts[filled]
    upper.bar(middles[filled], heights, width * 0.92, color=_FIRST, alpha=0.85, label="accuracy")
    sure = confidence[filled] / counts[filled]
    upper.plot(sure, heights, "o", color=_SECOND, markersize=4, label="at the bin's mean confidence")
    upper.set(ylabel="accuracy", ylim=(0, 1.02), xlim=(0, 1), title=title)
    upper.legend(frameon=False, loc="upper left")
    lower.bar(middles, counts, width * 0.92, color=_FAINT)
    lower.set(xlabel="confidence (probability of the first guess)", ylabel="clips")
    for axes in (upper, lower):
        _plain(axes)
    return figure


def _figure(title: str, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(10, height), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, color=_INK)
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _image(
    axes: Axes, matrix: np.ndarray, config: SpectrogramConfig, rows: tuple[float, float], label: str = "level, dB", **style: Any
) -> None:
    """Draw a matrix, with frames centred on their times, and a colour bar."""
    hop_s = config.hop_length / config.sample_rate
    extent = (-0.5 * hop_s, (matrix.shape[1] - 0.5) * hop_s, *rows)
    style = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "cmap": _COLOURS} | style
    image = axes.imshow(matrix, extent=extent, **style)
    axes.set(xlabel="time, s", xlim=(0.0, extent[1]))
    axes.figure.colorbar(image, ax=axes, label=label, pad=0.015)


def _band_ticks(config: SpectrogramConfig) -> tuple[np.ndarray, list[str]]:
    """Return positions and labels of round frequencies among the mel bands."""
    low, high = mel_freqs_hz(config)[[0, -1]]
    shown = _TICKS_HZ[(low <= _TICKS_HZ) & (high >= _TICKS_HZ)]
    mels = hz_to_mel(shown, config.mel_scale)
    first, last = hz_to_mel(np.array([low, high]), config.mel_scale)
    ticks = (mels - first) / (last - first) * (config.n_mels - 1)
    apart = [i for i in range(len(shown)) if i == len(shown) - 1 or ticks[i + 1] - ticks[i] > 0.035 * config.n_mels]
    return ticks[apart], [f"{shown[i]:,}" for i in apart]


def _block_starts(length: int, most: int) -> np.ndarray:
    """Return the first indices of at most `most` blocks of about equal size."""
    count = min(length, most)
    return np.arange(count) * length // count
