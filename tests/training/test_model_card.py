"""Model card against the checkpoint and its metrics."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from scipy.stats import binomtest

from esc.classification.checkpoint_files.metrics import write_metrics
from esc.classification.checkpoint_files.robustness import write_robustness
from esc.classification.classifier import Classifier
from test_metrics_file import FIGURES
from training.evaluation.held_out_log import Evaluation
from training.evaluation.metrics import Metrics
from training.evaluation.model_card import _summary, _training, write_card
from training.recipes import RECIPES

pytestmark = pytest.mark.slow


def test_card_of_a_fine_tuned_checkpoint(trained):
    classifier = Classifier.load(trained / "checkpoint")
    made = classifier.checkpoint.provenance
    recipe = RECIPES["robust"].to_dict()
    more = {"recipe": recipe, "initial_weights": "fine-tuned from best-fold5-seed1", "unknown_clips": 508, "hours": 1.5}
    checkpoint = dataclasses.replace(classifier.checkpoint, provenance=made | more)
    text = _training(checkpoint)
    assert "--recipe robust --from CHECKPOINT --unknown FOLDER --fold 5 --seed 1`" in text
    split = {"train_folds": [1, 2, 3], "valid_fold": 4, "left_out_classes": ["dog", "hand saw"]}
    inner = {"recipe": RECIPES["first"].to_dict() | {"architecture": "resnet34"}, **split}
    inner_text = _training(dataclasses.replace(checkpoint, provenance=made | {"hours": 1.5} | inner))
    options = "--recipe first --arch resnet34 --fold 5 --inner --seed 1 --leave-out-classes 'dog,hand saw'`"
    assert options in inner_text
    assert f"50% of them replaced by one of {recipe['augmentation']['recordings']} distorted recordings" in text
    evaluation = Evaluation(
        Metrics(0.75, 1.0, 0.05, 20, np.zeros((20, 4)), np.zeros((20, 4))), checkpoint, np.zeros(20, np.int64), ()
    )
    summary = " ".join(_summary(checkpoint, evaluation, 5, None).split())
    assert "Fine-tuned from best-fold5-seed1 on folds 1, 2, 3, 4 of ESC-50 and never on fold 5; 508 sounds of no class" in summary


@pytest.mark.parametrize("ema_decay", [0.9, None])
def test_model_card(trained, tmp_path, ema_decay):
    shutil.copytree(trained / "checkpoint", tmp_path / "checkpoint")
    config = json.loads((tmp_path / "checkpoint" / "config.json").read_text())
    if ema_decay is None:  # like the notebook's recipe
        config["provenance"]["recipe"] |= {"ema_decay": None, "augmentation": None, "optimizer": "adam", "schedule": "tenfold"}
        config["provenance"]["initial_weights"] = "ImageNet, from a.pth"
    config["provenance"] |= {"hours": 0.07}
    config["provenance"]["recipe"] |= {"dropout": 0.2, "drop_path": 0.1}
    (tmp_path / "checkpoint" / "config.json").write_text(json.dumps(config))
    metrics = Metrics(0.75, 1.0, 0.05, 20, np.zeros((20, 4)), np.zeros((20, 4)))
    classifier = Classifier.load(tmp_path / "checkpoint")
    evaluation = Evaluation(metrics, classifier.checkpoint, np.zeros(20, np.int64), ())
    card = write_card(tmp_path / "checkpoint", classifier, evaluation, 5, tmp_path).read_text()
    assert "| accuracy | 0.7500 |" in card
    interval = binomtest(15, 20).proportion_ci(method="wilson")
    assert f"95 % interval of {interval.low:.3f} to {interval.high:.3f}." in card
    assert "| expected calibration error (ECE) before calibration, 15 bins | 0.0500 |" in card
    assert "epochs in 4 minutes on" in card and ", dropout 0.2, stochastic depth up to 0.1, " in card
    assert "cross-fitted" not in card and "Robustness" not in card
    robust = {"run": "whole", "fold": 5, "clips": 20, "accuracy": {"as it is": 0.75, "8 kHz": 0.5}}
    write_robustness(tmp_path / "checkpoint", robust | {"previous": {"run": "old", "accuracy": {"8 kHz": 0.25}}})
    held_out = FIGURES["held_out"] | {"folds": [1, 2, 5]}
    write_metrics(tmp_path / "checkpoint", held_out=held_out)
    with_folds = write_card(tmp_path / "checkpoint", classifier, evaluation, 5, tmp_path).read_text()
    assert "| | this checkpoint, fold 5 | 3 networks, each on its held-out fold (1, 2, 5) |" in with_folds
    assert "| accuracy | 0.7500 | 0.7725 |" in with_folds
    assert "| before: `old` |\n|---|---|---|\n| as it is | 0.7500 | |\n| 8 kHz | 0.5000 | 0.2500 |" in with_folds
    assert f"| ECE, cross-fitted temperature, 15 bins | | {held_out['ece']:.4f} |" in with_folds
    words_of_first = ("from scratch", "AdamW", "one-cycle", "50% of the clips", "moving average")
    words_of_notebook = ("ImageNet, from a.pth", "Adam ", "divided by ten", "no augmentation")
    for words, wanted in ((words_of_first, ema_decay is not None), (words_of_notebook, ema_decay is None)):
        assert all((word in card) == wanted for word in words)
