"""Metrics file: round trips and validation."""

from __future__ import annotations

import copy
import json

import pytest

from esc.classification.checkpoint_files.metrics import FILE, RELIABILITY_BINS, read_metrics, write_metrics
from esc.errors import CheckpointError

BIN = {"low": 0.0, "high": 0.0667, "clips": 3, "confidence": 0.05, "accuracy": 0.33}
FIGURES = {
    "held_out": {
        "folds": [5], "clips": 400, "accuracy": 0.7725, "loss": 0.89, "ece": 0.031, "ece_before": 0.114,
        "reliability": [BIN | {"clips": 0, "confidence": None, "accuracy": None}, *[BIN] * (RELIABILITY_BINS - 1)],
        "recall": {"dog": 0.9, "helicopter": 0.25},
        "confused": [{"true": "helicopter", "guess": "engine", "clips": 3}],
    },
    "unknown": {
        "score": "detector", "threshold": -4.2, "unsure_threshold": -2.0, "auroc": 0.81,
        "fit_sounds": {"noise": 40, "recorded": 9},
        "known": [{"name": "held_out", "sounds": 400, "refused": 0.04, "unsure": 0.11, "accuracy": 0.95}],
        "kinds": [{"name": "noise", "sounds": 40, "refused": 0.9, "unsure": 0.1, "auroc": 0.99}],
        "labels": [{"name": "tabla", "sounds": 26, "refused": 0.5, "unsure": 0.25}],
        "refused": [{"label": "zebra", "nearest": "cow", "probability": 0.31}], "missed": [],
    },
    "history": {
        "epoch": [1, 2], "train_loss": [3.0, 2.0], "valid_loss": [None, 2.5], "train_accuracy": [None, None],
        "valid_accuracy": [None, 0.31],
    },
    "deletion": {
        "clips": 400, "method": "Grad-CAM", "shares": [0.1, 0.2], "before": 0.7, "marked": [0.4, 0.3],
        "random": [0.6, 0.5], "loudest": [0.69, 0.68], "outlined": {"share": 0.09, "marked": 0.4, "random": 0.6},
    },
}  # fmt: skip


def test_parts_written_separately(tmp_path):
    assert read_metrics(tmp_path) is None
    for name, part in FIGURES.items():
        path = write_metrics(tmp_path, **{name: part})
    assert read_metrics(tmp_path) == FIGURES
    write_metrics(tmp_path, held_out=FIGURES["held_out"] | {"clips": 2000})
    assert read_metrics(tmp_path)["held_out"]["clips"] == 2000
    assert read_metrics(tmp_path)["history"] == FIGURES["history"]
    assert list(tmp_path.iterdir()) == [path]


BROKEN = {
    "another part": lambda figures: figures.update(more={}),
    "no object": lambda figures: figures.update(held_out=[]),
    "a missing field": lambda figures: figures["held_out"].pop("ece"),
    "a field too many": lambda figures: figures["unknown"].update(auc=0.5),
    "a share above 1": lambda figures: figures["held_out"].update(accuracy=77.25),
    "a truth value": lambda figures: figures["held_out"].update(accuracy=True),
    "no number": lambda figures: figures["held_out"].update(loss=float("nan")),
    "text": lambda figures: figures["held_out"]["recall"].update(dog="0.9"),
    "half a clip": lambda figures: figures["held_out"].update(clips=400.5),
    "a bin too few": lambda figures: figures["held_out"]["reliability"].pop(),
    "a score of another name": lambda figures: figures["unknown"].update(score="entropy"),
    "an example without a class": lambda figures: figures["unknown"]["refused"][0].pop("nearest"),
    "curves of two lengths": lambda figures: figures["history"]["train_loss"].pop(),
    "an epoch without number": lambda figures: figures["history"].update(epoch=[1, None]),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_invalid_metrics(tmp_path, change):
    figures = copy.deepcopy(FIGURES)
    change(figures)
    with pytest.raises(CheckpointError):
        write_metrics(tmp_path, **figures)
    assert not list(tmp_path.iterdir())
    (tmp_path / FILE).write_text(json.dumps(figures))
    with pytest.raises(CheckpointError) as caught:
        read_metrics(tmp_path)
    assert caught.value.key == "metrics.damaged"
    assert FILE in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe\x00"])
def test_invalid_file(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CheckpointError):
        read_metrics(tmp_path)


@pytest.mark.parametrize("part", FIGURES)
def test_write_replaces_a_damaged_part(tmp_path, part):
    """The command that the error message names works on the file that it is about."""
    (tmp_path / FILE).write_text(json.dumps(FIGURES | {part: {"clips": "many"}}))
    others = {name: value for name, value in FIGURES.items() if name != part}
    other = next(iter(others))
    write_metrics(tmp_path, **{other: others[other]})
    assert read_metrics(tmp_path) == others
    write_metrics(tmp_path, **{part: FIGURES[part]})
    assert read_metrics(tmp_path) == FIGURES


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe\x00"])
def test_write_replaces_a_damaged_file(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    write_metrics(tmp_path, deletion=FIGURES["deletion"])
    assert read_metrics(tmp_path) == {"deletion": FIGURES["deletion"]}
