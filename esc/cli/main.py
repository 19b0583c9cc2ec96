"""The command line: hear what sounds are, index them, export the network.

Results alone go to standard output; progress and what could not be read go to standard error. Torch is imported when
there is work to do: help and wrong usage answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from esc.cli.console import ProgressBar, describe_os_error, result_table
from esc.cli.export_command import export_command
from esc.cli.index_command import index_command
from esc.cli.ray_options import check_engine, run_with_ray
from esc.errors import AudioError, EscError, ParameterError

if TYPE_CHECKING:
    from esc.batch.result_formats import SoundResult
    from esc.batch.runner import BatchOptions
    from esc.classification.checkpoint import Checkpoint

FORMATS = ("table", "json", "csv", "audacity", "raven")
EXIT_UNREAD, EXIT_USAGE = 1, 2
_WIDE = 10_000  # columns of a table that no terminal shows: nothing in it is cut or wrapped

app = typer.Typer(help=__doc__.splitlines()[0], no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def commands() -> None:
    """See and understand sound."""  # with a callback, `classify` stays a word to type even while it is the only command


@app.command("classify")
def classify_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER", help="Sounds, or folders that hold some.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes to name for a sound's opening clip.")] = 5,
    timeline: Annotated[bool, typer.Option("--timeline", help="Say what happens when in the whole sound.")] = False,
    hop: Annotated[
        float | None, typer.Option("--hop", help="Seconds from one window to the next; half a clip where left out.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "table",
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Folder of the checkpoint; the shipped one where left out.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, max=256, help="Processes that share the files; 1, or with Ray all cores.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Where results go instead of the screen; for several label tracks, a folder."),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="plain or ray: ray writes --output OUT.parquet or OUT.csv, and goes on after a kill.")
    ] = "plain",
    address: Annotated[str | None, typer.Option("--address", help="Of a Ray cluster; this machine where left out.")] = None,
) -> None:
    """Say what sounds are, by the first clip that is not silent or, with --timeline, all along.

    Files that can't be read are named on standard error, the rest is done, and the exit code is 1.
    """
    _check_usage(form, timeline, hop, output)
    check_engine(engine, address, form, output)

    import torch

    from esc.batch.runner import BatchOptions, sound_files
    from esc.classification.checkpoint import read_config
    from esc.classification.sliding_window import check_hop
    from esc.paths import DEFAULT_CHECKPOINT

    meta = read_config(checkpoint or DEFAULT_CHECKPOINT)
    if top > len(meta.class_names):
        raise ParameterError("parameter.range", field="--top", value=top, low=1, high=len(meta.class_names))
    check_hop(hop, meta.input.clip_seconds)
    files, errors = sound_files(paths)
    if engine == "ray":
        refused = run_with_ray(files, BatchOptions(checkpoint, top, timeline, hop), output, jobs, address)
        _complain((), [*errors, *refused])
        raise typer.Exit(EXIT_UNREAD if errors or refused else 0)
    jobs = jobs or 1
    into_folder = _takes_folder(form, len(files), output)
    cores = torch.get_num_threads()
    torch.set_num_threads(1)  # windows are shared out instead, see `esc.classification.sliding_window.windows`
    task = BatchOptions(checkpoint, top, timeline, hop, workers=max(1, cores // min(jobs, max(1, len(files)))))
    results, refused = _heard(files, task, jobs)
    _complain(results, [*errors, *refused])
    _write_all(results, form, task, meta, output, into_folder)
    if errors or refused:
        raise typer.Exit(EXIT_UNREAD)


app.command("index")(index_command)
app.command("export")(export_command)


def _check_usage(form: str, timeline: bool, hop: float | None, output: Path | None) -> None:
    """Refuse options that don't go together."""
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not possible: one of {', '.join(FORMATS)}", param_hint="--format")
    if hop is not None and not timeline:
        raise typer.BadParameter("a hop is between the windows of a --timeline", param_hint="--hop")
    if output and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")


def _takes_folder(form: str, files: int, output: Path | None) -> bool:
    """Return whether `output` is a folder for one label track a sound, and refuse what it can't be."""
    tracks = form == "audacity" and files > 1
    if tracks and not (output and output.is_dir()):
        raise typer.BadParameter(
            "a label track belongs to one sound; for several, --output names a folder", param_hint="--format"
        )
    if output and output.is_dir() and not tracks:
        raise typer.BadParameter(f"{output} is a folder", param_hint="--output")
    return tracks


def _complain(results: Sequence[SoundResult], errors: Sequence[AudioError]) -> None:
    for error in errors:
        typer.echo(f"error: {error}", err=True)
    for result in results:
        if result.cut_off:
            typer.echo(f"note: {result.file} is cut off: it announces more sound than it holds.", err=True)


def _heard(files: Sequence[Path], task: BatchOptions, jobs: int) -> tuple[list[SoundResult], list[AudioError]]:
    """Return what was heard and what could not be, and show how far it is."""
    from esc.batch.runner import classify_files

    results, refused = [], []
    with ProgressBar(len(files)) as bar:
        for number, heard in enumerate(classify_files(files, task, jobs, bar.window), 1):
            (refused if isinstance(heard, AudioError) else results).append(heard)
            bar.files(number)
    return results, refused


def _write_all(
    results: Sequence[SoundResult], form: str, task: BatchOptions, meta: Checkpoint, output: Path | None, into_folder: bool
) -> None:
    """Write results where they shall go: standard output, one file, or a label track each into a folder."""
    from esc.batch.result_formats import track_names

    if not into_folder:
        _write(results, form, task, meta, output)
        return
    for name, result in zip(track_names(results), results, strict=True):
        _write([result], form, task, meta, output / name)


def _write(results: Sequence[SoundResult], form: str, task: BatchOptions, meta: Checkpoint, target: Path | None) -> None:
    from esc.batch.result_formats import as_text

    try:
        with nullcontext(sys.stdout) if target is None else target.open("w", encoding="utf-8", newline="") as file:
            if form != "table":
                file.write(as_text(results, form, task.top_k, task.timeline, meta.spectrogram))
            elif results:
                width = None if file.isatty() else _WIDE
                Console(file=file, width=width).print(result_table(results, task.timeline))
    except OSError as error:
        if target is None:  # a closed pipe
            raise
        raise typer.BadParameter(f"{target} can't be written ({error.strerror})", param_hint="--output") from error


def main() -> None:
    """Run the command line; what is wrong with its arguments, the checkpoint or a disk is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except EscError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(EXIT_USAGE) from error
    except OSError as error:
        typer.echo(f"error: {describe_os_error(error)}", err=True)
        raise SystemExit(EXIT_USAGE) from error
