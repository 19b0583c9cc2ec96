"""Progress bars on standard error; standard output is for results."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from rich import progress
from rich.console import Console

if TYPE_CHECKING:
    import torch

_REFRESH_S = 0.5  # reading the loss makes a GPU wait


@cache
def console() -> Console:
    """Return the shared console on standard error, for bars and log lines."""
    return Console(stderr=True)


def progress_bar() -> progress.Progress:
    """Return a bar with count, elapsed and remaining time, and a text field `detail`."""
    times = progress.TimeElapsedColumn(), progress.TimeRemainingColumn()
    return _bar(progress.MofNCompleteColumn(), *times, progress.TextColumn("{task.fields[detail]}"))


def download_bar() -> progress.Progress:
    """Return a bar with bytes, speed and remaining time."""
    return _bar(progress.DownloadColumn(), progress.TransferSpeedColumn(), progress.TimeRemainingColumn())


class EpochBar:
    """Two bars: epochs, with the latest evaluation, and the batches of the current epoch.

    `done`: epochs of earlier calls; `steps`: batches per epoch; `visible`: False in all but one process.
    """

    def __init__(self, epochs: int, done: int, steps: int, visible: bool = True) -> None:
        self._progress = progress_bar()
        self._progress.disable = not visible
        self._visible = visible
        self._epochs = self._progress.add_task("epochs", total=epochs, completed=done, detail="")
        self._batches = self._progress.add_task("batches", total=steps, detail="")
        self._updated_at = 0.0

    def __enter__(self) -> EpochBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.update(self._batches, visible=False)
        self._progress.stop()

    def on_batch(self, loss: torch.Tensor, correct: torch.Tensor, clips: int) -> None:
        """Count a batch; `correct` of the epoch's `clips` so far were classified correctly."""
        self._progress.advance(self._batches)
        if self._visible and time.monotonic() - self._updated_at > _REFRESH_S:
            self._progress.update(self._batches, detail=f"loss {float(loss):.3f}  accuracy {float(correct) / clips:.3f}")
            self._updated_at = time.monotonic()

    def on_epoch(self, row: dict) -> None:
        """Count an epoch and show its row of the history."""
        self._progress.update(self._epochs, advance=1, detail=describe_epoch(row))
        self._progress.reset(self._batches)


def _bar(*columns: progress.ProgressColumn) -> progress.Progress:
    return progress.Progress(progress.TextColumn("{task.description}"), progress.BarColumn(), *columns, console=console())


def describe_epoch(row: dict) -> str:
    """Return a row of the history in words."""
    text = f"loss {row['train_loss']:.4f}, accuracy {row['train_accuracy']:.4f}"
    if row["valid_accuracy"] is not None:
        text += f", validation: loss {row['valid_loss']:.4f}, accuracy {row['valid_accuracy']:.4f}"
    return text
