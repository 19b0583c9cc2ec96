"""What was measured of a checkpoint, kept beside it as `figures.json`: written by training, shown by the page.

Each part is written by a command of its own and may be missing; what is there is checked when it is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from esc.classification.calibration import UNKNOWN_SCORES
from esc.errors import CheckpointError
from esc.paths import project_relative

FILE = "figures.json"
RELIABILITY_BINS = 15
_MOST_CLIPS = 10**9
_Check = Callable[[Any, str], None]


def read_metrics(folder: Path) -> dict | None:
    """Return what was measured of the checkpoint in a folder; None where nothing was.

    Returns
    -------
    dict
        Any of these parts; shares, recalls, confidences and AUROCs lie between 0 and 1:

        "held_out": {"folds": [int], "clips": int, "accuracy", "loss" (nats), "ece", "ece_before" (the temperature),
            "reliability": 15 x {"low", "high", "clips", "confidence", "accuracy"} (the last two None in an empty bin),
            "recall": {class: share}, "confused": [{"true": class, "guess": class, "clips": int}], commonest first}
        "unknown": {"score": of `calibration.UNKNOWN_SCORES`, "threshold", "auroc", "left_out_classes": [class],
            "kinds": {kind of sound: AUROC}, "caught": share of unknown sounds named so, "false_alarms": share of known
            sounds refused}
        "history": {"epoch": [int], "train_loss", "valid_loss", "train_accuracy", "valid_accuracy": lists as long, None
            where an epoch was not measured}
        "deletion": {"clips": int, "method": str, "shares": [share of the picture covered], "before": mean probability of
            the likeliest class, "marked", "random", "loudest": lists as long as "shares", that probability after covering
            what the heat map marks most, as much elsewhere, and the loudest places}

    Raises
    ------
    CheckpointError
        The file can't be read or does not hold that.
    """
    path = Path(folder) / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CheckpointError("metrics.damaged", path=project_relative(path), reason=error) from error
    _checked(values, path)
    return values


def write_metrics(folder: Path, **parts: dict) -> Path:
    """Write parts of `figures.json` anew, checked and at one stroke; the other parts stay. Return its path.

    Raises
    ------
    CheckpointError
        A part is not as `read_metrics` wants it, or what is there can't be read.
    """
    path = Path(folder) / FILE
    values = (read_metrics(folder) or {}) | parts
    _checked(values, path)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(fresh, path)
    return path


def _checked(values: Any, path: Path) -> None:
    try:
        _parts(values, "")
    except ValueError as error:
        raise CheckpointError("metrics.damaged", path=project_relative(path), reason=error) from error


def _number(low: float, high: float, whole: bool = False, empty: bool = False) -> _Check:
    def check(value: Any, place: str) -> None:
        if value is None and empty:
            return
        kinds = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:  # also catches NaN
            raise ValueError(f"{place} = {value!r}, not a {'whole ' if whole else ''}number from {low:g} to {high:g}")

    return check


def _text(*choices: str) -> _Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or (choices and value not in choices):
            raise ValueError(f"{place} = {value!r}, not {' or '.join(choices) or 'text'}")

    return check


def _list(item: _Check, length: int | None = None) -> _Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, list) or (length is not None and len(value) != length):
            raise ValueError(f"{place} is no list{'' if length is None else f' of {length}'}")
        for number, one in enumerate(value):
            item(one, f"{place}[{number}]")

    return check


def _named(item: _Check) -> _Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{place} is no object")
        for name, one in value.items():
            item(one, f"{place}.{name}")

    return check


def _fields(fields: dict[str, _Check], all_of_them: bool = True, same_length: tuple[str, ...] = ()) -> _Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{place or 'the whole'} is no object")
        unlike = set(value) ^ set(fields) if all_of_them else set(value) - set(fields)
        if unlike:
            raise ValueError(f"{place or 'the whole'} lacks or should not have: {', '.join(sorted(unlike))}")
        for name, one in value.items():
            fields[name](one, f"{place}.{name}".lstrip("."))
        if len({len(value[name]) for name in same_length}) > 1:
            raise ValueError(f"{place}: {', '.join(same_length)} differ in length")

    return check


_share, _clips = _number(0, 1), _number(0, _MOST_CLIPS, whole=True)
_loss, _epoch = _number(0, 1e6, empty=True), _number(0, 1e7, whole=True)
_maybe_share = _number(0, 1, empty=True)
_CURVES = ("epoch", "train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
_parts = _fields(
    {
        "held_out": _fields(
            {
                "folds": _list(_number(1, 1000, whole=True)),
                "clips": _clips,
                "accuracy": _share,
                "loss": _number(0, 1e6),
                "ece": _share,
                "ece_before": _share,
                "reliability": _list(
                    _fields(
                        {"low": _share, "high": _share, "clips": _clips, "confidence": _maybe_share, "accuracy": _maybe_share}
                    ),
                    RELIABILITY_BINS,
                ),
                "recall": _named(_share),
                "confused": _list(_fields({"true": _text(), "guess": _text(), "clips": _clips})),
            }
        ),
        "unknown": _fields(
            {
                "score": _text(*UNKNOWN_SCORES),
                "threshold": _number(-1e6, 1e6),
                "auroc": _share,
                "left_out_classes": _list(_text()),
                "kinds": _named(_share),
                "caught": _share,
                "false_alarms": _share,
            }
        ),
        "history": _fields(
            {name: _list(_epoch if name == "epoch" else _loss if "loss" in name else _maybe_share) for name in _CURVES},
            same_length=_CURVES,
        ),
        "deletion": _fields(
            {
                "clips": _clips,
                "method": _text(),
                "shares": _list(_share),
                "before": _share,
                "marked": _list(_share),
                "random": _list(_share),
                "loudest": _list(_share),
            },
            same_length=("shares", "marked", "random", "loudest"),
        ),
    },
    all_of_them=False,
)
