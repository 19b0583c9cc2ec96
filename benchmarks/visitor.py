"""A running app and its visitors: pages, programs and whoever else can send requests."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx


class Visitor:
    """A page's session, by plain HTTP."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(keepalive_expiry=2.0)  # before the server closes an idle connection, after five seconds
        self.http = httpx.Client(base_url=f"{url}/gradio_api", timeout=600, limits=limits)
        self.hash = secrets.token_hex(6)
        config = self.http.get(f"{url}/config").json()
        self.components = {one["props"]["elem_id"]: one["id"] for one in config["components"] if one["props"].get("elem_id")}
        self.events = {tuple(target): one["id"] for one in config["dependencies"] for target in one["targets"]}
        load = next(number for (_, event), number in self.events.items() if event == "load")
        begun = self.http.post("/run/predict", json={"data": [], "fn_index": load, "session_hash": self.hash})
        self.token = begun.json()["data"][0]["token"]

    def ask(self, component: str, function: str, data: Any) -> dict:
        """Return the reply of a server function; `data` gets the session's token if it is a dict."""
        data = {"token": self.token} | data if isinstance(data, dict) else data
        body = {"data": data, "component_id": self.components[component], "fn_name": function, "session_hash": self.hash}
        return self.http.post("/component_server", json=body).json()

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file and return its path on the server."""
        return self.http.post("/upload", files={"files": (name, content)}).json()[0]

    def open(self, name: str, content: bytes) -> dict:
        """Upload and open a sound."""
        return self.ask("player", "open_sound", {"path": self.upload(name, content), "name": name})

    def event(self, component: str, event: str, data: dict) -> list[dict]:
        """Return all messages about a queued event of a component; the last one has its output."""
        number = self.components[component]
        body = {
            "data": [],
            "event_data": {"token": self.token} | data,
            "fn_index": self.events[number, event],
            "trigger_id": number,
            "session_hash": self.hash,
        }
        joined = self.http.post("/queue/join", json=body)
        if joined.status_code != 200:
            return [{"msg": "refused", "success": False, "output": {"error": joined.text}}]
        return self._messages("/queue/data", {"session_hash": self.hash}, joined.json()["event_id"])

    def call(self, endpoint: str, data: list) -> str:
        """Return the event stream of an endpoint's call."""
        called = self.http.post(f"/call/{endpoint}", json={"data": data, "session_hash": self.hash})
        if called.status_code != 200:
            return called.text
        return self.http.get(f"/call/{endpoint}/{called.json()['event_id']}").text

    def _messages(self, address: str, query: dict, event_id: str) -> list[dict]:
        found = []
        with self.http.stream("GET", address, params=query) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("event_id") == event_id:
                    found.append(message)
                if message.get("msg") in ("process_completed", "close_stream"):
                    break
        return found


def reply_of(messages: list[dict]) -> dict:
    """Return the reply in the last message of an event; an error as {"error": ...}."""
    last = messages[-1] if messages else {"output": {"error": "no message"}}
    output = last.get("output") or {}
    if not last.get("success"):
        return {"error": str(output.get("error"))}
    return output["data"][0]
