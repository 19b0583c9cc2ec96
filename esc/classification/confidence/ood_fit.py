"""Arrays of the out-of-distribution detector, fitted on features of known and unknown sounds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy
import torch

from esc.classification.confidence.ood_detector import MAX_DEVIATION, OodDetector

REFUSED_SHARE = 0.04  # of held-out known sounds below the lower threshold: on others it stays near 5 % at most
UNSURE_SHARE = 0.15  # of them below the threshold of sure verdicts
_FEW = 10  # scores below a threshold that are too few for a quantile
_SHRINKAGE, _RIDGE = 0.05, 1e-4  # of the covariance, towards its diagonal and upwards
_PENALTY = 1e-2  # scikit-learn's C of the regression
_LEAST_STD = 0.05  # of the median one; channels that never respond have none
_HALF_MAX = 6e4  # near the largest float16


def fit_distance(embeddings: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Return mean, whitening and whitened class means of embeddings (clips, n_features)."""
    mean, std = embeddings.mean(axis=0), floored_std(embeddings)
    standard = (embeddings - mean) / std
    class_means, within = _within(standard, targets)
    covariance = within.T @ within / len(within)
    covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(np.diag(covariance)) + _RIDGE * np.eye(len(covariance))
    whitening = np.linalg.cholesky(np.linalg.inv(covariance))
    return {"embedding_mean": mean, "whitening": whitening / std[:, None], "class_means": class_means @ whitening}


def refit_distance(embeddings: np.ndarray, targets: np.ndarray, known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays as `fit_distance` for few embeddings, given those of many others.

    The covariance is shrunk towards that of the others as far as Ledoit and Wolf (2004), "A well-conditioned estimator for
    large-dimensional covariance matrices", find best: whitened by the others' covariance, theirs is the identity.
    """
    white = (embeddings - known["embedding_mean"]) @ known["whitening"]
    class_means, within = _within(white, targets)
    from sklearn.covariance import ledoit_wolf  # loads slowly

    covariance = ledoit_wolf(within, assume_centered=True)[0] + _RIDGE * np.eye(within.shape[1])
    whitening = np.linalg.cholesky(np.linalg.inv(covariance))
    return {
        "embedding_mean": known["embedding_mean"],
        "whitening": known["whitening"] @ whitening,
        "class_means": class_means @ whitening,
    }


def fit_regression(known: np.ndarray, unknown: np.ndarray) -> dict[str, np.ndarray]:
    """Return the regression on pooled activations (clips, n_pooled) of known and unknown sounds."""
    both = np.concatenate([known, unknown]).astype(np.float64)
    pooled_mean, pooled_std = both.mean(axis=0), floored_std(both)
    from sklearn.linear_model import LogisticRegression  # loads slowly

    regression = LogisticRegression(C=_PENALTY, max_iter=500, class_weight="balanced")
    inputs = np.clip((both - pooled_mean) / pooled_std, -MAX_DEVIATION, MAX_DEVIATION)
    regression.fit(inputs, np.repeat([1, 0], [len(known), len(unknown)]))
    fitted = {"weight": regression.coef_[0], "bias": regression.intercept_}
    return {"pooled_mean": pooled_mean, "pooled_std": pooled_std, **fitted}


def make_detector(arrays: Mapping[str, np.ndarray]) -> OodDetector:
    """Return a detector whose parts are not yet standardised, rounded as its file rounds it."""
    tensors = {name: torch.from_numpy(np.asarray(array, dtype=np.float32)) for name, array in arrays.items()}
    stored = {
        name: tensor.clamp(-_HALF_MAX, _HALF_MAX).half().float() if tensor.ndim > 1 else tensor
        for name, tensor in tensors.items()
    }
    return OodDetector(stored | {"part_std": torch.ones(OodDetector.N_PARTS)})


def with_part_std(detector: OodDetector, parts: torch.Tensor) -> OodDetector:
    """Return a detector standardised on the `parts` (clips, 4) of known sounds."""
    return OodDetector(detector.state_dict() | {"part_std": parts.std(dim=0).clamp_min(1e-6)})


def thresholds(scores: np.ndarray) -> dict[str, float]:
    """Return the thresholds from the scores of held-out known sounds, as fields of `Calibration`."""
    return {"unknown_threshold": _limit(scores, REFUSED_SHARE), "unsure_threshold": _limit(scores, UNSURE_SHARE)}


def _limit(scores: np.ndarray, share: float) -> float:
    """Return a threshold that a share of further scores falls below.

    The quantile of the scores or, of few and if lower, the prediction limit of a normal distribution: of few scores even
    the lowest says little of what is to come.
    """
    n, quantile = len(scores), float(np.quantile(scores, share))
    if n * share >= _FEW or n < 2:
        return quantile
    limit = scores.mean() + scipy.stats.t.ppf(share, n - 1) * scores.std(ddof=1) * np.sqrt(1 + 1 / n)
    return min(float(limit), quantile)


def floored_std(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column, at least a share of their median."""
    std = values.std(axis=0)
    return np.maximum(std, _LEAST_STD * np.median(std) + 1e-6)


def _within(values: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the class means and the deviations from them."""
    class_means = np.stack([values[targets == target].mean(axis=0) for target in range(targets.max() + 1)])
    return class_means, values - class_means[targets]
