"""Distributed training under torchrun: equal to one process, also after a kill."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from esc.errors import ParameterError
from training.engine.distributed import ALONE, Group

pytestmark = pytest.mark.slow

# a separate program, started by torchrun as `python -m training` is
PROGRAM = """
import dataclasses, os, sys
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}, {tests!r} + '/training']
import torch
torch.set_num_threads(1)
import training.train
from small_data import EVERY_EPOCH, QUICK, outer
from training.data.esc50 import read_clips
from training.engine.distributed import join_group
from training.data.preprocessing import prepare_for
from training.engine.state import State

recipe = dataclasses.replace(QUICK, sub_batch=8, dropout=0.2, drop_path=0.2, mixed_precision=False, epochs=2)
if {killed!r} and os.environ.get("RANK", "0") == "0":
    save = State.save
    def save_once(state, path):
        if state.epoch == 2:
            os._exit(9)
        save(state, path)
    State.save = save_once
with join_group() as group:
    prepared = group.leader_first(lambda: prepare_for(recipe, read_clips(Path({data!r})), Path({cache!r}), jobs=1))
    seen = []
    model_of = training.train.new_state
    def counting(*arguments):
        state = model_of(*arguments)
        state.final_model.register_forward_hook(lambda model, given, output: seen.append(0 if model.training else len(output)))
        return state
    training.train.new_state = counting
    training.train.train(prepared, outer(recipe), Path({run!r}), EVERY_EPOCH, group=group)
    scored = torch.tensor([float(sum(seen))])
    group.all_reduce([scored])
    if group.is_main:
        print("scored", int(scored), "by", group.size)
"""


def run(folder: Path, data: Path, cache: Path, processes: int, killed: bool = False):
    tests = Path(__file__).resolve().parents[1]
    program = folder.with_suffix(".py")
    program.write_text(
        PROGRAM.format(
            root=str(tests.parent),
            tests=str(tests),
            data=str(data),
            cache=str(cache),
            run=str(folder),
            killed=killed,
        )
    )
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(torchrun if processes > 1 else []), str(program)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    ended = run(folder / "run", data, folder / "cache", 1)
    assert ended.returncode == 0, ended.stderr
    assert "scored 40 by 1" in ended.stdout  # 20 clips after each of two epochs
    return folder / "run"


def assert_equal_up_to_rounding(ours: Path, theirs: Path) -> None:
    for here, there in zip(rows(ours), rows(theirs), strict=True):
        assert here["epoch"] == there["epoch"]
        for name in ("learning_rate", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy"):
            assert float(here[name]) == pytest.approx(float(there[name]), rel=2e-3, abs=1e-6), name
    ours, theirs = (torch.load(folder / "last.pt", weights_only=True) for folder in (ours, theirs))
    for part in ("model", "ema"):
        for name, tensor in theirs[part].items():
            difference = (ours[part][name].float() - tensor.float()).norm() / tensor.float().norm().clamp_min(1e-3)
            assert float(difference) < 5e-3, f"{part}.{name}"
    assert ours["scheduler"]["last_epoch"] == theirs["scheduler"]["last_epoch"] > 5


def test_two_processes_after_kill(alone, data, tmp_path):
    killed = run(tmp_path / "run", data, tmp_path / "cache", 2, killed=True)
    assert killed.returncode != 0
    assert not (tmp_path / "run" / "checkpoint").exists()
    ended = run(tmp_path / "run", data, tmp_path / "cache", 2)
    assert ended.returncode == 0, ended.stderr
    assert "scored 20 by 2" in ended.stdout  # the second epoch's; each clip by one of the two
    assert "resuming after epoch 1 of 2" in (tmp_path / "run" / "log.txt").read_text()
    assert "2 process(es)" in (tmp_path / "run" / "log.txt").read_text()
    assert_equal_up_to_rounding(tmp_path / "run", alone)


def test_distributed_command_error(data, tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ESC50_DIR": str(data), "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "training"]
    ended = subprocess.run(
        [*command, "train", "--sub-batch", "32"], cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    assert ended.returncode != 0
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error:")]
    assert "2 processes can't share a batch of 20 in sub-batches of 20" in line


def test_batch_shared_by_sub_batches():
    assert ALONE.indices(16, 4).tolist() == list(range(16))
    shares = [Group(rank, 2, rank).indices(16, 4).tolist() for rank in (0, 1)]
    assert shares == [list(range(8)), list(range(8, 16))]
    with pytest.raises(ParameterError, match="3 processes can't share a batch of 16"):
        Group(0, 3, 0).indices(16, 4)
