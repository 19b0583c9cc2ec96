"""Fixtures of the training tests: a small data set, prepared, and a finished run on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_data import EVERY_EPOCH, HALF_A_SECOND, SMALL, make_data, outer
from training.data.esc50 import read_clips
from training.data.preprocessing import prepare
from training.train import train


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def clips(data):
    return read_clips(data)


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def prepared(clips, cache):
    return prepare(clips, SMALL, HALF_A_SECOND, cache, jobs=1)


@pytest.fixture(scope="session")
def trained(prepared, tmp_path_factory) -> Path:
    """A finished run of three epochs, without a break; to be copied before it is changed."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    train(prepared, outer(), run, EVERY_EPOCH)
    return run


@pytest.fixture
def run_command(monkeypatch, capsys):
    """A function that runs `python -m training` with arguments, and returns exit code, output and errors."""
    from training.__main__ import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["training", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run
