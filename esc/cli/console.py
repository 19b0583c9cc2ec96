"""Console output and options shared by the commands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from esc.audio.channels import MEAN
from esc.classification.predictions import NO_CLASSES, UNKNOWN, UNSURE
from esc.errors import reason_of
from esc.paths import CHECKPOINT_VARIABLE

if TYPE_CHECKING:
    from esc.batch.results import SoundResult
    from esc.classification.predictions import WindowResult

CheckpointOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", envvar=CHECKPOINT_VARIABLE, help="Folder or ZIP of the checkpoint; by default the shipped one."),
]
EXIT_UNREADABLE, EXIT_USAGE = 1, 2  # some sounds can't be read; an argument, checkpoint or disk can't be used
_NONE = "none of the sounds it knows"
PROGRESS_AFTER_S = 1.0  # shorter work needs no progress bar


def check_output_file(path: Path, option: str = "--output") -> None:
    """Refuse a path at which no file can be written."""
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint=option)
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder", param_hint=option)


def describe_os_error(error: OSError) -> str:
    """Return the reason of an OSError in one line, with its file if known."""
    reason = reason_of(error)
    return reason if error.filename is None else f"{error.filename}: {reason}"


class ProgressBar:
    """Progress on standard error, if that is a terminal and the work is slow."""

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
        """Report the position in the present file."""
        self._update(description=f"{timedelta(seconds=int(window.end_s))} of sound")

    def files(self, done: int) -> None:
        """Report the number of finished files."""
        self._update(completed=done, description="")

    def of_all(self, done: int, files: int) -> None:
        """Report the number of finished files, and that of all, known late."""
        self._update(completed=done, total=files)

    def _update(self, **changes: Any) -> None:
        self._progress.update(self._task, **changes)
        late = time.monotonic() - self._began > PROGRESS_AFTER_S
        if late and not self._shown and self._progress.console.is_terminal:
            self._shown = True
            self._progress.start()


def result_table(results: Sequence[SoundResult], with_timeline: bool) -> Table:
    """Return the results as a table."""
    if with_timeline:
        table = Table("file", _right("start s"), _right("end s"), "what", _right("probability"), _right("± s"), box=box.SIMPLE)
        for result in results:
            for event in result.events:
                times = (f"{event.start_s:.1f}", f"{event.end_s:.1f}")
                table.add_row(_file_cell(result), *times, event.label, f"{event.probability:.2f}", f"{event.uncertainty_s:g}")
            if not result.events:
                table.add_row(_file_cell(result), "", "", _without_segments(result), "", "")
        return table
    titles = ["start s", "end s"] if any(result.interval for result in results) else ["seconds"]
    table = Table("file", *map(_right, titles), "verdict", "likeliest", box=box.SIMPLE)
    for result in results:
        likeliest = ", ".join(f"{label} {probability:.2f}" for label, probability in result.top)
        shown = [f"{seconds:.1f}" for seconds in result.interval or (result.seconds,)]
        table.add_row(_file_cell(result), *shown, _verdict_text(result), likeliest)
    return table


def _without_segments(result: SoundResult) -> str:
    """Return in words what a sound without segments is."""
    overall = None if result.overall is None else result.overall[0]
    if overall not in NO_CLASSES:  # a class, too, of a clip that no segment came of
        return "nothing sure enough"
    return _verdict_text(result) if overall == result.verdict else {UNKNOWN: _NONE}.get(overall, overall)


def _verdict_text(result: SoundResult) -> str:
    """Return the verdict on a clip in words."""
    words = {UNSURE: f"not sure: perhaps {result.guess}", UNKNOWN: f"{_NONE}, perhaps nearest to {result.guess}"}
    return words.get(result.verdict, result.verdict)


def _file_cell(result: SoundResult) -> Text:
    """Return the file's name and, unless it is the mean, the channel."""
    return Text(result.file if result.channel == MEAN else f"{result.file} ({result.channel})")


def _right(title: str) -> Column:
    return Column(title, justify="right")
