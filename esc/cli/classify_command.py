"""classify: labels and timelines of sound files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from esc.audio.channels import EACH, MEAN, check_channel
from esc.audio.io import FULL_SCALES, TIME_EXPANSIONS
from esc.batch.result_formats import ResultFormat
from esc.cli.console import EXIT_UNREADABLE, CheckpointOption, ProgressBar, check_output_file, result_table
from esc.cli.option_groups import grouped
from esc.errors import AudioError, check_range

if TYPE_CHECKING:
    from esc.batch.options import BatchOptions
    from esc.batch.results import FileResult
    from esc.config import SpectrogramConfig

_WIDE = 10_000  # columns of a table in a file: nothing is truncated or wrapped


@dataclass(frozen=True)
class ClassifyOptions:
    """What to classify."""

    top: Annotated[int, typer.Option("--top", min=1, help="Number of classes to name for the first clip, at most all.")] = 5
    timeline: Annotated[bool, typer.Option("--timeline", help="Classify the whole sound, segment by segment.")] = False
    hop: Annotated[float | None, typer.Option("--hop", help="Seconds between windows; by default half a clip.")] = None
    channel: Annotated[
        str,
        typer.Option(
            "--channel",
            help="mean, left, right, mid, side, a number from 1, or each: a result per channel; 2:mean: of sound track 2.",
        ),
    ] = MEAN
    start_s: Annotated[
        float | None, typer.Option("--start", help="Start in seconds of the interval to classify; alone, of one clip.")
    ] = None
    end_s: Annotated[float | None, typer.Option("--end", help="End in seconds of the interval; alone, from the beginning.")] = (
        None
    )
    full_scale: Annotated[
        float, typer.Option("--full-scale", help="Sample value that is full scale: 32768 for 16-bit integers stored as floats.")
    ] = 1.0
    time_expansion: Annotated[
        float, typer.Option("--time-expansion", help="Factor by which a bat detector slowed the sounds down, for example 10.")
    ] = 1.0
    checkpoint: CheckpointOption = None


@dataclass(frozen=True)
class OutputOptions:
    """Format and destination of the results."""

    form: Annotated[
        Literal["table", ResultFormat] | None,
        typer.Option("--format", help="Format of the results; by default that of the ending of --output, or a table."),
    ] = None
    output: Annotated[Path | None, typer.Option("--output", help="File for the results; for label tracks, also a folder.")] = None
    bom: Annotated[bool, typer.Option("--bom", help="Begin a file with a byte order mark, for Excel.")] = False


@dataclass(frozen=True)
class EngineOptions:
    """How files are distributed."""

    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, max=256, help="Number of processes; by default 1, with Ray all cores.")
    ] = None
    engine: Annotated[
        Literal["plain", "ray"],
        typer.Option("--engine", help="ray: writes --output OUT.parquet or OUT.csv, and resumes after interruption."),
    ] = "plain"
    address: Annotated[str | None, typer.Option("--address", help="Ray cluster; by default this machine.")] = None


@grouped
def classify_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER", help="Sounds, or folders that contain some.")],
    options: ClassifyOptions,
    output: OutputOptions,
    engine: EngineOptions,
) -> None:
    """Classify sounds by their first clip after silence, an interval or, with --timeline, throughout.

    Files that can't be read are reported on standard error, the others are classified, and the exit code is 1.
    """
    _check_usage(options, output, engine)
    if engine.engine == "plain":
        output = replace(output, form=output.form or _form_of(output.output))

    from esc.batch.options import BatchOptions
    from esc.batch.runner import sound_files
    from esc.classification.checkpoint_files.archive import checkpoint_folder
    from esc.classification.checkpoint_files.config import read_config
    from esc.classification.times import check_hop, check_times

    check_times(options.start_s, options.end_s)
    options = replace(options, checkpoint=checkpoint_folder(options.checkpoint))  # a ZIP is extracted once for all workers
    checkpoint = read_config(options.checkpoint)
    check_hop(options.hop, checkpoint.input.clip_seconds)
    files, errors = sound_files(paths)
    top = min(options.top, len(checkpoint.class_names))
    batch = BatchOptions(
        options.checkpoint,
        top,
        options.timeline,
        options.hop,
        1,
        options.channel,
        options.full_scale,
        options.start_s,
        options.end_s,
        options.time_expansion,
    )
    if engine.engine == "plain":
        _check_label_tracks(output, len(files) + (options.channel == EACH))
        if min(engine.jobs or 1, len(files)) == 1:  # else each process has its share of the cores
            import torch

            batch = replace(batch, workers=torch.get_num_threads())
            torch.set_num_threads(1)  # windows are distributed instead, see `esc.classification.timeline.sliding_window.windows`
    listed = _classify(files, batch, engine, output)
    results = [result for result in listed if not isinstance(result, AudioError)]
    refused = [result for result in listed if isinstance(result, AudioError)]
    errors += refused
    for error in errors:
        typer.echo(f"error: {error}", err=True)
    for result in results:
        for key in result.notes:
            typer.echo(f"note: {result.file}: {AudioError(f'note.{key}')}", err=True)
    if engine.engine == "plain":
        _write(listed if output.form == "raven" else [*results, *errors], output, batch, checkpoint.spectrogram)
    if errors:
        raise typer.Exit(EXIT_UNREADABLE)


def _check_usage(options: ClassifyOptions, output: OutputOptions, engine: EngineOptions) -> None:
    """Refuse options that exclude each other."""
    if options.hop is not None and not options.timeline:
        raise typer.BadParameter("only with --timeline", param_hint="--hop")
    if options.timeline and (options.start_s is not None or options.end_s is not None):
        raise typer.BadParameter("not with --timeline, which is of the whole sound", param_hint="--start, --end")
    check_range("full_scale", options.full_scale, *FULL_SCALES)
    check_range("time_expansion", options.time_expansion, *TIME_EXPANSIONS)
    if check_channel(options.channel, with_each=True) == EACH and engine.engine == "ray":
        raise typer.BadParameter("each is not possible with --engine ray", param_hint="--channel")
    if output.output and output.form != "audacity":
        check_output_file(output.output)
    if output.bom and output.output is None:
        raise typer.BadParameter("only with --output", param_hint="--bom")
    if engine.engine == "plain":
        if engine.address is not None:
            raise typer.BadParameter("only with --engine ray", param_hint="--address")
    elif output.form not in (None, "table"):
        raise typer.BadParameter("with --engine ray, the ending of --output selects the format", param_hint="--format")
    elif output.output is None:
        raise typer.BadParameter("--engine ray needs --output OUT.parquet or OUT.csv", param_hint="--output")


def _form_of(path: Path | None) -> Literal["table", ResultFormat]:
    """Return the format of a file by its ending."""
    if path is not None and path.suffix.lower() == ".parquet":
        raise typer.BadParameter("Parquet is written with --engine ray", param_hint="--output")
    endings: dict[str, Literal["table", ResultFormat]] = {".csv": "csv", ".json": "json"}
    return endings.get(path.suffix.lower() if path else "", "table")


def _check_label_tracks(output: OutputOptions, n_files: int) -> None:
    """Refuse several label tracks in one file."""
    if output.form != "audacity" or (output.output and output.output.is_dir()):
        return
    if n_files > 1:
        raise typer.BadParameter(
            "a label track is of one sound or channel; for several, name a folder that is there", param_hint="--output"
        )
    if output.output:
        check_output_file(output.output)


def _classify(files: Sequence[Path], options: BatchOptions, engine: EngineOptions, output: OutputOptions) -> list[FileResult]:
    """Return the results in the files' order, and show progress."""
    from esc.batch.runner import classify_files

    results: list[FileResult] = []
    with ProgressBar(len(files)) as progress:
        if engine.engine == "ray" and output.output:
            from esc.batch.ray_engine import classify_with_ray

            results = classify_with_ray(files, options, output.output, engine.jobs, engine.address, progress.files, output.bom)
        else:
            for result in classify_files(files, options, engine.jobs or 1, progress.window):
                results.append(result)
                progress.files(min(len(results), len(files)))  # a file may have a result per channel
    if engine.engine == "ray":
        refused = sum(isinstance(result, AudioError) for result in results)
        typer.echo(f"wrote {output.output} ({len(results) - refused} sounds, {refused} could not be read)", err=True)
    return results


def _write(results: Sequence[FileResult], output: OutputOptions, batch: BatchOptions, config: SpectrogramConfig) -> None:
    """Write the results to standard output, a file or a folder of label tracks."""
    from esc.batch.result_formats import as_text, track_names

    sounds = [result for result in results if not isinstance(result, AudioError)]
    targets: list[tuple[Path | None, Sequence[FileResult]]] = [(output.output, results)]
    if output.output and output.output.is_dir():
        targets = [(output.output / name, [result]) for name, result in zip(track_names(sounds), sounds, strict=True)]
    encoding = "utf-8-sig" if output.bom else "utf-8"
    for target, listed in targets:
        try:
            with nullcontext(sys.stdout) if target is None else target.open("w", encoding=encoding, newline="") as file:
                if output.form is not None and output.form != "table":
                    file.write(as_text(listed, output.form, batch.top_k, batch.timeline, config))
                elif sounds:
                    Console(file=file, width=None if file.isatty() else _WIDE).print(result_table(sounds, batch.timeline))
        except OSError as error:
            if target is None:  # a closed pipe
                raise
            raise typer.BadParameter(f"{target} can't be written ({error.strerror})", param_hint="--output") from error
