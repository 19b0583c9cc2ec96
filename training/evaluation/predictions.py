"""Predictions for a run's held-out clips, stored with the run."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.errors import DataError
from training.data.esc50 import Clip
from training.evaluation.held_out_log import evaluate_fold
from training.evaluation.temperature import cross_fitted
from training.runs.disk import write_atomic
from training.runs.run_dir import CHECKPOINT

FILE = "held_out.npz"


@dataclass(frozen=True)
class Predictions:
    """Logits of clips that the network was not trained on."""

    logits: np.ndarray  # float32 (clips, n_classes)
    targets: np.ndarray  # int64 (clips,)
    names: tuple[str, ...]  # file names as in the table
    class_names: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write them atomically."""
        packed = io.BytesIO()
        names, class_names = np.array(self.names), np.array(self.class_names)
        np.savez_compressed(packed, logits=self.logits, targets=self.targets, names=names, class_names=class_names)
        write_atomic(path, packed.getbuffer())

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read what `save` wrote; raise DataError if the file is missing or damaged."""
        try:
            with np.load(path) as stored:
                names, class_names = (tuple(stored[key].tolist()) for key in ("names", "class_names"))
                return cls(stored["logits"], stored["targets"], names, class_names)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError("data.predictions", path=path, reason=type(error).__name__) from error


def held_out(run: Path, clips: list[Clip], fold: int, cache: Path, evaluation_log: Path) -> Predictions:
    """Return a finished run's predictions for its held-out fold, evaluated only once."""
    path = run / FILE
    if not path.is_file():
        found = evaluate_fold(run / CHECKPOINT, clips, fold, cache, evaluation_log)
        Predictions(found.metrics.logits, found.targets, found.names, found.checkpoint.class_names).save(path)
    return Predictions.load(path)


@dataclass(frozen=True)
class Pooled:
    """Predictions of several folds' networks, each for its own held-out fold."""

    logits: np.ndarray
    targets: np.ndarray
    folds: np.ndarray

    @classmethod
    def of(cls, folds: list[Predictions]) -> Pooled:
        """Return the pooled predictions."""
        numbers = np.repeat(np.arange(len(folds)), [len(one.targets) for one in folds])
        return cls(np.concatenate([one.logits for one in folds]), np.concatenate([one.targets for one in folds]), numbers)

    def cross_fitted(self, groups: np.ndarray | None = None) -> np.ndarray:
        """Return logits divided by the temperature of the other folds or groups."""
        return cross_fitted(self.logits, self.targets, self.folds if groups is None else groups)
