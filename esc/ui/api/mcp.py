"""The endpoints as tools of the Model Context Protocol, for assistants; only where the one who runs the app asks for them.

`GRADIO_MCP_SERVER=True python app.py` (Gradio's own variable) serves them under /gradio_api/mcp/. A tool takes its sound
as a data: URL or from a public web address; addresses inside the server's own network are not fetched. Off by default:
the package mcp brings a dozen others, and what clients send as data stays in Gradio's temporary folder until that is
emptied.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from esc.errors import PackageError

VARIABLE = "GRADIO_MCP_SERVER"
REQUIREMENTS = "requirements-mcp.txt"


def serve_tools() -> bool:
    """Return whether the tools are asked for.

    Raises
    ------
    PackageError
        They are, and the package that serves them is not installed.
    """
    asked = os.environ.get(VARIABLE, "").lower() in ("1", "true", "yes")
    if asked and find_spec("mcp") is None:
        raise PackageError("package.missing", package="mcp", file=REQUIREMENTS)
    return asked
