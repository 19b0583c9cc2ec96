"""Evaluation of a checkpoint on one fold, and the log of evaluations on held-out data."""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from esc.classification.checkpoint import load_checkpoint
from esc.classification.checkpoint_files.config import Checkpoint
from esc.errors import DataError
from training.data.esc50 import Clip, check_folds, class_names, without_classes
from training.data.preprocessing import Prepared, prepare
from training.engine.devices import best_device, to_device
from training.evaluation.metrics import Metrics, compute_metrics, evaluate
from training.runs.run_dir import seen_folds

log = logging.getLogger(__name__)
_COLUMNS = ("date", "run", "fold", "accuracy")


@dataclass(frozen=True)
class Evaluation:
    """A checkpoint's predictions for one fold."""

    metrics: Metrics  # without the checkpoint's temperature
    checkpoint: Checkpoint
    targets: np.ndarray  # int64 (clips,)
    names: tuple[str, ...]  # file names as in the table

    @property
    def calibrated(self) -> Metrics:
        """Metrics with the checkpoint's temperature; in-sample if fitted on this fold."""
        calibration = self.checkpoint.calibration
        if calibration is None:
            return self.metrics
        return compute_metrics(self.metrics.logits / np.float32(calibration.temperature), self.targets)


def fold_clips(checkpoint: Checkpoint, clips: list[Clip], fold: int) -> list[Clip]:
    """Return the clips of one fold, without the classes that the network does not know."""
    check_folds(clips, (fold,))
    known = without_classes(clips, tuple(checkpoint.provenance.get("left_out_classes", ())))
    if class_names(known) != checkpoint.class_names:
        raise DataError("data.classes", data=", ".join(class_names(known)), network=", ".join(checkpoint.class_names))
    return [clip for clip in known if clip.fold == fold]


def fold_data(checkpoint: Checkpoint, clips: list[Clip], fold: int, cache: Path) -> Prepared:
    """Return `fold_clips` as a checkpoint's input."""
    return prepare(fold_clips(checkpoint, clips, fold), checkpoint.spectrogram, checkpoint.input, cache)


def evaluate_fold(folder: Path, clips: list[Clip], fold: int, cache: Path, evaluation_log: Path) -> Evaluation:
    """Evaluate a checkpoint on one fold, logged if it was held out.

    Parameters
    ----------
    folder : path
        The checkpoint's folder.
    clips : list of Clip
        The whole data set; classes left out of training are left out here too.
    fold : int
    cache : path
        Folder for prepared spectrograms.
    evaluation_log : path
        CSV file.

    Raises
    ------
    DataError, CheckpointError
        There is no such fold; a clip or the checkpoint is missing or damaged.
    """
    model, checkpoint = load_checkpoint(folder)
    prepared, device = fold_data(checkpoint, clips, fold, cache), best_device()
    spectrograms_db, targets = (torch.from_numpy(part).to(device) for part in (prepared.spectrograms_db, prepared.targets))
    metrics = evaluate(to_device(model, device), spectrograms_db, targets, checkpoint.input)
    log_evaluation(evaluation_log, folder, checkpoint, fold, metrics.accuracy)
    return Evaluation(metrics, checkpoint, prepared.targets, prepared.names)


def log_evaluation(evaluation_log: Path, folder: Path, checkpoint: Checkpoint, fold: int, accuracy: float) -> None:
    """Append an evaluation to the log, unless the checkpoint was trained on the fold."""
    if fold not in seen_folds(checkpoint.provenance):
        record(evaluation_log, checkpoint.provenance.get("run", folder.name), fold, accuracy)


def record(evaluation_log: Path, run: str, fold: int, accuracy: float) -> None:
    """Append an evaluation to the log; warn if it can't be written."""
    try:
        evaluation_log.parent.mkdir(parents=True, exist_ok=True)
        with evaluation_log.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            if lines.tell() == 0:
                writer.writerow(_COLUMNS)
            writer.writerow([datetime.now(UTC).isoformat(timespec="minutes"), run, fold, f"{accuracy:.4f}"])
    except OSError as error:
        log.warning("This evaluation is not in the log %s: %s", evaluation_log, error)
