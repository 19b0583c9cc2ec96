"""A run's folder: its settings, its history and its log; what a killed run left behind is taken up, never mixed."""

from __future__ import annotations

import csv
import dataclasses
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from esc.errors import DataError
from training.recipes import Augmentation, Recipe
from training.runs.disk import full_disk_named, write_whole

SETTINGS, HISTORY, STATE, CHECKPOINT, LOG = "config.json", "history.csv", "last.pt", "checkpoint", "log.txt"


def claim(run: Path, settings: dict) -> dict:
    """Write the run's settings, or make sure that a run that is there was started with the same; return what stands.

    What the file of such a run says beyond `settings` stays in it.
    """
    run.mkdir(parents=True, exist_ok=True)
    now = json.loads(json.dumps(settings))
    if (run / STATE).is_file() or has_checkpoint(run):
        before = read_settings(run)
        different = [key for key in now if before.get(key) != now[key]]
        if different:
            raise DataError("run.mismatch", path=run, differences=", ".join(different))
        now = before
    write_settings(run, now)
    return now


def has_checkpoint(run: Path) -> bool:
    """Return whether a run has ended: what its checkpoint says of itself is written last."""
    return (run / CHECKPOINT / SETTINGS).is_file()


def read_settings(run: Path) -> dict:
    """Return what a run was started with; raise DataError where there is no run."""
    path = run / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        recipe = _unchosen(Recipe) | settings["recipe"]
        if recipe["augmentation"] is not None:
            recipe["augmentation"] = _unchosen(Augmentation) | recipe["augmentation"]
        settings = {"without": []} | settings | {"recipe": recipe}
    except FileNotFoundError as error:
        raise DataError("run.missing", path=run, reason=f"no {SETTINGS}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("run.missing", path=run, reason=f"{SETTINGS} can't be read ({error})") from error
    return settings


def write_settings(run: Path, settings: dict) -> None:
    """Write a run's settings."""
    write_whole(run / SETTINGS, json.dumps(settings, indent=1) + "\n")


def read_history(run: Path) -> list[dict[str, float | None]]:
    """Return a run's rows, one an epoch; None where the held-out fold was not looked at."""
    path = run / HISTORY
    if not path.is_file():
        raise DataError("run.missing", path=run, reason=f"no {HISTORY}")
    try:
        with path.open(newline="") as lines:
            return [{name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(lines)]
    except (ValueError, TypeError) as error:
        raise DataError("run.missing", path=run, reason=f"{HISTORY} is damaged ({error})") from error


def append_history(run: Path, row: dict) -> None:
    """Add one epoch's row."""
    path = run / HISTORY
    fresh = not path.is_file()
    with full_disk_named(path), path.open("a", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(row), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def forget_later(run: Path, epoch: int) -> None:
    """Drop what a kill has left behind without its weights, a row that it cut off too: those epochs are taken again."""
    path = run / HISTORY
    if path.is_file():
        header, *rows = path.read_text().splitlines(keepends=True)
        write_whole(path, "".join([header, *(row for row in rows if row.endswith("\n") and int(row.split(",")[0]) <= epoch)]))


@contextmanager
def log_to(run: Path) -> Iterator[None]:
    """Write what the training package logs to the run's log as well."""
    handler = logging.FileHandler(run / LOG, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("training")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()


def _unchosen(kind: type) -> dict:
    """Return a recipe's plain defaults: a run started before a field was there had its default."""
    plain = str | int | float | None
    return {field.name: field.default for field in dataclasses.fields(kind) if isinstance(field.default, plain)}
