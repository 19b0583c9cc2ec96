"""Progress bars on standard error, so that standard output holds results alone."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)  # fmt: skip

if TYPE_CHECKING:
    import torch

_EVERY_S = 0.5  # between two looks at the loss: each makes a GPU wait


@cache
def console() -> Console:
    """Return the one console on standard error: what is logged through it stands above a running bar."""
    return Console(stderr=True)


def progress_bar() -> Progress:
    """Return a bar with count, time gone, time left and a field `said` for what goes with the count."""
    return _bar(MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[said]}"))


def download_bar() -> Progress:
    """Return a bar with bytes, speed and time left."""
    return _bar(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


class EpochBar:
    """Two bars: the epochs, with the held-out fold's accuracy, and the batches of this one, with loss and accuracy.

    Parameters
    ----------
    epochs, done : int
        All, and those taken before.
    steps : int
        Batches in one epoch.
    shown : bool
        False for all but one of the processes that train together.
    """

    def __init__(self, epochs: int, done: int, steps: int, shown: bool = True) -> None:
        self._progress = progress_bar()
        self._progress.disable = not shown
        self._shown = shown
        self._epochs = self._progress.add_task("epochs", total=epochs, completed=done, said="")
        self._batches = self._progress.add_task("batches", total=steps, said="")
        self._shown_at = 0.0

    def __enter__(self) -> EpochBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.update(self._batches, visible=False)
        self._progress.stop()

    def step(self, loss: torch.Tensor, right: torch.Tensor, clips: int) -> None:
        """Count a batch; `right` of the epoch's `clips` so far were recognised."""
        self._progress.advance(self._batches)
        if self._shown and time.monotonic() - self._shown_at > _EVERY_S:
            self._progress.update(self._batches, said=f"loss {float(loss):.3f}  accuracy {float(right) / clips:.3f}")
            self._shown_at = time.monotonic()

    def epoch_done(self, row: dict) -> None:
        """Count an epoch and show its row of the history."""
        said = f"loss {row['train_loss']:.3f}"
        if row["valid_accuracy"] != "":
            said += f"  held out: loss {row['valid_loss']:.3f}  accuracy {row['valid_accuracy']:.3f}"
        self._progress.update(self._epochs, advance=1, said=said)
        self._progress.reset(self._batches)


def _bar(*columns: object) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), *columns, console=console())
