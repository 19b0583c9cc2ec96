"""Mel-frequency cepstral coefficients as a screen shows them: a stretch of time, liftered, and how fast they change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Integral, Real

import numpy as np
import torch
from scipy.signal import savgol_coeffs

from esc.config import SpectrogramConfig, check_keys
from esc.errors import ParameterError
from esc.frames import FRAMES_A_COLUMN, Transform, frame_at, frames_between, gathered, power_frames
from esc.spectrogram import mel_power, mfcc_of_db, power_to_level
from esc.view import View, placed

DELTA_WIDTH = 9  # frames; librosa.feature.delta's default
MAX_LIFTER = 256.0


@dataclass(frozen=True, kw_only=True)
class CepstrumConfig:
    """How coefficients are shown; not part of what makes them, which is `SpectrogramConfig`.

    Parameters
    ----------
    lifter : float
        0 leaves them as they are; L > 0 multiplies coefficient n by `1 + L / 2 * sin(pi * (n + 1) / L)`, so that the
        small high ones show beside the large low ones.
    delta : int
        0: the coefficients; 1 or 2: their first or second derivative, per frame.

    Raises
    ------
    ParameterError
        Names the field, the value and what is legal.
    """

    lifter: float = 0.0
    delta: int = 0

    def __post_init__(self) -> None:
        for field, kind, high in (("lifter", Real, MAX_LIFTER), ("delta", Integral, 2)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value <= high:
                raise ParameterError("parameter.range", field=field, value=value, low=0, high=high)

    def to_dict(self) -> dict:
        """Return the fields as plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> CepstrumConfig:
        """Return the config that `to_dict` gave; unknown and missing keys raise ParameterError."""
        check_keys(cls, values)
        return cls(**values)


PLAIN = CepstrumConfig()


def liftered(coefficients: np.ndarray, lifter: float) -> np.ndarray:
    """Return coefficients (..., n_mfcc, n_frames) weighted as `librosa.feature.mfcc(lifter=...)` weights them."""
    if lifter == 0:
        return coefficients
    order = np.arange(1, coefficients.shape[-2] + 1, dtype=coefficients.dtype)
    return coefficients * (1 + (lifter / 2) * np.sin(np.pi * order / lifter))[:, None]


def shaped(coefficients: np.ndarray, cepstrum: CepstrumConfig) -> np.ndarray:
    """Return a whole sound's coefficients (n_mfcc, n_frames) liftered and differentiated.

    Equals `librosa.feature.mfcc(lifter=...)`, and `librosa.feature.delta(..., order=...)` of that.

    Raises
    ------
    ParameterError
        "parameter.delta": a derivative needs `DELTA_WIDTH` frames.
    """
    values = liftered(coefficients, cepstrum.lifter)
    if cepstrum.delta == 0:
        return values
    n_frames = coefficients.shape[-1]
    firsts = _first_of_windows(np.arange(n_frames), n_frames)
    windows = np.lib.stride_tricks.sliding_window_view(values, DELTA_WIDTH, axis=-1)
    return windows[..., firsts, :] @ _delta_weights(cepstrum.delta, values.dtype)


def mfcc_view(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    high_db: float,
    value_range: tuple[float, float] | None = None,
    cepstrum: CepstrumConfig = PLAIN,
) -> View:
    """Return the coefficients 1 to n_mfcc - 1 between two times; `low_db` and `high_db` are coefficients here, not dB.

    Coefficient 0, the overall level, is left out: its range would drown the others. Each value is the whole sound's
    (`shaped`), also at the edges of the stretch. Frames that share a column are averaged, which for a linear
    transform is the coefficients of their mean level. `high_db` is the sound's `peak_level_db`, below which `top_db`
    are kept; `value_range` the coefficients that read as 0 and 255, left out: the least and the greatest of this view.
    """
    frames = frames_between(waveform, config, start_s, end_s)
    sampled = 1 if cepstrum.delta else FRAMES_A_COLUMN  # each frame of a derivative costs nine

    def compute(numbers: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(_frames(waveform, config, numbers, high_db, cepstrum))

    values = gathered(frames, columns, config, compute, np.add, sampled).numpy()[1:]
    low, high = value_range or (float(values.min()), float(values.max()))
    share = (values - low) / max(high - low, 1e-9)
    return placed(np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8), low, high, frames, config)


def mfcc_at(
    waveform: np.ndarray, config: SpectrogramConfig, time_s: float, high_db: float, cepstrum: CepstrumConfig = PLAIN
) -> np.ndarray:
    """Return the coefficients at the frame nearest to `time_s`, shape (n_mfcc,)."""
    return _frames(waveform, config, frame_at(waveform, config, time_s), high_db, cepstrum)[:, 0]


def _frames(
    waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, high_db: float, cepstrum: CepstrumConfig
) -> np.ndarray:
    """Return the whole sound's values, as `shaped` gives them, of the frames with these numbers: (n_mfcc, n)."""

    def plain(numbers: np.ndarray) -> np.ndarray:
        return liftered(power_frames(waveform, config, numbers, _mfcc_under(high_db)).numpy(), cepstrum.lifter)

    if cepstrum.delta == 0:
        return plain(frames)
    firsts = _first_of_windows(frames, config.n_frames(len(waveform)))
    around = firsts[:, None] + np.arange(DELTA_WIDTH)
    needed, places = np.unique(around, return_inverse=True)  # neighbours share most of what they look at
    windows = plain(needed)[:, places.reshape(around.shape)]
    return windows @ _delta_weights(cepstrum.delta, windows.dtype)


def _first_of_windows(frames: np.ndarray, n_frames: int) -> np.ndarray:
    """Return where the window of each frame begins: around it, and at the sound's ends the first or the last one."""
    if n_frames < DELTA_WIDTH:
        raise ParameterError("parameter.delta", width=DELTA_WIDTH, n_frames=n_frames)
    return np.clip(frames - DELTA_WIDTH // 2, 0, n_frames - DELTA_WIDTH)


def _delta_weights(order: int, dtype: np.dtype) -> np.ndarray:
    """Return what multiplies a window's frames to give the derivative of a polynomial of degree `order` fitted to them.

    That derivative is the same anywhere in the window, hence also at a sound's ends, where librosa's default
    `mode="interp"` evaluates the last whole window off its middle. Savitzky and Golay (1964).
    """
    return savgol_coeffs(DELTA_WIDTH, order, deriv=order, use="dot").astype(dtype)


def _mfcc_under(high_db: float) -> Transform:
    def transform(waveform: np.ndarray, config: SpectrogramConfig, center: bool) -> torch.Tensor:
        level_db = power_to_level(mel_power(waveform, config, center), config)
        return mfcc_of_db(level_db.clamp_min(high_db - config.top_db), config)

    return transform
