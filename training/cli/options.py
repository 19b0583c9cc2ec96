"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from esc.errors import ParameterError
from training.recipes import RECIPES, Recipe

_RECIPES = (
    "'first': one to two hours on two cores, from scratch; 'best': the shipped network's way, minutes on a GPU and hours "
    "without; 'notebook': the notebook's own steps on large pictures, best on a GPU."
)
Data = Annotated[Path | None, typer.Option("--data", help="Folder of ESC-50; the variable ESC50_DIR where left out.")]
Cache = Annotated[Path, typer.Option("--cache", help="Folder where prepared spectrograms are kept for the next time.")]
Readings = Annotated[Path, typer.Option("--readings", help="The log that gets a row for each look at a held-out fold.")]
RecipeName = Annotated[str, typer.Option("--recipe", help=f"How to train. {_RECIPES}")]
Seed = Annotated[int, typer.Option("--seed", help="Of weights, order and augmentation: the same seed, the same run.")]
Architecture = Annotated[
    str | None, typer.Option("--arch", help="resnet18, resnet34 or resnet50; the recipe's own where left out.")
]
SubBatch = Annotated[
    int | None,
    typer.Option("--sub-batch", help="Clips at once, where memory is short; gradients add up to the recipe's batch."),
]
Bfloat16 = Annotated[
    bool | None,
    typer.Option(
        "--bfloat16/--float32",
        help="Compute the network in bfloat16 (half the time) where the hardware has it, or in float32; the recipe's own "
        "choice where left out.",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="File of ImageNet weights (.pth, .safetensors) for 'notebook'; fetched where left out."),
]

Without = Annotated[
    str,
    typer.Option("--without", help="Classes to leave out, by name with commas in between, or how many: for `calibrate`."),
]


def chosen_recipe(
    name: str, architecture: str | None = None, sub_batch: int | None = None, mixed_precision: bool | None = None
) -> Recipe:
    """Return the recipe of that name, with the architecture, sub-batch and precision that were asked for."""
    if name not in RECIPES:
        raise typer.BadParameter(f"{name!r} is not possible: one of {', '.join(RECIPES)}", param_hint="--recipe")
    if architecture is not None:
        from esc.classification.resnet import ARCHITECTURES  # brings torch along

        if architecture not in ARCHITECTURES:
            said = f"{architecture!r} is not possible: one of {', '.join(ARCHITECTURES)}"
            raise typer.BadParameter(said, param_hint="--arch")
    changes = {"architecture": architecture, "sub_batch": sub_batch, "mixed_precision": mixed_precision}
    try:
        return dataclasses.replace(RECIPES[name], **{field: value for field, value in changes.items() if value is not None})
    except ParameterError as error:
        raise typer.BadParameter(str(error), param_hint="--sub-batch") from error


def run_name(recipe_name: str, recipe: Recipe, *parts: str) -> str:
    """Return what a run is called that was given no name."""
    architecture = () if recipe.architecture == RECIPES[recipe_name].architecture else (recipe.architecture,)
    return "-".join((recipe_name, *architecture, *(part for part in parts if part)))
