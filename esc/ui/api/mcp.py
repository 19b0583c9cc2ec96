"""The endpoints as tools of the Model Context Protocol, off by default.

`GRADIO_MCP_SERVER=True python app.py` (a variable of Gradio) serves them under /gradio_api/mcp/. A tool takes its sound as a
data: URL or from a public web address; addresses in the server's local network are not fetched. Off by default: the
package mcp has a dozen dependencies, and Gradio never deletes the data that clients send from its temporary folder.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from esc.errors import PackageError

VARIABLE = "GRADIO_MCP_SERVER"
REQUIREMENTS = "requirements-mcp.txt"


def serve_tools() -> bool:
    """Return whether the tools are enabled.

    Raises
    ------
    PackageError
        They are, but the package mcp is not installed.
    """
    enabled = os.environ.get(VARIABLE, "").lower() in ("1", "true", "yes")
    if enabled and find_spec("mcp") is None:
        raise PackageError("package.missing", package="mcp", file=REQUIREMENTS)
    return enabled
