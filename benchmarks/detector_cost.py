"""Time of a prediction with the out-of-distribution detector, as a ratio to that without.

A prediction is `Classifier.classify_clip`: spectrogram, network, verdict. With and without alternate, so that other work on the
machine slows them equally; the ratio is that of the medians of the processor times.

    python -m benchmarks.detector_cost [--rounds 40] [--json]
"""

from __future__ import annotations

import copy
import dataclasses
import time

import numpy as np
import torch

from benchmarks.harness import Row, run
from esc.classification.classifier import Classifier
from esc.classification.confidence.ood_detector import OodDetector
from esc.classification.first_clip import Clip

GOAL = 1.05


def with_detector(classifier: Classifier) -> Classifier:
    """Return a classifier with its own detector or, without one, with a detector of the same size."""
    if classifier.detector is not None:
        return classifier
    n_classes, n_features = classifier.model.fc.weight.shape
    n_pooled = n_features * 45 // 8
    ones = {name: torch.ones(n_pooled) for name in ("pooled_mean", "pooled_std", "weight")}
    arrays = {"embedding_mean": torch.ones(n_features), "whitening": torch.eye(n_features), "bias": torch.ones(1)}
    arrays |= {"class_means": torch.ones(n_classes, n_features), "part_std": torch.ones(OodDetector.N_PARTS)}
    changed = copy.copy(classifier)
    changed.detector = OodDetector(ones | arrays)
    return changed


def without_detector(classifier: Classifier) -> Classifier:
    """Return a classifier that scores sounds by their largest probability."""
    changed, calibration = copy.copy(classifier), classifier.checkpoint.calibration
    if calibration is not None:
        fields = {"unknown_threshold": 0.0, "unsure_threshold": 0.0, "detector_sha256": None}
        calibration = dataclasses.replace(calibration, unknown_score="max_softmax", **fields)
    changed.detector, changed.checkpoint = None, dataclasses.replace(classifier.checkpoint, calibration=calibration)
    return changed


def measure(rounds: int) -> dict:
    """Return milliseconds of processor time of a prediction of each kind, and their ratio."""
    torch.set_num_threads(1)
    classifier = Classifier.load(device="cpu")
    kinds = {"without": without_detector(classifier), "with": with_detector(classifier)}
    samples = np.random.default_rng(0).standard_normal(classifier.checkpoint.clip_samples).astype(np.float32)
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds + 3):
        for name, one in kinds.items():
            begun = time.process_time()
            one.classify_clip(Clip(0.0, samples))
            if number >= 3:  # the first rounds warm up
                taken[name].append(1e3 * (time.process_time() - begun))
    medians = {name: float(np.median(times)) for name, times in taken.items()}
    return {"milliseconds": medians, "ratio": medians["with"] / medians["without"]}


def rows(result: dict) -> list[Row]:
    """Return the ratio."""
    return [Row("a prediction with detector", "without", result["ratio"], GOAL, at_most=True)]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, rounds=(40, "predictions of each kind"))


if __name__ == "__main__":
    main()
