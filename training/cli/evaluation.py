"""evaluate, calibrate, explain-test, card: what a checkpoint reaches, what its numbers and maps mean, its model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import Cache, Data, Readings
from training.data.esc50 import data_folder, read_clips
from training.runs.paths import CACHE, EXAMPLES, READINGS

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
    figures, before, meta = reading.calibrated, reading.figures, reading.checkpoint
    if output == "json":
        result = {
            "accuracy": figures.accuracy,
            "loss": figures.loss,
            "ece": figures.ece,
            "ece_before": before.ece,
            "calibration": None if meta.calibration is None else meta.calibration.to_dict(),
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
    cooled = "" if meta.calibration is None else f" (before the temperature {before.ece:.4f})"
    typer.echo(f"fold {fold}: {measured}{cooled}, {figures.clips} clips")


def calibrate_command(
    run: Annotated[Path, typer.Argument(help="Folder of the finished run whose checkpoint is calibrated.")],
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", help="A run that held out another fold; once for each: all give the temperature together."),
    ] = None,
    without: Annotated[
        Path | None, typer.Option(help="A run trained with --without: its left-out classes are the unknown sounds.")
    ] = None,
    data: Data = None,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Make probabilities mean what they say, and find the threshold for "none of these"; both go into the checkpoint.

    The temperature comes from clips that were held out, and the error told is of clips that had no say in it.
    """
    from training.evaluation.calibrate import calibrate
    from training.evaluation.ood import REFUSED

    found = calibrate(run, others or [], without, read_clips(data_folder(data)), cache, readings)
    calibration, separation = found.calibration, found.separation
    by = "other folds" if len(found.folds) > 1 else "other recordings"
    typer.echo(f"temperature {calibration.temperature:.3f}, from fold {', '.join(map(str, sorted(found.folds)))}")
    typer.echo(f"ECE {found.before.ece:.4f} before, {found.after.ece:.4f} with a temperature fitted on {by}")
    limit = f"{calibration.unknown_score} below {calibration.unknown_threshold:.3f}"
    typer.echo(f"{limit} is none of these: by construction {REFUSED:.0%} of the known clips that {run.name} held out")
    said = ", ".join(f"{name} {area:.3f}" for name, area in separation.auroc.items())
    whose = run.name if without is None else f"{without.name}, at a threshold of its own"
    typer.echo(f"unknown sounds, by {whose}: AUROC {said}")
    for kind, area in separation.kinds.items():
        typer.echo(f"  {kind}: AUROC {area:.3f}")
    typer.echo(f"  refused: {separation.caught:.1%} of them and {separation.false_alarms:.1%} of known sounds")
    typer.echo(f"wrote {run / 'checkpoint'}")


def explain_test_command(
    data: Data = None,
    fold: Annotated[int, typer.Option(help="The fold whose clips are used, 1 to 5.")] = 5,
    checkpoint: CheckpointFolder = None,
    keep: Annotated[bool, typer.Option("--keep", help="Write the figures beside the checkpoint; the page shows them.")] = False,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Cover what the heat maps mark: does the network miss it more than as much covered elsewhere?"""
    from esc.classification.metrics_file import write_metrics
    from esc.paths import DEFAULT_CHECKPOINT
    from training.evaluation.deletion_test import SHARES, maps_tested

    folder = checkpoint or DEFAULT_CHECKPOINT
    found = maps_tested(folder, read_clips(data_folder(data)), fold, cache, readings)
    figures = found.figures()
    typer.echo(f"{figures['clips']} clips of fold {fold}; mean probability of the likeliest class {figures['before']:.3f}")
    typer.echo("covered  what is marked  elsewhere  the loudest  marked below elsewhere")
    for number, share in enumerate(SHARES):
        left = [figures[name][number] for name in ("marked", "random", "loudest")]
        below = (found.marked[number] < found.random[number]).mean()
        typer.echo(f"{share:7.0%}{left[0]:16.3f}{left[1]:11.3f}{left[2]:13.3f}{below:14.0%} of clips")
    if keep:
        typer.echo(f"wrote {write_metrics(folder, deletion=figures)}")


def card_command(
    data: Data = None,
    fold: Annotated[int, typer.Option(help="The fold that the checkpoint holds out.")] = 5,
    checkpoint: CheckpointFolder = None,
    examples: Annotated[Path, typer.Option(help="Sounds named after the class each is meant to be.")] = EXAMPLES,
    cache: Cache = CACHE,
    readings: Readings = READINGS,
) -> None:
    """Measure a checkpoint and write its model card beside it."""
    from esc.classification.classifier import Classifier
    from esc.paths import DEFAULT_CHECKPOINT
    from training.evaluation.model_card import write_card

    folder = checkpoint or DEFAULT_CHECKPOINT
    reading = _read(data, fold, folder, cache, readings)
    typer.echo(f"wrote {write_card(folder, Classifier.load(folder), reading, fold, examples)}")


def _read(data: Path | None, fold: int, checkpoint: Path | None, cache: Path, readings: Path):
    from esc.paths import DEFAULT_CHECKPOINT
    from training.evaluation.held_out_log import read_fold

    return read_fold(checkpoint or DEFAULT_CHECKPOINT, read_clips(data_folder(data)), fold, cache, readings)
