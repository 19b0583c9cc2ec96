"""The command `evaluate`, and the shipped checkpoint."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from esc.config import SpectrogramConfig
from esc.paths import DEFAULT_CHECKPOINT
from small_data import A_FOLD, CLASSES, SMALL


@pytest.mark.slow
def test_evaluate_json(trained, data, cache, tmp_path, run_command):
    wanted = ("--data", data, "--checkpoint", trained / "checkpoint", "--cache", cache, "--format", "json")
    code, output, errors = run_command("evaluate", "--evaluation-log", tmp_path / "evaluations.csv", *wanted)
    assert code == 0, errors
    result = json.loads(output)
    assert 0.0 <= result["accuracy"] <= 1.0
    assert (result["ece_in_sample"], result["ece_cross_fitted"]) == (False, None), "it is not calibrated"
    assert (result["clips"], result["fold"], result["trained_on"]) == (len(CLASSES) * A_FOLD, 5, [1, 2, 3, 4])
    assert SpectrogramConfig.from_dict(result["config"]["spectrogram"]) == SMALL


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "nowhere"), "no such folder"),
        (("--data", "DATA", "--fold", "9"), "Fold 9 does not exist"),
        (("--data", "DATA", "--checkpoint", "nowhere"), "There is no checkpoint"),
    ],
)
def test_evaluate_errors(data, run_command, arguments, message):
    code, output, errors = run_command("evaluate", *(data if word == "DATA" else word for word in arguments))
    assert (code, output) == (2, "")
    assert message in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["card", "robustness", "explain-test"])
def test_figures_on_a_trained_fold_are_not_stored(trained, data, run_command, command):
    """They would pass for held-out figures."""
    options = [] if command == "card" else ["--save"]
    before = sorted((trained / "checkpoint").iterdir())
    code, _, errors = run_command(command, "--checkpoint", trained / "checkpoint", *options, "--data", data, "--fold", "1")
    assert (code, "Fold 1 was trained on" in errors) == (2, True)
    assert sorted((trained / "checkpoint").iterdir()) == before


@pytest.mark.data
@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "config.json").is_file(), reason="no checkpoint is shipped")
def test_shipped_checkpoint_accuracy(data_dir, tmp_path):
    options = ("--data", data_dir, "--fold", 5, "--cache", tmp_path, "--evaluation-log", tmp_path / "log.csv")
    command = [sys.executable, "-m", "training", "evaluate", *map(str, options), "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert result["clips"] == 400
    assert 5 not in result["trained_on"]
    card = (DEFAULT_CHECKPOINT / "README.md").read_text(encoding="utf-8")
    published = float(re.search(r"^\| accuracy \| (0\.\d{4}) \|", card, re.MULTILINE)[1])
    assert result["accuracy"] == pytest.approx(published, abs=0.0051), "two clips of 400: rounding on another device"
