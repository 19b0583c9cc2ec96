"""Power and amplitude in decibels."""

from __future__ import annotations

import math

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.windows import periodic_window
from esc.errors import ParameterError

AMIN = 1e-10  # power of silence, as in librosa.power_to_db


def reference_power(config: SpectrogramConfig) -> float:
    """Return the power at 0 dB of a config whose reference is not the maximum.

    "full_scale" is the STFT's power at a sine of amplitude 1 on a bin: `(window.sum() / 2) ** 2`.

    Raises
    ------
    ParameterError
        `db_ref` is "max": only a whole spectrogram has a maximum.
    """
    if config.db_ref == "full_scale":
        return float((periodic_window(config.window, config.win_length).sum() / 2) ** 2)
    if isinstance(config.db_ref, str):
        raise ParameterError("parameter.db_ref", value=config.db_ref)
    return max(AMIN, config.db_ref)


def power_to_level_db(power: np.ndarray | float, config: SpectrogramConfig) -> np.ndarray:
    """Return power in dB over `reference_power`, without a floor other than `AMIN`."""
    return 10 * np.log10(np.maximum(power, AMIN) / reference_power(config))


def amplitude_to_dbfs(amplitude: float) -> float | None:
    """Return an amplitude in dB re full scale, None for silence."""
    return 20 * math.log10(amplitude) if amplitude > 0 else None


def share_of_range(level_db: np.ndarray, top_db: float) -> np.ndarray:
    """Return levels as shares of the `top_db` below their maximum, 0 to 1."""
    return ((level_db - level_db.max()) / top_db + 1.0).clip(0, 1)
