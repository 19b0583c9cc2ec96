"""Classification of several files by several processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from esc.batch.options import BatchOptions
from esc.batch.results import SoundResult
from esc.batch.runner import classify_files
from esc.errors import AudioError

JOBS = 2


def pid_or_death(path: Path, options: BatchOptions, processes: int) -> list[SoundResult]:
    """Stand in for the classification in a worker: name the process, or end it."""
    time.sleep(0.05)
    if path.name.startswith("killer"):
        os.kill(os.getpid(), signal.SIGKILL)
    return [SoundResult(file=str(path), seconds=1.0, sample_rate=os.getpid(), clip_seconds=1.0, top=(), verdict="silence")]


def _classified(files: list[Path], monkeypatch) -> list[SoundResult | AudioError]:
    monkeypatch.setattr("esc.batch.runner._classify_in_worker", pid_or_death)
    return list(classify_files(files, BatchOptions(), jobs=JOBS))


@pytest.mark.slow
def test_killed_worker_costs_one_file(tmp_path, monkeypatch):
    files = [tmp_path / name for name in ("a", "killer", *(f"file {number}" for number in range(20)))]
    results = _classified(files, monkeypatch)
    assert [isinstance(result, AudioError) for result in results] == [path.name == "killer" for path in files]
    error = results[1]
    assert isinstance(error, AudioError) and error.key == "audio.crashed" and "killer" in str(error)
    assert [result.file for result in results if isinstance(result, SoundResult)] == [
        str(path) for path in files if path.name != "killer"
    ]
    processes = {result.sample_rate for result in results if isinstance(result, SoundResult)}
    assert os.getpid() not in processes
    assert len(processes) <= JOBS + 2, "two are replaced after the two attempts; no process per file"
