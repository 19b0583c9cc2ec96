"""What the command line shows people: how far the work is, and results as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from esc.batch.result_formats import SoundResult
    from esc.classification.sliding_window import WindowResult

PROGRESS_AFTER_S = 1.0  # shorter work needs no bar


def describe_os_error(error: OSError) -> str:
    """Return in one line which file the system could not serve, where it names one, and what it said."""
    said = error.strerror or next(iter(str(error).splitlines()), type(error).__name__)
    return said if error.filename is None else f"{error.filename}: {said}"


class ProgressBar:
    """Progress on standard error, where that is a terminal and the work takes longer than a blink."""

    def __init__(self, files: int) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=files)
        self._began, self._shown = time.monotonic(), False

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._progress.stop()

    def window(self, window: WindowResult) -> None:
        """Say how much of the present file's sound has been heard."""
        self._update(description=f"{timedelta(seconds=int(window.end_s))} of sound")

    def files(self, done: int) -> None:
        """Say how many files are done."""
        self._update(completed=done, description="")

    def _update(self, **changes: object) -> None:
        self._progress.update(self._task, **changes)
        late = time.monotonic() - self._began > PROGRESS_AFTER_S
        if late and not self._shown and self._progress.console.is_terminal:
            self._shown = True
            self._progress.start()


def result_table(results: Sequence[SoundResult], with_timeline: bool) -> Table:
    """Return the results for people."""
    if with_timeline:
        table = Table("file", _right("start s"), _right("end s"), "what", _right("probability"), box=box.SIMPLE)
        for result in results:
            for mark in result.marks:
                times = (f"{mark.start_s:.1f}", f"{mark.end_s:.1f}")
                table.add_row(Text(result.file), *times, mark.label, f"{mark.probability:.2f}")
            if not result.marks:
                table.add_row(Text(result.file), "", "", "nothing sure enough", "")
        return table
    table = Table("file", _right("seconds"), "verdict", "likeliest", box=box.SIMPLE)
    for result in results:
        likeliest = ", ".join(f"{label} {probability:.2f}" for label, probability in result.top)
        table.add_row(Text(result.file), f"{result.seconds:.1f}", result.verdict, likeliest)
    return table


def _right(title: str) -> Column:
    return Column(title, justify="right")
