"""Temperature scaling and out-of-distribution detection.

Temperature scaling: Guo et al. (2017), "On Calibration of Modern Neural Networks". Out-of-distribution scores: the
largest probability (Hendrycks and Gimpel, 2017) or the energy (Liu et al., 2020), compared with a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from esc.config import Config
from esc.errors import check_choice, check_range

UnknownScore = Literal["energy", "max_softmax"]
UNKNOWN_SCORES: tuple[UnknownScore, ...] = get_args(UnknownScore)
TEMPERATURES = (0.01, 100.0)
_THRESHOLDS = {"energy": (-1e6, 1e6), "max_softmax": (0.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class Calibration(Config):
    """Calibration of a checkpoint, measured on held-out sounds.

    Scores: "energy" is the log-sum-exp of the logits, without temperature, in nats; "max_softmax" the largest calibrated
    probability.
    """

    temperature: float  # divisor of the logits before softmax, 0.01 to 100; above 1 lowers the confidence
    unknown_score: UnknownScore
    unknown_threshold: float  # a sound with a lower score is out of distribution

    def __post_init__(self) -> None:
        check_choice("unknown_score", self.unknown_score, UNKNOWN_SCORES)
        check_range("temperature", self.temperature, *TEMPERATURES)
        check_range("unknown_threshold", self.unknown_threshold, *_THRESHOLDS[self.unknown_score])


def calibrated_probabilities(logits: torch.Tensor, calibration: Calibration | None) -> torch.Tensor:
    """Return the softmax of logits (..., n_classes), over the temperature if calibrated."""
    return (logits if calibration is None else logits / calibration.temperature).softmax(dim=-1)


def unknown_score(logits: torch.Tensor, score: str, temperature: float) -> torch.Tensor:
    """Return out-of-distribution scores (...) of logits (..., n_classes); known sounds score higher.

    Parameters
    ----------
    logits : tensor, shape (..., n_classes)
    score : str
        One of `UNKNOWN_SCORES`, see `Calibration`.
    temperature : float
        For "max_softmax" only.
    """
    if score == "energy":
        return logits.logsumexp(dim=-1)
    return (logits / temperature).softmax(dim=-1).amax(dim=-1)


def is_known(logits: torch.Tensor, calibration: Calibration | None) -> torch.Tensor:
    """Return whether logits (..., n_classes) are in distribution; always True without a calibration."""
    if calibration is None:
        return torch.ones(logits.shape[:-1], dtype=torch.bool, device=logits.device)
    scores = unknown_score(logits, calibration.unknown_score, calibration.temperature)
    return scores >= calibration.unknown_threshold
