"""Power and amplitude in decibels."""

from __future__ import annotations

import math

import numpy as np

from esc.config import SpectrogramConfig

AMIN = 1e-10  # power of silence, as in librosa.power_to_db


def power_to_level_db(power: np.ndarray | float, config: SpectrogramConfig) -> np.ndarray:
    """Return power in dB over `config.db_ref`, without a floor other than `AMIN`."""
    return 10 * np.log10(np.maximum(power, AMIN) / max(AMIN, config.db_ref))


def amplitude_to_dbfs(amplitude: float) -> float | None:
    """Return an amplitude in dB re full scale, None for silence."""
    return 20 * math.log10(amplitude) if amplitude > 0 else None
