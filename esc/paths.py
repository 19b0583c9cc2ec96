"""Project paths, and paths as messages show them."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
DEFAULT_CHECKPOINT = ROOT / "checkpoints" / "esc50-resnet18"


def project_relative(path: Path) -> Path:
    """Return a path as messages name it: relative where it belongs to the project."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def display_path(path: str | os.PathLike) -> str:
    """Return a path as valid UTF-8: bytes that are none become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")
