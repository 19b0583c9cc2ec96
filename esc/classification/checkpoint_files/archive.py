"""ZIP files, extracted up to a limit of files and bytes, and checkpoints in them."""

from __future__ import annotations

import atexit
import re
import shutil
import zipfile
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from zlib import error as ZlibError

from esc.errors import CheckpointError, reason_of
from esc.paths import DEFAULT_CHECKPOINT

CONFIG = "config.json"
MAX_BYTES = 250 * 10**6  # unpacked: a ResNet50 in 32 bits has half of it
FILES = re.compile(
    r"config\.json|figures\.json|README\.md|model\.safetensors\.index\.json|model-\d{5}-of-\d{5}\.safetensors|"
    r"ood_detector\.safetensors"
)
ZIP_ERRORS = (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, ZlibError, zipfile.BadZipFile)
_MAX_FILES = 100
_BLOCK_BYTES = 1 << 20


def zip_files(archive: zipfile.ZipFile, most: int) -> list[zipfile.ZipInfo]:
    """Return the files in a ZIP, without its folders; ValueError for more than `most`."""
    files = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(files) > most:
        raise ValueError(f"it holds {len(files)} files; at most {most} are possible")
    return files


def extract_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, limit: int, before: int = 0) -> int:
    """Write one file of a ZIP and return the bytes of all; ValueError above `limit`."""
    size = before
    with archive.open(entry) as file, target.open("wb") as copy:
        while block := file.read(_BLOCK_BYTES):  # the size that a ZIP states may be wrong
            size += len(block)
            if size > limit:
                raise ValueError(f"{entry.filename}: more than {limit / 1e6:.0f} MB")
            copy.write(block)
    return size


def checkpoint_folder(path: str | Path | None) -> Path:
    """Return the folder of a checkpoint, by default the shipped one.

    A ZIP is extracted to a folder that is deleted when the process ends.

    Raises
    ------
    CheckpointError
        A ZIP is damaged or holds anything but the files of a checkpoint.
    """
    folder = DEFAULT_CHECKPOINT if path is None else Path(path)
    if not folder.is_file():
        return folder
    about = folder.stat()
    return _extracted(folder.absolute(), about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=16)
def _extracted(source: Path, mtime_ns: int, size: int) -> Path:
    folder = Path(mkdtemp(prefix="checkpoint-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        extract(source, folder)
    except ZIP_ERRORS as error:
        raise CheckpointError("checkpoint.archive", name=source.name, reason=reason_of(error)) from error
    if not (folder / CONFIG).is_file():
        raise CheckpointError("checkpoint.archive", name=source.name, reason=f"it holds no {CONFIG}")
    return folder


def extract(source: Path, folder: Path) -> None:
    """Write the checkpoint in a ZIP to a folder; ValueError for other files.

    They are at the top or in one folder.
    """
    with zipfile.ZipFile(source) as archive:
        entries = zip_files(archive, _MAX_FILES)
        tops = {entry.filename.rpartition("/")[0] for entry in entries}
        size = 0
        for entry in entries:
            base = entry.filename.rpartition("/")[2]
            if len(tops) > 1 or "/" in min(tops) or not FILES.fullmatch(base):
                raise ValueError(f"{entry.filename} is no file of a checkpoint")
            size = extract_file(archive, entry, folder / base, MAX_BYTES, size)
