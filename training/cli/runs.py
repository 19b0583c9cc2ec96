"""Commands on runs: train, crossval, sweep, report, results."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.cli.options import DataOptions, EvaluationOptions, RecipeOption, RecipeOptions, RunName, Seed, UnknownFolder
from training.data.esc50 import Clip, all_folds, check_folds, left_out, without_classes
from training.recipes import RECIPES, Recipe, RecipeName, fitted
from training.runs.paths import EVALUATION_LOG, RESULTS, RUNS

if TYPE_CHECKING:
    from training.data.preprocessing import Prepared


@dataclasses.dataclass(frozen=True)
class SplitOptions:
    """Which clips are trained on."""

    fold: Annotated[int, typer.Option(help="The held-out fold, 1 to 5.")] = 5
    inner: Annotated[bool, typer.Option("--inner", help="Validate on the fourth of the training folds, to choose settings.")] = (
        False
    )
    leave_out_classes: Annotated[
        str,
        typer.Option(help="Classes to leave out, comma-separated or a number: unknown sounds for the figures of `calibrate`."),
    ] = ""

    def folds(self, clips: list[Clip]) -> tuple[tuple[int, ...], int]:
        """Return the training folds and the validation fold."""
        check_folds(clips, (self.fold,))
        outer = tuple(fold for fold in all_folds(clips) if fold != self.fold)
        return (outer[:-1], outer[-1]) if self.inner else (outer, self.fold)


def train_command(
    options: EvaluationOptions,
    recipe: RecipeOptions,
    split: SplitOptions,
    seed: Seed = 1,
    name: RunName = None,
    valid_every: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs between two validations. By default 1 with --inner, else none: each is logged."),
    ] = None,
    unknown: UnknownFolder = None,
) -> None:
    """Train a network to the last epoch; the same command resumes a run.

    Several GPUs, machines or processes share a run: torchrun --nproc-per-node 2 -m training train --sub-batch 16
    """
    from training.data.preprocessing import prepare_for
    from training.engine.distributed import join_group
    from training.evaluation.unknown_clips import with_unknown
    from training.runs.run_dir import RunConfig
    from training.train import NEVER, Validation, train

    chosen = recipe.chosen()
    clips = options.clips()
    train_folds, valid_fold = split.folds(clips)
    classes = left_out(clips, split.leave_out_classes)
    origin, n_clips = options.origin(clips), sum(clip.fold in train_folds for clip in without_classes(clips, classes))
    config = RunConfig(fitted(chosen, n_clips), train_folds, valid_fold, seed, classes, origin)
    parts = f"fold{split.fold}", "inner" if split.inner else "", f"without{len(classes)}" if classes else "", f"seed{seed}"
    run = RUNS / (name or recipe.run_name(origin, *parts))
    validation = Validation(valid_every or (1 if split.inner else NEVER), None if split.inner else options.log())

    def prepared_clips() -> Prepared:
        known = without_classes(clips, classes)
        return prepare_for(config.recipe, with_unknown(config.recipe, known, unknown, options.cache), options.cache)

    with join_group() as group:
        prepared = group.leader_first(prepared_clips)
        checkpoint = train(prepared, config, run, validation, recipe.weights, group)
        if group.is_main:
            typer.echo(f"wrote {checkpoint}. Next: python -m training report {run}")


def crossval_command(options: EvaluationOptions, recipe: RecipeOptions, seed: Seed = 1, name: RunName = None) -> None:
    """Train with each fold held out once: ESC-50's official figure. Can be resumed."""
    from training.cross_validation import SUMMARY, cross_validate
    from training.runs.run_dir import RunConfig

    _check_weights(recipe.chosen())
    clips = options.clips()
    origin, n_clips = options.origin(clips), min(sum(clip.fold != fold for clip in clips) for fold in all_folds(clips))
    folder = RUNS / (name or recipe.run_name(origin, "crossval", f"seed{seed}"))
    config = RunConfig(fitted(recipe.chosen(), n_clips), (), 0, seed, origin=origin)
    summary = cross_validate(clips, config, folder, options.cache, options.log(), recipe.weights)
    for fold, accuracy in summary["accuracy"].items():
        typer.echo(f"fold {fold}: {accuracy:.4f}")
    typer.echo(f"mean {summary['mean']:.4f}, standard deviation {summary['std']:.4f}, ECE {summary['ece']:.4f}")
    typer.echo(f"wrote {folder / SUMMARY}")


def sweep_command(
    grid: Annotated[
        list[str], typer.Argument(metavar="PARAMETER=VALUES...", help="Values to try, such as n_mels=64,128 hop_length=512,1024.")
    ],
    options: DataOptions,
    recipe: RecipeOption = RecipeName.FIRST,
    epochs: Annotated[int, typer.Option(min=1, help="For each combination.")] = 12,
    fold: Annotated[int, typer.Option(help="The fold that is not used at all.")] = 5,
    seed: Seed = 1,
    name: RunName = None,
) -> None:
    """Try all combinations of spectrogram parameters on the inner split. Interrupted, it is resumed.

    The best of many short runs is optimistic: 400 clips resolve differences of 3 points at best.
    """
    from training.runs.run_dir import RunConfig
    from training.sweep import TABLE, combinations, parse_grid, sweep

    _check_weights(RECIPES[recipe])
    clips = options.clips()
    train_folds, valid_fold = SplitOptions(fold, inner=True).folds(clips)
    recipes = combinations(dataclasses.replace(RECIPES[recipe], epochs=epochs), parse_grid(grid))
    origin, n_clips = options.origin(clips), sum(clip.fold in train_folds for clip in clips)
    configs = {key: RunConfig(fitted(one, n_clips), train_folds, valid_fold, seed, origin=origin) for key, one in recipes.items()}
    folder = RUNS / (name or f"sweep-{recipe}-fold{fold}-epochs{epochs}-seed{seed}")
    for row in sweep(clips, configs, folder, options.cache):
        typer.echo(f"{row['valid_accuracy']:.4f}  {row['parameters']}  ({row['image']}, {row['seconds']:.0f} s)")
    typer.echo(f"wrote {folder / TABLE}")


def report_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, such as runs/first-fold5-seed1.")],
    options: EvaluationOptions,
) -> None:
    """Write a report into each run's folder: curves, confusion matrix, recall, mistakes and calibration."""
    from training.evaluation.run_report import write_report

    for run in runs:
        typer.echo(f"wrote {write_report(run, options.clips(run), options.cache, options.log(run))}")


def results_command(
    options: EvaluationOptions,
    runs: Annotated[list[Path] | None, typer.Argument(metavar="[RUN...]", help="Runs or crossval folders to import.")] = None,
) -> None:
    """Import runs into training/results/ and write training/RESULTS.md: tables and plots of all runs."""
    from training.evaluation.results_page import import_run, write_results

    for run in runs or []:
        for name in import_run(run, RESULTS, options.clips(run), options.cache, options.log(run)):
            typer.echo(f"imported {name}")
    typer.echo(f"wrote {write_results(RESULTS, options.evaluation_log or EVALUATION_LOG)}")


def _check_weights(recipe: Recipe) -> None:
    if recipe.initial_weights == "checkpoint":
        raise typer.BadParameter("one checkpoint can't hold out several folds or have several inputs", param_hint="--recipe")
