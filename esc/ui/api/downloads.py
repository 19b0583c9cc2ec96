"""Downloads of the API: unguessable names, bounded retention."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np

KEPT_FILES = 20
KEPT_BYTES = 2 * 10**9


class Downloads:
    """The .npz files of one app; the oldest are deleted past `KEPT_FILES` or `KEPT_BYTES`.

    Parameters
    ----------
    folder : Path
        Created if necessary. Must be a static path of Gradio, which copies other files into its cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._kept: deque[tuple[Path, int]] = deque()
        self._lock = threading.Lock()

    def save(self, name: str, arrays: Mapping[str, np.ndarray], compressed: bool = True) -> str:
        """Write arrays to a new file and return its path."""
        path = self._folder / f"{name}-{secrets.token_hex(16)}.npz"
        (np.savez_compressed if compressed else np.savez)(path, **arrays)  # type: ignore[arg-type]
        with self._lock:
            self._kept.append((path, path.stat().st_size))
            while len(self._kept) > KEPT_FILES or (len(self._kept) > 1 and sum(size for _, size in self._kept) > KEPT_BYTES):
                self._kept.popleft()[0].unlink(missing_ok=True)
        return str(path)
