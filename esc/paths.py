"""Project paths, paths in messages and atomic writes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
ROOT = _PACKAGE.parent
_DATA = _PACKAGE if (_PACKAGE / "assets").is_dir() else ROOT  # installed, the package holds assets and checkpoint
ASSETS = _DATA / "assets"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
DEFAULT_CHECKPOINT = _DATA / "checkpoints" / "esc50-resnet18"
CHECKPOINT_VARIABLE = "SOUNDGLASS_CHECKPOINT"  # names the folder or ZIP of another checkpoint, to the app and all commands


def project_relative(path: Path) -> Path:
    """Return a path relative to the project where it lies inside."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def display_path(path: str | os.PathLike) -> str:
    """Return a path as printable UTF-8; undecodable bytes, control and direction characters become U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", os.fsencode(path).decode("utf-8", "replace"))


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` on success and is removed on failure.

    Its name is unique: of two writers the last to finish wins, and none sees half of the other's file.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, values: dict) -> None:
    """Write values as indented JSON, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
