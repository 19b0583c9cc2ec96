"""Disk space checks, atomic writes, and clear errors when the disk is full."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from esc import paths
from esc.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_free_space(path: Path, n_bytes: int) -> None:
    """Raise DataError if the disk of `path` has fewer than `n_bytes` bytes left."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise DataError("disk.room", path=path, needed_mb=n_bytes / 1e6, free_mb=free / 1e6)


@contextmanager
def disk_full_error(path: Path) -> Iterator[None]:
    """Turn the system's error for a full disk into a DataError that names `path`.

    Other system errors pass unchanged; those that safetensors has wrapped are unwrapped.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        raise DataError("disk.full", path=path) from error
    except SafetensorError as error:  # keeps only the number of the system's error
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        code = int(number[1])
        if code not in _DISK_FULL:
            raise OSError(code, os.strerror(code), str(path)) from error
        raise DataError("disk.full", path=path) from error


def write_atomic(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file completely or not at all; raise DataError if the disk is full."""
    with disk_full_error(path), paths.atomic_write(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, values: dict) -> None:
    """Write values as JSON, completely or not at all."""
    with disk_full_error(path):
        paths.write_json(path, values)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a plot; raise DataError if the disk is full."""
    with disk_full_error(path):
        figure.savefig(path)
