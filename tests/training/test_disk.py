"""Full disks and other system errors."""

from __future__ import annotations

import resource

import pytest
import safetensors.torch
import torch

from esc.errors import DataError
from esc.paths import atomic_write
from training.engine.state import State
from training.runs.disk import disk_full_error


def test_disk_full_while_saving_state(tmp_path):
    state = State(torch.nn.Linear(900, 900), None, *[torch.optim.SGD(torch.nn.Linear(1, 1).parameters())] * 2)
    path = tmp_path / "last.pt"
    path.write_bytes(b"the epoch before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DataError) as caught:
            state.save(path)
        with pytest.raises(DataError) as of_checkpoint, disk_full_error(tmp_path):
            safetensors.torch.save_file({"a": torch.zeros(90_000)}, tmp_path / "a.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (caught.value.key, path.read_bytes()) == ("disk.full", b"the epoch before")
    assert of_checkpoint.value.key == "disk.full"
    assert not list(tmp_path.glob("*.tmp"))


def test_other_system_errors(tmp_path):
    gone = tmp_path / "nowhere"
    with pytest.raises(FileNotFoundError) as caught, disk_full_error(gone):
        safetensors.torch.save_file({"a": torch.zeros(3)}, gone / "a.safetensors")
    assert caught.value.filename == str(gone)
    with pytest.raises(FileNotFoundError), disk_full_error(gone):
        (gone / "history.csv").open("a")


def test_two_writers_of_one_file(tmp_path):
    """Each has a temporary file of its own; the last to finish wins, and a failure leaves the file."""
    path = tmp_path / "config.json"
    with atomic_write(path) as first:
        first.write_text("first")
        with atomic_write(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as third:
        third.write_text("half")
        raise KeyboardInterrupt
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("config.json", "first")]
