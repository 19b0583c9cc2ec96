"""train, crossval, sweep, report: one run, five of them, many short ones, and the page on a run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import (  # fmt: skip
    Architecture,
    Bfloat16,
    Cache,
    Data,
    Readings,
    RecipeName,
    Seed,
    SubBatch,
    Weights,
    Without,
    chosen_recipe,
    run_name,
)
from training.data.esc50 import all_folds, check_folds, data_folder, left_out, read_clips, without_classes
from training.runs.paths import CACHE, READINGS, RESULTS, RUNS


def train_command(
    data: Data = None,
    recipe: RecipeName = "first",
    fold: Annotated[int, typer.Option(help="The fold that is held out, 1 to 5.")] = 5,
    inner: Annotated[bool, typer.Option(help="For choosing settings: train on three folds, look at the fourth.")] = False,
    arch: Architecture = None,
    sub_batch: SubBatch = None,
    bfloat16: Bfloat16 = None,
    weights: Weights = None,
    without: Without = "",
    seed: Seed = 1,
    name: Annotated[str | None, typer.Option(help="Folder under runs/; made from the other options where left out.")] = None,
    valid_every: Annotated[int, typer.Option(min=1, help="Epochs between two looks at the held-out fold, for the curve.")] = 1,
    cache: Cache = CACHE,
) -> None:
    """Train a network to the last epoch; a run that was stopped goes on where it was. Give the same options again.

    Several GPUs, machines or processes share a run: torchrun --nproc-per-node 2 -m training train --sub-batch 16
    """
    from training.data.preprocessing import prepare_for
    from training.engine.distributed import joined
    from training.train import train

    chosen = chosen_recipe(recipe, arch, sub_batch, bfloat16)
    clips = read_clips(data_folder(data))
    check_folds(clips, (fold,))
    outer = tuple(f for f in all_folds(clips) if f != fold)
    valid_fold, train_folds = (outer[-1], outer[:-1]) if inner else (fold, outer)
    missing = left_out(clips, without)
    parts = f"fold{fold}", "inner" if inner else "", f"without{len(missing)}" if missing else "", f"seed{seed}"
    run = RUNS / (name or run_name(recipe, chosen, *parts))
    with joined() as group:
        prepared = group.one_after_another(lambda: prepare_for(chosen, without_classes(clips, missing), cache))
        train(prepared, chosen, train_folds, valid_fold, seed, run, valid_every, weights, without=missing, group=group)
        if group.first:
            typer.echo(f"wrote {run / 'checkpoint'}. Next: python -m training report {run}")


def crossval_command(
    data: Data = None,
    recipe: RecipeName = "first",
    arch: Architecture = None,
    sub_batch: SubBatch = None,
    bfloat16: Bfloat16 = None,
    weights: Weights = None,
    seed: Seed = 1,
    name: Annotated[str | None, typer.Option(help="Folder under runs/; made from the other options where left out.")] = None,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Train five times, each fold held out once: ESC-50's official figure. Stopped, it goes on where it was."""
    from training.cross_validation import SUMMARY, cross_validate

    chosen = chosen_recipe(recipe, arch, sub_batch, bfloat16)
    folder = RUNS / (name or run_name(recipe, chosen, "crossval", f"seed{seed}"))
    summary = cross_validate(read_clips(data_folder(data)), chosen, seed, folder, cache, readings, weights)
    for fold, accuracy in summary["accuracy"].items():
        typer.echo(f"fold {fold}: {accuracy:.4f}")
    typer.echo(f"mean {summary['mean']:.4f}, standard deviation {summary['std']:.4f}, ECE {summary['ece']:.4f}")
    typer.echo(f"wrote {folder / SUMMARY}")


def sweep_command(
    grid: Annotated[
        list[str], typer.Argument(metavar="PARAMETER=VALUES...", help="What to try, such as n_mels=64,128 hop_length=512,1024.")
    ],
    data: Data = None,
    recipe: RecipeName = "first",
    epochs: Annotated[int, typer.Option(min=1, help="Of each combination: enough to tell them apart.")] = 12,
    fold: Annotated[int, typer.Option(help="The fold that is neither trained on nor looked at.")] = 5,
    seed: Seed = 1,
    name: Annotated[str, typer.Option(help="Folder under runs/.")] = "sweep",
    cache: Cache = CACHE,
) -> None:
    """Try spectrogram parameters on the inner split, all combinations of them. Stopped, it goes on where it was.

    The best of many short runs flatters: 400 clips tell two runs apart by some 3 points at the least.
    """
    from training.grid_search import TABLE, combinations, parse_grid, sweep

    clips = read_clips(data_folder(data))
    check_folds(clips, (fold,))
    *train_folds, valid_fold = (f for f in all_folds(clips) if f != fold)
    recipes = combinations(dataclasses.replace(chosen_recipe(recipe), epochs=epochs), parse_grid(grid))
    for row in sweep(clips, recipes, tuple(train_folds), valid_fold, seed, RUNS / name, cache):
        typer.echo(f"{row['valid_accuracy']:.4f}  {row['parameters']}  ({row['picture']}, {row['seconds']:.0f} s)")
    typer.echo(f"wrote {RUNS / name / TABLE}")


def report_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, such as runs/first-fold5-seed1.")],
    data: Data = None,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Write a page with curves, confusion matrix, recall, commonest mistakes and calibration into each run's folder."""
    from training.evaluation.run_report import write_report

    clips = read_clips(data_folder(data))
    for run in runs:
        typer.echo(f"wrote {write_report(run, clips, cache, readings)}")


def results_command(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN...]", help="Runs, or folders of crossval, to be taken up.")
    ] = None,
    data: Data = None,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Take up runs into training/results/ and write training/RESULTS.md from all that lie there: tables and pictures."""
    from training.evaluation.results_page import take_up, write_results

    for run in runs or []:
        for name in take_up(run, RESULTS, read_clips(data_folder(data)), cache, readings):
            typer.echo(f"took up {name}")
    typer.echo(f"wrote {write_results(RESULTS, readings)}")
