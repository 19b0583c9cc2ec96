"""Gradio's scripts and style sheets, named ahead and compressed once.

Gradio's scripts name one another in four rounds, each begun when the one before has run, and are compressed for every request.
Here the head of the page names them, and browsers keep them, as their names change with their content.
"""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path
from zlib import crc32

from gradio.route_utils import BUILD_PATH_LIB
from starlette.types import ASGIApp, Receive, Scope, Send

from esc.ui.server.public.files import MadeFile

_FOLDER = Path(BUILD_PATH_LIB)
_ADDRESS = re.compile(r"/assets/([\w-]+\.(?:js|css))")
_TYPES = {".js": "text/javascript", ".css": "text/css"}
# Vite's forms: a list of a script's dependencies, and imports by their numbers
_ENTRY = re.compile(r'src="\./assets/([^"]+\.js)"')
_LISTED = re.compile(r"m\.f=(\[[^\]]*\])")
_QUOTED = re.compile(r"[\"'`](?:\./)?([^\"'`]+)[\"'`]")
_IMPORTED = r"import\(`\./({name})`\)[^_]*__vite__mapDeps\(\[([\d,]+)\]\)"
_PAGE = _IMPORTED.format(name="Blocks-[^`]+")
_KINDS = ("state", "column", "html", "tabs", "tabitem", "row", "accordion")  # of the components that the page begins with


@cache
def first_files() -> tuple[str, ...]:
    """Return the names of the files that the page begins with.

    There are none where Gradio's build has other forms. Style sheets that the page names itself are left out.
    """
    page = _text("../index.html")
    entry = _ENTRY.search(page)
    if entry is None:
        return ()
    found = [entry[1], *_listed(_text(entry[1]))]
    table = [rf"\b{kind}:\{{[^{{}}]*?component:\(\)=>\w+\(\(\)=>{_IMPORTED.format(name='[^`]+')}" for kind in _KINDS]
    for text in map(_text, tuple(found)):
        listed = _listed(text)
        for match in filter(None, (re.search(pattern, text) for pattern in (_PAGE, *table))):
            found += [match[1], *(listed[int(number)] for number in match[2].split(",") if int(number) < len(listed))]
    return tuple(name for name in dict.fromkeys(found) if (_FOLDER / name).is_file() and (name not in page or name == entry[1]))


@cache
def first_styles() -> tuple[str, str]:
    """Return the name and text of the style sheets of `first_files`, joined; "" without any."""
    text = "\n".join(_text(name) for name in first_files() if name.endswith(".css"))
    return (f"first-{crc32(text.encode()):08x}.css" if text else ""), text


def _listed(text: str) -> list[str]:
    found = _LISTED.search(text)
    return _QUOTED.findall(found[1]) if found else []


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8") if (_FOLDER / name).is_file() else ""


class GradioScripts:
    """ASGI middleware that answers requests of Gradio's scripts and style sheets.

    Parameters
    ----------
    app : ASGIApp
        Gets all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files: dict[str, MadeFile] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        asked = _ADDRESS.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        name = asked[1] if asked else ""
        if name not in self._files and name in _names():
            self._files[name] = MadeFile(_TYPES[Path(name).suffix], partial(_asset, name))
        await self._files.get(name, self._app)(scope, receive, send)


@cache
def _names() -> frozenset[str]:
    # listed once: the file system itself raises an error for a name that is too long
    return frozenset({*(path.name for path in _FOLDER.glob("*")), first_styles()[0]} - {""})


def _asset(name: str) -> str:
    joined, text = first_styles()
    return text if name == joined else _text(name)
