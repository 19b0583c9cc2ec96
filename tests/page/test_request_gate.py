"""Impossible values in any request: a typed error from every server function and endpoint, and no traceback in the log."""

from __future__ import annotations

import asyncio
import errno
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chromium import Server
from esc.errors import EscError, PageError, ParameterError
from esc.ui.server.middleware import request_gate
from esc.ui.server.middleware.request_gate import MAX_DEPTH, check_json
from test_endpoints import Functions, functions, refused  # noqa: F401, a fixture

ENDPOINTS = ("mel", "stft", "mfcc", "surface", "waveform", "classify", "explain", "timeline")
DEEP = "[" * 500 + "]" * 500
# as JSON, and the key of the error
VALUES = {
    "lone surrogate": (r'"\ud800"', "parameter.text"),
    "lone surrogate in a key": (r'{"\udc00": 1}', "parameter.text"),
    "null byte": (r'"a\u0000b"', "parameter.text"),
    "beyond 64 bits": (str(2**64), "parameter.range"),
    "thousands of digits": ("9" * 5000, "parameter.range"),
    "NaN": ("NaN", "parameter.range"),
    "infinity": ("-Infinity", "parameter.range"),
    "overflow": ("1e999", "parameter.range"),
    "deep": (DEEP, "page.request"),
    "beyond the recursion limit": ("[" * 100_000 + "]" * 100_000, "page.request"),
    "long name": (json.dumps({"path": "x" * 300, "meta": {"_type": "gradio.FileData"}}), "parameter.length"),
    "long path": (json.dumps({"path": "/".join(["x" * 200] * 30)}), "parameter.length"),
    "many values": (json.dumps([0] * 30_000), "page.request"),
}
# what the gate passes on and Gradio cannot use
SHAPES = ("{}", "[]", "null", "7", '"x"', "true", "[[]]", '{"path": 7}', '{"path": "/etc/passwd"}', '{"a": {"b": []}}')


@pytest.fixture(scope="module")
def log(server: Server):
    """A function that returns what the server has logged since the last call."""
    position = server.log.stat().st_size

    def new() -> str:
        nonlocal position
        text = server.log.read_bytes()[position:].decode()
        position += len(text.encode())
        return text

    return new


def server_functions(server: Server) -> list[tuple[int, str]]:
    """Return the component and name of every server function."""
    components = httpx.get(f"{server.url}/config").json()["components"]
    return [(one["id"], name) for one in components for name in one["props"].get("server_fns") or ()]


def post(functions: Functions, address: str, body: str) -> httpx.Response:  # noqa: F811
    headers = {"content-type": "application/json", "accept-language": "ru"}
    return functions.http.post(address, content=body.encode(), headers=headers)


def called(functions: Functions, endpoint: str, body: str) -> str:  # noqa: F811
    """Return the error of an endpoint's call."""
    event = post(functions, f"/call/{endpoint}", body).json()["event_id"]
    stream = functions.http.get(f"/call/{endpoint}/{event}").text
    assert "event: error" in stream
    return json.loads(stream.strip().rpartition("data: ")[2])["error"]


@pytest.mark.parametrize("name", VALUES)
def test_every_server_function(functions, server, log, name):  # noqa: F811
    value, key = VALUES[name]
    found = server_functions(server)
    assert len(found) > 20
    for component, function in found:
        template = '{"data": {"token": %s, "x": %s}, "component_id": %d, "fn_name": "%s", "session_hash": "gate"}'
        answer = post(functions, "/component_server", template % (json.dumps(functions.token), value, component, function))
        assert answer.status_code == 200
        assert refused(answer.json()) == key, (function, answer.text)
    assert "Traceback" not in log()


@pytest.mark.parametrize("route", ["call", "run"])
@pytest.mark.parametrize("name", VALUES)
def test_every_endpoint(functions, log, name, route):  # noqa: F811
    for endpoint in ENDPOINTS:
        answer = post(functions, f"/{route}/{endpoint}", f'{{"data": [{VALUES[name][0]}], "session_hash": "gate"}}')
        assert answer.status_code == 422
        (detail,) = answer.json()["detail"]
        assert detail["message"].endswith(".") and detail["parameter_name"]
    assert "Traceback" not in log()


@pytest.mark.parametrize("name", ["lone surrogate", "NaN", "beyond the recursion limit"])
@pytest.mark.parametrize("field", ["session_hash", "fn_index", "event_data", "trigger_id", "data"])
def test_every_field_of_the_queue(functions, log, name, field):  # noqa: F811
    body = '{"data": [], "fn_index": 0, "session_hash": "gate"}'[:-1] + f', "{field}": {VALUES[name][0]}}}'
    assert post(functions, "/queue/join", body).status_code == 422
    assert "Traceback" not in log()


@pytest.mark.parametrize("shape", SHAPES)
def test_inputs_of_the_wrong_shape(functions, log, shape):  # noqa: F811
    for endpoint in ENDPOINTS:
        error = called(functions, endpoint, f'{{"data": [{shape}]}}')
        assert error.endswith((".", "choices: ['librosa', 'notebook', 'esc50', 'speech', 'birdsong', 'bats', 'clicks']"))
    assert "Traceback" not in log()


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/component_server", '{"data": 1, "component_id": 10000, "fn_name": "x", "session_hash": "gate"}'),
        ("/component_server", '{"data": 1, "component_id": [], "fn_name": {}, "session_hash": "gate"}'),
        ("/component_server", "no JSON"),
        ("/component_server", '{"data": {"a": 1}}'),
        ("/queue/join", '{"data": [], "fn_index": 9999, "session_hash": "gate"}'),
        ("/run/nothing", '{"data": []}'),
        ("/call/nothing", '{"data": []}'),
        ("/run/mel", '{"data": 7}'),
        ("/run/mel", "\xff"),
    ],
)
def test_unknown_functions_and_broken_bodies(functions, log, address, body):  # noqa: F811
    answer = post(functions, address, body)
    assert answer.status_code < 500, answer.text
    assert answer.json()
    assert "Traceback" not in log()


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/static/" + "x" * 5000, 422),
        ("/assets/%00", 422),
        ("/gradio_api/file=%00", 422),
        ("/gradio_api/file=" + "x" * 5000, 422),
        ("/gradio_api/soundglass/sounds/" + "x" * 300, 422),
        ("/gradio_api/soundglass/sounds/%ff", 404),
        ("/gradio_api/queue/data?session_hash=unknown", 200),
        ("/gradio_api/call/mel/unknown", 200),
        ("/monitoring", 403),
    ],
)
def test_addresses(server, log, address, status):
    answer = httpx.get(server.url + address, timeout=30)
    assert answer.status_code == status, answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Traceback" not in log()


@pytest.mark.parametrize("query", ["", "?upload_id=gate"])
@pytest.mark.parametrize(
    ("part", "statuses"),
    [
        ('name="files"', (422,)),  # no file
        ('filename="a.wav"', (400,)),
        ('name="files"; filename="a\0b.wav"', (200,)),
        ('name="files"; filename="' + "x" * 300 + '.wav"', (200,)),
        ('name="files"; filename="../../a.wav"', (200,)),
        ('name="files"; filename="con.wav"', (200,)),
    ],
)
def test_uploads(functions, log, part, statuses, query):  # noqa: F811
    body = f"--b\r\nContent-Disposition: form-data; {part}\r\n\r\nx\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = functions.http.post(f"/upload{query}", content=body.encode(), headers=headers)
    assert answer.status_code in statuses, answer.text
    assert "Traceback" not in log()


def test_no_event_passes_the_queue_by(functions):  # noqa: F811
    answer = post(functions, "/run/mel", '{"data": [null, "librosa", null], "session_hash": "gate"}')
    assert answer.status_code == 404


def test_failures_and_gone_browsers_leave_no_body_behind(monkeypatch):
    """Of the middleware alone: what the app raises is typed, and bodies count as long as their request lasts."""
    monkeypatch.setattr(request_gate, "MAX_HELD_BYTES", 100)

    async def app(scope, receive, send):
        await receive()
        raise OSError(errno.ENOSPC, "full")

    gate, sent = request_gate.RequestGate(app), []

    async def send(message):
        sent.append(message)

    def ask(path: str, *messages: dict) -> int | None:
        waiting = list(messages)

        async def receive():
            return waiting.pop(0)

        sent.clear()
        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        with ThreadPoolExecutor(1) as elsewhere:  # a browser test's loop may run in this thread
            elsewhere.submit(asyncio.run, gate(scope, receive, send)).result()
        assert gate._held_bytes == 0
        return sent[0]["status"] if sent else None

    part = {"type": "http.request", "body": b"[1, 2]", "more_body": True}
    assert ask("/gradio_api/queue/join", part | {"more_body": False}) == 507
    assert ask("/gradio_api/upload", part) == 507
    assert ask("/gradio_api/queue/join", part, {"type": "http.disconnect"}) is None
    assert ask("/gradio_api/queue/join", *[part] * 20) == 503


def test_large_body(monkeypatch, functions):  # noqa: F811
    answer = post(functions, "/run/mel", '{"data": ["' + "x" * request_gate.MAX_BODY_BYTES + '"]}')
    assert (answer.status_code, str(request_gate.MAX_BODY_BYTES) in answer.text) == (422, True)


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e18, 1e18)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
)
BAD = st.sampled_from([float("nan"), float("inf"), 2**63, -(2**63) - 1, 10**400, "\ud800", "x\udfff", "\0"])


def inside(values: st.SearchStrategy) -> st.SearchStrategy:
    """Return JSON that contains a value, at some depth."""
    return st.recursive(
        values, lambda inner: st.builds(lambda one, more: [*more, one], inner, st.lists(PLAIN, max_size=3))
        | st.builds(lambda one, key: {"a": 1, key: one}, inner, st.text("bcd", min_size=1, max_size=3)), max_leaves=4,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(inside(BAD))
def test_bad_values_at_any_depth(value):
    with pytest.raises(ParameterError) as caught:
        check_json(json.dumps(value).encode())
    assert str(caught.value).encode()  # can be sent


@settings(max_examples=60, deadline=None)
@given(inside(PLAIN))
def test_plain_values_pass(value):
    try:
        check_json(json.dumps(value).encode())
    except PageError as error:
        assert str(MAX_DEPTH) in str(error)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes(body):
    try:
        check_json(body)
    except EscError as error:
        assert str(error).encode()


def test_long_strings_take_no_memory(monkeypatch):
    """A string of escapes beside too many values: it is refused by their number, within a few times the body's size."""
    body = b'["' + rb"\n" * 2_000_000 + b'"' + b",1" * 30_000 + b"]"
    tracemalloc.start()
    with pytest.raises(PageError, match="values > 20000"):
        check_json(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(body)


@pytest.mark.parametrize(("chosen", "start"), [("en", "The server"), ("ru", "Сервер")])
def test_errors_are_in_the_language_chosen_on_the_page(functions, chosen, start):  # noqa: F811
    headers = {"content-type": "application/json", "accept-language": "de", "cookie": f"soundglass_language={chosen}"}
    answer = functions.http.post("/call/mel", content=b"[", headers=headers)
    assert answer.json()["detail"][0]["message"].startswith(start)
