"""The endpoints as tools of the Model Context Protocol, asked by the protocol's own client."""

from __future__ import annotations

import ast
import asyncio
import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chromium import Server, serving
from esc import Classifier, load_audio
from esc.audio.io import ACCEPTED
from esc.errors import PackageError
from esc.example_sounds import example_sounds
from esc.ui.api.mcp import VARIABLE, serve_tools

mcp = pytest.importorskip("mcp", reason="mcp is not installed: pip install -r requirements-mcp.txt")
BELLS = example_sounds()["church_bells"]


@pytest.fixture(scope="module")
def tools_server(tmp_path_factory) -> Iterator[Server]:
    """The app with its tools turned on."""
    with serving(tmp_path_factory.mktemp("tools"), **{VARIABLE: "True"}) as running:
        yield running


def talk(server: Server, conversation):
    """Return what a coroutine function answers that is given the client's session."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def all_of_it():
        async with (
            streamable_http_client(f"{server.url}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await conversation(session)

    with ThreadPoolExecutor(1) as elsewhere:  # a test with a browser before this one leaves a loop running in its thread
        return elsewhere.submit(asyncio.run, all_of_it()).result()


@pytest.mark.slow  # a server of its own
def test_each_endpoint_is_a_tool_that_explains_itself(tools_server):
    tools = {tool.name: tool for tool in talk(tools_server, lambda session: session.list_tools()).tools}
    assert {"classify", "mel", "stft", "mfcc", "surface", "waveform"} <= set(tools)
    assert "ESC-50" in tools["classify"].description
    for tool in tools.values():
        assert len(tool.description) > 30
        assert "As for /" not in str(tool.inputSchema), "a tool is read alone"
        assert tool.inputSchema["properties"]["sound"]["description"] == f"The file: {ACCEPTED}."


@pytest.mark.slow  # a server of its own
def test_classify_is_called_with_a_file(tools_server):
    sound = f"data:audio/flac;base64,{base64.b64encode(BELLS.read_bytes()).decode()}"
    answer = talk(tools_server, lambda session: session.call_tool("classify", {"sound": sound}))
    assert not answer.isError, answer.content
    label = ast.literal_eval(answer.content[0].text)
    expected = Classifier.load().predict(*load_audio(BELLS))
    assert label["label"] == expected.verdict == "church_bells"
    said = {entry["label"]: entry["confidence"] for entry in label["confidences"]}
    assert said == pytest.approx(dict(expected.top), abs=1e-4)


@pytest.mark.slow  # a server of its own
def test_no_address_inside_the_servers_own_network_is_fetched(tools_server):
    """Not even its own: a client on the same machine sends base64, one elsewhere an address that everybody sees."""
    with BELLS.open("rb") as file:
        (path,) = httpx.post(f"{tools_server.url}/gradio_api/upload", files={"files": (BELLS.name, file)}).json()
    address = f"{tools_server.url}/gradio_api/file={path}"
    answer = talk(tools_server, lambda session: session.call_tool("classify", {"sound": address}))
    assert answer.isError
    assert "church_bells" not in str(answer.content)


@pytest.mark.slow  # a server of its own
@pytest.mark.parametrize("sound", ["/etc/passwd", "file:///etc/passwd", "data:audio/wav;base64,bm8gc291bmQ=", ""])
def test_what_is_no_sound_is_refused_in_words(tools_server, sound):
    answer = talk(tools_server, lambda session: session.call_tool("classify", {"sound": sound}))
    assert answer.isError
    said = answer.content[0].text
    assert "root:" not in said and "Traceback" not in said and ".py" not in said


@pytest.mark.slow  # a server of its own
@pytest.mark.parametrize("value", ['"\\ud800"', "NaN", "[" * 500 + "]" * 500, '"a\\u0000"', str(2**70)])
def test_posts_pass_the_gate(tools_server, value):
    head = '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "classify", "arguments": {"sound": '
    body = f"{head}{value}}}}}}}"
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    answer = httpx.post(f"{tools_server.url}/gradio_api/mcp/", content=body, headers=headers)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["message"][-1]) == (-32600, ".")
    assert "Traceback" not in tools_server.log.read_text()


def test_the_tools_are_off_unless_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert not serve_tools()
    monkeypatch.setenv(VARIABLE, "True")
    assert serve_tools()
    monkeypatch.setattr("esc.ui.api.mcp.find_spec", lambda name: None)
    with pytest.raises(PackageError, match=r"package mcp.*pip install -r requirements-mcp.txt"):
        serve_tools()


def test_without_the_variable_nothing_answers(server: Server):
    assert httpx.post(f"{server.url}/gradio_api/mcp/", json={}).status_code in (404, 405)
