"""Temperature scaling with cross-fitted metrics."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from esc.classification.teaching.head import TEMPERATURES, smoothed_temperature


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean negative log-likelihood in nats."""
    return float((logsumexp(logits, axis=1) - logits[np.arange(len(targets)), targets]).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature that maximises the likelihood (Guo et al., 2017), 0.05 to 20.

    The likelihood has one maximum over 1 / temperature, since log-sum-exp is convex. Where every clip is right it has none, and
    all answers would become certain: then the targets are smoothed, as for taught classes.
    """
    exact = logits.astype(np.float64)
    if (exact.argmax(axis=1) == targets).all():
        return smoothed_temperature(exact, targets, np.ones(len(targets)), np.bincount(targets, minlength=exact.shape[1]))
    low, high = map(np.log, TEMPERATURES)
    found = minimize_scalar(lambda log: cross_entropy(exact / np.exp(log), targets), bounds=(low, high), method="bounded")
    return float(np.exp(found.x))


def cross_fitted(logits: np.ndarray, targets: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return logits (clips, n_classes) divided by the temperature fitted on all other groups.

    No clip affects its own temperature. `groups` (clips,) holds at least two different values.
    """
    scaled = np.empty_like(logits)
    for group in np.unique(groups):
        inside = groups == group
        scaled[inside] = logits[inside] / fit_temperature(logits[~inside], targets[~inside])
    return scaled


def groups_of_sources(sources: list[str], count: int) -> np.ndarray:
    """Return groups of clips that keep recordings together, int64 (clips,)."""
    order = np.random.default_rng(0).permutation(sorted(set(sources)))
    group = {source: number % count for number, source in enumerate(order)}
    return np.array([group[source] for source in sources], dtype=np.int64)
