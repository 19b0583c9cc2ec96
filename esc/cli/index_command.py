"""index: what the network makes of a folder's sounds, for finding the most similar ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from esc.cli.console import ProgressBar


def index_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER", help="Sounds, or folders that hold some.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The index to write, for example index.npz.")],
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Folder of the checkpoint; the shipped one where left out.")
    ] = None,
) -> None:
    """Write an index of sounds, from which the app names the most similar ones: SOUNDGLASS_INDEX=index.npz python app.py.

    Of each sound the first clip that is not silent counts. Files that are silent or can't be read are named on standard
    error, the rest is done, and the exit code is 1.
    """
    if not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    if output.is_dir():
        raise typer.BadParameter(f"{output} is a folder", param_hint="--output")

    from esc.batch.runner import sound_files
    from esc.classification.classifier import Classifier
    from esc.classification.similarity import SoundIndex

    classifier = Classifier.load(checkpoint)
    files, errors = sound_files(paths)
    with ProgressBar(len(files)) as bar:
        index, refused = SoundIndex.of_files(classifier, files, bar.files)
    for error in [*errors, *refused]:
        typer.echo(f"error: {error}", err=True)
    if index.paths:
        index.save(output)
        typer.echo(f"wrote {output} ({len(index.paths)} sounds)")
    if errors or refused:
        raise typer.Exit(1)
