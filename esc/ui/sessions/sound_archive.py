"""Sounds in a ZIP file with a folder for each class."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zlib import error as ZlibError

from esc.audio.io import MAX_BYTES
from esc.errors import DataError, reason_of

MAX_ENTRIES = 2_000
CHUNK = 1 << 20
_DAMAGE = (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, ZlibError, zipfile.BadZipFile)


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
            if len(archive.infolist()) > MAX_ENTRIES:
                raise ValueError(f"it holds more than {MAX_ENTRIES} files")
            found = 0
            for number, entry in enumerate(archive.infolist()):
                path = PurePosixPath(entry.filename.replace("\\", "/"))
                if entry.is_dir() or len(path.parts) < 2 or path.name.startswith((".", "._")) or "__MACOSX" in path.parts:
                    continue
                if ".." in path.parts or path.is_absolute():
                    raise ValueError(f"{entry.filename} leads out of it")
                if path.suffix.lower() in endings:
                    found += 1
                    yield path.parent.name, path.name, _extracted(archive, entry, folder / f"{number}{path.suffix.lower()}")
            if not found:
                raise ValueError("it has no folder with sounds")
    except _DAMAGE as error:
        raise DataError("teach.zip", name=name, reason=reason_of(error)) from error


def _extracted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> Path:
    size = 0
    with archive.open(entry) as file, target.open("wb") as copy:  # the size that a ZIP states may be wrong
        while content := file.read(CHUNK):
            size += len(content)
            if size > MAX_BYTES:
                raise ValueError(f"{entry.filename} has more than {MAX_BYTES / 1e6:.0f} MB")
            copy.write(content)
    return target
