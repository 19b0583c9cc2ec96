"""A taught network as a checkpoint's folder, with its figures and model card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from esc.classification.checkpoint import save_checkpoint
from esc.classification.checkpoint_files.config import read_config, write_config
from esc.classification.checkpoint_files.metrics import write_metrics
from esc.classification.confidence.ood_fit import REFUSED_SHARE, UNSURE_SHARE
from esc.classification.teaching.head import PENALTY
from esc.classification.teaching.teach import Taught
from esc.errors import CheckpointError, DataError
from esc.paths import atomic_write, project_relative

CARD = "README.md"
_GROUPED = "No file is on both sides of a split."
_NOT_GROUPED = (
    "A class has examples of one recording only, which are on both sides of the splits: expect less on other recordings."
)


def check_target(folder: Path) -> None:
    """Raise DataError unless a folder is new, empty or a taught network's."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        if read_config(folder).provenance.get("taught"):
            return
    except CheckpointError:
        pass
    raise DataError("teach.exists", path=project_relative(folder))


def save_taught(folder: Path, taught: Taught) -> None:
    """Write a taught network as a checkpoint, with `figures.json` and a model card."""
    check_target(folder)
    save_checkpoint(folder, taught.model, replace(taught.checkpoint, calibration=None))
    sha256 = taught.detector.save(folder)
    assert taught.checkpoint.calibration is not None
    calibration = replace(taught.checkpoint.calibration, detector_sha256=sha256)
    write_config(folder, replace(taught.checkpoint, calibration=calibration))
    write_metrics(folder, taught=taught.figures)
    with atomic_write(folder / CARD) as temporary:
        temporary.write_text(_card(taught), encoding="utf-8")


def _card(taught: Taught) -> str:
    made, figures, names = taught.checkpoint.provenance, taught.figures, taught.checkpoint.class_names
    licence, architecture = made["licence"] or "not stated", taught.checkpoint.architecture
    other = f"`{_cell(figures['other'])}` stands for sounds of none of the others. " if figures["other"] else ""
    interval = f"{figures['low']:.1%} to {figures['high']:.1%}"
    return f"""---
license: {(made["licence"] or "other").lower().replace(" ", "-")}
library_name: pytorch
pipeline_tag: audio-classification
tags: [audio, {architecture}]
---

# {len(names)} taught classes

{architecture} that classifies {taught.checkpoint.input.clip_seconds:g}-second clips into: {", ".join(map(_cell, names))}.
{other}Only its last layer and its detector of unknown sounds were fitted on the examples; all other weights are those of
{made["initial_weights"]}.

Accuracy on {figures["examples"]} examples by cross-validation: {figures["accuracy"]:.1%} (95 % interval {interval}).
{_GROUPED if figures["grouped"] else _NOT_GROUPED}

{_tables(figures)}
{_method(taught)}
## Licence

The weights below the last layer are {licence}, so this network is, too.
"""


def _tables(figures: dict[str, Any]) -> str:
    classes, names = figures["classes"], [_cell(one["name"]) for one in figures["classes"]]
    rows = "".join(
        f"| {name} | {one['examples']} | {one['windows']} | {one['recall']:.0%} |\n"
        for name, one in zip(names, classes, strict=True)
    )
    counts = (" | ".join(map(str, row)) for row in figures["confusion"])
    matrix = "".join(f"| {name} | {row} |\n" for name, row in zip(names, counts, strict=True))
    return f"""| class | examples | windows | recall |
|---|---|---|---|
{rows}
| true class, guessed as | {" | ".join(names)} |
|---|{"---|" * len(names)}
{matrix}"""


def _method(taught: Taught) -> str:
    calibration = taught.checkpoint.calibration
    assert calibration is not None
    refused, unsure = f"{calibration.unknown_threshold:.3f}", f"{calibration.unsure_threshold:.3f}"
    return f"""The last layer is a logistic regression on standardised embeddings (C = {PENALTY:g}), classes weighted equally.
Logits are divided by {calibration.temperature:.3f}. A sound with a score below {refused} is none of the classes (expected of
{REFUSED_SHARE:.0%} of known sounds), and unsure below {unsure} (of {UNSURE_SHARE:.0%}), by the scores in cross-validation.
"""


def _cell(name: str) -> str:
    """Return a name without what Markdown would take for its own."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]<>#|" else sign for sign in name)
