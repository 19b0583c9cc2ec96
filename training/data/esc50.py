"""ESC-50 on disk (official, Kaggle's or flat layout), and data sets of own sounds."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

from esc.errors import DataError
from training.runs.paths import DATA
from training.runs.run_dir import ESC_50, Origin, remembered_data

OWN_TABLE, ABOUT = "clips.csv", "data.json"  # of a data set made by `own_sounds`
_TABLES = ("meta/esc50.csv", "esc50.csv")
_AUDIO_FOLDERS = ("audio/audio", "audio", ".")
EXTENSIONS = (".wav", ".ogg", ".flac", ".opus", ".mp3", ".m4a")
_LEFT_OUT_SEED = 50
ESC50_SHAPE = (2_000, 50, 5)  # clips, classes, folds
UNKNOWN = -1  # target of a sound of no class
UNKNOWN_FOLD = 0
_ESC50_FILE = re.compile(r"([1-5])-\d+-[A-Z]-\d{1,2}")  # fold, clip at freesound.org, take, target
_COLUMNS = {"filename", "fold", "target", "category"}


@dataclass(frozen=True)
class Clip:
    """One row of the table: the file, its fold 1-5, its target 0-49 and category."""

    path: Path
    name: str
    fold: int
    target: int
    category: str
    source: str


def data_folder(given: Path | None, run: Path | None = None) -> Path:
    """Return the data folder: given, a run's, or that of the variable ESC50_DIR."""
    folder = given or (remembered_data(run) if run else None) or Path(os.environ.get("ESC50_DIR", DATA))
    if not folder.is_dir():
        raise DataError("data.missing", path=folder, reason="no such folder")
    return folder


def is_own(folder: Path) -> bool:
    """Return whether a data set was made by `own_sounds`."""
    return (folder / ABOUT).is_file()


def read_clips(folder: Path) -> list[Clip]:
    """Return the clips of a data set, in the order of its table.

    Raises
    ------
    DataError
        The table or clips are missing, the table has other columns, or a row is invalid or contradicts another.
    """
    names = (OWN_TABLE,) if is_own(folder) else _TABLES
    table = next((folder / name for name in names if (folder / name).is_file()), None)
    if table is None:
        raise DataError("data.missing", path=folder, reason=f"neither {_TABLES[0]} nor {_TABLES[1]} is there")
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:  # spreadsheets write a byte order mark
            rows = list(csv.DictReader(lines))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise DataError("data.table", path=table, reason=error) from error
    missing = _COLUMNS - set(rows[0] if rows else ())
    if missing:
        raise DataError("data.columns", path=table, missing=", ".join(sorted(missing)))
    audio = _audio_files(folder)
    absent = [row["filename"] for row in rows if row["filename"] and Path(row["filename"]).stem not in audio]
    if absent:
        raise DataError("data.clips", count=len(absent), path=table, first=absent[0])
    clips = [_clip(row, number, table, audio) for number, row in enumerate(rows, 2)]  # row 1 names the columns
    _check_rows(clips, table)
    return clips


def origin_of(folder: Path, clips: list[Clip]) -> Origin:
    """Return name and licence of a data set, its own or ESC-50's.

    ESC-50 is known by its shape, a part of it by the names of its files.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return Origin(str(about["name"]), about.get("licence"), str(folder.resolve()))
    except FileNotFoundError:
        shape = len(clips), len(class_names(clips)), len(all_folds(clips))
        is_part = all(esc50_fold(clip.name) == clip.fold for clip in clips)
        if shape == ESC50_SHAPE or is_part:
            part = "" if shape == ESC50_SHAPE else f", {shape[0]} clips of {shape[1]} classes"
            return Origin(ESC_50.name + part, ESC_50.licence, str(folder.resolve()))
        return Origin(folder.resolve().name, None, str(folder.resolve()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("data.table", path=folder / ABOUT, reason=error) from error


def esc50_fold(name: str) -> int | None:
    """Return the fold in the name of an ESC-50 file, such as 1-100032-A-0.wav; else None."""
    found = _ESC50_FILE.fullmatch(Path(name).stem)
    return int(found[1]) if found else None


def class_names(clips: list[Clip]) -> tuple[str, ...]:
    """Return the categories in the order of their targets."""
    names = {clip.target: clip.category for clip in clips if clip.target != UNKNOWN}
    return tuple(names[target] for target in sorted(names))


def all_folds(clips: list[Clip]) -> tuple[int, ...]:
    """Return the existing folds, 1 to 5 in ESC-50."""
    return tuple(sorted({clip.fold for clip in clips}))


def check_folds(clips: list[Clip], folds: tuple[int, ...]) -> None:
    """Raise DataError for a fold without clips."""
    known = all_folds(clips)
    for fold in folds:
        if fold not in known:
            raise DataError("data.fold", fold=fold, folds=", ".join(map(str, known)))


def left_out(clips: list[Clip], wanted: str) -> tuple[str, ...]:
    """Return the classes to leave out; DataError if they are unknown or too many.

    `wanted`: a number, drawn at random with a fixed seed, or comma-separated class names; empty for none.
    """
    names = class_names(clips)
    if wanted.strip().isdecimal():
        count = min(int(wanted), len(names))
        chosen = sorted(random.Random(_LEFT_OUT_SEED).sample(range(len(names)), count))
        found = tuple(names[target] for target in chosen)
    else:
        found = tuple(dict.fromkeys(name for part in wanted.split(",") if (name := part.strip())))
    unknown = [name for name in found if name not in names]
    if unknown or len(names) - len(found) < 2:
        raise DataError("data.without", value=", ".join(unknown) or wanted, most=len(names) - 2)
    return found


def without_classes(clips: list[Clip], names: tuple[str, ...]) -> list[Clip]:
    """Return the clips of all other classes, with targets renumbered without gaps."""
    if not names:
        return clips
    kept = [name for name in class_names(clips) if name not in names]
    return [dataclasses.replace(clip, target=kept.index(clip.category)) for clip in clips if clip.category in kept]


def _check_rows(clips: list[Clip], table: Path) -> None:
    """Raise DataError if a clip is listed twice, or targets and categories do not correspond."""
    first: dict[str, int] = {}
    pairs: dict[int | str, int | str] = {}
    for number, clip in enumerate(clips, 2):
        if first.setdefault(clip.name, number) != number:
            raise DataError("data.row", path=table, number=number, reason=f"{clip.name} stands in row {first[clip.name]} too")
        if (
            pairs.setdefault(clip.target, clip.category) != clip.category
            or pairs.setdefault(clip.category, clip.target) != clip.target
        ):
            reason = f"target {clip.target} and category {clip.category} don't go together in other rows"
            raise DataError("data.row", path=table, number=number, reason=reason)
    targets = sorted({clip.target for clip in clips})
    if targets != list(range(len(targets))):
        raise DataError("data.table", path=table, reason=f"targets go from {targets[0]} to {targets[-1]} with gaps")


def _clip(row: dict[str, str], number: int, table: Path, audio: dict[str, Path]) -> Clip:
    try:
        if not all(row[column] for column in _COLUMNS):
            raise ValueError("a column is empty")
        return Clip(
            path=audio[Path(row["filename"]).stem],
            name=row["filename"],
            fold=int(row["fold"]),
            target=int(row["target"]),
            category=row["category"],
            source=row.get("src_file") or row["filename"].split("-")[1],
        )
    except (ValueError, TypeError, IndexError) as error:
        raise DataError("data.row", path=table, number=number, reason=error) from error


def _audio_files(folder: Path) -> dict[str, Path]:
    """Return the sound files by their names without extension."""
    for name in _AUDIO_FOLDERS:
        found = {
            path.stem: path for path in sorted((folder / name).glob("*")) if path.suffix.lower() in EXTENSIONS and path.is_file()
        }
        if found:
            return found
    raise DataError("data.missing", path=folder, reason="no sound files in audio/")
