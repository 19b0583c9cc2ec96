"""The example sounds that come with the project; made by `assets/synthesis`."""

from __future__ import annotations

from pathlib import Path

from esc.paths import ASSETS

FOLDER = ASSETS / "examples"


def example_sounds() -> dict[str, Path]:
    """Return the example sounds by name, sorted; empty without the folder."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.flac"))}
