"""Calibration of a checkpoint on held-out clips, and the metrics stored with it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from esc.classification.checkpoint_files.config import read_config, write_config
from esc.classification.checkpoint_files.metrics import write_metrics
from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import Calibration
from esc.classification.confidence.ood_fit import thresholds
from esc.classification.reduced_precision import FLOAT32
from esc.errors import DataError
from training.data.esc50 import Clip
from training.evaluation.held_out_log import log_evaluation
from training.evaluation.metrics import (
    Metrics,
    calibration_bins,
    compute_metrics,
    confusion_matrix,
    most_confused,
    recall_per_class,
)
from training.evaluation.ood import ood_figures
from training.evaluation.ood_fit import DetectorData, scores
from training.evaluation.ood_sounds import OodFolders
from training.evaluation.predictions import Pooled, Predictions, held_out
from training.evaluation.temperature import fit_temperature, groups_of_sources
from training.runs.disk import disk_full_error
from training.runs.run_dir import CHECKPOINT, HISTORY, read_history

_SOURCE_GROUPS, _PAIRS = 5, 12


@dataclass(frozen=True)
class CalibrationResult:
    """Calibration of a checkpoint, and its metrics."""

    folder: Path  # of the checkpoint
    calibration: Calibration  # as stored in it
    folds: tuple[int, ...]  # held-out folds on which the temperature was fitted
    before: Metrics  # without temperature
    after: Metrics  # with that of the other folds or, for a single fold, of other recordings
    unknown: dict[str, Any]  # as `esc.classification.checkpoint_files.metrics.Unknown`


def calibrate(
    run: Path, fold_runs: list[Path], folders: OodFolders, clips: list[Clip], cache: Path, evaluation_log: Path
) -> CalibrationResult:
    """Fit temperature, out-of-distribution detector and thresholds, and write them and their figures into a checkpoint.

    Parameters
    ----------
    run : path
        A finished run, or the folder of a checkpoint.
    fold_runs : list of path
        Runs of the same recipe that held out other folds: the temperature is fitted on all folds together.
    folders : OodFolders
    clips : list of Clip
        The whole data set.
    cache, evaluation_log : path

    Raises
    ------
    DataError, CheckpointError, AudioError
        A run is missing or unfinished, or a sound can't be used; two runs held out the same fold.
    """
    folder = run / CHECKPOINT if (run / CHECKPOINT).is_dir() else run
    classifier = Classifier.load(folder, precision=FLOAT32)
    folds = [read_config(one).provenance["valid_fold"] for one in (folder, *(other / CHECKPOINT for other in fold_runs))]
    if len(set(folds)) < len(folds):
        raise DataError("run.folds", paths=", ".join(map(str, [run, *fold_runs])), folds=", ".join(map(str, folds)))
    others = [held_out(one, clips, fold, cache, evaluation_log) for one, fold in zip(fold_runs, folds[1:], strict=True)]
    if {one.class_names for one in others} - {classifier.class_names}:
        raise DataError("run.classes", paths=", ".join(map(str, [run, *fold_runs])))
    data = DetectorData.of(classifier, folders.unknown, clips, cache)
    own = Predictions(data.held_out.logits, data.held_out_targets, data.held_out_names, classifier.class_names)
    log_evaluation(evaluation_log, folder, classifier.checkpoint, folds[0], compute_metrics(own.logits, own.targets).accuracy)
    pooled = Pooled.of([own, *others])
    temperature, detector = fit_temperature(pooled.logits, pooled.targets), data.fit()
    limits = thresholds(scores(detector, data.held_out))
    with disk_full_error(folder):
        sha256 = detector.save(folder)
        calibration = Calibration(temperature=temperature, unknown_score="detector", detector_sha256=sha256, **limits)
        write_config(folder, dataclasses.replace(classifier.checkpoint, calibration=calibration))
    sources = _sources(own.names, clips)
    result = CalibrationResult(
        folder=folder,
        calibration=calibration,
        folds=tuple(folds),
        before=compute_metrics(pooled.logits, pooled.targets),
        after=compute_metrics(
            pooled.cross_fitted(None if others else groups_of_sources(sources, _SOURCE_GROUPS)), pooled.targets
        ),
        unknown=ood_figures(Classifier.load(folder, precision=FLOAT32), data, groups_of_sources(sources, 2), folders, clips),
    )
    _write(run, result, pooled.targets, own.class_names)
    return result


def _write(run: Path, result: CalibrationResult, targets: np.ndarray, class_names: tuple[str, ...]) -> None:
    parts = {"held_out": _held_out_part(result, targets, class_names), "unknown": result.unknown}
    if (run / HISTORY).is_file():
        parts["history"] = _history_part(run)
    with disk_full_error(result.folder):
        write_metrics(result.folder, **parts)


def _sources(names: tuple[str, ...], clips: list[Clip]) -> list[str]:
    source = {clip.name: clip.source for clip in clips}
    return [source[name] for name in names]


def _held_out_part(result: CalibrationResult, targets: np.ndarray, class_names: tuple[str, ...]) -> dict:
    after = result.after
    confusion = confusion_matrix(targets, after.probabilities.argmax(axis=1), len(class_names))
    counts, confidences, corrects = calibration_bins(after.probabilities, targets)
    edges = np.linspace(0, 1, len(counts) + 1)
    return {
        "folds": sorted(result.folds),
        "clips": after.clips,
        "accuracy": after.accuracy,
        "loss": after.loss,
        "ece": after.ece,
        "ece_before": result.before.ece,
        "reliability": [
            {
                "low": float(edges[number]),
                "high": float(edges[number + 1]),
                "clips": int(count),
                "confidence": min(1.0, float(confidences[number] / count)) if count else None,
                "accuracy": float(corrects[number] / count) if count else None,
            }
            for number, count in enumerate(counts)
        ],
        "recall": {
            name: float(share)
            for name, share in zip(class_names, recall_per_class(confusion), strict=True)
            if not np.isnan(share)
        },
        "confused": [
            {"true": class_names[true], "guess": class_names[guess], "clips": count}
            for true, guess, count in most_confused(confusion, _PAIRS)
        ],
    }


def _history_part(run: Path) -> dict:
    history = read_history(run)
    names = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
    epochs = [int(row["epoch"] or 0) for row in history]
    return {"epoch": epochs} | {name: [row[name] for row in history] for name in names}
