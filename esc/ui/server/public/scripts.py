"""The browser modules joined to two scripts: a page fetches two files.

`first` has the modules of the first view, `others` all that tabs need when they are opened. In a script each module is a
function that returns its exports, in the order of the imports; it keeps its lines, so that a source map leads from each to
the module's own file. The modules are written in one style (tests/page/test_scripts.py), which a few expressions read.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath

from esc.paths import ASSETS

FIRST, OTHERS = "first", "others"
FIRST_MODULES = ("player/player.js", "viewer/views.js")
_IMPORT = re.compile(r"^import (?:(?:(?P<default>\w+)|\{(?P<names>[^}]*)\}) from )?'(?P<path>\.[^']+)';", re.MULTILINE)
_EXPORT = re.compile(r"^export (?P<kind>default |(?:async )?(?:function|class|const) (?P<name>\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)  # on lines of its own
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def imports(module: str, folder: Path = ASSETS / "js") -> list[str]:
    """Return the modules that a module imports, as paths below a folder."""
    source = (folder / module).read_text(encoding="utf-8")
    return [_resolved(module, found["path"]) for found in _IMPORT.finditer(source)]


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """Return the modules of a script, each after those that it imports."""
    folder = ASSETS / "js"
    every = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.js"))
    graph = {module: imports(module) for module in every}
    first, waiting = set(FIRST_MODULES), list(FIRST_MODULES)
    while waiting:
        new = set(graph[waiting.pop()]) - first
        first |= new
        waiting += new
    return tuple(module for module in TopologicalSorter(graph).static_order() if (module in first) == (script == FIRST))


def script_of(module: str) -> str:
    """Return the script that has a module."""
    return FIRST if module in modules_of(FIRST) else OTHERS


@cache
def script(name: str) -> str:
    """Return the text of a script."""
    head = (
        "export const modules = globalThis.soundglass = {}; // for the console, too"
        if name == FIRST
        else f"import {{ modules }} from './{FIRST}.js';"
    )
    parts = [joined(module, (ASSETS / "js" / module).read_text(encoding="utf-8")) for module in modules_of(name)]
    last = [] if name == FIRST else ["export { modules };"]
    return "\n".join([head, *parts, *last, f"//# sourceMappingURL={name}.js.map", ""])


def joined(module: str, source: str) -> str:
    """Return a module as a function of its exports, two lines longer.

    Raises
    ------
    ValueError
        An import or export is of no known form.
    """
    exports: list[str] = []

    def export(found: re.Match) -> str:
        exports.append("default: exported" if found["name"] is None else found["name"])
        return "const exported = " if found["name"] is None else found["kind"]

    def imported(found: re.Match) -> str:
        names = f" default: {found['default']} " if found["default"] else (found["names"] or "").replace(" as ", ": ")
        taken = f"const {{{names}}} = " if names else ""
        return f"{taken}modules['{_resolved(module, found['path'])}'];"

    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source)
    text = _EXPORT.sub(export, _IMPORT.sub(imported, text))
    if unknown := re.search(r"^(?:import|export)\b.*", text, re.MULTILINE):
        raise ValueError(f"{module}: {unknown[0]}")
    return f"modules['{module}'] = (() => {{\n{text.rstrip(chr(10))}\nreturn {{ {', '.join(exports)} }}; }})();"


@cache
def source_map(name: str) -> str:
    """Return a script's source map, by lines."""
    sources = {module: index for index, module in enumerate(modules_of(name))}
    last, written = (0, 0), []
    for origin in origins(name):
        if origin is None:
            written.append("")
            continue
        now = sources[origin[0]], origin[1]
        written.append(f"A{_base64(now[0] - last[0])}{_base64(now[1] - last[1])}A")  # differences to the last one
        last = now
    return json.dumps({"version": 3, "sources": [f"js/{module}" for module in sources], "mappings": ";".join(written)})


def origins(name: str) -> list[tuple[str, int] | None]:
    """Return the module and line, counted from 0, of each line of a script."""
    lines: list[tuple[str, int] | None] = [None]  # the head
    for module in modules_of(name):
        count = len((ASSETS / "js" / module).read_text(encoding="utf-8").rstrip("\n").split("\n"))
        lines += [None, *((module, line) for line in range(count)), None]
    return lines


def _base64(value: int) -> str:
    """Return a variable-length quantity: five bits a digit, the lowest first."""
    rest, digits = 2 * abs(value) + (value < 0), ""
    while True:
        rest, low = divmod(rest, 32)
        digits += _DIGITS[low + 32 * bool(rest)]
        if not rest:
            return digits


def _resolved(module: str, path: str) -> str:
    return os.path.normpath(PurePosixPath(module).parent / path).replace(os.sep, "/")
