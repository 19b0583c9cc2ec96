"""Script of the page that replaces the browser's language by the chosen one."""

from __future__ import annotations

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from esc.ui.i18n.catalogue import LANGUAGES
from esc.ui.i18n.language_switch import LANGUAGE_COOKIE

# Gradio and the modules read the language from `navigator`, and Gradio's own `head` is inserted too late for that
SCRIPT = f"""<script>
(() => {{
  const chosen = document.cookie.match(/(?:^|; ){LANGUAGE_COOKIE}=(\\w+)/)?.[1];
  if (!{json.dumps(LANGUAGES)}.includes(chosen)) return;
  Object.defineProperty(navigator, 'language', {{ get: () => chosen, configurable: true }});
  Object.defineProperty(navigator, 'languages', {{ get: () => [chosen], configurable: true }});
}})();
</script>""".encode()


class LanguageScript:
    """ASGI middleware that adds the script to the page.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] != "/":
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
            body = body.replace(b"<head>", b"<head>" + SCRIPT, 1)
            headers = MutableHeaders(scope=start)
            if "content-length" in headers:
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, sending)
