"""look, download, prepare: a clip in pictures, the data set on disk, the data set as spectrograms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from esc.config import PRESETS
from training.cli.options import Cache, Data, RecipeName, chosen_recipe
from training.data.esc50 import data_folder, read_clips
from training.runs.paths import CACHE, DATA, LOOKS


def look_command(
    clip: Annotated[str, typer.Argument(help="A sound file, or the name of an ESC-50 clip such as 1-100032-A-0.wav.")],
    out: Annotated[Path | None, typer.Option(help=f"Folder for the pictures; one in {LOOKS} where left out.")] = None,
    preset: Annotated[str, typer.Option(help=f"Spectrogram parameters: {', '.join(PRESETS)}.")] = "librosa",
    data: Data = None,
) -> None:
    """Draw one clip as PNG pictures: waveform, STFT, mel spectrogram in 2D and 3D, MFCC."""
    from training.data.plot_clip import find_clip, look

    if preset not in PRESETS:
        raise typer.BadParameter(f"{preset!r} is not possible: one of {', '.join(PRESETS)}", param_hint="--preset")
    path = find_clip(clip, data)
    for file in look(path, PRESETS[preset], out or LOOKS / path.stem):
        typer.echo(f"wrote {file}")


def download_command(
    to: Annotated[Path, typer.Option(help="Folder that ESC-50 is put into.")] = DATA,
    url: Annotated[str | None, typer.Option(help="Of the archive; GitHub's official one where left out.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What the archive must hash to, if you know it.")] = None,
) -> None:
    """Fetch ESC-50's public archive (600 MB), check it and unpack it; a broken download goes on where it stopped."""
    from training.data.download import LICENCE, URL, download

    typer.echo(LICENCE)
    folder = download(to, url or URL, sha256)
    typer.echo(f"ESC-50 is in {folder}. Next: python -m training prepare --data {folder}")


def prepare_command(data: Data = None, recipe: RecipeName = "first", cache: Cache = CACHE) -> None:
    """Turn all clips into what the recipe trains on, once: mel spectrograms, or sounds at its rate, in one array."""
    from training.data.preprocessing import prepare_for

    prepared = prepare_for(chosen_recipe(recipe), read_clips(data_folder(data)), cache)
    values, said = (
        (prepared.sounds, "sounds of") if prepared.spectrograms_db is None else (prepared.spectrograms_db, "pictures of")
    )
    typer.echo(f"{len(prepared.names)} clips as {said} {' x '.join(map(str, values.shape[1:]))} in {cache}")
