"""Scripts that the browser modules are joined to."""

import json
import subprocess

import pytest

from esc.paths import ASSETS
from esc.ui.server.public.scripts import FIRST, OTHERS, imports, joined, modules_of, origins, script, source_map

SOURCES = {
    "lib/a.js": "/** One. */\nexport const one = 1;\nexport async function two() { return one + 1; }\n",
    "lib/b.js": "import { two as second } from './a.js';\nimport './a.js';\nexport default { three: second };\n",
    "c.js": "import {\n  one,\n} from './lib/a.js';\nimport b from './lib/b.js';\n"
    "export class Four { sum = async () => one + await b.three(); }\n",
}  # fmt: skip


def test_joined_modules_run():
    parts = [joined(name, source) for name, source in SOURCES.items()]
    for part, source in zip(parts, SOURCES.values(), strict=True):
        assert part.count("\n") == source.count("\n") + 1  # an opening line, and the last line has no end
    code = "\n".join(["const modules = {};", *parts, "new modules['c.js'].Four().sum().then(console.log);"])
    assert subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True).stdout == "3\n"


@pytest.mark.parametrize(
    "line", ["export let changes = 1;", "export { a };", "export * from './a.js';", "import a, { b } from './a.js';"]
)
def test_unknown_form_is_named(line):
    with pytest.raises(ValueError, match=r"x\.js: (im|ex)port"):
        joined("x.js", line)


def test_every_module_after_its_imports():
    names = [*modules_of(FIRST), *modules_of(OTHERS)]
    assert sorted(names) == sorted(path.relative_to(ASSETS / "js").as_posix() for path in (ASSETS / "js").rglob("*.js"))
    for index, name in enumerate(names):
        assert set(imports(name)) <= set(names[:index]), name


@pytest.mark.parametrize("name", [FIRST, OTHERS])
def test_lines_lead_to_their_modules(name):
    """Each line of a script is its origin's line, but for comments, imports and the word export."""
    lines, places = script(name).split("\n"), origins(name)
    for line, place in zip(lines, places, strict=False):
        if place and line and "modules['" not in line:
            original = (ASSETS / "js" / place[0]).read_text(encoding="utf-8").split("\n")[place[1]]
            assert original in (line, f"export {line}", f"export default {line.removeprefix('const exported = ')}", "import {")
    made = json.loads(source_map(name))
    assert [f"js/{module}" for module in modules_of(name)] == made["sources"]
    assert made["mappings"].startswith(";;AAAA;AACA;AACA") and made["mappings"].count(";") == len(places) - 1
    second = next(number for number, place in enumerate(places) if place and place[0] == modules_of(name)[1])
    _, line = places[second - 3]
    assert _decoded(made["mappings"].split(";")[second]) == [0, 1, -line, 0]


def _decoded(segment: str) -> list[int]:
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    values, value, shift = [], 0, 0
    for digit in map(digits.index, segment):
        value += (digit % 32) << shift
        shift += 5
        if digit < 32:
            values.append(-(value >> 1) if value & 1 else value >> 1)
            value, shift = 0, 0
    return values
