"""The app's temporary folder: what a killed app left goes, what lives or is another's stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from esc.ui.sessions.temp_dir import make_temp_dir

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import time
from esc.ui.sessions.temp_dir import delete_on_sigterm, make_temp_dir
delete_on_sigterm()
print(make_temp_dir("app"), flush=True)
time.sleep({seconds})
"""


@pytest.fixture(autouse=True)
def own_temp(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def begun(seconds: float) -> tuple[subprocess.Popen, Path]:
    process = subprocess.Popen([sys.executable, "-c", CHILD.format(seconds=seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return process, Path(process.stdout.readline().strip())


@pytest.mark.skipif(sys.platform == "win32", reason="nothing tells there who is alive")
def test_what_a_killed_app_left_is_removed_and_nothing_else(tmp_path):
    labels, numbered = tmp_path / "app-labels", tmp_path / "app-123456-abcdefgh"  # a user's, whatever it is called
    for folder in (labels, numbered):
        folder.mkdir()
    (alive, its), (killed, left) = begun(60), begun(60)
    try:
        killed.kill()
        killed.wait()
        assert left.is_dir()
        mine = make_temp_dir("app")
        assert make_temp_dir("app") != mine  # the same process's, too
        assert not left.exists()
        assert all(folder.is_dir() for folder in (labels, numbered, its, mine))
    finally:
        alive.kill()
        alive.wait()


@pytest.mark.parametrize(
    "stopped", [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform == "win32", reason="killed"))]
)
def test_it_goes_with_its_process(stopped):
    process, folder = begun(60 if stopped else 0)
    if stopped:
        process.terminate()
    assert process.wait(30) == (-signal.SIGTERM if stopped else 0)
    assert folder.name.startswith("app-")
    assert not folder.exists()
