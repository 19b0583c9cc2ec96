"""Matplotlib figures of views at a print size, with axes, title and colour bar."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from esc.dsp.mel import hz_to_mel, mel_to_hz
from esc.plotting.style import COLOURS, FAINT, FIRST, INK, plain

Position = Callable[[Any], np.ndarray]

_CHARACTER = 0.019  # width in cm at a font size of 1
_ROWS = 1_200  # of an image
_TICKS_HZ = np.outer(10.0 ** np.arange(1, 6), (1, 2, 5)).ravel()
_TICK_GAP = 0.06  # of the axis
_LOWEST_LOG_HZ = 20.0
_LOUDNESS = "#b0307a"


@dataclass(frozen=True, kw_only=True)
class FigureStyle:
    """Size, colours, axes and texts of a figure."""

    title: str = ""
    subtitle: str = ""
    width_cm: float = 17.0
    height_cm: float = 9.0
    dpi: int = 300
    colours: str = COLOURS  # one of Matplotlib's maps
    levels: tuple[float, float] | None = None  # the darkest and the brightest; None: those of the values
    axis: str = "linear"  # "linear", "mel", "log" or "bark"
    mel_scale: str = "slaney"
    freq_range: tuple[float, float] | None = None  # Hz; None: all rows
    time: str = "time, s"
    freq: str = "frequency, Hz"
    level: str = "level, dB"
    amplitude: str = "amplitude, 1 = full scale"
    coefficient: str = "coefficient"
    loudness: str = "A-weighted level, dB below full scale"


def plot_levels(
    levels: np.ndarray,
    extent_s: tuple[float, float],
    bounds_hz: np.ndarray,
    style: FigureStyle,
    contours: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> Figure:
    """Return a spectrogram (n_rows, n_columns) with features drawn over it.

    Parameters
    ----------
    levels : array, shape (n_rows, n_columns)
    extent_s : tuple of float
        Outer edges of the columns in seconds.
    bounds_hz : array, shape (n_rows + 1,)
        Rising bounds of the rows.
    style : FigureStyle
    contours : dict, optional
        Arrays of `esc.features.contours` by feature.
    """
    figure, axes = _figure(style)
    low, high = style.freq_range or (bounds_hz[0], bounds_hz[-1])
    low, high = max(low, bounds_hz[0], _LOWEST_LOG_HZ if style.axis == "log" else 0.0), min(high, bounds_hz[-1])
    to, back = _scale(style)
    bottom, top = (float(to(hz)) for hz in (low, high))
    heights = bottom + (np.arange(_ROWS) + 0.5) * (top - bottom) / _ROWS
    rows = np.clip(np.searchsorted(bounds_hz, back(heights), side="right") - 1, 0, len(levels) - 1)
    _image(figure, axes, levels[rows], (*extent_s, bottom, top), style, style.level)
    shown = _ticks(low, high, to)
    axes.set_yticks(to(shown), [f"{hz:,.0f}" for hz in shown])
    axes.set(xlabel=style.time, ylabel=style.freq, xlim=extent_s, ylim=(bottom, top))
    for feature, arrays in (contours or {}).items():
        _CONTOURS[feature](axes, arrays, to, style)
    return figure


def plot_coefficients(values: np.ndarray, extent_s: tuple[float, float], style: FigureStyle) -> Figure:
    """Return coefficients from 1, (n_rows, n_columns)."""
    figure, axes = _figure(style)
    _image(figure, axes, values, (*extent_s, 0.5, len(values) + 0.5), style, style.coefficient)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel=style.time, ylabel=style.coefficient, xlim=extent_s)
    return figure


def plot_envelope(envelope: np.ndarray, extent_s: tuple[float, float], style: FigureStyle) -> Figure:
    """Return a waveform by the minimum, maximum and RMS of its columns, (3, n_columns)."""
    figure, axes = _figure(style)
    low, high, rms = envelope
    times_s = extent_s[0] + (np.arange(len(low)) + 0.5) * (extent_s[1] - extent_s[0]) / len(low)
    if np.array_equal(low, high):  # a column a sample
        axes.plot(times_s, low, color=FIRST, linewidth=0.8)
    else:
        axes.fill_between(times_s, low, high, color=FIRST, alpha=0.45, linewidth=0)
        axes.fill_between(times_s, np.maximum(-rms, low), np.minimum(rms, high), color=FIRST, linewidth=0)
    axes.set(xlim=extent_s, xlabel=style.time, ylabel=style.amplitude)
    axes.grid(color=FAINT, linewidth=0.5, alpha=0.6)
    plain(axes)
    return figure


def plot_surface(
    levels: np.ndarray, times_s: np.ndarray, freqs_hz: np.ndarray, style: FigureStyle, angles: tuple[float, float] = (38.0, -62.0)
) -> Figure:
    """Return a spectrogram (n_rows, n_columns) as a surface; `angles`: elevation and azimuth in degrees."""
    figure = Figure(figsize=_inches(style), dpi=style.dpi, layout="constrained")
    axes: Any = figure.add_subplot(projection="3d")
    _titles(figure, axes, style)
    to, _ = _scale(style)
    low, high = style.levels or (None, None)
    surface = axes.plot_surface(
        *np.meshgrid(times_s, to(freqs_hz)), levels, cmap=style.colours, vmin=low, vmax=high, rstride=1, cstride=1, linewidth=0,
        antialiased=False, shade=False, rasterized=True,
    )  # fmt: skip
    shown = _ticks(freqs_hz[0], freqs_hz[-1], to, 2 * _TICK_GAP)
    axes.set_yticks(to(shown), [f"{hz:,.0f}" for hz in shown], fontsize=6)
    axes.tick_params(labelsize=6)
    for label, name in ((style.time, "x"), (style.freq, "y"), (style.level, "z")):
        getattr(axes, f"set_{name}label")(label, fontsize=8)
    axes.view_init(elev=angles[0], azim=angles[1])
    axes.set_box_aspect((1.7, 1.1, 0.6), zoom=0.95)
    bar = figure.colorbar(surface, ax=axes, shrink=0.6, pad=0.1)
    bar.set_label(style.level, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure


def _inches(style: FigureStyle) -> tuple[float, float]:
    return style.width_cm / 2.54, style.height_cm / 2.54


def _figure(style: FigureStyle) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_inches(style), dpi=style.dpi, layout="constrained")
    axes = figure.subplots()
    _titles(figure, axes, style)
    axes.tick_params(labelsize=7)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    return figure, axes


def _titles(figure: Figure, axes: Axes, style: FigureStyle) -> None:
    """Write the wrapped title and subtitle; a `$` in them begins no formula."""
    for write, text, size in ((figure.suptitle, style.title, 9.0), (axes.set_title, style.subtitle, 6.5)):
        wrapped = textwrap.wrap(text, max(20, round((style.width_cm - 5.0) / (_CHARACTER * size))), max_lines=3, placeholder="…")
        left = {"x": 0.01, "ha": "left"} if write == figure.suptitle else {"loc": "left"}
        write("\n".join(wrapped), color=INK, fontsize=size, **left).set_parse_math(False)


def _image(figure: Figure, axes: Axes, values: np.ndarray, extent: tuple, style: FigureStyle, label: str) -> None:
    low, high = style.levels or (None, None)
    image = axes.imshow(
        values, extent=extent, origin="lower", aspect="auto", interpolation="nearest", cmap=style.colours, vmin=low, vmax=high
    )
    bar = figure.colorbar(image, ax=axes, pad=0.015)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _scale(style: FigureStyle) -> tuple[Position, Position]:
    """Return the function from Hz to a position on the axis, and back."""
    scales: dict[str, tuple[Position, Position]] = {
        "linear": (np.asarray, np.asarray),
        "mel": (lambda hz: hz_to_mel(hz, style.mel_scale), lambda mel: mel_to_hz(mel, style.mel_scale)),
        "log": (lambda hz: np.log(np.maximum(hz, 1.0)), np.exp),
        "bark": (_hz_to_bark, _bark_to_hz),
    }
    return scales[style.axis]


def _hz_to_bark(hz: Any) -> np.ndarray:
    """Return critical-band rates (Traunmüller 1990), with its corrections below 2 and above 20.1 bark."""
    z = 26.81 * np.asarray(hz) / (1960 + np.asarray(hz)) - 0.53
    return np.where(z < 2, z + 0.15 * (2 - z), np.where(z > 20.1, z + 0.22 * (z - 20.1), z))


def _bark_to_hz(bark: Any) -> np.ndarray:
    z = np.asarray(bark)
    z = np.where(z < 2, (z - 0.3) / 0.85, np.where(z > 20.1, (z + 0.22 * 20.1) / 1.22, z))
    return 1960 * (z + 0.53) / (26.28 - z)


def _ticks(low: float, high: float, to: Position, gap: float = _TICK_GAP) -> np.ndarray:
    """Return round frequencies between two others, far enough apart on the axis."""
    decades = np.append(0.0, _TICKS_HZ)
    inside = decades[(decades >= low) & (decades <= high)]
    even = np.asarray(MaxNLocator(8).tick_values(low, high))
    linear = bool(np.isclose(to(1.0) - to(0.0), to(10_001.0) - to(10_000.0)))
    candidates = even[(even >= low) & (even <= high)] if linear or len(inside) < 3 else inside
    span, kept = float(to(high) - to(low)), list[float]()
    for hz in sorted(candidates, key=lambda hz: (hz != 0 and np.log10(hz) % 1 != 0, hz)):
        if all(abs(float(to(hz) - to(other))) >= gap * span for other in kept):
            kept.append(float(hz))
    return np.sort(kept)


def _line(axes: Axes, times_s: np.ndarray, heights: np.ndarray, colour: str) -> None:
    for ink, width in (("black", 2.0), (colour, 1.1)):  # visible on every colour map
        axes.plot(times_s, heights, color=ink, linewidth=width, alpha=0.7 if ink == "black" else 1.0)


def _pitch(axes: Axes, arrays: Mapping[str, np.ndarray], to: Position, style: FigureStyle) -> None:
    _line(axes, arrays["times_s"], to(arrays["f0_hz"]), "#4fe3ff")


def _centroid(axes: Axes, arrays: Mapping[str, np.ndarray], to: Position, style: FigureStyle) -> None:
    centre, spread = arrays["centroid_hz"], arrays["bandwidth_hz"]
    edges = (to(np.maximum(1.0, centre - spread)), to(centre + spread))
    axes.fill_between(arrays["times_s"], *edges, color="#c8ff4d", alpha=0.16, linewidth=0)
    _line(axes, arrays["times_s"], np.where(centre > 0, to(np.maximum(centre, 1.0)), np.nan), "#c8ff4d")


def _onsets(axes: Axes, arrays: Mapping[str, np.ndarray], to: Position, style: FigureStyle) -> None:
    left, right = axes.get_xlim()
    times_s = arrays["times_s"]
    axes.vlines(times_s[(times_s >= left) & (times_s <= right)], *axes.get_ylim(), color="white", linewidth=0.9, linestyle="--")


def _loudness(axes: Axes, arrays: Mapping[str, np.ndarray], to: Position, style: FigureStyle) -> None:
    own = axes.twinx()
    top = np.ceil(arrays["level_db"].max() / 10) * 10
    own.set_ylim(top - 60, top + 180)  # in the lowest quarter, as on screen
    own.set_yticks(top - np.array([60.0, 30.0, 0.0]))
    own.tick_params(labelsize=6, colors=_LOUDNESS)
    own.set_ylabel(style.loudness, fontsize=6, color=_LOUDNESS, loc="bottom")
    _line(own, arrays["times_s"], arrays["level_db"], "#ffb1e1")


_CONTOURS = {"pitch": _pitch, "centroid": _centroid, "loudness": _loudness, "onsets": _onsets}
