"""The command line: `python -m esc classify FILE_OR_FOLDER...`.

Results alone go to standard output; progress and what could not be read go to standard error. Torch is imported when
there is work to do: help and wrong usage answer at once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from esc.errors import AudioError, EscError, ParameterError

if TYPE_CHECKING:
    from esc.batch import Task
    from esc.checkpoint import Checkpoint
    from esc.tables import SoundResult
    from esc.timeline import WindowResult

FORMATS = ("table", "json", "csv", "audacity", "raven")
EXIT_UNREAD, EXIT_USAGE = 1, 2
PROGRESS_AFTER_S = 1.0  # shorter work needs no bar
_WIDE = 10_000  # columns of a table that no terminal shows: nothing in it is cut or wrapped

app = typer.Typer(help=__doc__.splitlines()[0], no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def commands() -> None:
    """See and understand sound."""  # with a callback, `classify` stays a word to type even while it is the only command


@app.command("classify")
def classify_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER", help="Sounds, or folders that hold some.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes to name for a sound's first clip.")] = 5,
    timeline: Annotated[bool, typer.Option("--timeline", help="Say what happens when in the whole sound.")] = False,
    hop: Annotated[
        float | None, typer.Option("--hop", help="Seconds from one window to the next; half a clip where left out.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "table",
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Folder of the checkpoint; the shipped one where left out.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=256, help="Processes that share the files.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Where results go instead of the screen; for several label tracks, a folder."),
    ] = None,
) -> None:
    """Say what sounds are, of the first clip or, with --timeline, all along.

    Files that can't be read are named on standard error, the rest is done, and the exit code is 1.
    """
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not possible: one of {', '.join(FORMATS)}", param_hint="--format")
    if hop is not None and not timeline:
        raise typer.BadParameter("a hop is between the windows of a --timeline", param_hint="--hop")
    if output and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")

    import torch

    from esc.batch import Task, sound_files
    from esc.checkpoint import DEFAULT, read_config
    from esc.timeline import check_hop

    meta = read_config(checkpoint or DEFAULT)
    if top > len(meta.class_names):
        raise ParameterError("parameter.range", field="--top", value=top, low=1, high=len(meta.class_names))
    check_hop(hop, meta.input.clip_seconds)
    files, errors = sound_files(paths)
    tracks = form == "audacity" and len(files) > 1
    if tracks and not (output and output.is_dir()):
        raise typer.BadParameter(
            "a label track belongs to one sound; for several, --output names a folder", param_hint="--format"
        )
    if output and output.is_dir() and not tracks:
        raise typer.BadParameter(f"{output} is a folder", param_hint="--output")

    cores = torch.get_num_threads()
    torch.set_num_threads(1)  # windows are shared out instead, see `esc.timeline.windows`
    task = Task(checkpoint, top, timeline, hop, workers=max(1, cores // min(jobs, max(1, len(files)))))
    results, refused = _heard(files, task, jobs)
    for error in [*errors, *refused]:
        typer.echo(f"error: {error}", err=True)
    for result in results:
        if result.cut_off:
            typer.echo(f"note: {result.file} is cut off: it announces more sound than it holds.", err=True)
    if tracks:
        for name, result in zip(_track_names(results), results, strict=True):
            _write([result], form, task, meta, output / name)
    else:
        _write(results, form, task, meta, output)
    if errors or refused:
        raise typer.Exit(EXIT_UNREAD)


def _heard(files: Sequence[Path], task: Task, jobs: int) -> tuple[list[SoundResult], list[AudioError]]:
    """Return what was heard and what could not be, and show how far it is."""
    from esc.batch import hear_all

    results, refused = [], []
    with _Bar(len(files)) as bar:
        for number, heard in enumerate(hear_all(files, task, jobs, bar.window), 1):
            (refused if isinstance(heard, AudioError) else results).append(heard)
            bar.files(number)
    return results, refused


class _Bar:
    """Progress on standard error, where that is a terminal and the work takes longer than a blink."""

    def __init__(self, files: int) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=files)
        self._began, self._shown = time.monotonic(), False

    def __enter__(self) -> _Bar:
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


def _write(results: Sequence[SoundResult], form: str, task: Task, meta: Checkpoint, target: Path | None) -> None:
    """Write results to a file, or to standard output."""
    try:
        with nullcontext(sys.stdout) if target is None else target.open("w", encoding="utf-8", newline="") as file:
            if form == "table" and not results:
                return
            if form == "table":
                width = None if file.isatty() else _WIDE
                Console(file=file, width=width).print(_table(results, task.timeline))
            else:
                file.write(_text(results, form, task, meta))
    except OSError as error:
        if target is None:  # a closed pipe
            raise
        raise typer.BadParameter(f"{target} can't be written ({error.strerror})", param_hint="--output") from error


def _text(results: Sequence[SoundResult], form: str, task: Task, meta: Checkpoint) -> str:
    from esc import tables

    if form == "json":
        return tables.as_json(results)
    if form == "csv":
        return tables.as_csv(results, task.top_k, task.timeline)
    if form == "raven":
        return tables.as_raven(results, meta.spectrogram)
    return "".join(map(tables.as_audacity, results))  # one sound at most


def _table(results: Sequence[SoundResult], with_timeline: bool) -> Table:
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


def _track_names(results: Sequence[SoundResult]) -> list[str]:
    """Return a file name for each sound's label track; of sounds with the same name the later ones get a number."""
    names: list[str] = []
    for result in results:
        stem = Path(result.file).stem
        name, number = f"{stem}.txt", 2
        while name in names:
            name, number = f"{stem}_{number}.txt", number + 1
        names.append(name)
    return names


def main() -> None:
    """Run the command line; what is wrong with its arguments or the checkpoint is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except EscError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(EXIT_USAGE) from error
