"""A-weighting (IEC 61672-1)."""

from __future__ import annotations

import numpy as np

FLOOR_DB = -80.0
_POLES_HZ = (12194.217, 20.598997, 107.65265, 737.86223)


def a_weighting_db(freqs_hz: np.ndarray, floor_db: float = FLOOR_DB) -> np.ndarray:
    """Return the A-weighting in dB at frequencies in Hz, at least `floor_db`.

    0 dB at 1 kHz. IEC 61672-1, annex E; equals `librosa.A_weighting`.
    """
    squares = np.square(np.asarray(freqs_hz, dtype=np.float64))
    high, low, second, third = np.square(_POLES_HZ)
    with np.errstate(divide="ignore"):  # -inf dB at 0 Hz
        weights_db = 2.0 + 20.0 * (
            np.log10(high)
            + 2.0 * np.log10(squares)
            - np.log10(squares + high)
            - np.log10(squares + low)
            - 0.5 * np.log10(squares + second)
            - 0.5 * np.log10(squares + third)
        )
    return np.maximum(weights_db, floor_db)
