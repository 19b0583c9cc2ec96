"""The last layer for own classes: a regularised logistic regression on embeddings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import log_softmax

from esc.classification.confidence.ood_fit import floored_std

PENALTY = 0.1  # scikit-learn's C, on standardised embeddings
TEMPERATURES = (0.05, 20.0)  # the bounds of a fit
_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, eq=False)
class Head:
    """Weight (n_classes, n_features) and bias (n_classes,) of a last layer, float64."""

    weight: np.ndarray
    bias: np.ndarray

    def logits(self, embeddings: np.ndarray) -> np.ndarray:
        """Return logits (windows, n_classes) of embeddings (windows, n_features)."""
        return embeddings @ self.weight.T + self.bias


def fit_head(embeddings: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Head:
    """Return the head fitted on standardised embeddings, for use on plain ones.

    Parameters
    ----------
    embeddings : array, shape (windows, n_features)
    targets : int array, shape (windows,)
        Each class from 0 on is there.
    weights : array, shape (windows,)
        Of the windows, see `balanced_weights`.
    """
    mean, std = embeddings.mean(axis=0, dtype=np.float64), floored_std(embeddings.astype(np.float64))
    from sklearn.linear_model import LogisticRegression  # loads slowly

    regression = LogisticRegression(C=PENALTY, max_iter=1_000)
    regression.fit((embeddings - mean) / std, targets, weights)
    weight, bias = regression.coef_ / std, regression.intercept_ - regression.coef_ @ (mean / std)
    if len(bias) == 1:  # of two classes scikit-learn fits the difference of the logits
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(weight, bias - bias.mean())


def balanced_weights(targets: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Return weights (windows,) by which examples and classes count equally.

    They add up to the number of examples. `owners` (windows,) are the numbers of the windows' examples.
    """
    per_example = 1.0 / np.bincount(owners)[owners]
    per_class = np.bincount(targets, per_example)
    return per_example * (per_class.sum() / (np.count_nonzero(per_class) * per_class))[targets]


def smoothed_temperature(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, counts: np.ndarray) -> float:
    """Return the temperature of the largest likelihood for smoothed targets, 0.05 to 20.

    The targets are (n + 1) / (n + 2) for the true class of n examples, and the rest for the others, as Platt (1999),
    "Probabilistic Outputs for Support Vector Machines", has them: few right answers are no proof of certainty.

    Parameters
    ----------
    logits : array, shape (windows, n_classes)
        Of windows that the head was not fitted on.
    targets, weights : array, shape (windows,)
    counts : array, shape (n_classes,)
        Examples of each class.
    """
    n_classes = logits.shape[1]
    rest = (1.0 / (counts + 2.0))[targets] / (n_classes - 1)
    soft = np.repeat(rest[:, None], n_classes, axis=1)
    soft[np.arange(len(targets)), targets] = ((counts + 1.0) / (counts + 2.0))[targets]

    def loss(log_temperature: float) -> float:
        return -float(weights @ (soft * log_softmax(logits / math.exp(log_temperature), axis=1)).sum(axis=1))

    low, high = map(math.log, TEMPERATURES)
    return math.exp(scipy.optimize.minimize_scalar(loss, bounds=(low, high), method="bounded").x)


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson, 1927)."""
    share, z2 = right / total, _Z**2
    centre, width = share + z2 / (2 * total), _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    low, high = (centre - width) / (1 + z2 / total), (centre + width) / (1 + z2 / total)
    return min(max(0.0, low), share), max(min(1.0, high), share)  # rounding
