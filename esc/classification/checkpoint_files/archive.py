"""Checkpoints in ZIP files: their files, extracted to a folder."""

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

MAX_BYTES = 250 * 10**6  # unpacked: a ResNet50 in 32 bits has half of it
FILES = re.compile(
    r"config\.json|figures\.json|README\.md|model\.safetensors\.index\.json|model-\d{5}-of-\d{5}\.safetensors|"
    r"ood_detector\.safetensors"
)
DAMAGE = (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, ZlibError, zipfile.BadZipFile)
_MAX_FILES = 100


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
    except DAMAGE as error:
        raise CheckpointError("checkpoint.archive", name=source.name, reason=reason_of(error)) from error
    return folder


def extract(source: Path, folder: Path) -> None:
    """Write the checkpoint in a ZIP to a folder; ValueError for other files.

    They are at the top or in one folder.
    """
    with zipfile.ZipFile(source) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > _MAX_FILES:
            raise ValueError(f"it holds {len(entries)} files; at most {_MAX_FILES} are possible")
        tops = {entry.filename.rpartition("/")[0] for entry in entries}
        left = MAX_BYTES
        for entry in entries:
            base = entry.filename.rpartition("/")[2]
            if len(tops) > 1 or "/" in min(tops) or not FILES.fullmatch(base):
                raise ValueError(f"{entry.filename} is no file of a checkpoint")
            with archive.open(entry) as file:  # the sizes that a ZIP states may be wrong
                content = file.read(left + 1)
            left -= len(content)
            if left < 0:
                raise ValueError(f"it holds more than {MAX_BYTES / 1e6:.0f} MB")
            (folder / base).write_bytes(content)
