"""Sounds in a ZIP file with a folder for each class."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from esc.audio.io import MAX_BYTES
from esc.classification.checkpoint_files.archive import ZIP_ERRORS, extract_file, zip_files
from esc.errors import DataError, reason_of

MAX_ENTRIES = 2_000


def sounds_in_zip(source: Path, name: str, endings: tuple[str, ...], folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield class, name and a temporary file of each sound in a ZIP.

    The class is the name of the innermost folder. Names are only text: nothing is written outside `folder`.

    Raises
    ------
    DataError
        The file, called `name`, is no ZIP, damaged, too large, or holds no sound in a folder.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            found = 0
            for number, entry in enumerate(zip_files(archive, MAX_ENTRIES)):
                path = PurePosixPath(entry.filename.replace("\\", "/"))
                if len(path.parts) < 2 or path.name.startswith((".", "._")) or "__MACOSX" in path.parts:
                    continue
                if ".." in path.parts or path.is_absolute():
                    raise ValueError(f"{entry.filename} leads out of it")
                if path.suffix.lower() in endings:
                    found += 1
                    target = folder / f"{number}{path.suffix.lower()}"
                    extract_file(archive, entry, target, MAX_BYTES)
                    yield path.parent.name, path.name, target
            if not found:
                raise ValueError("it has no folder with sounds")
    except ZIP_ERRORS as error:
        raise DataError("teach.zip", name=name, reason=reason_of(error)) from error
