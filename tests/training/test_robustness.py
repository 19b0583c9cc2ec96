"""Robustness benchmark on the small synthetic set."""

from __future__ import annotations

import csv
import json

import pytest

from esc.errors import DataError
from training.evaluation.robustness import AS_IT_IS, DISTORTIONS, background_clips, evaluate_robustness


@pytest.mark.slow
def test_robustness_command(trained, data, clips, tmp_path, run_command):
    """The plain row equals `evaluate`, every distortion has one, and the log has one row for the held-out fold."""
    log = tmp_path / "evaluations.csv"
    options = ["--data", str(data), "--cache", str(tmp_path), "--checkpoint", str(trained / "checkpoint"), "--format", "json"]
    code, output, errors = run_command("robustness", *options, "--evaluation-log", str(log))
    assert code == 0, errors
    found = json.loads(output)["accuracy"]
    assert list(found) == list(DISTORTIONS)
    _, output, _ = run_command("evaluate", *options, "--evaluation-log", str(tmp_path / "other.csv"))
    assert found[AS_IT_IS] == pytest.approx(json.loads(output)["accuracy"])
    assert len(list(csv.DictReader(log.open()))) == 1
    assert all(0 <= share <= 1 for share in found.values())
    again = evaluate_robustness(trained / "checkpoint", clips, 5, log, ["white noise 0 dB"])
    assert again == {"white noise 0 dB": found["white noise 0 dB"]}, "seeded"


def test_robustness_of_no_such_fold(trained, clips, tmp_path):
    with pytest.raises(DataError):
        evaluate_robustness(trained / "checkpoint", clips, 9, tmp_path / "evaluations.csv")


def test_background_is_of_another_class(clips):
    classes = {clip.path: clip.target for clip in clips}
    chosen = background_clips(clips)
    assert set(chosen) == set(classes)
    assert all(classes[path] != classes[other] for path, other in chosen.items())
    assert background_clips(clips) == chosen
