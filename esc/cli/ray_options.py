"""classify --engine ray: what is particular to it on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from esc.cli.console import ProgressBar
from esc.errors import AudioError

if TYPE_CHECKING:
    from esc.batch.runner import BatchOptions

ENGINES = ("plain", "ray")


def check_engine(engine: str, address: str | None, form: str, output: Path | None) -> None:
    """Refuse options that don't go together."""
    if engine not in ENGINES:
        raise typer.BadParameter(f"{engine!r} is not possible: one of {', '.join(ENGINES)}", param_hint="--engine")
    if engine == "plain":
        if address is not None:
            raise typer.BadParameter("an address is that of a cluster for --engine ray", param_hint="--address")
        return
    if form != "table":
        raise typer.BadParameter("with --engine ray the ending of --output says the format", param_hint="--format")
    if output is None:
        raise typer.BadParameter("--engine ray needs --output OUT.parquet or OUT.csv", param_hint="--output")
    if output.is_dir():
        raise typer.BadParameter(f"{output} is a folder", param_hint="--output")


def run_with_ray(
    files: Sequence[Path], task: BatchOptions, output: Path, jobs: int | None, address: str | None
) -> list[AudioError]:
    """Hear files, write what was heard, and return what could not be read."""
    from esc.batch.ray_engine import classify_with_ray

    with ProgressBar(len(files)) as bar:
        answers = classify_with_ray(files, task, output, jobs, address, bar.files)
    refused = [heard for heard in answers if isinstance(heard, AudioError)]
    typer.echo(f"wrote {output} ({len(answers) - len(refused)} sounds, {len(refused)} could not be read)", err=True)
    return refused
