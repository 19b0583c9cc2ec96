"""evaluate, card: what a checkpoint reaches on a fold, and its model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from training.commands.options import Cache, Data, Readings
from training.data import data_folder, read_clips
from training.places import CACHE, EXAMPLES, READINGS

CheckpointFolder = Annotated[
    Path | None, typer.Option("--checkpoint", help="Folder of the checkpoint; the shipped one where left out.")
]


def evaluate_command(
    data: Data = None,
    fold: Annotated[int, typer.Option(help="The fold to measure on, 1 to 5.")] = 5,
    checkpoint: CheckpointFolder = None,
    output: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Measure a checkpoint on one fold: accuracy, loss and calibration. A look at a held-out fold is noted in a log."""
    if output not in ("text", "json"):
        raise typer.BadParameter(f"{output!r} is not possible: text or json", param_hint="--format")
    reading = _read(data, fold, checkpoint, cache, readings)
    figures, meta = reading.figures, reading.checkpoint
    if output == "json":
        result = {
            "accuracy": figures.accuracy,
            "loss": figures.loss,
            "ece": figures.ece,
            "clips": figures.clips,
            "fold": fold,
            "trained_on": meta.provenance.get("train_folds"),
            "config": {"spectrogram": meta.spectrogram.to_dict(), "input": meta.input.to_dict()},
        }
        typer.echo(json.dumps(result))
        return
    if fold in meta.provenance.get("train_folds", ()):
        typer.echo(f"Fold {fold} was trained on: these figures flatter the model.", err=True)
    measured = f"accuracy {figures.accuracy:.4f}, loss {figures.loss:.4f}, ECE {figures.ece:.4f}"
    typer.echo(f"fold {fold}: {measured}, {figures.clips} clips")


def card_command(
    data: Data = None,
    fold: Annotated[int, typer.Option(help="The fold that the checkpoint holds out.")] = 5,
    checkpoint: CheckpointFolder = None,
    examples: Annotated[Path, typer.Option(help="Sounds named after the class each is meant to be.")] = EXAMPLES,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Measure a checkpoint and write its model card beside it."""
    from esc.checkpoint import DEFAULT
    from esc.classifier import Classifier
    from training.card import write_card

    folder = checkpoint or DEFAULT
    figures = _read(data, fold, folder, cache, readings).figures
    typer.echo(f"wrote {write_card(folder, Classifier.load(folder), figures, fold, examples)}")


def _read(data: Path | None, fold: int, checkpoint: Path | None, cache: Path, readings: Path):
    from esc.checkpoint import DEFAULT
    from training.readings import read_fold

    return read_fold(checkpoint or DEFAULT, read_clips(data_folder(data)), fold, cache, readings)
