"""What a run's network said of the clips it held out, kept beside the run: the fold is read once."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.errors import DataError
from training.data.esc50 import Clip
from training.evaluation.held_out_log import Reading, read_fold
from training.runs.disk import write_whole
from training.runs.run_dir import CHECKPOINT

FILE = "held_out.npz"


@dataclass(frozen=True)
class Predictions:
    """Logits of clips that the network was not trained on.

    Attributes
    ----------
    logits : float32 array, shape (clips, n_classes)
    targets : int64 array, shape (clips,)
    names : tuple of str
        File names as in the table.
    class_names : tuple of str
    """

    logits: np.ndarray
    targets: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, reading: Reading) -> Predictions:
        """Return those of a reading."""
        return cls(reading.figures.logits, reading.targets, reading.names, reading.checkpoint.class_names)

    def save(self, path: Path) -> None:
        """Write them, whole or not at all."""
        packed = io.BytesIO()
        arrays = {"logits": self.logits, "targets": self.targets}
        np.savez_compressed(packed, **arrays, names=np.array(self.names), class_names=np.array(self.class_names))
        write_whole(path, packed.getbuffer())

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read what `save` wrote; raise DataError where the file is missing or damaged."""
        try:
            with np.load(path) as kept:
                names, class_names = (tuple(kept[key].tolist()) for key in ("names", "class_names"))
                return cls(kept["logits"], kept["targets"], names, class_names)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError("data.predictions", path=path, reason=type(error).__name__) from error


def held_out(run: Path, clips: list[Clip], fold: int, cache: Path, readings: Path) -> Predictions:
    """Return what a finished run's network says of the fold it held out: read once, then kept beside the run."""
    path = run / FILE
    if not path.is_file():
        Predictions.of(read_fold(run / CHECKPOINT, clips, fold, cache, readings)).save(path)
    return Predictions.load(path)
