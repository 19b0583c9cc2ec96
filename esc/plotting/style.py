"""Colours of all figures."""

from __future__ import annotations

from matplotlib.axes import Axes

COLOURS = "magma"
INK, FIRST, SECOND, FAINT = "#333333", "#3b6fb6", "#d1603d", "#c9ccd1"


def plain(axes: Axes) -> None:
    """Remove the upper and the right border."""
    axes.spines[["top", "right"]].set_visible(False)
