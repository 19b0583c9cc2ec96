"""Logits -> probabilities that can be taken at their word, and whether the sound is one that the network knows.

A network's softmax is usually too sure or too timid; one number, the temperature, mends that (Guo et al., 2017, "On
Calibration of Modern Neural Networks"). And softmax names a class for anything, so a score with a threshold tells
sounds of no known class: the largest probability (Hendrycks and Gimpel, 2017) or the energy (Liu et al., 2020).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from esc.config import check_keys
from esc.errors import ParameterError

UNKNOWN_SCORES = ("energy", "max_softmax")
TEMPERATURES = (0.01, 100.0)
_THRESHOLDS = {"energy": (-1e6, 1e6), "max_softmax": (0.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What was measured on sounds held out from training; stored in the checkpoint.

    Parameters
    ----------
    temperature : float
        Logits are divided by it before softmax: above 1 makes the network less sure. 0.01 to 100.
    unknown_score : str
        One of `UNKNOWN_SCORES`. "energy": the logarithm of the sum of the exponentials of the logits as the network
        gives them, not divided by the temperature, in nats; "max_softmax": the largest calibrated probability.
    unknown_threshold : float
        A sound whose score lies below it is none of the known classes.

    Raises
    ------
    ParameterError
        Names the field, the value and what is legal.
    """

    temperature: float
    unknown_score: str
    unknown_threshold: float

    def __post_init__(self) -> None:
        if self.unknown_score not in UNKNOWN_SCORES:
            choices = ", ".join(UNKNOWN_SCORES)
            raise ParameterError("parameter.choice", field="unknown_score", value=self.unknown_score, choices=choices)
        limits = {"temperature": TEMPERATURES, "unknown_threshold": _THRESHOLDS[self.unknown_score]}
        for field, (low, high) in limits.items():
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ParameterError("parameter.range", field=field, value=value, low=low, high=high)

    def to_dict(self) -> dict:
        """Return the fields as plain numbers and strings, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Calibration:
        """Return the calibration that `to_dict` gave; unknown and missing keys raise ParameterError."""
        check_keys(cls, values)
        return cls(**values)


def calibrated_probabilities(logits: torch.Tensor, calibration: Calibration | None) -> torch.Tensor:
    """Return probabilities, shape as given: softmax of the logits (..., n_classes), over the temperature where there is one."""
    return (logits if calibration is None else logits / calibration.temperature).softmax(dim=-1)


def unknown_score(logits: torch.Tensor, score: str, temperature: float) -> torch.Tensor:
    """Return how well known a sound is, shape (...): the higher, the better known.

    Parameters
    ----------
    logits : tensor, shape (..., n_classes)
    score : str
        One of `UNKNOWN_SCORES`, see `Calibration`.
    temperature : float
        Of the probabilities that "max_softmax" looks at; "energy" does not depend on it.
    """
    if score == "energy":
        return logits.logsumexp(dim=-1)
    return (logits / temperature).softmax(dim=-1).amax(dim=-1)


def is_known(logits: torch.Tensor, calibration: Calibration | None) -> torch.Tensor:
    """Return for each of the logits (..., n_classes) whether a known class was heard; always so without a calibration."""
    if calibration is None:
        return torch.ones(logits.shape[:-1], dtype=torch.bool, device=logits.device)
    scores = unknown_score(logits, calibration.unknown_score, calibration.temperature)
    return scores >= calibration.unknown_threshold
