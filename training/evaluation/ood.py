"""Out-of-distribution detection: thresholds, AUROC, and the shares of refused and of uncertain sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import Calibration
from esc.classification.confidence.ood_detector import OodDetector
from esc.classification.confidence.ood_fit import thresholds
from esc.classification.confidence.scores import calibrated_probabilities, known_and_sure
from training.data.esc50 import Clip
from training.data.preprocessing import clip_spectrogram, map_files
from training.evaluation.ood_fit import DetectorData, Features, extract, scores, standardised
from training.evaluation.ood_sounds import RECORDED, OodFolders, Sounds, recorded_sounds, synthetic_sounds

HELD_OUT, LEFT_OUT = "held_out", "left_out_classes"
_EXAMPLES, _LABEL_SOUNDS = 8, 3


@dataclass(frozen=True)
class Decisions:
    """Scores and verdicts of clips, each array (clips,)."""

    scores: np.ndarray
    targets: np.ndarray  # of the likeliest classes
    probabilities: np.ndarray  # theirs
    known: np.ndarray
    sure: np.ndarray

    @classmethod
    def of(cls, features: Features, detector: OodDetector, calibration: Calibration) -> Decisions:
        """Return what a network with that detector and calibration decides."""
        probabilities = calibrated_probabilities(torch.from_numpy(features.logits), calibration)
        score = torch.from_numpy(scores(detector, features))
        known, sure = (part.numpy() for part in known_and_sure(probabilities, score, calibration))
        best = probabilities.max(dim=1)
        return cls(score.numpy(), best.indices.numpy(), best.values.numpy(), known, sure)

    def __getitem__(self, rows: np.ndarray) -> Decisions:
        return Decisions(self.scores[rows], self.targets[rows], self.probabilities[rows], self.known[rows], self.sure[rows])

    def group(self, name: str, known: Decisions | None = None) -> dict:
        """Return the figures of a group of sounds; its AUROC if known sounds are given."""
        shares = {"refused": float((~self.known).mean()), "unsure": float((self.known & ~self.sure).mean())}
        figures = {"name": name, "sounds": len(self.scores)} | shares
        return figures if known is None else figures | {"auroc": auroc(known.scores, self.scores)}


def ood_figures(
    classifier: Classifier, data: DetectorData, halves: np.ndarray, folders: OodFolders, clips: list[Clip]
) -> dict[str, Any]:
    """Return the figures of a calibrated classifier, as `esc.classification.checkpoint_files.metrics.Unknown`.

    Unknown sounds and those of `folders.known_valid` had no part in fitting detector or thresholds. Of the held-out clips,
    `halves` (clips,) of 0 and 1, each half is evaluated with thresholds from the other.
    """
    calibration, detector, names = classifier.checkpoint.calibration, classifier.detector, classifier.class_names
    assert calibration is not None and detector is not None
    known = Decisions.of(data.held_out, detector, calibration)
    sounds = {
        **synthetic_sounds(classifier, seed=1),
        **_left_out_sounds(classifier, clips),
        **({} if folders.unknown_valid is None else {RECORDED: recorded_sounds(folders.unknown_valid, classifier)}),
    }
    decided = {
        kind: Decisions.of(extract(classifier, one.spectrograms_db), detector, calibration) for kind, one in sounds.items()
    }
    kinds = [one.group(kind, known) for kind, one in decided.items()]
    figures: dict[str, Any] = {
        "score": calibration.unknown_score,
        "threshold": calibration.unknown_threshold,
        "unsure_threshold": calibration.unsure_threshold,
        "fit_sounds": data.unknown_counts,
        "auroc": float(np.mean([group["auroc"] for group in kinds if group["name"] == RECORDED or RECORDED not in decided])),
        "known": [cross_evaluated(data.held_out, data.held_out_targets, halves, detector, calibration.temperature)],
        "kinds": kinds,
    }
    if folders.known_valid is not None:
        other = recorded_sounds(folders.known_valid, classifier)
        found = Decisions.of(extract(classifier, other.spectrograms_db), detector, calibration)
        group = found.group(RECORDED)
        if RECORDED in decided:
            group["auroc"] = auroc(found.scores, decided[RECORDED].scores)
        right = np.array([names[target] == label for target, label in zip(found.targets, other.labels, strict=True)])
        figures["known"].append(group | _accuracy(right, found.sure))
    if RECORDED in decided:
        figures["labels"] = by_label(decided[RECORDED], sounds[RECORDED].labels)
        figures |= examples(decided[RECORDED], sounds[RECORDED].labels, names)
    return figures


def cross_evaluated(
    held_out: Features, targets: np.ndarray, halves: np.ndarray, detector: OodDetector, temperature: float
) -> dict:
    """Return the cross-fitted figures of held-out known sounds.

    Each half (0 or 1) is judged with the thresholds of the other. `accuracy` is that of the sure verdicts.
    """
    refused, unsure, correct = np.zeros(len(targets), bool), np.zeros(len(targets), bool), np.zeros(len(targets), bool)
    for half in (0, 1):
        inside = halves == half
        fitted = standardised(detector, held_out[~inside])
        limits = thresholds(scores(fitted, held_out[~inside]))
        calibration = Calibration(temperature=temperature, unknown_score="detector", detector_sha256="", **limits)
        decided = Decisions.of(held_out[inside], fitted, calibration)
        refused[inside], unsure[inside] = ~decided.known, decided.known & ~decided.sure
        correct[inside] = decided.targets == targets[inside]
    sure = ~refused & ~unsure
    figures = {"name": HELD_OUT, "sounds": len(targets), "refused": float(refused.mean()), "unsure": float(unsure.mean())}
    return figures | _accuracy(correct, sure)


def by_label(decided: Decisions, labels: tuple[str, ...]) -> list[dict]:
    """Return the figures of the labels with several sounds, the most frequent first."""
    names, counts = np.unique(labels, return_counts=True)
    order = [index for index in np.argsort(-counts, kind="stable") if counts[index] >= _LABEL_SOUNDS]
    return [decided[np.array(labels) == names[index]].group(str(names[index])) for index in order]


def examples(decided: Decisions, labels: tuple[str, ...], class_names: tuple[str, ...]) -> dict[str, list[dict]]:
    """Return refused and missed unknown sounds, one for each label.

    Refused ones with the lowest scores and missed ones with the highest probabilities come first.
    """
    found: dict[str, list[dict]] = {}
    for part, rows, order in (
        ("refused", np.flatnonzero(~decided.known), decided.scores),
        ("missed", np.flatnonzero(decided.known & decided.sure), -decided.probabilities),
    ):
        one_each = {labels[row]: row for row in reversed(rows[np.argsort(order[rows], kind="stable")])}
        chosen = sorted(one_each.values(), key=lambda row: order[row])[:_EXAMPLES]
        found[part] = [
            {
                "label": labels[row],
                "nearest": class_names[decided.targets[row]],
                "probability": float(decided.probabilities[row]),
            }
            for row in chosen
        ]
    return found


def _accuracy(correct: np.ndarray, sure: np.ndarray) -> dict[str, float]:
    """Return the accuracy of the sure verdicts; nothing if there are none."""
    return {"accuracy": float(correct[sure].mean())} if sure.any() else {}


def _left_out_sounds(classifier: Classifier, clips: list[Clip]) -> dict[str, Sounds]:
    """Return the held-out clips of classes that were left out of training, if any."""
    meta = classifier.checkpoint
    left_out = meta.provenance.get("left_out_classes", ())
    chosen = [clip for clip in clips if clip.category in left_out and clip.fold == meta.provenance["valid_fold"]]
    if not chosen:
        return {}
    spectrograms_db = list(map_files(clip_spectrogram, [(clip.path, meta.spectrogram, meta.input) for clip in chosen]))
    return {LEFT_OUT: Sounds(tuple(clip.category for clip in chosen), np.stack(spectrograms_db))}


def auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """Return the area under the ROC curve, ties counted half (Mann-Whitney U)."""
    ranks = rankdata(np.concatenate([known, unknown]))
    above = ranks[: len(known)].sum() - len(known) * (len(known) + 1) / 2
    return float(above / (len(known) * len(unknown)))
