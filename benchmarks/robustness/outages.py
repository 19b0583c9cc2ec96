"""Outages of a running server: workers killed, clients gone in the middle, a full disk.

`python -m benchmarks.robustness.outages`. The small disk is a tmpfs of 20 MB, which only root can mount (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from benchmarks.harness import SOUND, App, serving_app
from benchmarks.robustness.requests import outcome_of, outcome_of_reply
from benchmarks.robustness.resources import files_mb, processes_of
from benchmarks.visitor import Visitor, reply_of
from benchmarks.visitors import sound_of
from esc.config import LIBROSA
from esc.ui.sessions.sound import PREFIX

SMALL_DISK_MB = 20
WAIT_S = 240.0  # uploads of the last minute stay, then they are cleaned away


def opened(visitor: Visitor, name: str, content: bytes) -> str:
    """Return the outcome of an upload that is opened."""
    answer = visitor.http.post("/upload", files={"files": (name, content)})
    if not answer.is_success:
        return outcome_of(answer) if answer.status_code == 500 else str(answer.json().get("key") or answer.status_code)
    reply = visitor.ask("player", "open_sound", {"path": answer.json()[0], "name": name})
    return outcome_of_reply(reply)


def works(app: App) -> str:
    """Return "" if the server opens, draws and classifies an example, or the first outcome that is none."""
    visitor = Visitor(app.url)
    reply = visitor.ask("player", "open_sound", {"example": "crow"})
    if "ok" not in reply:
        return outcome_of_reply(reply)
    sound = reply["ok"]["id"]
    view = {"sound": sound, "config": LIBROSA.to_dict(), "start": 0.0, "end": 1.0, "columns": 100}
    drawn = outcome_of_reply(visitor.ask("mel", "mel_view", view))
    return drawn or outcome_of_reply(reply_of(visitor.event("classify", "classify", {"sound": sound, "turn": 1})))


def kills(app: App, times: int) -> dict:
    """Return the outcomes of sounds that are opened while workers are killed."""
    outcomes: Counter[str] = Counter()
    killed, end = 0, threading.Event()
    content = sound_of(1, 600.0)  # long enough to be met

    def kill() -> None:
        nonlocal killed
        rng = random.Random(0)
        while not end.wait(rng.uniform(0.5, 6.0)):
            for worker in processes_of(app.process.pid)[1:]:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                    killed += 1

    def open_some(_: int) -> None:
        visitor = Visitor(app.url)
        for _ in range(times // 2):
            outcomes[opened(visitor, "a.flac", content) or "fine"] += 1

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(open_some, range(2)))
    finally:
        end.set()
        killing.join()
    return {"killed": killed, "outcomes": outcomes}


def leave(app: App, request: bytes, wait_for: bytes = b"") -> None:
    """Send the bytes of a request and go, without a goodbye, perhaps after the first bytes of the answer."""
    place = urlsplit(app.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        # a reset instead of an orderly end
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(request)
        received = b""
        while wait_for and wait_for not in received:
            part = connection.recv(4096)
            if not part:
                break
            received += part


def gone(app: App, times: int) -> dict:
    """Return what is left of clients who go in the middle of uploads, streams and timelines."""
    visitor = Visitor(app.url)
    content, long = SOUND.read_bytes(), sound_of(2, 600.0)
    half = (
        b"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: "
        + str(2 * len(content)).encode()
        + b'\r\n\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="a.flac"\r\n\r\n'
        + content
    )
    sound = visitor.open("long.flac", long)["ok"]
    before = others(app)
    stream = f"GET /gradio_api/file={sound['url'].rpartition('file=')[2]} HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n".encode()
    began, counts = time.monotonic(), Counter[str]()
    for _ in range(times):
        leave(app, half)
        leave(app, stream, b"HTTP/1.1 ")
        counts.update(("upload", "stream"))
        guest = Visitor(app.url)
        own = guest.ask("player", "open_sound", {"example": "crow"})["ok"]["id"]
        for _ in _messages(guest, own):  # the first one, then the connection ends
            counts["timeline"] += 1
            break
        guest.http.close()
    sent_s = time.monotonic() - began
    while (more := others(app) - before) > 0 and time.monotonic() - began < sent_s + WAIT_S:
        time.sleep(1.0)
    return {"gone": counts, "seconds": sent_s, "files_more": more}


def others(app: App) -> int:
    """Return how many files there are besides those of open sounds."""
    return sum(path.is_file() and not path.name.startswith(PREFIX) for path in app.folder.rglob("*"))


def _messages(visitor: Visitor, sound: str) -> Iterator[str]:
    """Yield the lines of a timeline's stream."""
    target = visitor.components["timeline"], "run_timeline"
    body = {
        "data": [],
        "event_data": {"token": visitor.token, "sound": sound, "hop": 0.1, "turn": 1},
        "fn_index": visitor.events[target],
        "trigger_id": target[0],
        "session_hash": visitor.hash,
    }
    visitor.http.post("/queue/join", json=body)
    with visitor.http.stream("GET", "/queue/data", params={"session_hash": visitor.hash}) as answer:
        for line in answer.iter_lines():
            if "process_" in line:
                yield line


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a mounted tmpfs."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def full(app: App, times: int) -> dict:
    """Return the outcomes of sounds for a disk that has no room for them, of other requests meanwhile, and of the end."""
    outcomes, others = Counter[str](), Counter[str]()
    visitors = [Visitor(app.url) for _ in range(3)]
    file = {"path": "", "meta": {"_type": "gradio.FileData"}}
    for turn in range(times):
        content = sound_of(turn, (20.0, 300.0, 900.0)[turn % 3])
        outcomes[opened(visitors[turn % 3], "a.flac", content) or "fine"] += 1
        others[works(app) or "fine"] += 1
        answer = httpx.post(f"{app.url}/gradio_api/upload", files={"files": ("b.flac", content)}, timeout=600)
        if answer.is_success:
            said = visitors[0].call("waveform", [file | {"path": answer.json()[0]}, None, "mean"])
            others["untyped" if "went wrong" in said else "waveform fine" if "complete" in said else "waveform refused"] += 1
    return {"outcomes": outcomes, "others": others, "held_mb": files_mb(app.folder)}


def after(app: App, found: dict) -> dict:
    """Return what was found, and how the server is afterwards."""
    began = time.monotonic()
    while (said := works(app)) and time.monotonic() - began < WAIT_S:
        time.sleep(1.0)
    log = app.log.read_text(errors="replace")
    return found | {"works_after": said or "yes", "after_s": time.monotonic() - began, "tracebacks": log.count("Traceback")}


def run(times: int) -> dict:
    """Return the findings of all outages, each with a server of its own."""
    found = {}
    outages: dict[str, Callable[[App, int], dict]] = {"killed workers": kills, "gone clients": gone, "full disk": full}
    for name, outage in outages.items():
        with TemporaryDirectory() as place:
            folder = Path(place)
            with small_disk(folder / "small") if outage is full else nullcontext() as disk:
                with serving_app(folder, temporary=disk) as app:
                    found[name] = after(app, outage(app, times))
                found[name]["files_left"] = sum(path.is_file() for path in app.folder.rglob("*"))
    return found


def main() -> None:
    """Cause the outages and print the findings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.outages", description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=30, help="how often each (default 30)")
    print(json.dumps(run(parser.parse_args().times), indent=1))


if __name__ == "__main__":
    main()
