"""A temporary folder of this process's own, gone when it ends; what killed processes left is removed by the next one."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from io import TextIOWrapper
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing tells who is alive, so nothing of others is removed
    fcntl = None

_MARK = ".in-use"  # locked while its process lives, whatever its number and whichever container it runs in
_held: list[TextIOWrapper] = []  # the locks end with the process


def make_temp_dir(name: str) -> Path:
    """Return a new folder `name`-<process>-<random> in the system's temporary one, after removing abandoned ones."""
    root = Path(tempfile.gettempdir())
    for left in root.glob(f"{name}-*"):
        if re.fullmatch(rf"{re.escape(name)}-\d+-\w{{8}}", left.name) and _abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=root))
    unnamed = folder / f"{_MARK}.new"  # nobody looks at it before it is locked
    mark = unnamed.open("w")
    if fcntl:
        fcntl.flock(mark, fcntl.LOCK_EX)
        unnamed.rename(folder / _MARK)
    _held.append(mark)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _abandoned(folder: Path) -> bool:
    try:
        with (folder / _MARK).open() as mark:
            if fcntl:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fcntl is not None
    except OSError:  # no mark: not ours; or its lock is held
        return False
