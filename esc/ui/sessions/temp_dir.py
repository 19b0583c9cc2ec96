"""Temporary directory of the process, and removal of those that killed processes left."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: no way to know which processes live, so nothing is removed
    fcntl = None  # type: ignore[assignment]

_MARK = ".in-use"  # locked while its process lives, which holds across containers, unlike a process id
_ATTEMPTS = 3
_UNMARKED_SECONDS = 3600.0  # a directory that has lost its mark for longer was deleted in part
_held: list[TextIOWrapper] = []  # locks held until the process ends
_made: list[Path] = []


def make_temp_dir(name: str) -> Path:
    """Return a new directory `name`-<process>-<random>, after removing abandoned ones."""
    root = Path(tempfile.gettempdir())
    for left in root.glob(f"{name}-*"):
        if re.fullmatch(rf"{re.escape(name)}-\d+-\w{{8}}", left.name) and _abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=root))
    unnamed = folder / f"{_MARK}.new"  # locked before it has the name that others look for
    mark = unnamed.open("w")
    if fcntl:
        fcntl.flock(mark, fcntl.LOCK_EX)
        unnamed.rename(folder / _MARK)
    _held.append(mark)
    delete_at_end(folder)
    return folder


def delete_at_end(folder: Path) -> None:
    """Delete a directory at the end of the process or on SIGTERM."""
    _made.append(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def delete_on_sigterm() -> None:
    """Delete the process's directories on SIGTERM, which stops services and containers.

    An orderly end would wait for the work of all threads, longer than a container is given.
    """

    def end(number: int, frame: object) -> None:
        for folder in _made * _ATTEMPTS:  # threads and decoders may still write
            shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    signal.signal(signal.SIGTERM, end)


def _abandoned(folder: Path) -> bool:
    try:
        with (folder / _MARK).open() as mark:
            if fcntl:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fcntl is not None
    except FileNotFoundError:
        with suppress(OSError):
            return time.time() - folder.stat().st_mtime > _UNMARKED_SECONDS
        return False
    except OSError:  # its lock is held
        return False
