"""Downloads of the API, under unguessable names."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from esc.ui.sessions.kept_files import KeptFiles

KEPT_BYTES = 2 * 10**9


class Downloads(KeptFiles):
    """The .npz files of one app.

    Parameters
    ----------
    folder : Path
        Created if necessary. Must be a static path of Gradio, which copies other files into its cache.
    max_bytes : int
    """

    def __init__(self, folder: Path, max_bytes: int = KEPT_BYTES) -> None:
        super().__init__(max_bytes)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> str:
        """Write arrays to a new file and return its path."""
        path = self.folder / f"{name}-{secrets.token_hex(16)}.npz"
        try:
            np.savez(path, **arrays)  # type: ignore[arg-type]  # compressed it is a tenth smaller and takes twenty times as long
            self.add(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return str(path)
