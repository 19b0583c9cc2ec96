"""Sounds for the out-of-distribution detector: folders of recordings, and synthetic noise, tones and pseudo-speech.

A folder holds sound files, also in subfolders. A table `sounds.csv` in it, or in the folder that contains it, may label them:
columns `file` (relative to the table) and `label`. Without it a sound's label is its file name without the number at its end.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.audio.waveform import is_silent
from esc.batch.runner import sound_files
from esc.classification.classifier import Classifier
from esc.classification.similarity import first_clip_of
from esc.classification.teaching.synthetic_sounds import KINDS, SAMPLE_RATE, synthesise
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, DataError
from training.runs.progress import progress_bar

_TABLE = "sounds.csv"
RECORDED = "recorded"  # kind of the sounds of a folder
_SOUNDS_PER_KIND = 40


@dataclass(frozen=True)
class OodFolders:
    """Folders of sounds for the detector."""

    unknown: Path | None = None  # of none of the classes, to fit the detector; without it, on synthetic sounds alone
    unknown_valid: Path | None = None  # other ones of none of the classes, for figures
    known_valid: Path | None = None  # of the classes, labelled with their names, for figures


@dataclass(frozen=True)
class Sounds:
    """Input of the network for sounds."""

    labels: tuple[str, ...]
    spectrograms_db: np.ndarray  # float32 (n_sounds, n_mels, n_frames)


def folder_files(folder: Path) -> list[Path]:
    """Return the sound files of a folder with its subfolders.

    Raises
    ------
    DataError, AudioError
        There are none; a subfolder can't be read.
    """
    files, errors = sound_files([folder]) if folder.is_dir() else ([], [])
    if not files:
        raise DataError("data.no_sounds", path=folder)
    if errors:
        raise errors[0]
    return files


def recorded_sounds(folder: Path, classifier: Classifier) -> Sounds:
    """Return the sounds of a folder, of each file its `Classifier.first_clip`.

    Silent files and those too short to name are left out.

    Raises
    ------
    AudioError
        A file can't be read.
    DataError
        The folder holds no sound, or the table is damaged.
    """
    files = folder_files(folder)
    labels, found = _labels(folder), []
    with progress_bar() as bar:
        task = bar.add_task("sounds", total=len(files), detail="")
        for file in files:
            bar.advance(task)
            try:
                samples = first_clip_of(file, classifier).samples
            except AudioError as error:
                if error.key == "audio.too_short_to_name":
                    continue
                raise
            if not is_silent(samples):
                label = labels.get(file.resolve(), file.stem.rstrip("0123456789").rstrip("_- ") or file.stem)
                found.append((label, clip_mel_db(samples, classifier.checkpoint.spectrogram).numpy()))
    if not found:
        raise DataError("data.silent", path=folder)
    return Sounds(tuple(label for label, _ in found), np.stack([spectrogram_db for _, spectrogram_db in found]))


def synthetic_sounds(classifier: Classifier, seed: int) -> dict[str, Sounds]:
    """Return some sounds of each of `KINDS`; equal seeds give equal sounds."""
    meta, found = classifier.checkpoint, {}
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng([seed, number])
        waveforms = (synthesise(kind, meta.input.clip_seconds, rng) for _ in range(_SOUNDS_PER_KIND))
        spectrograms_db = [
            clip_mel_db(classifier.clip(waveform, SAMPLE_RATE), meta.spectrogram).numpy() for waveform in waveforms
        ]
        found[kind] = Sounds((kind,) * len(spectrograms_db), np.stack(spectrograms_db))
    return found


def _labels(folder: Path) -> dict[Path, str]:
    """Return the labels in the table of a folder by file; empty without a table."""
    table = next((path for path in (folder / _TABLE, folder.resolve().parent / _TABLE) if path.is_file()), None)
    if table is None:
        return {}
    try:
        with table.open(newline="", encoding="utf-8") as lines:
            return {(table.parent / row["file"]).resolve(): row["label"] for row in csv.DictReader(lines)}
    except (OSError, UnicodeDecodeError, KeyError, TypeError, csv.Error) as error:
        raise DataError("data.sounds", path=table, reason=type(error).__name__) from error
