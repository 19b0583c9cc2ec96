"""Options shared by several commands."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_type_hints

import typer

from esc.errors import ParameterError
from training.data.esc50 import Clip, data_folder, read_clips
from training.recipes import FRESH_SUFFIX, RECIPES, Architecture, Recipe, RecipeName
from training.runs.paths import CACHE, EVALUATION_LOG

_RECIPES = (
    "'first': from scratch, 1 to 2 hours on two cores; 'best': as shipped, minutes on a GPU and hours without; 'notebook': "
    "the original notebook with large spectrograms, best on a GPU."
)
RecipeOption = Annotated[RecipeName, typer.Option("--recipe", help=f"Hyperparameters. {_RECIPES}")]
Seed = Annotated[int, typer.Option("--seed", help="For initial weights, order and augmentation; the same seed repeats a run.")]
RunName = Annotated[str | None, typer.Option("--name", help="Folder in runs/; by default made from the other options.")]


@dataclass(frozen=True)
class DataOptions:
    """Data set and cache."""

    data: Annotated[Path | None, typer.Option(help="Folder of ESC-50; by default that of the variable ESC50_DIR.")] = None
    cache: Annotated[Path, typer.Option(help="Folder for prepared spectrograms.")] = CACHE

    def clips(self) -> list[Clip]:
        """Return the clips of the data set."""
        return read_clips(data_folder(self.data))


@dataclass(frozen=True)
class EvaluationOptions(DataOptions):
    """Data set, cache and log of evaluations."""

    evaluation_log: Annotated[Path, typer.Option(help="Log with a row for each evaluation on a held-out fold.")] = EVALUATION_LOG


@dataclass(frozen=True)
class RecipeOptions:
    """A recipe, and changes to it."""

    recipe: RecipeOption = RecipeName.FIRST
    arch: Annotated[Architecture | None, typer.Option(help="Network; by default the recipe's.")] = None
    sub_batch: Annotated[
        int | None, typer.Option(help="Clips per forward pass, to save memory; gradients add up to the recipe's batch.")
    ] = None
    bfloat16: Annotated[
        bool | None,
        typer.Option(
            "--bfloat16/--float32",
            help="Run the network in bfloat16 (half the time) on hardware that supports it; by default the recipe's choice.",
        ),
    ] = None
    weights: Annotated[
        Path | None,
        typer.Option(help="File of ImageNet weights (.pth, .safetensors) for 'notebook'; downloaded by default."),
    ] = None
    fresh: Annotated[bool, typer.Option("--fresh", help="Start 'notebook' from fresh weights: another experiment.")] = False

    def chosen(self) -> Recipe:
        """Return the recipe with the requested changes."""
        wanted = {"architecture": self.arch, "sub_batch": self.sub_batch, "mixed_precision": self.bfloat16}
        changes: dict = {field: value for field, value in wanted.items() if value is not None}
        if self.fresh:
            changes["initial_weights"] = "fresh"
        try:
            return dataclasses.replace(RECIPES[self.recipe], **changes)
        except ParameterError as error:
            raise typer.BadParameter(str(error), param_hint="--sub-batch") from error

    def run_name(self, *parts: str) -> str:
        """Return the default name of a run."""
        default = RECIPES[self.recipe]
        fresh = FRESH_SUFFIX if self.chosen().initial_weights != default.initial_weights else ""
        architecture = "" if self.arch in (None, default.architecture) else str(self.arch)
        return "-".join(part for part in (f"{self.recipe}{fresh}", architecture, *parts) if part)


def grouped(command: Callable) -> Callable:
    """Return a command for typer, in which parameters that are dataclasses are replaced by their fields."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            types = get_type_hints(groups[name], include_extras=True)
            parameters += [
                inspect.Parameter(field.name, parameter.KEYWORD_ONLY, default=field.default, annotation=types[field.name])
                for field in dataclasses.fields(groups[name])
            ]
        else:
            parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=hints[name]))

    @functools.wraps(command)
    def expanded(**values: object) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind)})
        command(**values)

    del vars(expanded)["__wrapped__"]  # typer would look behind it
    vars(expanded)["__signature__"] = inspect.Signature(parameters)
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded
