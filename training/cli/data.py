"""Commands on data: look, download, prepare."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from esc.config import PRESETS
from training.cli.options import DataOptions, RecipeOption, UnknownFolder
from training.recipes import RECIPES, RecipeName
from training.runs.paths import DATA, PLOTS


class Preset(StrEnum):
    """Names of the spectrogram presets."""

    LIBROSA = "librosa"
    NOTEBOOK = "notebook"
    ESC50 = "esc50"
    SPEECH = "speech"
    BIRDSONG = "birdsong"
    BATS = "bats"
    CLICKS = "clicks"


def look_command(
    clip: Annotated[str, typer.Argument(help="A sound file, or the name of an ESC-50 clip such as 1-100032-A-0.wav.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help=f"Folder for the plots; by default in {PLOTS}.")] = None,
    preset: Annotated[Preset, typer.Option(help="Spectrogram parameters.")] = Preset.LIBROSA,
    data: Annotated[Path | None, typer.Option(help="Folder of ESC-50; by default that of the variable ESC50_DIR.")] = None,
) -> None:
    """Plot one clip as PNG files: waveform, STFT, mel spectrogram in 2D and 3D, MFCC."""
    from training.data.plot_clip import find_clip, plot_clip

    path = find_clip(clip, data)
    for file in plot_clip(path, PRESETS[preset], output or PLOTS / path.stem):
        typer.echo(f"wrote {file}")


def download_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for ESC-50.")] = DATA,
    url: Annotated[str | None, typer.Option(help="URL of the archive; by default GitHub's official one.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Expected checksum of the archive.")] = None,
) -> None:
    """Download ESC-50's public archive (600 MB), check and unpack it; an interrupted download is resumed."""
    from training.data.download import LICENCE, URL, download

    typer.echo(LICENCE)
    folder = download(output, url or URL, sha256)
    typer.echo(f"ESC-50 is in {folder}. Next: python -m training prepare --data {folder}")


def prepare_command(
    options: DataOptions,
    recipe: RecipeOption = RecipeName.FIRST,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes, some 300 MB each; by default one per usable core.")] = None,
    unknown: UnknownFolder = None,
    folders: Annotated[
        Path | None,
        typer.Option(help="Own sounds: a folder with a folder for each class, or a CSV table with the columns file and label."),
    ] = None,
) -> None:
    """Compute the mel spectrograms of a recipe once.

    With --folders, own sounds of any length become a data set first: clips in five folds, all of a file in one. It is written
    to --data, by default data/NAME. Files that can't be used are reported, the others are, and the exit code is 1.
    """
    from training.data.own_sounds import make_data_set
    from training.data.preprocessing import prepare_for
    from training.evaluation.unknown_clips import with_unknown

    refused: list[str] = []
    if folders is not None:
        name = folders.stem if folders.is_file() else folders.absolute().name
        options = dataclasses.replace(options, data=options.data or DATA.parent / name)
        assert options.data is not None
        refused = make_data_set(folders, options.data, RECIPES[recipe].input.clip_seconds)
    clips = with_unknown(RECIPES[recipe], options.clips(), unknown, options.cache)
    prepared = prepare_for(RECIPES[recipe], clips, options.cache, jobs)
    count, *shape = prepared.spectrograms_db.shape
    typer.echo(f"{count} spectrograms of {' x '.join(map(str, shape))} in {options.cache}")
    if folders is not None:
        typer.echo(f"{options.origin(clips).name}: {options.data}. Next: python -m training train --data {options.data}")
    for error in refused:
        typer.echo(f"error: {error}", err=True)
    if refused:
        raise typer.Exit(1)
