"""Temporary files, bounded by size and age: those for download, and the web server's uploads."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

KEEP_SECONDS = 1800.0  # an open sound has a link of its own
MAX_UPLOAD_BYTES = 4 * 10**9
_NEW_SECONDS = 60.0  # an upload is opened as soon as it is complete
_STALLED_SECONDS = 120.0  # without a byte: the browser is gone, and Gradio keeps the part that came


class KeptFiles:
    """Files for download; the oldest are deleted first.

    Parameters
    ----------
    max_bytes : int
        In all, and at most half of what is free without them; the newest file is kept whatever its size.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._files: deque[tuple[Path, int, float]] = deque()
        self._lock = threading.Lock()

    def add(self, path: Path) -> None:
        """Keep a file until it is too old or others need its room."""
        with self._lock:
            with suppress(FileNotFoundError):  # deleted with its sound
                self._files.append((path, path.stat().st_size, time.monotonic()))
            total = sum(size for _, size, _ in self._files)
            most = min(self._max_bytes, (total + shutil.disk_usage(path.parent).free) // 2)
            while len(self._files) > 1 and sum(size for _, size, _ in self._files) > most:
                self._delete_oldest()

    def delete_old(self) -> None:
        """Delete all files older than `KEEP_SECONDS`."""
        with self._lock:
            while self._files and time.monotonic() - self._files[0][2] > KEEP_SECONDS:
                self._delete_oldest()

    def _delete_oldest(self) -> None:
        self._files.popleft()[0].unlink(missing_ok=True)


def delete_old_uploads(folder: Path) -> None:
    """Delete uploads that are too old or too many, the oldest first, and empty folders.

    They take at most `MAX_UPLOAD_BYTES`, and half of what is free without them.
    """
    files = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # deleted meanwhile
            stat = path.lstat()
            age_s = time.time() - stat.st_ctime  # the modification time may be the sender's
            if not path.is_dir():
                files.append((age_s, stat.st_size, path))
            elif age_s > _NEW_SECONDS:
                path.rmdir()  # fails where it is not empty
    if not files:
        return  # perhaps there is no folder yet
    total = sum(size for _, size, _ in files)
    most = min(MAX_UPLOAD_BYTES, (total + shutil.disk_usage(folder).free) // 2)
    for age_s, size, path in sorted(files, reverse=True):
        part = path.parent == folder and age_s > _STALLED_SECONDS  # a whole upload has a folder of its own
        if part or age_s > KEEP_SECONDS or (total > most and age_s > _NEW_SECONDS):
            path.unlink(missing_ok=True)
            total -= size
