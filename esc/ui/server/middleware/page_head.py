"""Additions to the head of the page, and compression of the page."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import PurePosixPath

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from esc.paths import ASSETS
from esc.ui.i18n.catalogue import LANGUAGES
from esc.ui.i18n.language_switch import LANGUAGE_COOKIE
from esc.ui.server.public_files import MODULES

FIRST_MODULES = ("player/player.js", "viewer/views.js")
_IMPORT = re.compile(r"^(?:import|export|\}) .*from '(\.[^']+)';", re.MULTILINE)

# Gradio and the modules read the language from `navigator`, and Gradio's own `head` is inserted too late for that
SCRIPT = f"""<script>
(() => {{
  const chosen = document.cookie.match(/(?:^|; ){LANGUAGE_COOKIE}=(\\w+)/)?.[1];
  if (!{json.dumps(LANGUAGES)}.includes(chosen)) return;
  Object.defineProperty(navigator, 'language', {{ get: () => chosen, configurable: true }});
  Object.defineProperty(navigator, 'languages', {{ get: () => [chosen], configurable: true }});
}})();
</script>""".encode()


@cache
def first_modules() -> tuple[str, ...]:
    """Return the modules that the first view imports, as paths below assets/js."""
    found, waiting = dict.fromkeys(FIRST_MODULES), list(FIRST_MODULES)
    while waiting:
        module = PurePosixPath(waiting.pop())
        for name in _IMPORT.findall((ASSETS / "js" / module).read_text(encoding="utf-8")):
            imported = os.path.normpath(module.parent / name).replace(os.sep, "/")
            if imported not in found:
                found[imported] = None
                waiting.append(imported)
    return tuple(found)


@cache
def preloads() -> bytes:
    """Return links that fetch the first modules while Gradio starts."""
    return "".join(f'<link rel="modulepreload" href="{MODULES}/{module}">' for module in first_modules()).encode()


def is_page(scope: Scope) -> bool:
    """Return whether a request is for the page itself."""
    return scope["type"] == "http" and scope["path"] == "/"


class PageHead:
    """ASGI middleware that adds script and preloads to the page.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not is_page(scope):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def sending(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = body.replace(b"<head>", b"<head>" + SCRIPT + preloads(), 1)
            headers = MutableHeaders(scope=start)
            if "content-length" in headers:
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, sending)


class CompressedPage(GZipMiddleware):
    """ASGI middleware that compresses the page itself, which holds the configuration of all its components."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await (super().__call__ if is_page(scope) else self.app)(scope, receive, send)
