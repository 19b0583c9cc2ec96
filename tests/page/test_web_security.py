"""Security headers, health and the log of the running app."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from chromium import Server
from esc import Classifier
from esc.classification.similarity import fingerprint
from esc.ui.server.public.gradio_scripts import first_files
from test_endpoints import Functions, functions  # noqa: F401, a fixture

LINE = re.compile(r"[0-9a-f]{8} (\w+): (\S+) in \d+\.\d{3} s$", re.MULTILINE)


@pytest.mark.parametrize(
    "address", ["/", "/config", "/health", "/nothing", "/gradio_api/queue/status", f"/assets/{first_files()[0]}"]
)
def test_headers_of_every_reply(server: Server, address):
    headers = httpx.get(f"{server.url}{address}").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert not [sources for sources in policy.values() if "http" in sources or "*" in sources]


def test_health_names_version_and_checkpoint(server: Server, root):
    end = time.monotonic() + 60
    while (answer := httpx.get(f"{server.url}/health")).status_code == 503 and time.monotonic() < end:
        assert answer.json()["ready"] is False
        time.sleep(0.2)
    assert answer.status_code == 200
    status = answer.json()
    assert f'version = "{status["version"]}"' in (root / "pyproject.toml").read_text()
    assert (status["ready"], status["checkpoint"]) == (True, fingerprint(Classifier.load()))


def test_one_line_a_request_without_content(functions: Functions, server: Server):  # noqa: F811
    before = len(server.log.read_text())
    functions.ask("player", "open_sound", {"path": "/nowhere/secret.wav", "name": "secret.wav"})
    functions.ask("player", "open_sound", {"example": "crow"})
    body = {"data": [{"path": "/nowhere/secret.wav"}], "session_hash": "secret"}
    event = functions.http.post("/call/classify", json=body).json()["event_id"]
    assert "event: error" in functions.http.get(f"/call/classify/{event}").text
    functions.ask("player", "open_sound", {"example": "crow\0"})
    logged = server.log.read_text()[before:]
    expected = {"open_sound": ["page.request", "ok"], "classify": ["page.request"], "component_server": ["parameter.text"]}
    found = LINE.findall(logged)
    assert {action: [outcome for one, outcome in found if one == action] for action, _ in found} == expected
    assert not re.search("secret|crow|nowhere", logged)


def test_page_is_compressed(server: Server):
    plain = httpx.get(server.url, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    for encoding in ("br", "gzip"):
        answer = httpx.get(server.url, headers={"Accept-Encoding": encoding})
        assert answer.headers["Content-Encoding"] == encoding
        assert int(answer.headers["Content-Length"]) < len(answer.content) / 3
        assert len(plain.content) == pytest.approx(len(answer.content), rel=0.01)
