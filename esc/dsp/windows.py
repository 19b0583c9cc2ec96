"""Windows of spectral analysis."""

from __future__ import annotations

import numpy as np

_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
}  # weights of the cosines of 0, 1, ... periods


def periodic_window(name: str, length: int) -> np.ndarray:
    """Return a periodic window, float64 (length,).

    Equals `scipy.signal.get_window(name, length)`, whose import takes a third of a second and 40 MB.
    """
    if length == 1:
        return np.ones(1)
    phase = np.linspace(-np.pi, np.pi, length + 1)[:-1]
    if name == "bartlett":
        return 1.0 - np.abs(phase) / np.pi
    return np.sum([weight * np.cos(period * phase) for period, weight in enumerate(_COSINES[name])], axis=0)
