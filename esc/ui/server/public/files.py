"""Public files of the web server: scripts, texts, plotly, example sounds, playable sounds.

Their addresses are relative to the page, so that it receives no path of the server.
"""

from __future__ import annotations

import gzip
import json
import re
import secrets
from asyncio import to_thread
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brotli
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from esc.errors import PackageError
from esc.paths import ASSETS
from esc.ui.i18n.catalogue import LANGUAGES
from esc.ui.server.public.scripts import FIRST, OTHERS, script, source_map
from esc.ui.server.public.styles import style_sheet

_ROOT = "gradio_api/soundglass"  # with SSR, as on Spaces, Gradio's front server passes on no other paths
# differs at each start, so that browsers never mix modules of two versions
_VERSION = secrets.token_hex(4)
_LASTING = f"{_ROOT}/{_VERSION}"
PLOTLY = f"{_LASTING}/plotly/plotly.min.js"
QUALITY = 7  # of brotli: 9 gains 1 %, and costs the first visitor 0.2 s
_LASTING_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}
PREVIEW = f"{_ROOT}/preview.png"
_PLAYABLE, _EXAMPLES = f"{_ROOT}/sounds", f"{_ROOT}/examples"


def playable_url(path: Path) -> str:
    """Return the address of a file in the sound store's public folder."""
    return f"{_PLAYABLE}/{quote(path.name)}"


def example_url(path: Path) -> str:
    """Return the address of an example sound."""
    return f"{_EXAMPLES}/{quote(path.name)}"


def script_url(name: str) -> str:
    """Return the address of a script, see `scripts.py`."""
    return f"{_LASTING}/{name}.js"


def styles_url() -> str:
    """Return the address of the page's style sheet."""
    return f"{_LASTING}/styles.css"


def texts_url(language: str) -> str:
    """Return the address of the page's texts in a language."""
    return f"{_LASTING}/texts-{language}.json"


def routes(playable: Path, texts: Callable[[str], Mapping[str, Any]]) -> list[BaseRoute]:
    """Return the routes of all public files.

    Parameters
    ----------
    playable : path
        The sound store's public folder.
    texts : callable
        Returns the page's texts in a language.
    """
    # beside the scripts, where their source maps look for the modules
    lasting = {f"{_LASTING}/js": ASSETS / "js", PLOTLY.rsplit("/", 1)[0]: plotly_script().parent}
    others = {_PLAYABLE: playable, _EXAMPLES: ASSETS / "examples"}
    made: dict[str, tuple[str, Callable[[], str]]] = {styles_url(): ("text/css", style_sheet)}
    for name in (FIRST, OTHERS):
        made[script_url(name)] = "text/javascript", partial(script, name)
        made[f"{script_url(name)}.map"] = "application/json", partial(source_map, name)
    for language in LANGUAGES:
        made[texts_url(language)] = "application/json", partial(_as_json, texts, language)
    return [
        *(Route(f"/{address}", MadeFile(kind, make)) for address, (kind, make) in made.items()),
        Route(f"/{PREVIEW}", lambda request: FileResponse(ASSETS / "images" / "readme-3d.png")),
        *(Mount(f"/{address}", _LastingFiles(directory=folder)) for address, folder in lasting.items()),
        *(Mount(f"/{address}", _Files(directory=folder)) for address, folder in others.items()),
    ]


def plotly_script() -> Path:
    """Return the script of the plotly package; Gradio has another version, loaded late.

    Raises
    ------
    PackageError
        plotly is not installed.
    """
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise PackageError("package.missing", package="plotly", file="requirements.txt")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def _as_json(texts: Callable[[str], Mapping[str, Any]], language: str) -> str:
    return json.dumps(texts(language), ensure_ascii=False)


class MadeFile:
    """ASGI app of a lasting text, made at its first request.

    Parameters
    ----------
    kind : str
        Its media type.
    make : callable
        Returns the text.
    """

    def __init__(self, kind: str, make: Callable[[], str]) -> None:
        self._kind, self._make = kind, make
        self._encoded: dict[str, bytes] = {}  # compressed once, better than Gradio does for each visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        accepted = re.split(r"\s*,\s*", Request(scope).headers.get("accept-encoding", ""))  # one with a weight is left out
        encoding = next((name for name in ("br", "gzip") if name in accepted), "")
        headers = _LASTING_HEADERS | {"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        headers |= {"Content-Encoding": encoding} if encoding else {}
        if encoding not in self._encoded:
            self._encoded[encoding] = await to_thread(self._encode, encoding)
        await Response(self._encoded[encoding], media_type=self._kind, headers=headers)(scope, receive, send)

    def _encode(self, encoding: str) -> bytes:
        text = self._make().encode()
        if encoding == "br":
            return brotli.compress(text, mode=brotli.MODE_TEXT, quality=QUALITY)
        return gzip.compress(text) if encoding == "gzip" else text


class _Files(StaticFiles):
    """A folder of files; users' files among them must not run as pages."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update({"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"})
        return response


class _LastingFiles(_Files):
    """A folder of files that never change under their address: browsers keep them without asking."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_LASTING_HEADERS)
        return response
