"""Calibration of a checkpoint by clips that it held out, written into it, and the figures that go beside it."""

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
from training.evaluation.held_out_log import record_held_out
from training.evaluation.metrics import Figures, calibration_bins, confusion_matrix, figures_of, most_confused, recall_per_class
from training.evaluation.ood import LEFT_OUT, Separation, logits_of_nonsense, separate, threshold
from training.evaluation.predictions import Predictions, held_out
from training.evaluation.temperature import cross_fitted, fit_temperature, groups_of_sources
from training.runs.disk import full_disk_named
from training.runs.run_dir import CHECKPOINT, HISTORY, read_history

log = logging.getLogger(__name__)
_SOURCE_GROUPS, _PAIRS = 5, 12


@dataclass(frozen=True)
class Calibrated:
    """What `calibrate` found.

    Attributes
    ----------
    calibration : Calibration
        As it stands in the checkpoint.
    folds : tuple of int
        Whose held-out clips gave the temperature.
    before, after : Figures
        Without a temperature; with one that the other folds gave or, of a single fold, other recordings of it.
    separation : Separation
    """

    calibration: Calibration
    folds: tuple[int, ...]
    before: Figures
    after: Figures
    separation: Separation


def calibrate(run: Path, others: list[Path], without: Path | None, clips: list[Clip], cache: Path, readings: Path) -> Calibrated:
    """Measure temperature and threshold, write both into a run's checkpoint and `figures.json` beside it.

    Parameters
    ----------
    run : path
        A finished run, whose checkpoint is calibrated.
    others : list of path
        Runs of the same recipe that held out other folds: the temperature is then all folds' together.
    without : path, optional
        A run that left out classes (`train --without`): on them the score for the unknown is chosen. Left out, it is
        chosen on synthesised sounds alone.
    clips : list of Clip
        The whole data set.
    cache, readings : path
        As `training.evaluation.held_out_log.read_fold` takes them.

    Raises
    ------
    DataError, CheckpointError
        A run is missing, has not ended or leaves nothing out; two runs held out the same fold.
    """
    folds = [_fold(one) for one in (run, *others)]
    if len(set(folds)) < len(folds):
        raise DataError("run.folds", paths=", ".join(map(str, (run, *others))), folds=", ".join(map(str, folds)))
    read = [held_out(one, clips, fold, cache, readings) for one, fold in zip((run, *others), folds, strict=True)]
    if len({predictions.class_names for predictions in read}) > 1:
        raise DataError("run.classes", paths=", ".join(map(str, (run, *others))))
    logits, targets = (np.concatenate([getattr(one, name) for one in read]) for name in ("logits", "targets"))
    temperature = fit_temperature(logits, targets)
    separation = _separation(run, without, read[0], temperature, clips, cache, readings)
    limit = threshold(read[0].logits, separation.score, temperature)
    calibration = Calibration(temperature=temperature, unknown_score=separation.score, unknown_threshold=limit)
    after = figures_of(cross_fitted(logits, targets, _groups(read, clips)), targets)
    found = Calibrated(calibration, tuple(folds), figures_of(logits, targets), after, separation)
    folder = run / CHECKPOINT
    parts = {"held_out": _held_out_part(found, targets, read[0].class_names), "unknown": _unknown_part(found, without)}
    if (run / HISTORY).is_file():
        parts["history"] = _history_part(run)
    with full_disk_named(folder):
        write_metrics(folder, **parts)
        write_config(folder, dataclasses.replace(read_config(folder), calibration=calibration))
    return found


def _fold(run: Path) -> int:
    """Return the fold that a finished run held out."""
    return read_config(run / CHECKPOINT).provenance["valid_fold"]


def _groups(read: list[Predictions], clips: list[Clip]) -> np.ndarray:
    """Return what the temperature is cross-fitted by: folds where there are several, else recordings."""
    if len(read) > 1:
        return np.repeat(np.arange(len(read)), [len(one.targets) for one in read])
    source = {clip.name: clip.source for clip in clips}
    return groups_of_sources([source[name] for name in read[0].names], _SOURCE_GROUPS)


def _separation(
    run: Path, without: Path | None, own: Predictions, temperature: float, clips: list[Clip], cache: Path, readings: Path
) -> Separation:
    """Compare the scores: with a network that has never met some classes where there is one, else with the run's own."""
    if without is None:
        log.info("no run without some classes was given: the score for the unknown is chosen on synthesised sounds alone")
        return separate(own.logits, logits_of_nonsense(Classifier.load(run / CHECKPOINT)), temperature)
    classifier = Classifier.load(without / CHECKPOINT)
    made = classifier.checkpoint.provenance
    if not made.get("without"):
        raise DataError("run.whole", path=without)
    fold_clips = [clip for clip in clips if clip.fold == made["valid_fold"]]
    known = [clip for clip in fold_clips if clip.category not in made["without"]]
    unknown = [clip for clip in fold_clips if clip.category in made["without"]]
    of_known, of_unknown = (_logits(classifier, chosen, clips, cache) for chosen in (known, unknown))
    targets = np.array([classifier.class_names.index(clip.category) for clip in known])
    accuracy = float((of_known.argmax(axis=1) == targets).mean())
    record_held_out(readings, without / CHECKPOINT, classifier.checkpoint, made["valid_fold"], accuracy)
    return separate(of_known, {LEFT_OUT: of_unknown} | logits_of_nonsense(classifier), fit_temperature(of_known, targets))


def _logits(classifier: Classifier, chosen: list[Clip], clips: list[Clip], cache: Path) -> np.ndarray:
    prepared = prepare(clips, classifier.checkpoint.spectrogram, classifier.checkpoint.input, cache)
    names = {clip.name for clip in chosen}
    rows = [row for row, name in enumerate(prepared.names) if name in names]
    parts = torch.from_numpy(prepared.spectrograms_db[rows]).split(50)
    return torch.cat([classifier.logits(part) for part in parts]).float().cpu().numpy()


def _held_out_part(found: Calibrated, targets: np.ndarray, class_names: tuple[str, ...]) -> dict:
    after, n_classes = found.after, len(class_names)
    confusion = confusion_matrix(targets, after.probabilities.argmax(axis=1), n_classes)
    recall = recall_per_class(confusion)
    bins = zip(*calibration_bins(after.probabilities, targets), strict=True)
    edges = np.linspace(0, 1, len(calibration_bins(after.probabilities, targets)[0]) + 1)
    return {
        "folds": sorted(found.folds),
        "clips": after.clips,
        "accuracy": after.accuracy,
        "loss": after.loss,
        "ece": after.ece,
        "ece_before": found.before.ece,
        "reliability": [
            {
                "low": float(low),
                "high": float(high),
                "clips": int(count),
                "confidence": min(1.0, float(confidence / count)) if count else None,
                "accuracy": float(right / count) if count else None,
            }
            for low, high, (count, confidence, right) in zip(edges[:-1], edges[1:], bins, strict=True)
        ],
        "recall": {name: float(share) for name, share in zip(class_names, recall, strict=True) if not np.isnan(share)},
        "confused": [
            {"true": class_names[true], "guess": class_names[guess], "clips": count}
            for true, guess, count in most_confused(confusion, _PAIRS)
        ],
    }


def _unknown_part(found: Calibrated, without: Path | None) -> dict:
    separation = found.separation
    return {
        "score": separation.score,
        "threshold": found.calibration.unknown_threshold,
        "auroc": separation.auroc[separation.score],
        "left_out_classes": [] if without is None else list(read_config(without / CHECKPOINT).provenance["without"]),
        "kinds": separation.kinds,
        "caught": separation.caught,
        "false_alarms": separation.false_alarms,
    }


def _history_part(run: Path) -> dict:
    history = read_history(run)
    names = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
    return {"epoch": [int(row["epoch"]) for row in history]} | {name: [row[name] for row in history] for name in names}
