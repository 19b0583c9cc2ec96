"""Data sets of own sounds: a folder per class or a table, cut into clips."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from esc.audio.io import open_audio
from esc.audio.resampling import resample
from esc.audio.waveform import is_silent
from esc.batch.labelled_files import LabelledFile, read_labelled, without_copies
from esc.classification.first_clip import MIN_NAMED_S
from esc.errors import AudioError, DataError, reason_of
from esc.paths import atomic_write
from training.data.esc50 import ABOUT, OWN_TABLE, esc50_fold
from training.data.preprocessing import map_files
from training.runs.disk import check_free_space, disk_full_error, write_atomic, write_json
from training.runs.run_dir import ESC_50

FOLDS = (5, 4, 3, 2, 1)  # in the order in which they are filled: 5 is held out by default
MIN_FILES = 2  # of a class: one to train on, one to hold out
_MAX_FLAC_RATE = 192_000
_SEED = 18
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CutFile:
    """Clips of a file: their names and starts in seconds."""

    clips: tuple[tuple[str, float], ...]
    error: str = ""  # why there is none


def make_data_set(source: Path, folder: Path, clip_seconds: float) -> list[str]:
    """Write a data set that `read_clips` reads, and return what could not be used.

    Files are cut into clips; a rest shorter than half a clip, and silent clips, are left out. All clips of a file are in one
    fold; files of ESC-50, by their names, are in its own. `folder` appears when it is complete; one
    made from the same sounds is kept.

    Parameters
    ----------
    source : path
        A folder with a folder of sounds for each class, or a CSV table with the columns file and label.
    folder : path
        Of the data set.
    clip_seconds : float

    Raises
    ------
    DataError
        There are fewer than two classes, or a class has fewer than `MIN_FILES` usable files; a file is in two classes;
        `folder` holds something else.
    """
    examples, digest = _unique(read_labelled(source), clip_seconds)
    if (made := _made(folder, digest)) is not None:
        log.info("%s is made from these sounds: it stays as it is", folder)
        return made
    check_free_space(folder / OWN_TABLE, sum(example.path.stat().st_size for example in examples))
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "audio").mkdir(parents=True)
    tasks = [(example, unfinished / "audio", number, clip_seconds) for number, example in enumerate(examples, 1)]
    cut = list(map_files(cut_file, tasks))
    used = [(example, one.clips) for example, one in zip(examples, cut, strict=True) if one.clips]
    _check_classes(examples, used)
    _write_table(unfinished / OWN_TABLE, used)
    classes = len({example.label for example in examples})
    unusable = [f"{example.name}: {one.error}" for example, one in zip(examples, cut, strict=True) if one.error]
    name, licence = f"{folder.name}, {len(used)} files of {classes} classes", None
    if all(esc50_fold(example.path.name) for example in examples):
        name, licence = f"{ESC_50.name}, {len(used)} clips of {classes} classes", ESC_50.licence
    write_json(unfinished / ABOUT, {"name": name, "licence": licence, "sources": digest, "unusable": unusable})
    if folder.is_dir():  # empty, see `_made`
        folder.rmdir()
    unfinished.rename(folder)
    return unusable


def _unique(examples: list[LabelledFile], clip_seconds: float) -> tuple[list[LabelledFile], str]:
    """Return the examples without copies, and a digest; DataError for a file in two classes."""
    first = without_copies(examples)
    rows = [(content, example.name, example.label) for content, example in first.items()]
    return list(first.values()), hashlib.sha256(json.dumps([clip_seconds, rows]).encode()).hexdigest()


def _made(folder: Path, digest: str) -> list[str] | None:
    """Return what the data set that is there left out; DataError for something else."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["sources"] == digest:
            return about.get("unusable", [])
    except (OSError, ValueError, TypeError, KeyError):
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
    raise DataError("own.exists", path=folder)


def cut_file(example: LabelledFile, folder: Path, number: int, clip_seconds: float) -> CutFile:
    """Write a file's clips into a folder as FLAC, mono, at its own rate."""
    stem = re.sub(r"[^\w-]+", "_", example.path.stem)[:60]
    clips = []
    try:
        for start_s, samples, rate in _parts(example, clip_seconds):
            if len(samples) < MIN_NAMED_S * rate or is_silent(samples):
                continue
            name = f"{number:05}-{stem}-{start_s:g}s.flac"
            _write_flac(folder / name, samples, rate)
            clips.append((name, start_s))
    except AudioError as error:
        for name, _ in clips:
            (folder / name).unlink()
        return CutFile((), str(error))
    return CutFile(tuple(clips), "" if clips else f"silent, or shorter than {MIN_NAMED_S:g} s: there is nothing to learn from")


def _parts(example: LabelledFile, clip_seconds: float) -> Iterator[tuple[float, np.ndarray, int]]:
    """Yield start in seconds, samples and rate of a file's consecutive clips."""
    try:
        facts, blocks = open_audio(example.path, example.name)
        rate, held, start = facts.sample_rate, np.zeros(0, np.float32), 0
        length = round(clip_seconds * rate)
        for block in blocks:
            held = np.concatenate([held, block])
            while len(held) >= length:
                yield start / rate, held[:length], rate
                held, start = held[length:], start + length
        if len(held) >= length / 2 or not start:
            yield start / rate, held, rate
    except OSError as error:
        raise AudioError("audio.crashed", name=example.name, reason=reason_of(error)) from error
    if facts.cut_off or facts.damaged:
        log.warning("note: %s is damaged: only %.2f s of it can be read", example.name, facts.seconds)


def _write_flac(path: Path, samples: np.ndarray, rate: int) -> None:
    if rate > _MAX_FLAC_RATE:
        samples, rate = resample(samples, rate, _MAX_FLAC_RATE), _MAX_FLAC_RATE
    full_scale = samples / max(1.0, float(np.abs(samples).max()))
    with disk_full_error(path), atomic_write(path) as unfinished:
        soundfile.write(unfinished, full_scale, rate, format="FLAC", subtype="PCM_24")


def _check_classes(examples: list[LabelledFile], used: list[tuple[LabelledFile, tuple]]) -> None:
    """Raise DataError for too few files of a class; note classes that some folds lack."""
    files = Counter(example.label for example, _ in used)
    for label in dict.fromkeys(example.label for example in examples):
        if files[label] < MIN_FILES:
            raise DataError("own.few", label=label, files=files[label], least=MIN_FILES)
        if files[label] < len(FOLDS):
            log.warning(
                "note: class %s has %d files, so %d folds have none of it", label, files[label], len(FOLDS) - files[label]
            )


def folds_of(counts: dict[str, int]) -> dict[str, int]:
    """Return the fold of each file of a class, as evenly as their clips allow."""
    order = sorted(counts)
    random.Random(_SEED).shuffle(order)
    filled, found = dict.fromkeys(FOLDS, 0), {}
    for name in sorted(order, key=lambda one: -counts[one]):
        found[name] = min(FOLDS, key=lambda fold: filled[fold])
        filled[found[name]] += counts[name]
    return found


def _write_table(path: Path, used: list[tuple[LabelledFile, tuple[tuple[str, float], ...]]]) -> None:
    labels = list(dict.fromkeys(example.label for example, _ in used))
    fold: dict[str, int] = {}
    for label in labels:
        fold |= folds_of({example.name: len(clips) for example, clips in used if example.label == label})
    official = {example.name: esc50_fold(example.path.name) for example, _ in used}
    if all(official.values()):  # the folds of ESC-50, on four of which the shipped network was trained
        fold = {name: number for name, number in official.items() if number}
    rows = [
        [name, fold[example.name], labels.index(example.label), example.label, example.name, f"{start_s:g}"]
        for example, clips in used
        for name, start_s in clips
    ]
    lines: list[list] = [["filename", "fold", "target", "category", "src_file", "start_s"], *rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_atomic(path, text.getvalue())
