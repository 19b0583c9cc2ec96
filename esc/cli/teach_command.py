"""teach: a network for own classes, from a folder of examples per class."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

from esc.cli.console import EXIT_UNREADABLE, CheckpointOption, ProgressBar

if TYPE_CHECKING:
    from esc.batch.teach_files import TaughtFiles


def teach_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER_OR_TABLE", help="A folder of sounds per class, or a CSV table with columns file and label."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the checkpoint, for example mine.")],
    other: Annotated[
        str | None, typer.Option("--other", help="Class of sounds that are none of the others ('anything else').")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    checkpoint: CheckpointOption = None,
) -> None:
    """Teach own classes from 3 or more examples each, and write a checkpoint.

    Examples that can't be used are reported on standard error and left out, and the exit code is 1.
    """
    import torch

    from esc.batch.teach_files import teach_files

    began = time.monotonic()
    cores = torch.get_num_threads()
    torch.set_num_threads(1)  # files are distributed instead
    with ProgressBar(0) as progress:
        done = teach_files(source, output, checkpoint, other, progress.of_all, cores)
    for error in done.errors:
        typer.echo(f"error: {error}", err=True)
    if as_json:
        typer.echo(json.dumps(_report(done, output, time.monotonic() - began), indent=1, ensure_ascii=False))
    else:
        _print(done, output)
    if done.errors:
        raise typer.Exit(EXIT_UNREADABLE)


def _report(done: TaughtFiles, output: Path, seconds: float) -> dict:
    wrong = [
        {"file": one.name, "label": one.label, "guess": one.guess, "probability": one.probability} for one in done.taught.wrong
    ]
    left_out = [str(error) for error in done.errors]
    about = {"checkpoint": str(output), "seconds": round(seconds, 2)}
    return about | done.taught.figures | {"wrong": wrong, "left_out": left_out}


def _print(done: TaughtFiles, output: Path) -> None:
    figures = done.taught.figures
    names = [one["name"] for one in figures["classes"]]
    table = Table("class", *(Column(title, justify="right") for title in ("examples", "recall", *names)), box=box.SIMPLE)
    for one, row in zip(figures["classes"], figures["confusion"], strict=True):
        table.add_row(one["name"], str(one["examples"]), f"{one['recall']:.0%}", *map(str, row))
    Console().print(table)
    for one in done.taught.wrong:
        typer.echo(f"wrong: {one.name}: {one.guess} {one.probability:.2f}")
    interval = f"{figures['low']:.1%} to {figures['high']:.1%}"
    typer.echo(f"accuracy {figures['accuracy']:.1%} ({interval}) on {figures['examples']} examples, cross-validated")
    if not figures["grouped"]:
        typer.echo("a class has examples of one recording only: expect less on other recordings")
    typer.echo(f"wrote {output}. Next: python -m esc classify FILE --checkpoint {output}")
