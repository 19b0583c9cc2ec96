"""Sweep over spectrogram parameters."""

from __future__ import annotations

import csv
import dataclasses

import pytest

import training.train as loop
from esc.errors import DataError, ParameterError
from small_data import QUICK
from training import sweep as module
from training.runs.run_dir import RunConfig
from training.sweep import PLOT, TABLE, combinations, parse_grid, sweep

ONE = dataclasses.replace(QUICK, epochs=1)


def test_sweep_combinations():
    grid = parse_grid(["n_mels=16,32,32", "window=hann, hamming", "fmax=3500"])
    assert grid == {"n_mels": [16, 32], "window": ["hann", "hamming"], "fmax": [3_500]}
    recipes = combinations(ONE, grid)
    assert next(iter(recipes)) == "n_mels=16,window=hann,fmax=3500"
    assert len(recipes) == 4
    last = recipes["n_mels=32,window=hamming,fmax=3500"]
    assert last == dataclasses.replace(ONE, spectrogram=ONE.spectrogram.replace(n_mels=32, window="hamming", fmax=3_500))


@pytest.mark.parametrize(
    "wrong", [["mels=3"], ["n_mels"], ["n_mels=a"], ["n_mels="], ["n_mels=16", "fmax=9000"], ["window=round"]]
)
def test_invalid_sweep(wrong):
    with pytest.raises(ParameterError):
        combinations(ONE, parse_grid(wrong))


@pytest.mark.slow
def test_resume_sweep(clips, cache, tmp_path, monkeypatch):
    recipes = combinations(ONE, parse_grid(["n_mels=16,32", "hop_length=128,256"]))
    recipes.pop("n_mels=16,hop_length=256")
    configs = {name: RunConfig(recipe, (1, 2, 3), 4) for name, recipe in recipes.items()}
    trained = []

    def killed(prepared, config, *rest):
        if len(trained) == 1:
            raise KeyboardInterrupt
        trained.append(config)
        return loop.train(prepared, config, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "train", killed)
        sweep(clips, configs, tmp_path / "sweep", cache)
    before = (tmp_path / "sweep" / next(iter(recipes)) / "history.csv").read_text()
    rows = sweep(clips, configs, tmp_path / "sweep", cache)
    assert (tmp_path / "sweep" / next(iter(recipes)) / "history.csv").read_text() == before, "what is done is not done again"
    assert {row["parameters"] for row in rows} == set(recipes)
    accuracies = [row["valid_accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    with (tmp_path / "sweep" / TABLE).open(newline="") as lines:
        table = list(csv.DictReader(lines))
    assert [row["parameters"] for row in table] == [row["parameters"] for row in rows]
    assert {row["image"] for row in table} == {"16 x 32", "32 x 32", "32 x 16"}
    assert (tmp_path / "sweep" / PLOT).read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "sweep").rglob("*.safetensors")), "hundreds of MB"
    for row in rows:
        with (tmp_path / "sweep" / row["parameters"] / "history.csv").open(newline="") as lines:
            assert float(list(csv.DictReader(lines))[-1]["valid_accuracy"]) == row["valid_accuracy"]
    with pytest.raises(DataError, match="other settings"):
        other = {name: dataclasses.replace(config, seed=2) for name, config in configs.items()}
        sweep(clips, other, tmp_path / "sweep", cache)
