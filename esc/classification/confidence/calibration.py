"""Temperature scaling and thresholds for sounds that are uncertain or out of distribution.

Temperature scaling: Guo et al. (2017), "On Calibration of Modern Neural Networks". Out-of-distribution scores: that of an
`OodDetector`, the largest probability (Hendrycks and Gimpel, 2017) or the energy (Liu et al., 2020), compared with
thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from esc.config import Config
from esc.errors import ParameterError, check_choice, check_range

UnknownScore = Literal["detector", "energy", "max_softmax"]
UNKNOWN_SCORES: tuple[UnknownScore, ...] = get_args(UnknownScore)
TEMPERATURES = (0.01, 100.0)
SURE_PROBABILITY = 0.5  # of a sure verdict at least: as likely as all other classes together
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
