"""Robustness benchmark on the small synthetic set."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from esc.classification.checkpoint_files.robustness import FILE, compared, read_robustness, write_robustness
from esc.errors import CheckpointError, DataError
from training.evaluation.robustness import AS_IT_IS, DISTORTIONS, GOALS, evaluate_robustness, plot_robustness


@pytest.mark.slow
def test_robustness_command(trained, data, clips, tmp_path, run_command):
    """The plain row equals `evaluate`, every distortion has one, and the log has one row for the held-out fold."""
    log = tmp_path / "evaluations.csv"
    checkpoint = shutil.copytree(trained / "checkpoint", tmp_path / "net")
    options = ["--data", data, "--cache", tmp_path, "--format", "json"]
    (checkpoint / FILE).write_text("{")  # the command that its error message names
    stored = ["--save", "--plot", tmp_path / "robustness.png"]
    code, output, errors = run_command("robustness", "--checkpoint", checkpoint, *options, *stored, "--evaluation-log", log)
    assert code == 0, errors
    measured = json.loads(output)
    assert measured == read_robustness(checkpoint)
    assert (measured["run"], measured["fold"], measured["clips"]) == ("whole", 5, 20)
    assert (tmp_path / "robustness.png").read_bytes().startswith(b"\x89PNG")
    found = measured["accuracy"]
    assert list(found) == list(DISTORTIONS)
    _, output, _ = run_command("evaluate", *options, "--checkpoint", checkpoint, "--evaluation-log", tmp_path / "other.csv")
    assert found[AS_IT_IS] == pytest.approx(json.loads(output)["accuracy"])
    assert len(list(csv.DictReader(log.open()))) == 1
    assert all(0 <= share <= 1 for share in found.values())
    again = evaluate_robustness(trained / "checkpoint", clips, 5, log, ["white noise 0 dB"])
    assert again["accuracy"] == {"white noise 0 dB": found["white noise 0 dB"]}, "seeded"


def test_robustness_of_no_such_fold(trained, clips, tmp_path):
    with pytest.raises(DataError):
        evaluate_robustness(trained / "checkpoint", clips, 9, tmp_path / "evaluations.csv")


MEASURED = {"run": "new", "fold": 5, "clips": 400, "accuracy": {AS_IT_IS: 0.9, "8 kHz": 0.8}}


def test_figures_of_another_run_become_the_previous_ones(tmp_path):
    assert read_robustness(tmp_path) is None
    old = MEASURED | {"run": "old", "accuracy": {AS_IT_IS: 0.85}}
    write_robustness(tmp_path, compared(old, None))
    both = compared(MEASURED, read_robustness(tmp_path))
    assert both == MEASURED | {"previous": {"run": "old", "accuracy": {AS_IT_IS: 0.85}}}
    assert compared(MEASURED | {"clips": 20}, both) == both | {"clips": 20}, "measured again"
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("wrong", ["{", "[]", '{"run": "a", "fold": 5, "clips": 1, "accuracy": {"8 kHz": 80}}'])
def test_damaged_robustness_file(tmp_path, wrong):
    (tmp_path / FILE).write_text(wrong)
    with pytest.raises(CheckpointError, match="training robustness --save"):
        read_robustness(tmp_path)


def test_plot_of_robustness():
    """Bars from the top, the goal of each distortion that has one, and the previous network's figures."""
    previous = {"run": "old", "accuracy": {AS_IT_IS: 0.85, "telephone": 0.4}}
    (axes,) = plot_robustness(MEASURED | {"previous": previous}).axes
    assert [bar.get_width() for bar in axes.patches] == [0.9, 0.8]
    assert [text.get_text() for text in axes.texts] == ["0.900", "0.800"]
    assert [list(line.get_xdata()) for line in axes.lines] == [[GOALS[AS_IT_IS], GOALS["8 kHz"]], [0.85]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["goal", "old"]
    assert set(GOALS) < set(DISTORTIONS)
