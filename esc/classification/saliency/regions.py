"""Regions of a saliency map in seconds and Hz.

A region is a connected part of the smoothed map above a level: that of the highest tenth of its cells, which is the area
that the deletion test covers first. Smoothing is by less than a cell of the map's own resolution: more of it encloses less
evidence (training/NOTES.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import contourpy
import numpy as np
import scipy

from esc.config import SpectrogramConfig
from esc.dsp.axes import row_bounds_hz

SIGMA = 3.0  # of the smoothing, in mel bands and frames
SHARE = 0.1  # of the cells that regions cover together
LEAST_LEVEL = 0.1  # of the maximum: a map that is concentrated has smaller regions
LEAST_WEIGHT = 0.03  # smaller regions than the first are left out
MAX_REGIONS = 5
LEAST_POINTS = 40  # of an outline: a hole of a few cells is noise


@dataclass(frozen=True, eq=False)
class Region:
    """A connected part of a saliency map."""

    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    weight: float  # share of the map's sum that lies in it
    outlines: list[np.ndarray]  # each (n_points, 2): frame, band; on the level set of the smoothed map

    def figures(self) -> dict:
        """Return times, frequencies and weight in the form of JSON."""
        times = {"start": round(self.start_s, 3), "end": round(self.end_s, 3)}
        return times | {"low_hz": round(self.low_hz, 1), "high_hz": round(self.high_hz, 1), "weight": round(self.weight, 4)}


def regions_within(regions: list[Region], start_s: float, end_s: float) -> list[Region]:
    """Return the parts of regions between two times, beyond which a sound was mirrored."""
    cut = [replace(one, start_s=max(one.start_s, start_s), end_s=min(one.end_s, end_s)) for one in regions]
    return [one for one in cut if one.end_s > one.start_s]


def smoothed_map(heat: np.ndarray) -> np.ndarray:
    """Return a map (n_mels, n_frames) smoothed by a Gaussian, with maximum 1 or 0."""
    smooth = scipy.ndimage.gaussian_filter(heat.astype(np.float64), SIGMA, mode="nearest")
    peak = smooth.max()
    return smooth / peak if peak > 0 else smooth


def outline_level(smooth: np.ndarray) -> float:
    """Return the level that encloses the regions of a smoothed map."""
    return max(LEAST_LEVEL, float(np.quantile(smooth, 1 - SHARE)))


def saliency_regions(heat: np.ndarray, first_s: float, spectrogram: SpectrogramConfig) -> list[Region]:
    """Return the regions of a map by falling weight.

    Parameters
    ----------
    heat : array, shape (n_mels, n_frames)
        As in `esc.classification.saliency.maps.Explanation.maps`.
    first_s : float
        Time of the first frame's centre in seconds.
    spectrogram : SpectrogramConfig
        The map's.

    Returns
    -------
    list of Region
        At most `MAX_REGIONS`; none of a map that is all 0.
    """
    smooth, level, parts, weights = _parts(heat)
    hop_s = spectrogram.hop_length / spectrogram.sample_rate
    bounds_hz, boxes = row_bounds_hz("mel", spectrogram), scipy.ndimage.find_objects(parts)
    return [
        Region(
            first_s + (boxes[part][1].start - 0.5) * hop_s,
            first_s + (boxes[part][1].stop - 0.5) * hop_s,
            float(bounds_hz[boxes[part][0].start]),
            float(bounds_hz[boxes[part][0].stop]),
            weight,
            _outlines(np.where((parts == part + 1) | (smooth <= level), smooth, 0.0), level),
        )
        for part, weight in weights.items()
    ]


def region_cells(heat: np.ndarray) -> np.ndarray:
    """Return which cells of a map (n_mels, n_frames) lie in its regions."""
    _, _, parts, weights = _parts(heat)
    return np.isin(parts, [part + 1 for part in weights])


def _parts(heat: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, dict[int, float]]:
    """Return the smoothed map, its level, its numbered parts and the regions' weights."""
    smooth = smoothed_map(heat)
    level = outline_level(smooth)
    parts, count = scipy.ndimage.label(smooth > level)
    total = float(heat.sum())
    if not count or not total:
        return smooth, level, parts, {}
    weights = scipy.ndimage.sum_labels(heat, parts, np.arange(1, count + 1)) / total
    heaviest = np.argsort(-weights, kind="stable")[:MAX_REGIONS]
    chosen = [part for part in heaviest if part == heaviest[0] or weights[part] >= LEAST_WEIGHT]
    return smooth, level, parts, {int(part): float(weights[part]) for part in chosen}


def _outlines(smooth: np.ndarray, level: float) -> list[np.ndarray]:
    """Return closed lines (n_points, 2) of frames and bands, without the smallest holes."""
    rows, columns = smooth.shape
    lines = contourpy.contour_generator(z=np.pad(smooth, 1), name="serial").lines(level)
    longest = max((len(line) for line in lines), default=0)
    kept = [np.asarray(line) - 1 for line in lines if len(line) >= min(longest, LEAST_POINTS)]
    return [np.clip(line, -0.5, (columns - 0.5, rows - 0.5)) for line in kept]
