"""Calibrated probabilities, out-of-distribution scores and decisions from logits."""

from __future__ import annotations

import torch

from esc.classification.confidence.calibration import SURE_PROBABILITY, Calibration

CELL_TEMPERATURE = 2.0  # a cell is less than a tenth of a clip: less sure than the clip, by this factor


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
