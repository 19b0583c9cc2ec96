"""Own classes taught to a trained network: last layer, detector, calibration and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.special import softmax

from esc.classification.checkpoint_files.config import TRAINED_ON, Checkpoint
from esc.classification.confidence.calibration import Calibration
from esc.classification.confidence.ood_detector import OodDetector
from esc.classification.confidence.ood_fit import (
    fit_regression,
    floored_std,
    make_detector,
    refit_distance,
    thresholds,
    with_part_std,
)
from esc.classification.predictions import NO_CLASSES
from esc.classification.resnet import ResNet
from esc.classification.teaching.backbone import Backbone
from esc.classification.teaching.head import Head, balanced_weights, fit_head, smoothed_temperature, wilson_interval
from esc.errors import DataError

MIN_EXAMPLES, MIN_CLASSES, MAX_CLASSES, MAX_NAME = 3, 2, 100, 60
MAX_FOLDS = 5
_SEED = 18


@dataclass(frozen=True, eq=False)
class Example:
    """A sound of a class."""

    name: str
    label: str
    pooled: np.ndarray  # float32 (windows, n_pooled), see `Backbone.windows`
    recording: str = ""  # examples of one recording are on the same side of every split; by default it is one of its own


@dataclass(frozen=True)
class Guess:
    """The class of an example according to a head that was fitted without its recording."""

    name: str
    label: str
    guess: str
    probability: float  # mean of the guess over the windows


@dataclass(frozen=True, eq=False)
class Taught:
    """A network with own classes, and its figures."""

    model: ResNet
    detector: OodDetector
    checkpoint: Checkpoint  # its calibration lacks the digest of the detector's file
    figures: dict[str, Any]  # as `esc.classification.checkpoint_files.metrics.TaughtFigures`
    guesses: tuple[Guess, ...]  # of all examples in order

    @property
    def wrong(self) -> list[Guess]:
        """The examples taken for another class, the surest first."""
        return sorted((one for one in self.guesses if one.guess != one.label), key=lambda one: -one.probability)


class _Windows(NamedTuple):
    """All windows of all examples, with the numbers of their classes and examples."""

    pooled: np.ndarray
    embeddings: np.ndarray
    targets: np.ndarray
    owners: np.ndarray

    def of(self, rows: np.ndarray) -> _Windows:
        return _Windows(*(part[rows] for part in self))


def teach(backbone: Backbone, examples: Sequence[Example], other: str | None = None) -> Taught:
    """Return the network taught on examples.

    Accuracy, temperature and thresholds come from cross-validation: each example is judged by a head and a detector
    that were fitted without its recording.

    Parameters
    ----------
    backbone : Backbone
    examples : sequence of Example
    other : str, optional
        The class of sounds that are none of the others ("anything else").

    Raises
    ------
    DataError
        There are too few or too many classes, or too few examples of one, or a name is not possible.
    """
    names = check_classes([one.label for one in examples], other)
    index = {name: number for number, name in enumerate(names)}
    targets = np.array([index[one.label] for one in examples])
    owners = np.repeat(np.arange(len(examples)), [len(one.pooled) for one in examples])
    pooled = np.concatenate([one.pooled for one in examples])
    every = _Windows(pooled, backbone.embeddings(pooled), targets[owners], owners)
    folds, grouped = fold_numbers(examples)
    n_other = None if other is None else index[other]
    logits, parts = _cross_validated(backbone, every, folds, n_other)
    weights = balanced_weights(every.targets, every.owners)
    temperature = smoothed_temperature(logits, every.targets, weights, np.bincount(targets))
    known = every.targets != n_other
    detector = with_part_std(_detector(backbone, every, n_other), torch.from_numpy(parts[known]))
    scores = (parts[known] / detector.part_std.numpy()).sum(axis=1)
    calibration = Calibration(temperature=temperature, unknown_score="detector", detector_sha256="", **thresholds(scores))
    head = fit_head(every.embeddings, every.targets, weights)
    guesses = _guesses(examples, names, every.owners, softmax(logits / temperature, axis=1))
    meta = backbone.classifier.checkpoint
    return Taught(
        model=backbone.with_head(*_rounded(head)),
        detector=detector,
        checkpoint=Checkpoint(
            architecture=meta.architecture,
            class_names=names,
            spectrogram=meta.spectrogram,
            input=meta.input,
            provenance=_provenance(meta, names, len(examples)),
            calibration=calibration,
        ),
        figures=_figures(examples, guesses, names, other, grouped),
        guesses=guesses,
    )


def check_classes(labels: Sequence[str], other: str | None = None) -> tuple[str, ...]:
    """Return the names of the classes in order, `other` last.

    Raises
    ------
    DataError
        As `teach` does.
    """
    counts = Counter(labels)
    check_names(counts)
    if other is not None and other not in counts:
        raise DataError("teach.other", label=other, choices=", ".join(counts))
    for label, files in counts.items():
        if files < MIN_EXAMPLES:
            raise DataError("teach.few", label=label, files=files, least=MIN_EXAMPLES)
    return tuple(sorted(counts, key=lambda label: label == other))


def check_names(labels: Collection[str]) -> None:
    """Raise DataError for impossible names of classes, too few or too many."""
    for label in labels:
        if label in NO_CLASSES:
            raise DataError("own.reserved", label=label)
        if not label.strip() or not label.isprintable() or len(label) > MAX_NAME:
            raise DataError("teach.name", label=label, limit=MAX_NAME)
    if not MIN_CLASSES <= len(labels) <= MAX_CLASSES:
        raise DataError("teach.classes", count=len(labels), least=MIN_CLASSES, most=MAX_CLASSES)


def fold_numbers(examples: Sequence[Example]) -> tuple[np.ndarray, bool]:
    """Return the fold of each example, and whether all examples of a recording share one.

    There are as many folds as the rarest class has recordings, at most `MAX_FOLDS`, and each class is in two at least. Where
    recordings don't allow that, examples count as recordings.
    """
    labels = [one.label for one in examples]
    alone = [f"example {number}" for number in range(len(examples))]
    recordings = [one.recording or name for one, name in zip(examples, alone, strict=True)]
    if (folds := _folds(labels, recordings)) is not None:
        return folds, True
    folds = _folds(labels, alone)
    assert folds is not None  # each class has several examples
    return folds, False


def _folds(labels: Sequence[str], recordings: Sequence[str]) -> np.ndarray | None:
    """Return folds that keep recordings together; None if one holds a whole class."""
    pairs = list(zip(labels, recordings, strict=True))
    sizes = Counter(pairs)
    n_folds = min(MAX_FOLDS, *Counter(label for label, _ in sizes).values())
    fold: dict[str, int] = {}
    for label in dict.fromkeys(labels):
        own = {recording: size for (one, recording), size in sizes.items() if one == label}
        filled = [0] * n_folds
        for recording in own.keys() & fold.keys():  # with examples of a class before
            filled[fold[recording]] += own[recording]
        order = sorted(own.keys() - fold.keys())
        np.random.default_rng(_SEED).shuffle(order)
        for recording in sorted(order, key=lambda one: -own[one]):
            fold[recording] = filled.index(min(filled))
            filled[fold[recording]] += own[recording]
        if np.count_nonzero(filled) < 2:
            return None
    return np.array([fold[recording] for recording in recordings])


def _cross_validated(
    backbone: Backbone, every: _Windows, folds: np.ndarray, n_other: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits (windows, n_classes) and detector parts (windows, 4), cross-validated."""
    n_windows, n_classes = len(every.targets), every.targets.max() + 1
    logits, parts = np.zeros((n_windows, n_classes)), np.zeros((n_windows, OodDetector.N_PARTS), np.float32)
    for fold in np.unique(folds):
        inside = folds[every.owners] == fold
        rest, held = every.of(~inside), every.of(inside)
        head = fit_head(rest.embeddings, rest.targets, balanced_weights(rest.targets, rest.owners))
        logits[inside] = head.logits(held.embeddings)
        detector = _detector(backbone, rest, n_other)
        given = torch.from_numpy(logits[inside]).float(), torch.from_numpy(held.pooled)
        parts[inside] = detector.parts(*given).numpy()
    return logits, parts


def _detector(backbone: Backbone, windows: _Windows, n_other: int | None) -> OodDetector:
    """Return a detector, not yet standardised, fitted on windows of the classes."""
    embeddings = windows.embeddings.astype(np.float64)
    others = backbone.distance or {
        "embedding_mean": embeddings.mean(axis=0),
        "whitening": np.diag(1.0 / floored_std(embeddings)),
    }
    is_other = windows.targets == n_other
    unknown = np.concatenate([backbone.unknown, windows.pooled[is_other]])
    distance = refit_distance(embeddings, windows.targets, others)
    return make_detector(distance | fit_regression(windows.pooled[~is_other], unknown))


def _rounded(head: Head) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight and bias as a checkpoint's file rounds them."""
    return torch.from_numpy(head.weight).half().float(), torch.from_numpy(head.bias).float()


def _guesses(
    examples: Sequence[Example], names: tuple[str, ...], owners: np.ndarray, probabilities: np.ndarray
) -> tuple[Guess, ...]:
    found = []
    for number, one in enumerate(examples):
        mean = probabilities[owners == number].mean(axis=0)
        found.append(Guess(one.name, one.label, names[mean.argmax()], float(mean.max())))
    return tuple(found)


def _figures(
    examples: Sequence[Example], guesses: Sequence[Guess], names: tuple[str, ...], other: str | None, grouped: bool
) -> dict[str, Any]:
    pairs = Counter((one.label, one.guess) for one in guesses)
    right = sum(one.label == one.guess for one in guesses)
    low, high = wilson_interval(right, len(guesses))
    files, windows = Counter(one.label for one in examples), Counter[str]()
    for one in examples:
        windows[one.label] += len(one.pooled)
    return {
        "examples": len(examples),
        "accuracy": right / len(guesses),
        "low": low,
        "high": high,
        "grouped": grouped,
        "other": other,
        "classes": [
            {"name": name, "examples": files[name], "windows": windows[name], "recall": pairs[name, name] / files[name]}
            for name in names
        ],
        "confusion": [[pairs[true, guess] for guess in names] for true in names],
    }


def _provenance(meta: Checkpoint, names: tuple[str, ...], n_examples: int) -> dict[str, Any]:
    """Return the origin of a taught network; its licence is that of the backbone."""
    made = meta.provenance
    below = str(made.get("initial_weights", "")).partition(TRAINED_ON)[2]
    data = "; ".join(filter(None, (made.get("data", "data not stated"), below)))
    return {
        "run": "taught",
        "data": f"{n_examples} examples of {len(names)} classes",
        "licence": made.get("licence"),
        "initial_weights": f"{made.get('run', 'a network')}{TRAINED_ON}{data}",
        "seen_classes": sorted({*made.get("seen_classes", ()), *meta.class_names}),
        "seed": _SEED,
        "taught": True,
    }
