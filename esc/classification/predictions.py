"""Predictions for clips and windows, in plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SILENCE = "silence"  # verdict without running the network
UNKNOWN = "unknown"  # verdict on clips out of distribution, by the checkpoint's calibration
UNSURE = "unsure"  # verdict on clips whose likeliest class is uncertain, by the checkpoint's calibration
NO_CLASSES = (SILENCE, UNKNOWN, UNSURE)
MOMENTS_PER_S = 10  # time resolution of probabilities and silence


@dataclass(frozen=True)
class Prediction:
    """Classification of one clip."""

    top: tuple[tuple[str, float], ...]  # (label, probability) of the likeliest classes in order; empty for silence
    verdict: str  # label of the likeliest class, `UNSURE`, `UNKNOWN` or `SILENCE`
    start_s: float  # of the clip within the sound
    clip: np.ndarray  # float32 (n_samples,), cut or padded, at the checkpoint's sample rate
    spectrogram_db: np.ndarray  # float32 (n_mels, n_frames), input of the network before level scaling

    @property
    def known(self) -> bool:
        """Whether the verdict is one of the classes."""
        return self.verdict not in NO_CLASSES


@dataclass(frozen=True, eq=False)
class Activity:
    """Probabilities, levels and silence over time within a window; each array begins at `start_s`."""

    start_s: float  # below the window's start where a short sound was padded
    probabilities: np.ndarray  # float32 (n_cells, n_classes), every `cell_s`; see `Outputs.activations`
    cell_s: float
    levels_db: np.ndarray  # float32 (n_frames,), every `frame_s`: means over the mel bands
    frame_s: float
    silent: np.ndarray  # bool (n_moments,), `MOMENTS_PER_S`; see `esc.audio.is_silent`


@dataclass(frozen=True, eq=False)
class WindowResult:
    """Classification of one window; a sound shorter than a clip is one window."""

    start_s: float
    end_s: float
    verdict: str  # as `Prediction.verdict`
    probabilities: np.ndarray | None  # float32 (n_classes,), in the order of the targets; None for silence
    activity: Activity | None = None  # None for silence; for other windows: the probabilities hold throughout
