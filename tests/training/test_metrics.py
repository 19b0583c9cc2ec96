"""Metrics against scikit-learn, formulas and values by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
import torch
from torch import nn

from esc.config import InputConfig
from training.evaluation.metrics import evaluate, expected_calibration_error


def test_metrics_equal_scikit_learns(rng):
    spectrograms_db = torch.from_numpy(rng.standard_normal((123, 6, 7)).astype(np.float32))
    targets = torch.from_numpy(rng.integers(0, 5, 123))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(42, 5), nn.Dropout(0.5))
    figures = evaluate(model, spectrograms_db, targets, InputConfig(scaling="dataset"))
    with torch.inference_mode():
        logits = model.eval()(spectrograms_db)
    probabilities, exact = logits.softmax(1).numpy(), logits.double().softmax(1).numpy()
    assert figures.clips == 123
    np.testing.assert_allclose(figures.probabilities, probabilities, atol=1e-6)
    assert figures.accuracy == pytest.approx(sklearn.metrics.accuracy_score(targets, probabilities.argmax(1)))
    assert figures.loss == pytest.approx(sklearn.metrics.log_loss(targets, exact, labels=range(5)), rel=1e-5)
    assert figures.ece == pytest.approx(direct_ece(probabilities, targets.numpy()), abs=1e-6)


def direct_ece(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Guo et al. (2017), equation 3, bin by bin."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    total = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            total += inside.sum() / len(targets) * abs(right[inside].mean() - confidence[inside].mean())
    return total


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 5.0])
def test_calibration_error_formula(rng, sharpness):
    logits = sharpness * rng.standard_normal((500, 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = rng.integers(0, 8, 500)
    assert expected_calibration_error(probabilities, targets) == pytest.approx(direct_ece(probabilities, targets), abs=1e-9)


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([0.9] * 10, [1] * 9 + [0], 0.0),
        ([0.9] * 10, [1] * 5 + [0] * 5, 0.4),
        ([1.0] * 4, [0] * 4, 1.0),
        ([1.0] * 4, [1] * 4, 0.0),
        ([0.9] * 5 + [0.6] * 5, [1] * 5 + [0] * 5, 0.35),  # (0.1 + 0.6) / 2
        ([0.9, 0.9, 0.6, 0.6], [1, 0, 1, 0], 0.25),  # (0.4 + 0.1) / 2
    ],
)
def test_calibration_error_by_hand(confidence, right, expected):
    first = np.array(confidence)
    probabilities = np.stack([first, 1 - first], axis=1)
    assert expected_calibration_error(probabilities, 1 - np.array(right)) == pytest.approx(expected)
