"""Accuracy of a checkpoint after distortions, stored with it as `robustness.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NotRequired

from pydantic import Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from esc.classification.checkpoint_files.metrics import STRICT, Count, Share
from esc.errors import CheckpointError
from esc.paths import project_relative, write_json

FILE = "robustness.json"


@with_config(STRICT)
class Previous(TypedDict):
    """Another run's accuracy on the same clips."""

    run: str
    accuracy: dict[str, Share]


@with_config(STRICT)
class Robustness(TypedDict):
    """Content of the file: the accuracy on one fold, by the names of the distortions."""

    run: str
    fold: Annotated[int, Field(ge=1, le=1000)]
    clips: Count
    accuracy: Annotated[dict[str, Share], Field(min_length=1)]
    previous: NotRequired[Previous]  # of the network whose place this one took


_ROBUSTNESS = TypeAdapter(Robustness)


def read_robustness(folder: Path) -> Robustness | None:
    """Return the `Robustness` of the checkpoint in a folder; None if it was not measured.

    Raises
    ------
    CheckpointError
        The file can't be read or has another content.
    """
    path = folder / FILE
    try:
        return _ROBUSTNESS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise CheckpointError("robustness.damaged", path=project_relative(path), reason=reason) from error


def compared(measured: Robustness, stored: Robustness | None) -> Robustness:
    """Return new figures with stored ones of another run as `previous`."""
    if stored is None:
        return measured
    if stored["run"] != measured["run"]:
        return {**measured, "previous": {"run": stored["run"], "accuracy": stored["accuracy"]}}
    return {**stored, **measured}


def write_robustness(folder: Path, measured: Robustness) -> Path:
    """Write the file, atomically, and return its path."""
    write_json(folder / FILE, dict(_ROBUSTNESS.validate_python(measured)))
    return folder / FILE
