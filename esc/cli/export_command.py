"""export: the network as a file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FORMATS = ("onnx",)


def export_command(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write, for example esc50.onnx.")],
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "onnx",
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Folder of the checkpoint; the shipped one where left out.")
    ] = None,
) -> None:
    """Write the network as one file: mel spectrograms in dB in, probabilities out.

    The file is run and compared with torch on the example sounds; the difference is printed. Above 1e-4 nothing is
    written and the exit code is 1. `esc/export.py` shows how to feed it.
    """
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not possible: one of {', '.join(FORMATS)}", param_hint="--format")
    if not target.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {target.parent}", param_hint="OUT")
    if target.is_dir():
        raise typer.BadParameter(f"{target} is a folder", param_hint="OUT")

    from esc.classification.classifier import Classifier
    from esc.classification.onnx_export import LIMIT, export_onnx

    parity = export_onnx(Classifier.load(checkpoint), target)
    compared = f"largest difference of a probability from torch on {parity.pictures} sounds: {parity.difference:.1e}"
    if not parity.holds:
        typer.echo(f"error: {compared}, more than {LIMIT:.0e}; {target} was not written", err=True)
        raise typer.Exit(1)
    typer.echo(f"wrote {target} ({target.stat().st_size / 1e6:.0f} MB); {compared} (at most {LIMIT:.0e})")
