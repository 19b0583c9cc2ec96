"""The arrows of the house: who may import whom, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "app.py", *sorted(path for folder in ("esc", "training") for path in (ROOT / folder).rglob("*.py"))]
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES if path.is_file()]
PLOTTERS = {"matplotlib", "plotly"}
MAY_PLOT = {"esc/plotting.py", "training/evaluation/run_report.py"}


def imports(name: str, only_at_import: bool = False) -> set[str]:
    """Return the full names of the modules that a file imports; `only_at_import`: not those inside functions."""
    path = ROOT / name
    found = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[:-1]
            base = [node.module] if node.module else []
            if node.level:
                base = [*package[: len(package) - node.level + 1], *base]
            found |= {".".join([*base, alias.name]) for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("import_module", "importlib.import_module", "__import__"):
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
        if only_at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        waiting.extend(ast.iter_child_nodes(node))
    return found


def tops(modules: set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


def in_library(name: str) -> bool:
    return name.startswith("esc/") and not name.startswith("esc/ui/")


def test_the_reader_of_imports_sees_them_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "esc").mkdir()
    (tmp_path / "esc" / "a.py").write_text(
        "import os.path as p\nfrom . import b\nfrom .c import d\nfrom x.y import z\n"
        "def f():\n    import late\n    import_module('called')\nif p:\n    import guarded\n"
    )
    early = {"os.path", "esc.b", "esc.c.d", "x.y.z", "guarded"}
    assert imports("esc/a.py", only_at_import=True) == early
    assert imports("esc/a.py") == early | {"late", "called"}


def test_there_is_something_to_read():
    assert {"esc/audio/io.py", "esc/dsp/spectrogram.py", "training/train.py"} <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if in_library(name)])
def test_the_library_knows_nothing_of_page_and_training(name):
    found = imports(name)
    assert not tops(found) & {"gradio", "gradio_client", "training", "app"}
    assert not any(module.startswith("esc.ui") for module in found)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("esc/ui/")])
def test_the_page_knows_nothing_of_training_and_entry_point(name):
    assert not tops(imports(name)) & {"training", "app"}


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("training/")])
def test_training_knows_nothing_of_the_page(name):
    found = imports(name)
    assert not tops(found) & {"gradio", "app"}
    assert not any(module.startswith("esc.ui") for module in found)


def test_the_entry_point_knows_nothing_of_training():
    if "app.py" in NAMES:
        assert "training" not in tops(imports("app.py"))


@pytest.mark.parametrize("name", NAMES)
def test_plotters_have_their_own_rooms(name):
    if name not in MAY_PLOT:
        assert not tops(imports(name)) & PLOTTERS


@pytest.mark.parametrize("name", NAMES)
def test_what_we_avoid(name):
    assert not tops(imports(name)) & {"torchaudio", "audiomentations", "pydub"}
    assert "matplotlib.pyplot" not in imports(name), "pyplot's state leaks in a server"


@pytest.mark.parametrize("name", NAMES)
def test_librosa_is_for_tests_and_extra_analyses_and_loads_late(name):
    assert "librosa" not in tops(imports(name, only_at_import=True)), "its first import takes seconds"


HEAVY = ("torch", "torchvision", "librosa", "gradio", "plotly", "matplotlib", "av", "scipy")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import esc", HEAVY),
        ("import esc; dir(esc)", HEAVY),
        ("import esc; esc.LIBROSA", HEAVY),
        ("import esc; esc.load_audio", [name for name in HEAVY if name != "scipy"]),
        ("import esc; esc.mel_db", ["librosa", "gradio", "plotly", "matplotlib", "av", "torchvision"]),
        (
            "import training.train, training.data.preprocessing, training.evaluation.metrics",
            ["librosa", "gradio", "plotly", "matplotlib"],
        ),
    ],
)
def test_what_an_import_loads(statement, absent):
    code = f"{statement}\nimport sys; print(*sorted(set(sys.modules) & {set(absent)!r}))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []


def test_every_public_name_is_there():
    import esc

    for name in dir(esc):
        try:
            assert getattr(esc, name) is not None
        except ModuleNotFoundError as error:  # pragma: no cover
            pytest.fail(f"esc.{name}: {error}")
    for name in ("load_audio", "SpectrogramConfig", "NOTEBOOK", "LIBROSA", "stft_db", "mel_db", "mfcc", "Classifier"):
        assert name in dir(esc)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = esc.nothing
