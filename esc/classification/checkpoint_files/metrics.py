"""Metrics of a checkpoint, stored with it as `figures.json`."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from esc.classification.confidence.calibration import UnknownScore
from esc.errors import CheckpointError
from esc.paths import project_relative, write_json

FILE = "figures.json"
RELIABILITY_BINS = 15

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Loss = Annotated[float, Field(ge=0, le=1e6)]  # nats
STRICT = ConfigDict(extra="forbid", strict=True)


@with_config(STRICT)
class Bin(TypedDict):
    """Reliability bin; confidence and accuracy are None where it is empty."""

    low: Share
    high: Share
    clips: Count
    confidence: Share | None
    accuracy: Share | None


@with_config(STRICT)
class Confusion(TypedDict):
    """Number of clips of one class that were taken for another."""

    true: str
    guess: str
    clips: Count


@with_config(STRICT)
class HeldOut(TypedDict):
    """Metrics on held-out folds; `ece_before`: without temperature scaling."""

    folds: list[Annotated[int, Field(ge=1, le=1000)]]
    clips: Count
    accuracy: Share
    loss: Loss
    ece: Share
    ece_before: Share
    reliability: Annotated[list[Bin], Field(min_length=RELIABILITY_BINS, max_length=RELIABILITY_BINS)]
    recall: dict[str, Share]
    confused: list[Confusion]


@with_config(STRICT)
class SoundGroup(TypedDict):
    """Verdicts on a group of sounds: shares refused as unknown, and known but uncertain.

    `auroc` is that against held-out clips or, for known sounds, against recorded unknown ones; `accuracy` that of the sure
    verdicts on known sounds.
    """

    name: str
    sounds: Count
    refused: Share
    unsure: Share
    auroc: NotRequired[Share]
    accuracy: NotRequired[Share]


@with_config(STRICT)
class Example(TypedDict):
    """Unknown sound and its likeliest class."""

    label: str
    nearest: str
    probability: Share


@with_config(STRICT)
class Unknown(TypedDict):
    """Out-of-distribution detection on sounds that had no part in fitting it.

    Thresholds and their figures on `known` held-out clips are cross-fitted. `fit_sounds`: number of unknown sounds for the fit,
    by kind; `auroc`: of recorded unknown sounds or, without any, the mean over the kinds; `labels`: the recorded ones by label;
    `refused`, `missed`: examples of them.
    """

    score: UnknownScore
    threshold: Annotated[float, Field(ge=-1e6, le=1e6)]
    unsure_threshold: Annotated[float, Field(ge=-1e6, le=1e6)]
    fit_sounds: dict[str, Count]
    auroc: Share
    known: list[SoundGroup]
    kinds: list[SoundGroup]
    labels: NotRequired[list[SoundGroup]]
    refused: NotRequired[list[Example]]
    missed: NotRequired[list[Example]]


@with_config(STRICT)
class History(TypedDict):
    """Training curves; None where an epoch was not evaluated."""

    epoch: list[Annotated[int, Field(ge=0, le=10**7)]]
    train_loss: list[Loss | None]
    valid_loss: list[Loss | None]
    train_accuracy: list[Share | None]
    valid_accuracy: list[Share | None]


@with_config(STRICT)
class Outlined(TypedDict):
    """Deletion of the outlined regions, against as much elsewhere; `share`: their mean area."""

    share: Share
    marked: Share
    random: Share


@with_config(STRICT)
class Deletion(TypedDict):
    """Deletion test: mean probability of the likeliest class after masking shares of the spectrogram."""

    clips: Count
    method: str
    shares: list[Share]
    before: Share
    marked: list[Share]
    random: list[Share]
    loudest: list[Share]
    outlined: NotRequired[Outlined]


@with_config(STRICT)
class TaughtClass(TypedDict):
    """Class of a taught network; `recall` by cross-validation."""

    name: str
    examples: Count
    windows: Count
    recall: Share


@with_config(STRICT)
class TaughtFigures(TypedDict):
    """Cross-validated figures of a taught network's examples.

    `low`, `high`: the 95 % interval of the accuracy; `grouped`: whether no recording was on both sides of a split; `other`: the
    class of all other sounds; `confusion`: examples by true class (row) and guess.
    """

    examples: Count
    accuracy: Share
    low: Share
    high: Share
    grouped: bool
    other: str | None
    classes: list[TaughtClass]
    confusion: list[list[Count]]


def _same_length(part: Any) -> Any:
    """Raise ValueError unless all lists are equally long."""
    if len({len(value) for value in part.values() if isinstance(value, list)}) > 1:
        raise ValueError("its lists differ in length")
    return part


@with_config(STRICT)
class Metrics(TypedDict, total=False):
    """Content of the file; each part is written by a different command."""

    held_out: HeldOut
    unknown: Unknown
    history: Annotated[History, AfterValidator(_same_length)]
    deletion: Annotated[Deletion, AfterValidator(_same_length)]
    taught: TaughtFigures


_METRICS = TypeAdapter(Metrics)


def read_metrics(folder: Path) -> dict[str, Any] | None:
    """Return the `Metrics` of the checkpoint in a folder; None without any.

    Raises
    ------
    CheckpointError
        The file can't be read or has another content.
    """
    path = Path(folder) / FILE
    try:
        return _validated(path.read_bytes(), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CheckpointError("metrics.damaged", path=project_relative(path), reason=error) from error


def write_metrics(folder: Path, **parts: Any) -> Path:
    """Replace parts of the metrics file and return its path; damaged other parts are dropped.

    Raises
    ------
    CheckpointError
        A part is not as in `Metrics`.
    """
    path = Path(folder) / FILE
    write_json(path, _validated(json.dumps(_usable_parts(path) | parts).encode(), path))
    return path


def _usable_parts(path: Path) -> dict[str, Any]:
    """Return those parts of a file that are as in `Metrics`."""
    found: dict[str, Any] = {}
    with suppress(OSError, ValueError, AttributeError):
        for name, part in json.loads(path.read_bytes()).items():
            with suppress(CheckpointError):
                found |= _validated(json.dumps({name: part}).encode(), path)
    return found


def _validated(content: bytes, path: Path) -> dict[str, Any]:
    try:
        return dict(_METRICS.validate_json(content))
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc'])) or 'content'}: {first['msg']}"
        raise CheckpointError("metrics.damaged", path=project_relative(path), reason=reason) from error
