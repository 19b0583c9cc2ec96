"""Sounds of no class for training: the files of a folder, and synthetic ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from esc.classification.teaching.synthetic_sounds import KINDS, SAMPLE_RATE, synthesise
from esc.errors import ParameterError
from esc.paths import atomic_write
from training.data.esc50 import UNKNOWN, UNKNOWN_FOLD, Clip
from training.evaluation.ood_sounds import folder_files
from training.recipes import Recipe
from training.runs.disk import disk_full_error

_PER_KIND, _SECONDS, _SEED = 64, 5.0, 7_000  # other seeds than those by which rejection is measured


def unknown_clips(folder: Path | None, cache: Path) -> list[Clip]:
    """Return the sounds of a folder with its subfolders, and synthetic ones from the cache.

    Raises
    ------
    DataError
        The folder holds no sound, or the disk is full.
    """
    files = [*(folder_files(folder) if folder is not None else ()), *_synthetic(cache / "unknown")]
    return [Clip(path, path.name, UNKNOWN_FOLD, UNKNOWN, "unknown", str(path)) for path in files]


def with_unknown(recipe: Recipe, clips: list[Clip], folder: Path | None, cache: Path) -> list[Clip]:
    """Return a recipe's training clips: the known ones and, if it wants some, `unknown_clips`.

    Raises
    ------
    ParameterError, DataError
        The recipe has no use for the folder, or the folder holds no sound.
    """
    if recipe.unknown_batch:
        return clips + unknown_clips(folder, cache)
    if folder is not None:
        raise ParameterError("parameter.unknown", path=folder)
    return clips


def _synthetic(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, kind in enumerate(KINDS):
        for count in range(_PER_KIND):
            file = folder / f"{kind}-{count:02}.wav"
            if not file.is_file():
                waveform = synthesise(kind, _SECONDS, np.random.default_rng([_SEED + number, count]))
                with disk_full_error(file), atomic_write(file) as unfinished:
                    soundfile.write(unfinished, waveform, SAMPLE_RATE, subtype="PCM_16", format="WAV")
            files.append(file)
    return files
