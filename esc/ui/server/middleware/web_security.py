"""Security headers of all replies, and the server's health."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SPACE = " https://huggingface.co https://*.hf.space" if os.environ.get("SPACE_ID") else ""  # shows the app in a frame
POLICY = {
    "default-src": "'self'",
    # Gradio's template has inline scripts with the app's configuration, and compiles each component's script; the
    # microphone's worklet is a blob
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": f"'self' data: blob:{_SPACE}",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": f"'self'{_SPACE}",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class SecurityHeaders:
    """ASGI middleware that adds the `HEADERS` a reply lacks.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def health_route(version: str, digest: Callable[[], str | None]) -> Route:
    """Return GET /health: 200 once the network is loaded, before that 503.

    Parameters
    ----------
    version : str
    digest : callable
        Returns the loaded checkpoint's digest, or None while there is none.
    """
    return Route("/health", partial(_health, version, digest))


def _health(version: str, digest: Callable[[], str | None], request: Request) -> JSONResponse:
    checkpoint = digest()
    status = {"version": version, "checkpoint": checkpoint, "ready": checkpoint is not None}
    return JSONResponse(status, 200 if checkpoint else 503, headers={"Cache-Control": "no-store"})
