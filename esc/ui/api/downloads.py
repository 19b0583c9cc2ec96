"""Files that the named endpoints hand out: each under a name nobody guesses, the newest kept."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

KEPT_FILES = 20
KEPT_BYTES = 2 * 10**9


class Downloads:
    """The handed out files in a folder; at most `KEPT_FILES` of `KEPT_BYTES` together stay while a new one is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: list[Path] = []
        self._lock = threading.Lock()

    def next(self, name: str) -> Path:
        """Return where the next .npz file goes, after removing the oldest as needed."""
        path = self._folder / f"{name}-{secrets.token_hex(8)}.npz"
        with self._lock:
            kept = [(one, one.stat().st_size if one.exists() else 0) for one in self._paths]  # one may not be written yet
            while kept and (len(kept) >= KEPT_FILES or sum(size for _, size in kept) > KEPT_BYTES):
                kept.pop(0)[0].unlink(missing_ok=True)
            self._paths = [*(one for one, _ in kept), path]
        return path
