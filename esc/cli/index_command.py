"""index: embeddings of a collection, for similarity search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from esc.cli.console import CheckpointOption, ProgressBar, check_output_file


def index_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER", help="Sounds, or folders that contain some.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Index to write, for example index.npz.")],
    checkpoint: CheckpointOption = None,
) -> None:
    """Write an index for the search for similar sounds: SOUNDGLASS_INDEX=index.npz python app.py.

    Each sound is represented by its first clip that is not silent. Files that are silent or can't be read are reported
    on standard error, the others are indexed, and the exit code is 1.
    """
    check_output_file(output)

    from esc.batch.runner import sound_files
    from esc.classification.classifier import Classifier
    from esc.classification.reduced_precision import FLOAT32
    from esc.classification.similarity import SoundIndex

    classifier = Classifier.load(checkpoint, precision=FLOAT32)
    files, errors = sound_files(paths)
    with ProgressBar(len(files)) as progress:
        index, refused = SoundIndex.of_files(classifier, files, progress.files)
    errors += refused
    for error in errors:
        typer.echo(f"error: {error}", err=True)
    if index.paths:
        index.save(output)
        typer.echo(f"wrote {output} ({len(index.paths)} sounds)")
    if errors:
        raise typer.Exit(1)
