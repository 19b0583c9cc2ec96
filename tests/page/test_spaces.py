"""What Hugging Face Spaces asks of this repository, and what no public file may name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LISTS = tuple(f"requirements{kind}.txt" for kind in ("", "-export", "-ray", "-mcp", "-dev"))
LFS_BYTES = 10_000_000  # from here on a Space takes files by Git LFS only
TEXT = {".py", ".md", ".txt", ".toml", ".js", ".css", ".html", ".json", ".sh", ".yml", ".yaml", ".cfg", ""}


def tracked() -> list[Path]:
    """Return the files of the repository: those in git and those that are about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def front_matter() -> dict:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)\n---\n", text, flags=re.DOTALL)
    assert found, "README.md must begin with a block of YAML between two lines of ---"
    return yaml.safe_load(found[1])


def pinned(package: str, file: str = "requirements.txt") -> str:
    found = re.findall(rf"^{package}==([\w.]+)$", (ROOT / file).read_text(), flags=re.MULTILINE)
    assert len(found) == 1, f"{package} must be pinned exactly once in {file}"
    return found[0]


def test_the_front_matter_names_the_sdk_and_the_version_that_is_pinned(front_matter):
    assert front_matter["sdk"] == "gradio"
    assert front_matter["sdk_version"] == pinned("gradio")
    assert front_matter["python_version"] == "3.12", "as a string: YAML would read 3.10 as 3.1"


def test_the_front_matter_names_a_file_that_is_there(front_matter):
    assert front_matter["app_file"] == "app.py"
    assert (ROOT / front_matter["app_file"]).is_file()


def test_the_front_matter_presents_the_space(front_matter):
    assert front_matter["title"]
    assert front_matter["license"] in ("mit", "cc-by-nc-4.0", "other")
    assert 0 < len(front_matter["short_description"]) <= 60
    assert isinstance(front_matter["pinned"], bool)
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front_matter.get("colorFrom", "blue"), front_matter.get("colorTo", "blue")} <= colours
    for optional in ("models", "tags", "datasets"):
        assert isinstance(front_matter.get(optional, []), list)
    legal = {
        "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "pinned", "license",
        "short_description", "models", "datasets", "tags", "thumbnail", "header", "fullWidth", "startup_duration_timeout",
    }  # fmt: skip
    assert set(front_matter) <= legal


def test_every_requirement_is_pinned_exactly():
    for file in LISTS:
        for line in (ROOT / file).read_text().splitlines():
            assert re.fullmatch(r"#.*|-r requirements[\w-]*\.txt|[A-Za-z0-9_-]+(\[\w+\])?==[0-9][\w.]*", line), f"{file}: {line}"
    assert (pinned("torch"), pinned("torchvision")) == ("2.11.0", "0.26.0"), "a matched pair, the newest of ZeroGPU"


@pytest.mark.parametrize("file", LISTS)
def test_what_runs_here_is_what_is_pinned(file):
    from importlib.metadata import version

    for package, wanted in re.findall(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)$", (ROOT / file).read_text(), flags=re.MULTILINE):
        assert version(package).split("+")[0] == wanted


def test_no_file_needs_lfs():
    heavy = {path.name: path.stat().st_size for path in tracked() if path.stat().st_size >= LFS_BYTES}
    assert heavy == {}


def test_system_packages_are_named_only_if_needed():
    path = ROOT / "packages.txt"
    if path.exists():
        lines = path.read_text().splitlines()
        assert lines
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", line) for line in lines)


def test_a_function_is_marked_for_the_gpu():
    sources = [ROOT / "app.py", *(ROOT / "esc").rglob("*.py")]
    assert any(re.search(r"spaces\.GPU|@gpu\b", path.read_text(encoding="utf-8")) for path in sources if path.is_file())
    assert any("spaces.GPU" in path.read_text(encoding="utf-8") for path in sources if path.is_file())


@pytest.mark.slow
def test_the_app_is_imported_without_the_package_spaces():
    """`spaces` exists on Spaces alone; None in sys.modules makes its import fail wherever the tests run."""
    code = "import sys; sys.modules['spaces'] = None; import esc.ui.serve; print('imported')"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "imported"


def test_the_licence_speaks_of_the_weights():
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("MIT License")
    assert "CC BY-NC 4.0" in text
    assert "CC BY-NC 3.0" in text


def test_no_file_names_a_place_on_somebodys_machine():
    """Absolute paths of a workplace, and package indices other than the default one."""
    places = re.compile(r"/(?:work|home/\w+|Users/\w+)/|index-url")
    named = []
    for path in tracked():
        if path.suffix in TEXT and path != Path(__file__).resolve():
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if places.search(line):
                    named.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert named == []


ON_ZERO_GPU = """
import os, threading
import esc.ui.inference.zero_gpu
import torch
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.inference.zero_gpu import device_here
from esc.ui.inference.inference import classifier, warm_up

warm_up(DEFAULT_CHECKPOINT).join()
found = []

def classify():
    network = classifier(DEFAULT_CHECKPOINT)
    probability = network.predict(torch.randn(44_100).numpy(), 44_100).top[0][1]
    found.append((torch.cuda.is_available(), str(network.device), probability))

thread = threading.Thread(target=classify)
thread.start()
thread.join()
print(found[0][:2], 0 < found[0][2] <= 1, flush=True)
if not (child := os.fork()):
    print(device_here(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="ZeroGPU forks")
def test_under_zerogpu_the_server_computes_on_its_cpu_and_a_fork_on_the_gpu():
    settings = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9"}  # asked at the launch alone
    ran = subprocess.run(
        [sys.executable, "-c", ON_ZERO_GPU], cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.splitlines() == ["(True, 'cpu') True", "cuda"], ran.stderr[-2000:]
