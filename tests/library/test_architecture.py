"""Imports, floors and sizes of the code, read from the source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "app.py", *sorted(path for folder in ("esc", "training") for path in (ROOT / folder).rglob("*.py"))]
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES if path.is_file()]
MAY_PLOT = {f"esc/plotting/{name}.py" for name in ("style", "sounds", "views", "runs")}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(name: str, only_at_import: bool = False, for_types: bool = True) -> set[str]:
    """Return the full names of the modules that a file imports.

    `only_at_import`: not those inside functions; `for_types`: also those under `if TYPE_CHECKING`.
    """
    path = ROOT / name
    found = set()
    waiting: list[ast.AST] = [tree_of(path)]
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
        if not for_types and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if only_at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        waiting.extend(ast.iter_child_nodes(node))
    return found


def in_library(name: str) -> bool:
    """Return whether a file is of `esc` below the page; `esc/__main__.py` starts the page, as app.py does."""
    return name.startswith("esc/") and not name.startswith("esc/ui/") and name != "esc/__main__.py"


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
    assert offenders(["esc/a.py"], "esc.c", "x.y.z", "lat", "oss") == {"esc/a.py": {"esc.c.d", "x.y.z"}}


def test_there_is_something_to_read():
    assert {"esc/audio/io.py", "esc/dsp/spectrogram.py", "training/train.py"} <= set(NAMES)


def offenders(names: Iterable[str], *packages: str, **which: bool) -> dict[str, set[str]]:
    """Return which of these modules import one of the packages, with the imports."""
    found = {
        name: {module for module in imports(name, **which) if any(f"{module}.".startswith(f"{package}.") for package in packages)}
        for name in names
    }
    return {name: modules for name, modules in found.items() if modules}


def test_the_library_knows_nothing_of_page_and_training():
    library = [name for name in NAMES if in_library(name)]
    assert offenders(library, "gradio", "gradio_client", "training", "app", "esc.ui") == {}


def test_the_page_knows_nothing_of_training_and_entry_point():
    assert offenders([name for name in NAMES if name.startswith("esc/ui/")], "training", "app") == {}


def test_training_knows_nothing_of_the_page():
    assert offenders([name for name in NAMES if name.startswith("training/")], "gradio", "app", "esc.ui") == {}


def test_entry_point_without_training():
    assert offenders(["app.py"], "training") == {}


# floors from the ground up; a module may import from its own floor's package and from lower floors only
PYTHON_FLOORS = {
    "esc": [
        {"errors", "paths"}, {"config", "example_sounds"}, {"audio"}, {"dsp"}, {"views", "features", "plotting"},
        {"classification"}, {"batch"}, {"cli", "ui"}, {"__main__", "__init__"},
    ],
    "esc.ui": [{"i18n"}, {"sessions"}, {"inference"}, {"server"}, {"tabs"}, {"api"}, {"page"}, {"serve"}],
    "training": [
        {"recipes"}, {"runs"}, {"augmentation"}, {"data"}, {"engine"}, {"evaluation"}, {"train"},
        {"cross_validation", "sweep"}, {"cli"}, {"__main__", "__init__"},
    ],
}  # fmt: skip
JS_FLOORS = [{"lib"}, {"core", "widgets"}, {"player"}, {"viewer"}, {"surface", "tabs"}]
JS = ROOT / "assets" / "js"
SCRIPTS = sorted(str(path.relative_to(JS)) for path in JS.rglob("*.js"))
_JS_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]""")


def module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def python_graph() -> dict[str, set[str]]:
    """Return which of our modules each of them imports; a name imported from a package counts as the package's module."""
    modules = {module_of(name) for name in NAMES}
    return {
        module_of(name): {part for found in imports(name) for part in (found, found.rpartition(".")[0]) if part in modules}
        - {module_of(name)}
        for name in NAMES
    }


def script_graph() -> dict[str, set[str]]:
    """Return which of the browser's modules each of them imports."""
    return {
        name: {
            str((JS / name).parent.joinpath(found).resolve().relative_to(JS.resolve()))
            for found in _JS_IMPORT.findall((JS / name).read_text(encoding="utf-8"))
        }
        for name in SCRIPTS
    }


def rising(edges: dict[str, set[str]], floors: list[set[str]], floor_name) -> list[str]:
    """Return the imports that lead to a higher floor, or to another package on the same one."""
    height = {name: level for level, names in enumerate(floors) for name in names}
    found = []
    for source, targets in edges.items():
        for target in targets:
            low, high = floor_name(source), floor_name(target)
            if low and high and low != high and height[high] >= height[low]:
                found.append(f"{source} -> {target}")
    return sorted(found)


@pytest.mark.parametrize("package", PYTHON_FLOORS)
def test_python_floors(package):
    def floor_name(module: str) -> str | None:
        rest = module.removeprefix(package + ".") if module.startswith(package + ".") else None
        return rest and rest.split(".")[0]

    assert rising(python_graph(), PYTHON_FLOORS[package], floor_name) == []


def test_script_floors():
    assert rising(script_graph(), JS_FLOORS, lambda name: name.split("/")[0]) == []


@pytest.mark.parametrize("graph", [python_graph, script_graph])
def test_no_import_circles(graph):
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_floors_see_a_rising_import_and_a_circle():
    edges = {"lib/a.js": {"core/b.js"}, "core/b.js": {"lib/a.js"}}
    assert rising(edges, JS_FLOORS, lambda name: name.split("/")[0]) == ["lib/a.js -> core/b.js"]
    with pytest.raises(CycleError):
        TopologicalSorter(edges).prepare()


MOST_ENTRIES, MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 15, 300, 50, 7


@pytest.mark.parametrize("top", ["esc", "assets", "training"])
def test_entries_of_a_folder(top):
    """At most 15 in each folder, except the example sounds and three of JavaScript."""
    listed = subprocess.run(["git", "ls-files", top], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    entries: dict[Path, set[str]] = {}
    for path in map(Path, listed.splitlines()):
        for entry in (path, *path.parents[:-1]):
            entries.setdefault(entry.parent, set()).add(entry.name)
    wide = {str(folder): len(names) for folder, names in entries.items() if len(names - {"__init__.py"}) > MOST_ENTRIES}
    assert wide.keys() <= {"assets/examples", "assets/js/core", "assets/js/lib", "assets/js/viewer"}, wide
    assert len(entries[Path(top)]) <= MOST_ENTRIES


def test_lines_of_a_module():
    names = [*NAMES, *(f"assets/js/{name}" for name in SCRIPTS)]
    lines = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in names}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Yield (module, node) of these kinds in our code."""
    return ((name, node) for name in NAMES for node in ast.walk(tree_of(ROOT / name)) if isinstance(node, kinds))


def test_size_of_functions():
    large = []
    for name, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        arguments = node.args
        count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
        count -= bool(arguments.args) and arguments.args[0].arg in ("self", "cls")
        first = node.body[0]
        documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        lines = node.end_lineno - (first.end_lineno if documented else node.lineno)
        if lines > MOST_FUNCTION_LINES or count > MOST_PARAMETERS:
            large.append(f"{name}: {node.name}: {lines} lines, {count} parameters")
    assert large == []


def test_first_docstring_lines():
    first = [
        (name, text.splitlines()[0])
        for name, node in nodes(ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if (text := ast.get_docstring(node))
    ]
    assert len(first) > len(NAMES)
    assert [(name, line) for name, line in first if len(line.split()) > 15] == []


def test_plotting_libraries_in_one_package():
    assert offenders([name for name in NAMES if name not in MAY_PLOT], "matplotlib", "plotly", for_types=False) == {}
    assert offenders(NAMES, "matplotlib.pyplot") == {}, "pyplot's state leaks in a server"


def test_what_we_avoid():
    assert offenders(NAMES, "torchaudio", "audiomentations", "pydub") == {}
    assert offenders(NAMES, "librosa", only_at_import=True) == {}, "its first import takes seconds"


HEAVY = ("torch", "torchvision", "librosa", "gradio", "plotly", "matplotlib", "av", "scipy")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import esc", HEAVY),
        ("import esc; dir(esc)", HEAVY),
        ("import esc; esc.LIBROSA", HEAVY),
        ("import esc.__main__, esc.batch.runner, esc.batch.result_formats, esc.classification.checkpoint_files.config", HEAVY),
        ("import esc; esc.load_audio", [name for name in HEAVY if name != "scipy"]),
        pytest.param(
            "import esc; esc.mel_db", ["librosa", "gradio", "plotly", "matplotlib", "av", "torchvision"], marks=pytest.mark.slow
        ),
        pytest.param(
            "import esc; esc.Classifier.load()",
            ["librosa", "gradio", "plotly", "matplotlib", "torchvision"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "import training.train, training.data.preprocessing, training.evaluation.metrics",
            ["librosa", "gradio", "plotly", "matplotlib", "torchvision"],
            marks=pytest.mark.slow,
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
