"""Check of every JSON request before Gradio or a handler sees it.

JSON allows what breaks deep inside Gradio or the operating system: unpaired surrogates, null bytes, numbers beyond 64 bits,
NaN and infinity (as Python writes them), nesting past the recursion limit, names longer than a file system takes. Each is
answered with a typed error here; handlers check fields and ranges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import gradio as gr
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from esc.errors import EscError, PageError, ParameterError
from esc.ui.i18n.catalogue import error_message, language_of
from esc.ui.server.error_replies import RequestLog, error_reply

MAX_BODY_BYTES = 16 * 2**20  # a clip of the live tab at the highest sample rate has some 10
MAX_DEPTH = 32
MAX_VALUES = 20_000
LEAST, MOST = -(2**63), 2**63 - 1
_ROUTE = re.compile(r"/gradio_api/(?!upload|mcp)(\w+)")
_BAD_TEXT = re.compile("[\0\ud800-\udfff]")
_FILE_FIELDS = ("path", "orig_name", "url")
_NAME_BYTES, _PATH_BYTES = 255, 4096  # of a file's name and path


class RequestGate:
    """ASGI middleware that answers impossible JSON requests.

    Parameters
    ----------
    app : ASGIApp
        Gets the requests that pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on."""
        route = _ROUTE.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            body = await _body(receive)
            check_json(body)
            await self._app(scope, _replayed(body, receive), sending)
        except ClientDisconnect:
            return
        except Exception as error:
            if begun:
                raise
            language = language_of(Headers(scope=scope).get("accept-language", ""))
            await _reply(route[1], _typed(route[1], error), language)(scope, receive, send)


class CheckedBlocks(gr.Blocks):
    """Blocks whose events answer wrong inputs with a typed error instead of a traceback."""

    async def preprocess_data(self, block_fn: Any, *args: Any, **options: Any) -> Any:
        """Return an event's inputs as its function gets them."""
        try:
            return await super().preprocess_data(block_fn, *args, **options)
        except gr.Error:
            raise
        except Exception as error:
            inputs = ", ".join(str(getattr(one, "label", None)) for one in block_fn.inputs)
            raise PageError("page.request", reason=f"/{block_fn.api_name}: {inputs}") from error

    async def process_api(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run an event."""
        try:
            return await super().process_api(*args, **options)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            request = options.get("request")
            language = language_of(request.headers.get("accept-language", "")) if isinstance(request, gr.Request) else "en"
            name = getattr(options.get("block_fn"), "api_name", None) or "event"
            with RequestLog(name) as record:
                typed = record.failure(error)
            raise gr.Error(error_message(typed, language), print_exception=False) from error


def check_json(body: bytes) -> None:
    """Raise a typed error for a body that no handler can take.

    Raises
    ------
    PageError
        "page.request": no JSON, or too much of it.
    ParameterError
        Names the field and the value.
    """
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
    if _BAD_TEXT.search(text):
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


async def _body(receive: Receive) -> bytes:
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY_BYTES:
            raise PageError("page.request", reason=f"bytes > {MAX_BODY_BYTES}")
        more = message.get("more_body", False)
    return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a `receive` that begins with a body that has been read."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _typed(action: str, error: Exception) -> EscError:
    with RequestLog(action) as record:
        if isinstance(error, LookupError | gr.route_utils.FnIndexInferError):  # Gradio, of an unknown component or function
            error = PageError("page.request", reason="fn_index, component_id, api_name")
        return record.failure(error)


def _reply(route: str, error: EscError, language: str) -> JSONResponse:
    """Return an error reply for the page's modules, or for Gradio's clients."""
    field = str(error.values.get("field", "request"))
    if route == "component_server":
        return JSONResponse(error_reply(error, language) | {"fix": None, "fields": [field]})
    about = {"__type__": "validate", "is_valid": False, "parameter_name": field, "message": error_message(error, language)}
    return JSONResponse({"detail": [about]}, 422)
