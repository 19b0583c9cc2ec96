"""Commands on checkpoints: evaluate, robustness, localization, calibrate, explain-test, card."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esc.errors import CheckpointError, DataError
from esc.paths import CHECKPOINT_VARIABLE, DEFAULT_CHECKPOINT
from training.cli.options import EvaluationOptions
from training.runs.paths import EXAMPLES
from training.runs.run_dir import seen_folds

if TYPE_CHECKING:
    from training.evaluation.held_out_log import Evaluation

CheckpointFolder = Annotated[
    Path, typer.Option("--checkpoint", envvar=CHECKPOINT_VARIABLE, help="Folder of the checkpoint; by default the shipped one.")
]
Fold = Annotated[int, typer.Option("--fold", help="The fold to evaluate on, 1 to 5.")]


class Format(StrEnum):
    """Output formats."""

    TEXT = "text"
    JSON = "json"


def evaluate_command(
    options: EvaluationOptions,
    fold: Fold = 5,
    checkpoint: CheckpointFolder = DEFAULT_CHECKPOINT,
    output_format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
) -> None:
    """Evaluate a checkpoint on one fold; evaluations on held-out data are logged."""
    from esc.classification.checkpoint_files.metrics import read_metrics

    found = _evaluate(options, fold, checkpoint)
    held_out = (read_metrics(checkpoint) or {}).get("held_out")
    metrics, before, meta = found.calibrated, found.metrics, found.checkpoint
    in_sample = meta.calibration is not None and held_out is not None and fold in held_out["folds"]
    if output_format == Format.JSON:
        result = {
            "accuracy": metrics.accuracy,
            "loss": metrics.loss,
            "ece": metrics.ece,
            "ece_before": before.ece,
            "ece_in_sample": in_sample,
            "ece_cross_fitted": held_out["ece"] if held_out is not None else None,
            "calibration": None if meta.calibration is None else meta.calibration.to_dict(),
            "clips": metrics.clips,
            "fold": fold,
            "trained_on": sorted(seen_folds(meta.provenance)) or None,
            "config": {"spectrogram": meta.spectrogram.to_dict(), "input": meta.input.to_dict()},
        }
        typer.echo(json.dumps(result))
        return
    if fold in seen_folds(meta.provenance):
        typer.echo(f"Fold {fold} was trained on: these figures are optimistic.", err=True)
    typer.echo(f"fold {fold}: accuracy {metrics.accuracy:.4f}, {metrics.clips} clips")
    typer.echo(f"before calibration: loss {before.loss:.4f}, ECE {before.ece:.4f}")
    if in_sample and held_out is not None:
        folds = ", ".join(map(str, held_out["folds"]))
        cross_fitted = f"loss {held_out['loss']:.4f}, ECE {held_out['ece']:.4f}"
        typer.echo(f"calibrated, cross-fitted, {held_out['clips']} clips of fold {folds}: {cross_fitted}")
    elif meta.calibration is not None:
        typer.echo(f"calibrated: loss {metrics.loss:.4f}, ECE {metrics.ece:.4f}")


def robustness_command(
    options: EvaluationOptions,
    checkpoint: CheckpointFolder = DEFAULT_CHECKPOINT,
    fold: Fold = 5,
    output_format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
    plot: Annotated[Path | None, typer.Option(help="Image file for the figures as bars, such as robustness.png.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Store the figures with the checkpoint, for page and card.")] = False,
) -> None:
    """Evaluate a checkpoint on one fold after band limits, noise, rooms, clipping and codecs."""
    from esc.classification.checkpoint_files.robustness import compared, read_robustness, write_robustness
    from training.evaluation.robustness import evaluate_robustness, plot_robustness
    from training.runs.disk import disk_full_error, save_figure

    if save:
        _check_held_out(checkpoint, fold)
    stored = None
    with suppress(CheckpointError):  # a damaged file is replaced
        stored = read_robustness(checkpoint)
    measured = compared(evaluate_robustness(checkpoint, options.clips(checkpoint), fold, options.log(checkpoint)), stored)
    if save:
        with disk_full_error(checkpoint):
            write_robustness(checkpoint, measured)
    if plot is not None:
        save_figure(plot_robustness(measured), plot)
    if output_format == Format.JSON:
        typer.echo(json.dumps(measured))
        return
    for name, share in measured["accuracy"].items():
        typer.echo(f"{name:32}{share:.4f}")


def localization_command(
    options: EvaluationOptions,
    checkpoint: CheckpointFolder = DEFAULT_CHECKPOINT,
    fold: Fold = 5,
    soundscapes: Annotated[int, typer.Option(min=1, max=10_000, help="Number of soundscapes.")] = 100,
    output_format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
) -> None:
    """Compare the timelines of soundscapes, made of one fold's clips, with their true events."""
    from training.evaluation.localization.benchmark import evaluate_localization

    measured = evaluate_localization(checkpoint, options.clips(checkpoint), fold, soundscapes)
    if output_format == Format.JSON:
        typer.echo(json.dumps(measured))
        return
    typer.echo(f"{measured['soundscapes']} soundscapes with {measured['events']} events of fold {fold}")
    for name, figures in measured["methods"].items():
        typer.echo(name)
        for figure, value in figures.items():
            typer.echo(f"  {figure:24}{'-' if value is None else f'{value:.3f}'}")


@dataclass(frozen=True)
class OodOptions:
    """Folders of sounds for the detector of unknown ones."""

    unknown: Annotated[
        Path | None, typer.Option(help="Sounds of none of the classes, to fit the detector; by default synthetic ones alone.")
    ] = None
    unknown_valid: Annotated[
        Path | None, typer.Option(help="Other sounds of none of the classes, of other kinds: for figures alone.")
    ] = None
    known_valid: Annotated[
        Path | None, typer.Option(help="Sounds of the classes from elsewhere, labelled with them: for figures alone.")
    ] = None


def calibrate_command(
    run: Annotated[Path, typer.Argument(help="Folder of the finished run, or of the checkpoint, to calibrate.")],
    options: EvaluationOptions,
    sounds: OodOptions,
    fold_run: Annotated[
        list[Path] | None, typer.Option(help="A run that held out another fold, may be repeated: for a common temperature.")
    ] = None,
) -> None:
    """Fit temperature and out-of-distribution detector, and store them with their figures.

    The reported calibration error is cross-fitted: no clip affects its own temperature. Folders of sounds may have a table
    sounds.csv with the columns file and label; else the labels are the file names.
    """
    from training.evaluation.calibrate import calibrate
    from training.evaluation.ood_sounds import OodFolders

    folders = OodFolders(sounds.unknown, sounds.unknown_valid, sounds.known_valid)
    found = calibrate(run, fold_run or [], folders, options.clips(run), options.cache, options.log(run))
    calibration = found.calibration
    others = "other folds" if len(found.folds) > 1 else "other recordings"
    typer.echo(f"temperature {calibration.temperature:.3f}, from fold {', '.join(map(str, sorted(found.folds)))}")
    typer.echo(f"ECE {found.before.ece:.4f} before, {found.after.ece:.4f} with a temperature fitted on {others}")
    _print_ood_figures(found.unknown)
    typer.echo(f"wrote {found.folder}")


def _print_ood_figures(unknown: dict) -> None:
    fitted = ", ".join(f"{count} {kind}" for kind, count in unknown["fit_sounds"].items())
    typer.echo(f"detector fitted on training clips and on unknown sounds: {fitted}")
    typer.echo(f"refused below {unknown['threshold']:.3f}, unsure below {unknown['unsure_threshold']:.3f}")
    typer.echo(f"{'':28}{'sounds':>8}{'refused':>9}{'unsure':>9}{'AUROC':>8}{'accuracy if sure':>18}")
    for heading, groups in (("known", "known"), ("unknown", "kinds"), ("recorded", "labels")):
        for one in unknown.get(groups, []):
            auroc, accuracy = (f"{one[name]:.3f}" if name in one else "" for name in ("auroc", "accuracy"))
            shares = f"{one['refused']:>9.1%}{one['unsure']:>9.1%}{auroc:>8}{accuracy:>18}"
            typer.echo(f"{heading + ': ' + one['name']:28}{one['sounds']:>8}{shares}")
    for part in ("refused", "missed"):
        listed = ", ".join(f"{one['label']} ({one['nearest']} {one['probability']:.2f})" for one in unknown.get(part, []))
        if listed:
            typer.echo(f"{part}: {listed}")


def explain_test_command(
    options: EvaluationOptions,
    fold: Fold = 5,
    checkpoint: CheckpointFolder = DEFAULT_CHECKPOINT,
    save: Annotated[bool, typer.Option("--save", help="Store the figures with the checkpoint, for the page.")] = False,
) -> None:
    """Deletion test of the saliency maps: cover marked cells, random ones and the loudest ones."""
    from esc.classification.checkpoint_files.metrics import write_metrics
    from training.evaluation.deletion_test import SHARES, run_deletion_test

    if save:
        _check_held_out(checkpoint, fold)
    found = run_deletion_test(checkpoint, options.clips(checkpoint), fold, options.cache, options.log(checkpoint))
    figures = found.figures()
    typer.echo(f"{figures['clips']} clips of fold {fold}; mean probability of the most likely class {figures['before']:.3f}")
    typer.echo("covered  marked  random  loudest  marked below random")
    for number, share in enumerate(SHARES):
        left = [figures[name][number] for name in ("marked", "random", "loudest")]
        below = (found.marked[number] < found.random[number]).mean()
        typer.echo(f"{share:7.0%}{left[0]:8.3f}{left[1]:8.3f}{left[2]:9.3f}{below:12.0%} of clips")
    outlined, below = figures["outlined"], (found.outlined < found.outlined_random).mean()
    typer.echo(f"outlined regions: {outlined['share']:.1%} of the cells")
    typer.echo(f"{'':7}{outlined['marked']:8.3f}{outlined['random']:8.3f}{'':9}{below:12.0%} of clips")
    if save:
        typer.echo(f"wrote {write_metrics(checkpoint, deletion=figures)}")


def card_command(
    options: EvaluationOptions,
    fold: Fold = 5,
    checkpoint: CheckpointFolder = DEFAULT_CHECKPOINT,
    examples: Annotated[Path, typer.Option(help="Folder of sounds named after their intended class.")] = EXAMPLES,
) -> None:
    """Evaluate a checkpoint and write its model card."""
    from esc.classification.classifier import Classifier
    from esc.classification.reduced_precision import FLOAT32
    from training.evaluation.model_card import write_card

    _check_held_out(checkpoint, fold)
    found = _evaluate(options, fold, checkpoint)
    typer.echo(f"wrote {write_card(checkpoint, Classifier.load(checkpoint, precision=FLOAT32), found, fold, examples)}")


def _evaluate(options: EvaluationOptions, fold: int, checkpoint: Path) -> Evaluation:
    from training.evaluation.held_out_log import evaluate_fold

    return evaluate_fold(checkpoint, options.clips(checkpoint), fold, options.cache, options.log(checkpoint))


def _check_held_out(checkpoint: Path, fold: int) -> None:
    """Raise DataError if a checkpoint was trained on a fold."""
    from esc.classification.checkpoint_files.config import read_config

    if fold in seen_folds(read_config(checkpoint).provenance):
        raise DataError("run.seen", fold=fold)
