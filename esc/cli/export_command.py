"""export: the network as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from esc.cli.console import CheckpointOption, check_output_file


def export_command(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, for example esc50.onnx.")],
    form: Annotated[Literal["onnx"], typer.Option("--format", help="Format of the file.")] = "onnx",
    checkpoint: CheckpointOption = None,
) -> None:
    """Export the network: mel spectrograms in dB in, probabilities out.

    The file is compared with PyTorch on the example sounds, and the difference is printed. Above 1e-4 nothing is written
    and the exit code is 1. `esc/classification/checkpoint_files/onnx_export.py` shows how to use it.
    """
    check_output_file(target, "OUT")

    from esc.classification.checkpoint_files.onnx_export import LIMIT, export_onnx
    from esc.classification.classifier import Classifier
    from esc.classification.reduced_precision import FLOAT32

    parity = export_onnx(Classifier.load(checkpoint, precision=FLOAT32), target)
    compared = f"largest difference of a probability from torch on {parity.n_clips} sounds: {parity.difference:.1e}"
    if not parity.holds:
        typer.echo(f"error: {compared}, more than {LIMIT:.0e}; {target} was not written", err=True)
        raise typer.Exit(1)
    typer.echo(f"wrote {target} ({target.stat().st_size / 1e6:.0f} MB); {compared} (at most {LIMIT:.0e})")
