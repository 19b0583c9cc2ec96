"""Reading a fold with a checkpoint, and the log of all such readings: how often a held-out fold was looked at is told."""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from esc.classification.checkpoint import Checkpoint, load_checkpoint
from training.data.esc50 import Clip, check_folds, without_classes
from training.data.preprocessing import prepare
from training.engine.devices import best_device
from training.evaluation.metrics import Figures, figures_of, score

log = logging.getLogger(__name__)
_COLUMNS = ("date", "run", "fold", "accuracy")


@dataclass(frozen=True)
class Reading:
    """What a checkpoint says of one fold's clips.

    Attributes
    ----------
    figures : Figures
    checkpoint : Checkpoint
    targets : int64 array, shape (clips,)
    names : tuple of str
        File names as in the table.
    """

    figures: Figures
    checkpoint: Checkpoint
    targets: np.ndarray
    names: tuple[str, ...]

    @property
    def calibrated(self) -> Figures:
        """The figures under the checkpoint's temperature; the plain ones where it has none."""
        calibration = self.checkpoint.calibration
        if calibration is None:
            return self.figures
        return figures_of(self.figures.logits / np.float32(calibration.temperature), self.targets)


def read_fold(checkpoint: Path, clips: list[Clip], fold: int, cache: Path, readings: Path) -> Reading:
    """Measure a checkpoint on one fold; where it was held out, the log gets a row.

    Parameters
    ----------
    checkpoint : path
        Its folder.
    clips : list of Clip
        The whole data set; classes that the checkpoint's training left out are left out here too.
    fold : int
    cache : path
        Folder for the prepared pictures.
    readings : path
        The log, a CSV file.

    Raises
    ------
    DataError, CheckpointError
        There is no such fold; a clip or the checkpoint is missing or damaged.
    """
    check_folds(clips, (fold,))
    model, meta = load_checkpoint(checkpoint)
    clips = without_classes(clips, tuple(meta.provenance.get("without", ())))
    prepared = prepare(clips, meta.spectrogram, meta.input, cache)
    chosen = np.flatnonzero(prepared.folds == fold)
    targets = prepared.targets[chosen]
    device = best_device()
    model = model.to(device, memory_format=torch.channels_last)
    pictures = torch.from_numpy(prepared.spectrograms_db[chosen]).to(device)
    figures = score(model, pictures, torch.from_numpy(targets).to(device), meta.input)
    record_held_out(readings, checkpoint, meta, fold, figures.accuracy)
    return Reading(figures, meta, targets, tuple(prepared.names[index] for index in chosen))


def record_held_out(readings: Path, folder: Path, checkpoint: Checkpoint, fold: int, accuracy: float) -> None:
    """Append a reading of a fold to the log where the checkpoint of that folder was not trained on it."""
    if fold not in checkpoint.provenance.get("train_folds", ()):
        record(readings, checkpoint.provenance.get("run", folder.name), fold, accuracy)


def record(readings: Path, run: str, fold: int, accuracy: float) -> None:
    """Append one reading of a held-out fold to the log; a log that can't be written is told, not fatal."""
    try:
        readings.parent.mkdir(parents=True, exist_ok=True)
        with readings.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            if lines.tell() == 0:
                writer.writerow(_COLUMNS)
            writer.writerow([datetime.now(UTC).isoformat(timespec="minutes"), run, fold, f"{accuracy:.4f}"])
    except OSError as error:
        log.warning("This reading is not in the log %s: %s", readings, error)
