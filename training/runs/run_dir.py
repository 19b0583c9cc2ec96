"""Run folders: settings, history and log; interrupted runs are resumed, never mixed."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from esc.errors import DataError
from training.recipes import Recipe
from training.runs.disk import disk_full_error, write_atomic, write_json

SETTINGS, HISTORY, STATE, CHECKPOINT, LOG = "config.json", "history.csv", "last.pt", "checkpoint", "log.txt"


_NO_SETTINGS = ("licence", "data_folder")  # a run may be resumed with other ones


@dataclass(frozen=True)
class Origin:
    """Name of a data set, licence of weights trained on it, and its folder."""

    name: str
    licence: str | None = None
    folder: str | None = None


ESC_50 = Origin("ESC-50 (K. J. Piczak, 2015), CC BY-NC 3.0", "CC BY-NC 4.0")


def is_esc50(name: str) -> bool:
    """Return whether a data set, by its name, is ESC-50 or a part of it."""
    return name.startswith(ESC_50.name)


@dataclass(frozen=True)
class RunConfig:
    """Settings that identify a run."""

    recipe: Recipe
    train_folds: tuple[int, ...]
    valid_fold: int  # never trained on, and no epoch is chosen by it
    seed: int = 1  # for initial weights, order of the clips and augmentation
    left_out_classes: tuple[str, ...] = ()  # classes missing from the training data
    origin: Origin = ESC_50
    weights: str | None = None  # SHA-256 of initial weights; None if not given, which resumes a run with any

    def to_dict(self) -> dict:
        """Return plain values for JSON."""
        values = json.loads(json.dumps(asdict(self)))
        origin = values.pop("origin")
        return values | {"data": origin["name"], "licence": origin["licence"], "data_folder": origin["folder"]}

    def check(self, run: Path, settings: dict) -> None:
        """Raise DataError if a run was started with other settings."""
        wanted = {key: value for key, value in self.to_dict().items() if key not in _NO_SETTINGS}
        if self.weights is None:
            del wanted["weights"]
        defaults = {"data": ESC_50.name, "weights": self.weights}  # of runs that are older than the field
        different = [key for key, value in wanted.items() if settings.get(key, defaults.get(key)) != value]
        if different:
            raise DataError("run.mismatch", path=run, differences=", ".join(different))


def claim(run: Path, config: RunConfig) -> dict:
    """Return a run's settings, new or existing; DataError if they differ from `config`."""
    run.mkdir(parents=True, exist_ok=True)
    if (run / STATE).is_file() or has_checkpoint(run):
        settings = read_settings(run)
        config.check(run, settings)
        return settings
    write_json(run / SETTINGS, config.to_dict())
    return config.to_dict()


def has_checkpoint(run: Path) -> bool:
    """Return whether a run is finished: the checkpoint's config is written last."""
    return (run / CHECKPOINT / SETTINGS).is_file()


def read_settings(run: Path) -> dict:
    """Return a run's settings; raise DataError if there is no run."""
    path = run / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["recipe"]["augmentation"], settings["left_out_classes"], settings["train_folds"]  # else it is no run
    except FileNotFoundError as error:
        raise DataError("run.missing", path=run, reason=f"no {SETTINGS}") from error
    except KeyError as error:
        raise DataError("run.missing", path=run, reason=f"{SETTINGS} has no {error}: another version made it") from error
    except (OSError, ValueError, TypeError) as error:
        raise DataError("run.missing", path=run, reason=f"{SETTINGS} can't be read ({error})") from error
    return settings


def seen_folds(made: Mapping[str, Any]) -> set[int]:
    """Return folds that a checkpoint, or one below it, was trained on."""
    return {*made.get("seen_folds", ()), *made.get("train_folds", ())}


def remembered_data(folder: Path) -> Path | None:
    """Return the data folder of a run, or of a checkpoint's run, if there."""
    for run in (folder, folder.absolute().parent):
        with suppress(OSError, ValueError, TypeError, KeyError):
            found = Path(json.loads((run / SETTINGS).read_text(encoding="utf-8"))["data_folder"])
            if found.is_dir():
                return found
    return None


def read_history(run: Path) -> list[dict[str, float | None]]:
    """Return a run's rows, one per epoch; None where the validation fold was not evaluated."""
    path = run / HISTORY
    if not path.is_file():
        raise DataError("run.missing", path=run, reason=f"no {HISTORY}")
    try:
        with path.open(newline="") as lines:
            return [{name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(lines)]
    except (ValueError, TypeError) as error:
        raise DataError("run.missing", path=run, reason=f"{HISTORY} is damaged ({error})") from error


def append_history(run: Path, row: dict) -> None:
    """Append one epoch's row."""
    path = run / HISTORY
    is_new = not path.is_file()
    with disk_full_error(path), path.open("a", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(row), lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def truncate_history(run: Path, epoch: int) -> None:
    """Drop truncated rows and those later than the saved state."""
    path = run / HISTORY
    if path.is_file():
        header, *rows = path.read_text().splitlines(keepends=True)
        write_atomic(path, "".join([header, *(row for row in rows if row.endswith("\n") and int(row.split(",")[0]) <= epoch)]))


@contextmanager
def log_to(run: Path) -> Iterator[None]:
    """Write the training package's log messages to the run's log file too."""
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
