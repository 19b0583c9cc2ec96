"""`pip install .`: the wheel holds all that the app and the command need, and the command runs from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of what is in git, so that no build folder is left here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in filter(None, listed.split("\0")):
        if name.split("/")[0] in ("esc", "assets", "checkpoints") or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", made, source]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return next(made.glob("soundglass-*.whl"))


def test_contents_of_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {"esc": "esc", "assets": "esc/assets", "checkpoints": "esc/checkpoints"}
    for folder, inside in folders.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                there = f"{inside}/{path.relative_to(ROOT / folder)}" in names
                assert there == (path.parent != ROOT / "assets" / "images"), "all but the README's pictures"
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"esc"}


def test_command_of_the_wheel(wheel, tmp_path):
    """Of the unpacked wheel, not of this folder: with a working directory and a path of its own."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    entry = (next((tmp_path / "site").glob("*.dist-info")) / "entry_points.txt").read_text()
    assert "soundglass = esc.__main__:main" in entry
    sound = ROOT / "assets" / "examples" / "rain.flac"
    code = "import sys; from esc.__main__ import main; sys.argv[0] = 'soundglass'; main()"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    ended = subprocess.run(
        [sys.executable, "-c", code, "classify", sound, "--format", "json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)[0]["verdict"] == "rain"
