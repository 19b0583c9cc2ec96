"""Options shared by several commands."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from esc.classification.checkpoint_files.config import read_config
from esc.errors import CheckpointError, ParameterError
from training.data.esc50 import Clip, data_folder, is_own, origin_of, read_clips
from training.recipes import FRESH_SUFFIX, RECIPES, TUNED_SUFFIX, Architecture, Recipe, RecipeName
from training.runs.paths import CACHE, EVALUATION_LOG
from training.runs.run_dir import ESC_50, Origin

IMAGENET_FILES = (".pth", ".pt", ".safetensors")
_RECIPES = (
    "'first': from scratch, 1 to 2 hours on two cores; 'best': 200 epochs, minutes on a GPU and hours without; 'notebook': "
    "the original notebook with large spectrograms, best on a GPU; 'robust': fine-tunes a checkpoint of 'best' on distorted "
    "recordings."
)
RecipeOption = Annotated[RecipeName, typer.Option("--recipe", help=f"Hyperparameters. {_RECIPES}")]
Seed = Annotated[int, typer.Option("--seed", help="For initial weights, order and augmentation; the same seed repeats a run.")]
UnknownFolder = Annotated[
    Path | None, typer.Option("--unknown", help="Folder of sounds of no class, for 'robust'; synthetic ones are always added.")
]
RunName = Annotated[str | None, typer.Option("--name", help="Folder in runs/; by default made from the other options.")]


@dataclass(frozen=True)
class DataOptions:
    """Data set and cache."""

    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the data set; by default that of the run, or ESC-50 in the folder that ESC50_DIR names."),
    ] = None
    cache: Annotated[Path, typer.Option(help="Folder for prepared spectrograms.")] = CACHE

    def clips(self, run: Path | None = None) -> list[Clip]:
        """Return the clips of the given data set or of a run's."""
        return read_clips(data_folder(self.data, run))

    def origin(self, clips: list[Clip]) -> Origin:
        """Return name, licence and folder of the data set."""
        return origin_of(data_folder(self.data), clips)


@dataclass(frozen=True)
class EvaluationOptions(DataOptions):
    """Data set, cache and log of evaluations."""

    evaluation_log: Annotated[
        Path | None,
        typer.Option(
            help=f"Log with a row for each evaluation on a held-out fold; by default {EVALUATION_LOG}, or of own sounds "
            f"{EVALUATION_LOG.name} in their folder."
        ),
    ] = None

    def log(self, run: Path | None = None) -> Path:
        """Return the log of the given data set or of a run's."""
        if self.evaluation_log is not None:
            return self.evaluation_log
        folder = data_folder(self.data, run)
        return folder / EVALUATION_LOG.name if is_own(folder) else EVALUATION_LOG


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
        typer.Option(
            "--weights",
            "--from",
            help="Folder or ZIP of a checkpoint to fine-tune, also to other classes: the shipped one is "
            "checkpoints/esc50-resnet18. For 'notebook' also a file of ImageNet weights (.pth, .safetensors), by default "
            "downloaded.",
        ),
    ] = None
    fresh: Annotated[bool, typer.Option("--fresh", help="Start 'notebook' from fresh weights: another experiment.")] = False

    def chosen(self) -> Recipe:
        """Return the recipe with the requested changes."""
        wanted = {"architecture": self.arch, "sub_batch": self.sub_batch, "mixed_precision": self.bfloat16}
        changes: dict = {field: value for field, value in wanted.items() if value is not None}
        if self.fresh:
            changes["initial_weights"] = "fresh"
        try:
            chosen = dataclasses.replace(RECIPES[self.recipe], **changes)
        except ParameterError as error:
            raise typer.BadParameter(str(error), param_hint="--sub-batch") from error
        if chosen.initial_weights == "checkpoint" and self.weights is None:
            raise typer.BadParameter("this recipe fine-tunes a checkpoint: give its folder", param_hint="--from")
        return chosen if self.weights is None or chosen.initial_weights == "checkpoint" else self._fine_tuning(chosen)

    def _fine_tuning(self, recipe: Recipe) -> Recipe:
        """Return a recipe with network and input of the given checkpoint, if it is one."""
        assert self.weights is not None
        if self.weights.suffix in IMAGENET_FILES:
            if recipe.initial_weights != "imagenet":
                raise typer.BadParameter("a file of ImageNet weights is for 'notebook' without --fresh", param_hint="--from")
            return recipe
        if self.fresh or self.arch is not None:
            raise typer.BadParameter("a checkpoint is fine-tuned as it is, without --fresh and --arch", param_hint="--from")
        try:
            of = read_config(self.weights)
        except CheckpointError as error:
            raise typer.BadParameter(str(error), param_hint="--from") from error
        recipe = dataclasses.replace(recipe, initial_weights="checkpoint", architecture=of.architecture)
        return dataclasses.replace(recipe, spectrogram=of.spectrogram, input=of.input)

    def run_name(self, origin: Origin, *parts: str) -> str:
        """Return the default name of a run, begun by that of own data."""
        default = RECIPES[self.recipe]
        begins = self.chosen().initial_weights
        fresh = "" if begins == default.initial_weights else TUNED_SUFFIX if begins == "checkpoint" else FRESH_SUFFIX
        architecture = "" if self.arch in (None, default.architecture) else str(self.arch)
        data = "" if origin.folder is None or origin.name == ESC_50.name else Path(origin.folder).name
        return "-".join(part for part in (data, f"{self.recipe}{fresh}", architecture, *parts) if part)
