"""Order and limits of Gradio's events by session."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest

from esc.ui.server import events
from esc.ui.server.events import CheckedBlocks, FairQueue

LIMIT = 8


@pytest.fixture
def blocks() -> CheckedBlocks:
    with CheckedBlocks() as blocks:
        gr.Button().click(lambda: None, concurrency_limit=LIMIT, concurrency_id="network", api_name="one")
    return blocks


def push(blocks: CheckedBlocks, session: str, language: str = "en") -> tuple:
    body = SimpleNamespace(fn_index=0, session_hash=session, request=None, data=[], event_id=None)
    request = SimpleNamespace(headers={"accept-language": language}, cookies={})
    with ThreadPoolExecutor(1) as elsewhere:  # a browser test's loop may run in this thread
        return elsewhere.submit(asyncio.run, blocks._queue.push(body, request, None)).result()


def begun(blocks: CheckedBlocks) -> list[str]:
    """Return the sessions of the events that begin now, in order; none of them ends."""
    found = []
    while events_ := blocks._queue.get_events():
        blocks._queue.active_jobs.append(events_[0])
        blocks._queue.event_queue_per_concurrency_id["network"].current_concurrency += 1
        found.append(events_[0][0].session_hash)
    return found


def test_a_greedy_session_leaves_room_and_waits_last(blocks):
    assert isinstance(blocks._queue, FairQueue) and not blocks.api_open
    for _ in range(20):
        assert push(blocks, "greedy")[0]
    assert begun(blocks) == ["greedy"] * (LIMIT // events.SHARE)
    for session in ("a", "b", "a", "c"):
        push(blocks, session)
    assert begun(blocks) == ["a", "b", "c", "a"]


def test_waiting_events_are_bounded(blocks, monkeypatch):
    monkeypatch.setattr(events, "MAX_EVENTS", 40)
    for _ in range(events.MAX_EVENTS_OF_ONE):
        assert push(blocks, "greedy")[0]
    taken, message, state = push(blocks, "greedy", "ru")
    assert (taken, state) == (False, "queue_full") and message.startswith("Сервер занят")
    for number in range(40 - events.MAX_EVENTS_OF_ONE):
        assert push(blocks, str(number))[0]
    assert push(blocks, "last")[1].startswith("The server is busy")


def test_no_statistics_are_computed_after_an_event(monkeypatch):
    """Gradio would, of all events so far, for a monitoring that is off here."""
    tables: list[list] = []
    table = gr.queueing.Queue._get_df
    monkeypatch.setattr(gr.queueing.Queue, "_get_df", staticmethod(lambda records: tables.append(records) or table(records)))
    with CheckedBlocks() as blocks:
        gr.Button().click(lambda: "done", None, gr.Textbox(), api_name="one")
    app, *_ = blocks.launch(prevent_thread_lock=True, quiet=True, enable_monitoring=False)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{blocks.server_port}/gradio_api/call/one", timeout=30) as client:
            for _ in range(2):
                event = client.post("", json={"data": []}).json()["event_id"]
                assert '["done"]' in client.get(f"/{event}").text
        queue = app.get_blocks()._queue
        assert queue.events_recorded == 2
        assert [one["status"] for one in queue.event_analytics.values()] == ["success"] * 2
        assert tables == []
    finally:
        blocks.close()
