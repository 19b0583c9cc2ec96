"""Sound files with classes: a folder per class, or a table."""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from pathlib import Path

from esc.batch.runner import ENDINGS, sound_files
from esc.classification.predictions import NO_CLASSES
from esc.errors import DataError, reason_of
from esc.paths import display_path, sha256_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelledFile:
    """A sound file and its class."""

    path: Path
    label: str
    name: str  # relative to the folder or table


def read_labelled(source: Path) -> list[LabelledFile]:
    """Return the files of a folder per class or of a table, in order."""
    if not source.exists():
        raise DataError("own.missing", path=source, reason="no such folder or table")
    found = _of_folders(source) if source.is_dir() else _of_table(source)
    labels = {example.label for example in found}
    for label in labels & set(NO_CLASSES):
        raise DataError("own.reserved", label=label)
    if len(labels) < 2:
        raise DataError("own.classes", path=source, count=len(labels))
    return found


def _of_folders(source: Path) -> list[LabelledFile]:
    folders = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not folders:
        raise DataError("own.missing", path=source, reason="it has no folders, one for each class")
    loose = sum(path.suffix.lower() in ENDINGS for path in source.iterdir() if path.is_file())
    if loose:
        log.warning("note: %d files directly in %s are left out: they are in the folder of no class", loose, display_path(source))
    found = []
    for folder in folders:
        files, errors = sound_files([folder])
        if errors:
            raise DataError("own.missing", path=folder, reason=errors[0].values["reason"])
        found += [LabelledFile(path, display_path(folder.name), display_path(path.relative_to(source))) for path in files]
    return found


def _of_table(table: Path) -> list[LabelledFile]:
    try:
        text = table.read_text(encoding="utf-8-sig")
        header = text.partition("\n")[0]
        rows = list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in header and "," not in header else ","))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError("own.missing", path=table, reason=f"it can't be read as a table: {reason_of(error)}") from error
    missing = {"file", "label"} - set(rows[0] if rows else ())
    if missing:
        raise DataError("own.columns", path=table, missing=", ".join(sorted(missing)))
    found = []
    for number, row in enumerate(rows, 2):  # row 1 names the columns
        name, label = ((row[column] or "").strip() for column in ("file", "label"))
        if not name or not label:
            raise DataError("own.row", path=table, number=number, reason="file or label is empty")
        path = table.parent / name
        if not path.is_file():
            raise DataError("own.row", path=table, number=number, reason=f"there is no file {path}")
        found.append(LabelledFile(path, display_path(label), display_path(name)))
    return found


def without_copies(files: list[LabelledFile]) -> dict[str, LabelledFile]:
    """Return the files by the SHA-256 of their content, copies left out.

    Raises
    ------
    DataError
        A file is in two classes.
    """
    first: dict[str, LabelledFile] = {}
    for file in files:
        other = first.setdefault(sha256_of(file.path), file)
        if other.label != file.label:
            raise DataError("own.twice", first=other.name, second=file.name, labels=f"{other.label}, {file.label}")
        if other is not file:
            log.warning("note: %s is a copy of %s: it is left out", file.name, other.name)
    return first
