"""Check of every request before Gradio or a handler sees it.

JSON allows what breaks deep inside Gradio or the operating system: unpaired surrogates, null bytes, numbers beyond 64 bits,
NaN and infinity (as Python writes them), nesting past the recursion limit, names longer than a file system takes. Each is
answered with a typed error here; handlers check fields and ranges. What fails inside Gradio gets a typed reply, too.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import gradio as gr
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from esc.errors import EscError, PageError, ParameterError
from esc.ui.i18n.catalogue import error_message
from esc.ui.i18n.language_switch import visitor_language
from esc.ui.server.error_replies import RequestLog, error_reply

MAX_BODY_BYTES = 16 * 2**20  # a clip of the live tab at the highest sample rate has some 10
MAX_MCP_BYTES = 64 * 2**20  # a tool's sound may be inside
MAX_HELD_BYTES = 512 * 2**20  # of the bodies of all requests
BODY_SECONDS = 60.0
MAX_DEPTH = 32
MAX_VALUES = 20_000
# such as the text of a CSV; possessive quantifiers keep no state for each repetition, so that a body takes no memory of its own
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
LEAST, MOST = -(2**63), 2**63 - 1
_ROUTE = re.compile(r"/gradio_api/+(\w+)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STATUS = {"page.failed": 500, "page.busy": 503, "page.disk_full": 507}
_INVALID_REQUEST = -32600  # of JSON-RPC
_FILE_FIELDS = ("path", "orig_name", "url")
_NAME_BYTES, _PATH_BYTES = 255, 4096  # of a file's name and path


class RequestGate:
    """ASGI middleware that answers impossible requests, and whatever fails on the way.

    Parameters
    ----------
    app : ASGIApp
        Gets the requests that pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held_bytes = 0  # of the bodies of all present requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        route = _ROUTE.search(scope["path"]) if scope["method"] == "POST" else None
        action = route[1] if route else "request"
        try:
            await self._checked(action, scope, receive, sending)
        except ClientDisconnect:
            return
        except Exception as error:
            if begun and isinstance(error.__cause__ or error, HTTPException):  # Gradio, of a stream of an unknown session
                await send({"type": "http.response.body", "body": b""})
                return
            if begun:
                raise
            visitor = HTTPConnection(scope)
            language = visitor_language(visitor.cookies, visitor.headers)
            await _reply(action, _typed(action, error), language)(scope, receive, send)

    async def _checked(self, action: str, scope: Scope, receive: Receive, send: Send) -> None:
        _check_text("path", scope["path"].partition("file=")[2] or scope["path"])
        if action in ("request", "upload"):
            await self._app(scope, receive, send)
            return
        chunks: list[bytes] = []
        try:
            await self._receive(chunks, receive, MAX_MCP_BYTES if action == "mcp" else MAX_BODY_BYTES)
            body = b"".join(chunks)
            check_json(body)
            await self._app(scope, _replayed(body, receive), send)
        finally:
            self._held_bytes -= sum(map(len, chunks))

    async def _receive(self, chunks: list[bytes], receive: Receive, limit: int) -> None:
        """Append the parts of a request's body."""
        size, more, end = 0, True, time.monotonic() + BODY_SECONDS
        while more:
            try:
                message = await asyncio.wait_for(receive(), end - time.monotonic())
            except TimeoutError:
                raise PageError("page.request", reason=f"> {BODY_SECONDS:.0f} s") from None
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            self._held_bytes += len(chunks[-1])
            if size > limit:
                raise PageError("page.request", reason=f"bytes > {limit}")
            if self._held_bytes > MAX_HELD_BYTES:
                raise PageError("page.busy")
            more = message.get("more_body", False)


def check_json(body: bytes) -> None:
    """Raise a typed error for a body that no handler can take.

    Raises
    ------
    PageError
        "page.request": no JSON, or too much of it.
    ParameterError
        Names the field and the value.
    """
    if body.count(b",") > MAX_VALUES and _STRING.sub(b"", body).count(b",") > MAX_VALUES:  # before the values are made
        raise PageError("page.request", reason=f"values > {MAX_VALUES}")
    try:
        values = json.loads(body, parse_int=_whole)
    except RecursionError:
        raise PageError("page.request", reason=f"depth > {MAX_DEPTH}") from None
    except ValueError:  # no JSON, or no UTF-8
        raise PageError("page.request", reason="JSON") from None
    for field, value in _walk(values):
        if isinstance(value, int | float) and not LEAST <= value <= MOST:  # also catches NaN
            raise ParameterError("parameter.range", field=field, value=value, low=LEAST, high=MOST)
        if isinstance(value, str):
            _check_text(field, value)


def _check_text(field: str, text: str) -> None:
    if "\0" in text or (not text.isascii() and _SURROGATE.search(text)):
        raise ParameterError("parameter.text", field=field, value=ascii(text))
    if field in _FILE_FIELDS:
        name = max(text.split("/"), key=len) if field != "url" else ""
        for part, limit in ((name, _NAME_BYTES), (text, _PATH_BYTES)):
            if len(part.encode()) > limit:
                raise ParameterError("parameter.length", field=field, length=len(part.encode()), limit=limit)


def _walk(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield the field and value of all values and keys inside a JSON value."""
    waiting, count = [("request", values, 0)], 0
    while waiting:
        field, value, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise PageError("page.request", reason=f"depth > {MAX_DEPTH}")
        if count > MAX_VALUES:
            raise PageError("page.request", reason=f"values > {MAX_VALUES}")
        yield field, value
        if isinstance(value, dict):
            for key, one in value.items():
                yield field, key
                waiting.append((key, one, depth + 1))
        elif isinstance(value, list):
            waiting.extend((f"{field}[{index}]", one, depth + 1) for index, one in enumerate(value[: MAX_VALUES + 1]))


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= 20 else float(digits)  # longer ones are out of range, and slow


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a `receive` that begins with a body that has been read."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _typed(action: str, error: Exception) -> EscError:
    with RequestLog(action) as record:
        if action == "upload" and not isinstance(error, OSError | EscError):  # Gradio, of parts that are no files
            error = PageError("page.request", reason="files")
        elif action != "request" and isinstance(error, LookupError | gr.route_utils.FnIndexInferError):  # of an unknown function
            error = PageError("page.request", reason="fn_index, component_id, api_name")
        return record.failure(error)


def _reply(action: str, error: EscError, language: str) -> JSONResponse:
    """Return an error reply for the page's modules, for tools, or for Gradio's clients."""
    field, message = str(error.values.get("field", "request")), error_message(error, language)
    if action == "component_server":
        return JSONResponse(error_reply(error, language) | {"fix": None, "fields": [field]})
    status = _STATUS.get(error.key, 422)
    if action == "mcp":
        return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": _INVALID_REQUEST, "message": message}}, status)
    about = {"__type__": "validate", "is_valid": False, "parameter_name": field, "message": message}
    return JSONResponse({"detail": [about]}, status)
