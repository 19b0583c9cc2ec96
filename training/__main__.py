"""`python -m training ...`: prepare ESC-50, train a network, measure it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from esc.checkpoint import DEFAULT, Checkpoint, load_checkpoint
from esc.classifier import Classifier
from esc.errors import EscError
from training.card import write_card
from training.data import FOLDS, check_folds, data_folder, read_clips
from training.evaluate import Figures, score
from training.prepare import CACHE, prepare
from training.recipes import RECIPES
from training.train import RUNS, train

EXAMPLES = Path("assets/examples")
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Data = Annotated[Path | None, typer.Option("--data", help="Folder of ESC-50; the variable ESC50_DIR where left out.")]
Cache = Annotated[Path, typer.Option("--cache", help="Folder for the prepared pictures.")]
RecipeName = Annotated[str, typer.Option("--recipe", help=f"One of: {', '.join(RECIPES)}.")]


@app.command("prepare")
def prepare_command(data: Data = None, recipe: RecipeName = "first", cache: Cache = CACHE) -> None:
    """Turn all clips into mel spectrograms once, so that training reads one array."""
    chosen = _recipe(recipe)
    prepared = prepare(read_clips(data_folder(data)), chosen.spectrogram, chosen.input, cache)
    typer.echo(f"{len(prepared.names)} clips as pictures of {' x '.join(map(str, prepared.pictures_db.shape[1:]))} in {cache}")


@app.command("train")
def train_command(
    data: Data = None,
    recipe: RecipeName = "first",
    fold: Annotated[int, typer.Option(help="The fold that is held out, 1 to 5.")] = 5,
    inner: Annotated[bool, typer.Option(help="For choosing settings: train on three folds, look at the fourth.")] = False,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 1,
    name: Annotated[str | None, typer.Option(help="Folder under runs/; made from the other options where left out.")] = None,
    valid_every: Annotated[int, typer.Option(min=1, help="Epochs between two looks at the held-out fold, for the curve.")] = 1,
    cache: Cache = CACHE,
) -> None:
    """Train to the last epoch; a run that was stopped goes on where it was."""
    chosen = _recipe(recipe)
    clips = read_clips(data_folder(data))
    check_folds(clips, (fold,))
    outer = tuple(f for f in FOLDS if f != fold)
    valid_fold, train_folds = (outer[-1], outer[:-1]) if inner else (fold, outer)
    prepared = prepare(clips, chosen.spectrogram, chosen.input, cache)
    run = RUNS / (name or f"{recipe}-fold{fold}{'-inner' if inner else ''}-seed{seed}")
    train(prepared, chosen, train_folds, valid_fold, seed, run, valid_every)
    typer.echo(f"wrote {run / 'checkpoint'}")


@app.command("evaluate")
def evaluate_command(
    data: Data = None,
    fold: Annotated[int, typer.Option(help="The fold to measure on, 1 to 5.")] = 5,
    checkpoint: Annotated[Path, typer.Option(help="Folder of the checkpoint; the shipped one where left out.")] = DEFAULT,
    output: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    cache: Cache = CACHE,
) -> None:
    """Measure a checkpoint on one fold: accuracy, loss and calibration."""
    if output not in ("text", "json"):
        raise typer.BadParameter(f"{output!r} is not possible: text or json", param_hint="--format")
    figures, meta = _measured(data, fold, checkpoint, cache)
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


@app.command("card")
def card_command(
    data: Data = None,
    fold: Annotated[int, typer.Option(help="The fold that the checkpoint holds out.")] = 5,
    checkpoint: Annotated[Path, typer.Option(help="Folder of the checkpoint; the shipped one where left out.")] = DEFAULT,
    examples: Annotated[Path, typer.Option(help="Sounds named after the class each is meant to be.")] = EXAMPLES,
    cache: Cache = CACHE,
) -> None:
    """Measure a checkpoint and write its model card beside it."""
    figures, _ = _measured(data, fold, checkpoint, cache)
    typer.echo(f"wrote {write_card(checkpoint, Classifier.load(checkpoint), figures, fold, examples)}")


def _measured(data: Path | None, fold: int, checkpoint: Path, cache: Path) -> tuple[Figures, Checkpoint]:
    """Return a checkpoint's figures on one fold, and what it says of itself."""
    clips = read_clips(data_folder(data))
    check_folds(clips, (fold,))
    model, meta = load_checkpoint(checkpoint)
    prepared = prepare(clips, meta.spectrogram, meta.input, cache)
    chosen = np.flatnonzero(prepared.folds == fold)
    pictures, targets = prepared.pictures_db[chosen], prepared.targets[chosen]
    model = model.to(memory_format=torch.channels_last)
    return score(model, torch.from_numpy(pictures), torch.from_numpy(targets), meta.input), meta


def _recipe(name: str):
    if name not in RECIPES:
        raise typer.BadParameter(f"{name!r} is not possible: one of {', '.join(RECIPES)}", param_hint="--recipe")
    return RECIPES[name]


def main() -> None:
    """Run the command line; an error that a user can mend is one line and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        app()
    except EscError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
