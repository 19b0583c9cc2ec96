"""Calibration of a checkpoint on held-out clips, and the metrics stored with it."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from esc.classification.calibration import Calibration
from esc.classification.checkpoint import read_config, write_config
from esc.classification.classifier import Classifier
from esc.classification.metrics_file import write_metrics
from esc.errors import DataError
from training.data.esc50 import Clip
from training.data.preprocessing import prepare
from training.evaluation.held_out_log import log_evaluation
from training.evaluation.metrics import (
    Metrics,
    calibration_bins,
    compute_metrics,
    confusion_matrix,
    most_confused,
    recall_per_class,
)
from training.evaluation.ood import LEFT_OUT, OodMetrics, OodSample, evaluate_ood, synthetic_logits, threshold
from training.evaluation.predictions import Pooled, held_out
from training.evaluation.temperature import fit_temperature, groups_of_sources
from training.runs.disk import disk_full_error
from training.runs.run_dir import CHECKPOINT, HISTORY, read_history

log = logging.getLogger(__name__)
_SOURCE_GROUPS, _PAIRS, _BATCH = 5, 12, 50


@dataclass(frozen=True)
class CalibrationResult:
    """Calibration of a checkpoint, and its metrics."""

    calibration: Calibration  # as stored in the checkpoint
    folds: tuple[int, ...]  # held-out folds on which the temperature was fitted
    before: Metrics  # without temperature
    after: Metrics  # with that of the other folds or, for a single fold, of other recordings
    ood: OodMetrics


def calibrate(
    run: Path, fold_runs: list[Path], ood_run: Path | None, clips: list[Clip], cache: Path, evaluation_log: Path
) -> CalibrationResult:
    """Fit temperature and threshold, and write them into a run's checkpoint and `figures.json`.

    Parameters
    ----------
    run : path
        A finished run, whose checkpoint is calibrated.
    fold_runs : list of path
        Runs of the same recipe that held out other folds: the temperature is fitted on all folds together.
    ood_run : path, optional
        A run trained without some classes: these serve as unknown sounds, with the synthetic ones.
    clips : list of Clip
        The whole data set.
    cache, evaluation_log : path

    Raises
    ------
    DataError, CheckpointError
        A run is missing, unfinished or without left-out classes; two runs held out the same fold.
    """
    runs = [run, *fold_runs]
    folds = [read_config(one / CHECKPOINT).provenance["valid_fold"] for one in runs]
    if len(set(folds)) < len(folds):
        raise DataError("run.folds", paths=", ".join(map(str, runs)), folds=", ".join(map(str, folds)))
    predictions = [held_out(one, clips, fold, cache, evaluation_log) for one, fold in zip(runs, folds, strict=True)]
    if len({one.class_names for one in predictions}) > 1:
        raise DataError("run.classes", paths=", ".join(map(str, runs)))
    own, pooled = predictions[0], Pooled.of(predictions)
    temperature = fit_temperature(pooled.logits, pooled.targets)
    if ood_run is None:
        log.info("without --ood-run the score for unknown sounds is chosen on synthetic sounds alone")
        unknown = synthetic_logits(Classifier.load(run / CHECKPOINT))
        ood = evaluate_ood(*_halves(own.logits, _sources(own.names, clips), unknown), temperature)
    else:
        ood = _ood_of(ood_run, clips, cache, evaluation_log)
    limit = threshold(own.logits, ood.score, temperature)
    calibration = Calibration(temperature=temperature, unknown_score=ood.score, unknown_threshold=limit)
    groups = groups_of_sources(_sources(own.names, clips), _SOURCE_GROUPS) if len(runs) == 1 else None
    after = compute_metrics(pooled.cross_fitted(groups), pooled.targets)
    result = CalibrationResult(calibration, tuple(folds), compute_metrics(pooled.logits, pooled.targets), after, ood)
    _write(run, ood_run, result, pooled.targets, own.class_names)
    return result


def _write(run: Path, ood_run: Path | None, result: CalibrationResult, targets: np.ndarray, class_names: tuple[str, ...]) -> None:
    folder = run / CHECKPOINT
    left_out = [] if ood_run is None else read_config(ood_run / CHECKPOINT).provenance["left_out_classes"]
    parts = {"held_out": _held_out_part(result, targets, class_names), "unknown": _unknown_part(result, left_out)}
    if (run / HISTORY).is_file():
        parts["history"] = _history_part(run)
    with disk_full_error(folder):
        write_metrics(folder, **parts)
        write_config(folder, dataclasses.replace(read_config(folder), calibration=result.calibration))


def _sources(names: tuple[str, ...], clips: list[Clip]) -> list[str]:
    source = {clip.name: clip.source for clip in clips}
    return [source[name] for name in names]


def _halves(known: np.ndarray, sources: list[str], unknown: dict[str, np.ndarray]) -> tuple[OodSample, OodSample]:
    """Return two disjoint samples; recordings of known sounds are not divided."""
    second = groups_of_sources(sources, 2).astype(bool)
    return (
        OodSample(known[~second], {kind: logits[0::2] for kind, logits in unknown.items()}),
        OodSample(known[second], {kind: logits[1::2] for kind, logits in unknown.items()}),
    )


def _ood_of(run: Path, clips: list[Clip], cache: Path, evaluation_log: Path) -> OodMetrics:
    """Return metrics of a network whose left-out classes are the unknown sounds."""
    classifier = Classifier.load(run / CHECKPOINT)
    provenance = classifier.checkpoint.provenance
    left_out, fold = provenance.get("left_out_classes"), provenance["valid_fold"]
    if not left_out:
        raise DataError("run.whole", path=run)
    prepared = prepare(clips, classifier.checkpoint.spectrogram, classifier.checkpoint.input, cache)
    rows = np.flatnonzero(prepared.folds == fold)
    batches = torch.from_numpy(prepared.spectrograms_db[rows]).split(_BATCH)
    logits = torch.cat([classifier.logits(batch) for batch in batches]).float().cpu().numpy()
    is_known = np.array([clips[row].category not in left_out for row in rows])
    known, unknown = ([clips[row] for row in rows[part]] for part in (is_known, ~is_known))
    known_logits, left_out_logits = logits[is_known], logits[~is_known]
    targets = np.array([classifier.class_names.index(clip.category) for clip in known])
    accuracy = float((known_logits.argmax(axis=1) == targets).mean())
    log_evaluation(evaluation_log, run / CHECKPOINT, classifier.checkpoint, fold, accuracy)
    first, second = _halves(known_logits, [clip.source for clip in known], synthetic_logits(classifier))
    by_source = groups_of_sources([clip.source for clip in unknown], 2)
    for half, sample in enumerate((first, second)):
        sample.unknown[LEFT_OUT] = left_out_logits[by_source == half]
    return evaluate_ood(first, second, fit_temperature(known_logits, targets))


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


def _unknown_part(result: CalibrationResult, left_out: list[str]) -> dict:
    ood = result.ood
    return {
        "score": ood.score,
        "threshold": result.calibration.unknown_threshold,
        "auroc": ood.auroc[ood.score],
        "left_out_classes": list(left_out),
        "kinds": ood.kinds,
        "caught": ood.caught,
        "false_alarms": ood.false_alarms,
        "selection_clips": ood.selection_clips,
    }


def _history_part(run: Path) -> dict:
    history = read_history(run)
    names = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
    epochs = [int(row["epoch"] or 0) for row in history]
    return {"epoch": epochs} | {name: [row[name] for row in history] for name in names}
