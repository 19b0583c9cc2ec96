"""Mixed requests of visitors to a running server: what they are answered, and the memory and files that it holds meanwhile.

`python -m benchmarks.robustness.requests --curve benchmarks/robustness/memory.svg`. A request's number decides what it asks;
each ninth uploads a sound, whole or altered, each sixth is malformed. Before them each visitor opens as many sounds as a page
keeps and looks at each; with the first fifth of the requests this fills what the server keeps by design. The memory's growth is
that of the last fifth against the second.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from benchmarks.harness import SOUND, App, serving_app
from benchmarks.robustness.cases import bases, mutated
from benchmarks.robustness.resources import files_left, files_mb, memory_mb
from benchmarks.visitor import Visitor, reply_of
from benchmarks.visitors import flac
from esc.audio.io import load_audio
from esc.config import PRESETS
from esc.example_sounds import example_sounds
from esc.ui.sessions.sound_store import SOUNDS_A_SESSION

THREADS, PARTS = 6, 5
SAMPLE_S = 2.0
GUESTS = 4  # of a thread
LOOKS = 4  # at each sound before the mixed requests
VIEWS = ("mel_view", "stft_view", "mfcc_view", "surface_view", "wave_view")
KINDS = {"open": 11, "view": 40, "other function": 8, "classify": 6, "timeline": 3, "endpoint": 6, "page": 9, "malformed": 17}
ROUTES = ("component_server", "queue/join", "call/mel", "call/classify", "call/timeline", "upload", "nothing")
MALFORMED = (
    '"', "{}", "[]", "null", "7", r'"\ud800"', r'{"a": "\u0000"}', "9" * 5000, "NaN", "1e999", "[" * 100_000, '{"data": [[]]}',
    '{"data": "x", "fn_index": 10000, "session_hash": "a"}', '{"data": [{"path": "/etc/passwd"}]}', "\xff", "x" * 100_000,
    '{"data": {"token": "x"}, "component_id": 5, "fn_name": "open_sound", "session_hash": "a"}',
    '{"data": [null, "librosa", {"n_fft": -1}], "session_hash": "a"}', "[0," * 30_000 + "0" + "]" * 30_000,
)  # fmt: skip


@dataclass
class Answers:
    """What became of requests, and the server's memory over them."""

    tried: int = 0
    uploads: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)  # "fine", "typed", "untyped"
    errors: Counter[str] = field(default_factory=Counter)  # keys of the typed ones
    untyped: list[str] = field(default_factory=list)
    worst_s: dict[str, float] = field(default_factory=dict)  # by kind
    seconds: float = 0.0
    tracebacks: int = 0
    curve: list[tuple[int, float, float]] = field(default_factory=list)  # requests, MB of memory, MB of files
    start_mb: float = 0.0  # before any visitor
    part_mb: list[float] = field(default_factory=list)
    growth_percent: float = 0.0
    files_left: int = 0

    def add(self, kind: str, seconds: float, outcome: str) -> None:
        """Count a request; its outcome is "" if it was answered, the error's key, or "untyped: ..."."""
        self.tried += 1
        self.kinds[kind] += 1
        self.worst_s[kind] = max(self.worst_s.get(kind, 0.0), seconds)
        if outcome.startswith("untyped"):
            self.untyped.append(f"{kind}: {outcome}"[:300])
        elif outcome:
            self.errors[outcome] += 1
        self.counts["untyped" if outcome.startswith("untyped") else "typed" if outcome else "fine"] += 1


def outcome_of(response: httpx.Response) -> str:
    """Return the outcome of a plain response."""
    text = response.text
    if response.status_code in (500, 502, 504) or "Traceback" in text or '"page.failed"' in text:
        return f"untyped: {response.status_code} {text[:200]}"
    return "" if response.is_success else f"HTTP {response.status_code}"


def outcome_of_reply(reply: dict) -> str:
    """Return the outcome of a server function's reply."""
    if reply.get("key") == "page.failed" or ("error" in reply and not str(reply["error"]).strip()):
        return f"untyped: {reply}"
    return reply.get("key", "event refused") if "error" in reply else ""


class Guest:
    """A visitor who sends one of each kind of request, with at most one at a time.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        self._url, self._visitor = url, Visitor(url)
        self._sound, self._path, self._seconds, self._turn = "none", "", 1.0, 0
        config = httpx.get(f"{url}/config", timeout=600).json()
        self._functions = [
            (one["props"]["elem_id"], name)
            for one in config["components"]
            if one["props"].get("elem_id")
            for name in one["props"].get("server_fns") or ()
        ]

    def send(self, kind: str, rng: random.Random) -> str:
        """Send a request and return its outcome."""
        self._turn += 1
        return getattr(self, "_" + kind.replace(" ", "_"))(rng)

    def open(self, name: str, content: bytes) -> str:
        """Upload and open a sound, and return the outcome."""
        self._path = self._visitor.upload(name, content)
        reply = self._visitor.ask("player", "open_sound", {"path": self._path, "name": name})
        if "ok" in reply:
            self._sound, self._seconds = reply["ok"]["id"], reply["ok"]["seconds"]
        return outcome_of_reply(reply)

    def _open(self, rng: random.Random) -> str:
        return self.open(*upload_of(rng))

    def _request(self, rng: random.Random) -> dict:
        config = rng.choice(list(PRESETS.values())).to_dict() | {"hop_length": rng.randrange(64, 1024)}
        start = rng.uniform(0, self._seconds)
        return {
            "sound": self._sound, "config": config, "start": start, "end": rng.uniform(start, self._seconds), "channels": False,
            "columns": rng.randrange(1, 1500), "cepstrum": {"lifter": 0, "delta": 0}, "view": "mel", "of": "mel", "band": 3,
            "time": start, "label": "dog", "turn": self._turn, "hop": 1.0, "feature": "centroid", "name": "x",
        }  # fmt: skip

    def warm_up(self, rng: random.Random) -> None:
        """Open as many sounds as a page keeps, and look at each."""
        self.open(SOUND.name, SOUND.read_bytes())
        for _ in range(SOUNDS_A_SESSION):
            self.open(*whole_sound(rng))
            for _ in range(LOOKS):
                self._view(rng, 1500)

    def _view(self, rng: random.Random, columns: int | None = None) -> str:
        view = rng.choice(VIEWS)
        component = "mel" if view == "wave_view" else view.removesuffix("_view")
        request = self._request(rng)
        return outcome_of_reply(self._visitor.ask(component, view, request | {"columns": columns or request["columns"]}))

    def _other_function(self, rng: random.Random) -> str:
        return outcome_of_reply(self._visitor.ask(*rng.choice(self._functions), self._request(rng)))

    def _classify(self, rng: random.Random) -> str:
        return self._event("classify", "classify", {})

    def _timeline(self, rng: random.Random) -> str:
        return self._event("timeline", "run_timeline", {"hop": rng.choice((1.0, 2.5, 0.01))})

    def _event(self, component: str, event: str, data: dict) -> str:
        return outcome_of_reply(
            reply_of(self._visitor.event(component, event, {"sound": self._sound, "turn": self._turn} | data))
        )

    def _endpoint(self, rng: random.Random) -> str:
        file = {"path": self._path, "meta": {"_type": "gradio.FileData"}}
        name, more = rng.choice((("mel", ["librosa", None, "mean"]), ("waveform", [8_000, "mean"]), ("classify", ["left"])))
        said = self._visitor.call(name, [file, *more])
        if "Traceback" in said or "went wrong" in said or "event: " not in said:
            return f"untyped: {said[:200]}"
        return "" if "event: complete" in said else "endpoint refused"

    def _page(self, rng: random.Random) -> str:
        address, headers = rng.choice(
            (
                ("/", {}),
                ("/config", {}),
                ("/health", {}),
                ("/?__theme=dark", {"accept-language": "ru"}),
                ("/gradio_api/soundglass/examples/crow.flac", {"range": f"bytes={rng.randrange(10**6)}-"}),
                ("/gradio_api/file=/etc/passwd", {}),
                (f"/assets/{'x' * 300}", {"accept-language": "\udcff"}),
            )
        )
        encoded = {name: value.encode("utf-8", "surrogateescape") for name, value in headers.items()}
        return outcome_of(self._visitor.http.get(f"{self._url}{address}", headers=encoded))

    def _malformed(self, rng: random.Random) -> str:
        headers = {"content-type": rng.choice(("application/json", "application/json", "multipart/form-data; boundary=b"))}
        body = rng.choice(MALFORMED).encode("latin-1")
        return outcome_of(self._visitor.http.post(f"/{rng.choice(ROUTES)}", content=body, headers=headers))


def upload_of(rng: random.Random) -> tuple[str, bytes]:
    """Return a file's name and content: a part of an example, or an altered file."""
    if rng.random() < 0.4:
        known = bases()
        base = rng.choice(known)
        return base.name, mutated(base.read_bytes(), rng.choice(known).read_bytes(), rng)
    return whole_sound(rng)


def whole_sound(rng: random.Random) -> tuple[str, bytes]:
    """Return the name and content of a part of an example."""
    rate = rng.choice((8_000, 22_050, 44_100))
    waveform, _ = load_audio(rng.choice(list(example_sounds().values())), rate)
    return "part.flac", flac(np.resize(waveform, round(rng.uniform(0.5, 8.0) * rate)), rate)


def ask_all(app: App, requests: int, found: Answers, begin: Callable[[], object]) -> None:
    """Send all requests, from some threads with a few visitors each; `begin` is called once all have warmed up."""
    numbers, lock, ready = iter(range(requests)), threading.Lock(), threading.Barrier(THREADS, begin)

    def one_thread(thread: int) -> None:
        guests = [Guest(app.url) for _ in range(GUESTS)]
        for number, guest in enumerate(guests, GUESTS * thread):
            try:
                guest.warm_up(random.Random(-1 - number))
            except Exception as error:  # a reply that is none
                with lock:
                    found.add("warm-up", 0.0, f"untyped: {type(error).__name__}: {error}")
        ready.wait()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            rng, began = random.Random(number), time.monotonic()
            (kind,) = rng.choices(list(KINDS), KINDS.values())
            try:
                outcome = rng.choice(guests).send(kind, rng)
            except Exception as error:  # a reply that is none
                outcome = f"untyped: {type(error).__name__}: {error}"
            with lock:
                found.add(kind, time.monotonic() - began, outcome)
                found.uploads += kind == "open"

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one_thread, range(THREADS)))


def run(requests: int) -> Answers:
    """Return the answers of a server of its own."""
    found = Answers()
    with TemporaryDirectory() as name:
        folder, end = Path(name), threading.Event()
        with serving_app(folder) as app:
            found.start_mb = round(memory_mb(app), 1)

            def watch() -> None:
                while not end.wait(SAMPLE_S):
                    found.curve.append((found.tried, round(memory_mb(app), 1), round(files_mb(app.folder), 1)))

            watching, began = threading.Thread(target=watch), []

            def begin() -> None:
                began.append(time.monotonic())
                watching.start()

            ask_all(app, requests, found, begin)
            found.seconds = time.monotonic() - began[0]
            end.set()
            watching.join()
        found.tracebacks = app.log.read_text(errors="replace").count("Traceback")
        found.files_left = files_left(app.folder)
    for part in range(PARTS):
        low, high = part * requests / PARTS, (part + 1) * requests / PARTS
        found.part_mb.append(median([mb for tried, mb, _ in found.curve if low <= tried < high] or [0.0]))
    found.growth_percent = 100 * (found.part_mb[-1] / (found.part_mb[1] or 1.0) - 1)
    return found


def draw(found: Answers, path: Path) -> None:
    """Draw the memory and files of a server over its requests."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "memory"
    from matplotlib import pyplot as plt

    tried, memory, files = zip(*found.curve, strict=True)
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot(tried, memory, label="memory of the server and its workers")
    axes.plot(tried, files, label="temporary files")
    axes.set(xlabel="requests after the warm-up", ylabel="MB", ylim=(0, None), xlim=(0, None))
    axes.legend(loc="center right", frameon=False)
    axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Send the requests and print the answers."""
    os.nice(5)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.requests", description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5_000, help="number of requests (default 5000)")
    parser.add_argument("--curve", type=Path, help="SVG file for the memory over the requests")
    given = parser.parse_args()
    found = run(given.requests)
    if given.curve:
        draw(found, given.curve)
    print(json.dumps(vars(found) | {"curve": found.curve[:: max(1, len(found.curve) // 20)]}, indent=1))


if __name__ == "__main__":
    main()
