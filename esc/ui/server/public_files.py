"""Public files of the web server: modules, plotly, example sounds, playable sounds.

Their addresses are relative to the page, so that it receives no path of the server.
"""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from esc.errors import PackageError
from esc.paths import ASSETS

_ROOT = "gradio_api/soundglass"  # with SSR, as on Spaces, Gradio's front server passes on no other paths
# differs at each start, so that browsers never mix modules of two versions
_VERSION = secrets.token_hex(4)
MODULES = f"{_ROOT}/{_VERSION}/js"
PLOTLY = f"{_ROOT}/{_VERSION}/plotly/plotly.min.js"
_PLAYABLE, _EXAMPLES = f"{_ROOT}/sounds", f"{_ROOT}/examples"


def playable_url(path: Path) -> str:
    """Return the address of a file in the sound store's public folder."""
    return f"{_PLAYABLE}/{quote(path.name)}"


def example_url(path: Path) -> str:
    """Return the address of an example sound."""
    return f"{_EXAMPLES}/{quote(path.name)}"


def routes(playable: Path) -> list[Mount]:
    """Return the routes of all public files; `playable` is the sound store's public folder."""
    lasting = {MODULES: ASSETS / "js", PLOTLY.rsplit("/", 1)[0]: plotly_script().parent}
    others = {_PLAYABLE: playable, _EXAMPLES: ASSETS / "examples"}
    return [
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
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
