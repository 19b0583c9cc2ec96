"""Temperature scaling and thresholds for sounds that are uncertain or out of distribution.

Temperature scaling: Guo et al. (2017), "On Calibration of Modern Neural Networks". Out-of-distribution scores: that of an
`OodDetector`, the largest probability (Hendrycks and Gimpel, 2017) or the energy (Liu et al., 2020), compared with
thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from esc.config import Config
from esc.errors import ParameterError, check_choice, check_range

UnknownScore = Literal["detector", "energy", "max_softmax"]
UNKNOWN_SCORES: tuple[UnknownScore, ...] = get_args(UnknownScore)
TEMPERATURES = (0.01, 100.0)
SURE_PROBABILITY = 0.5  # of a sure verdict at least: as likely as all other classes together
CELL_TEMPERATURE = 2.0  # a cell is less than a tenth of a clip: less sure than the clip, by this factor
_THRESHOLDS = {"detector": (-1e6, 1e6), "energy": (-1e6, 1e6), "max_softmax": (0.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class Calibration(Config):
    """Calibration of a checkpoint, measured on held-out sounds.

    Scores: "detector" is that of the checkpoint's `OodDetector`; "energy" the log-sum-exp of the logits, without
    temperature, in nats; "max_softmax" the largest calibrated probability.
    """

    temperature: float  # divisor of the logits before softmax, 0.01 to 100; above 1 lowers the confidence
    unknown_score: UnknownScore
    unknown_threshold: float  # a sound with a lower score is out of distribution
    unsure_threshold: float  # the class of a sound with a lower score is uncertain; at least `unknown_threshold`
    detector_sha256: str | None  # of the detector's file; None for the other scores

    def __post_init__(self) -> None:
        check_choice("unknown_score", self.unknown_score, UNKNOWN_SCORES)
        check_range("temperature", self.temperature, *TEMPERATURES)
        low, high = _THRESHOLDS[self.unknown_score]
        check_range("unknown_threshold", self.unknown_threshold, low, high)
        check_range("unsure_threshold", self.unsure_threshold, self.unknown_threshold, high)
        wanted = str if self.unknown_score == "detector" else type(None)
        if not isinstance(self.detector_sha256, wanted):
            raise ParameterError("parameter.type", field="detector_sha256", value=self.detector_sha256, wanted=wanted.__name__)


def calibrated_probabilities(logits: torch.Tensor, calibration: Calibration | None) -> torch.Tensor:
    """Return the softmax of logits (..., n_classes), over the temperature if calibrated."""
    return (logits if calibration is None else logits / calibration.temperature).softmax(dim=-1)


def cell_probabilities(cell_logits: torch.Tensor, calibration: Calibration | None) -> torch.Tensor:
    """Return the probabilities of `LayerOutputs.cell_logits` (..., n_classes), at `CELL_TEMPERATURE` times the temperature."""
    return calibrated_probabilities(cell_logits / CELL_TEMPERATURE, calibration)


def unknown_score(logits: torch.Tensor, score: str, temperature: float) -> torch.Tensor:
    """Return out-of-distribution scores (...) of logits (..., n_classes); known sounds score higher.

    Parameters
    ----------
    logits : tensor, shape (..., n_classes)
    score : str
        "energy" or "max_softmax", see `Calibration`.
    temperature : float
        For "max_softmax" only.
    """
    if score == "detector":
        raise ValueError("this score is computed by an OodDetector")
    if score == "energy":
        return logits.logsumexp(dim=-1)
    return (logits / temperature).softmax(dim=-1).amax(dim=-1)


def known_and_sure(
    probabilities: torch.Tensor, scores: torch.Tensor, calibration: Calibration | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return whether sounds are in distribution, and whether their likeliest class is also sure.

    A sure one has a score of at least `unsure_threshold` and a probability of at least `SURE_PROBABILITY`. Without a
    calibration both are always True.

    Parameters
    ----------
    probabilities : tensor, shape (clips, n_classes)
    scores : tensor, shape (clips,)
    calibration : Calibration, optional
    """
    if calibration is None:
        known = torch.ones_like(scores, dtype=torch.bool)
        return known, known
    likely = probabilities.amax(dim=-1) >= SURE_PROBABILITY
    return scores >= calibration.unknown_threshold, (scores >= calibration.unsure_threshold) & likely
