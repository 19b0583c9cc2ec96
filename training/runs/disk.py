"""A disk that is full, said in one sentence before and while something is written."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from esc.errors import DataError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_room(path: Path, n_bytes: int) -> None:
    """Raise DataError where the disk that `path` will lie on has fewer than `n_bytes` bytes left."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise DataError("disk.room", path=path, needed_mb=n_bytes / 1e6, free_mb=free / 1e6)


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Turn the system's error for a full disk, met while `path` is written, into a DataError that names the file.

    Other errors of the system stay what they are; safetensors' own wrapping of them is taken off.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DataError("disk.full", path=path) from error
    except SafetensorError as error:  # wraps the system's error and keeps but its number
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        code = int(number[1])
        if code not in _FULL:
            raise OSError(code, os.strerror(code), str(path)) from error
        raise DataError("disk.full", path=path) from error


def write_whole(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file that is there whole or not at all; raise DataError where the disk is full."""
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        with full_disk_named(path):
            unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
