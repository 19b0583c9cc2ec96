"""Twenty visitors at a time, one who asks for hours, and thousands of requests: waits, throughput, memory.

Each visitor opens a sound; once all are open, each asks for its sound's class and mel spectrogram in turn, and the time begins.
The same work in this process is that of one request after another, from waveform to class and to spectrogram.

    python -m benchmarks.visitors [--visitors 20] [--rounds 3] [--times 15] [--requests 2000] [--json]
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import soundfile

from benchmarks.harness import Row, resident_gb, run, serving_app
from benchmarks.visitor import Visitor, reply_of
from esc.audio.channels import MEAN
from esc.audio.io import load_audio
from esc.classification.classifier import Classifier
from esc.config import LIBROSA
from esc.dsp.spectrogram import mel_db
from esc.example_sounds import example_sounds
from esc.ui.page import CLEAN_EVERY_S

SECONDS, CLIP_S, RATE = 20.0, 5.0, 22_050
GREEDY_SECONDS = 720.0  # 7,200 windows at a hop of 0.1 s: what one call may ask for
REQUESTS = ("classify", "mel", "timeline")
IN_TURN = REQUESTS[:2]  # of the table
GOAL_SHARE, GOAL_P95, GOAL_TURNS, GOAL_GREEDY_S = 0.5, 25.0, 1.5, 2.0
GOAL_GB, GOAL_MORE_GB = 1.2, 0.02
CLASSIFY_EVERY = 20  # of the requests that are sent for memory


def flac(waveform: np.ndarray, rate: int = RATE) -> bytes:
    """Return a waveform as a FLAC file."""
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format="FLAC")
    return file.getvalue()


def sound_of(number: int, seconds: float = SECONDS) -> bytes:
    """Return a sound of its own for each visitor: an example, repeated, and faint noise."""
    paths = list(example_sounds().values())
    example, _ = load_audio(paths[number % len(paths)], RATE)
    noise = np.random.default_rng(number).normal(0, 1e-3, round(seconds * RATE)).astype(np.float32)
    return flac((np.resize(example, len(noise)) + noise).clip(-1, 1))


def in_turn(
    visitor: Visitor, sound: str, number: int, rounds: int, names: Sequence[str] = REQUESTS
) -> list[tuple[str, float, str | None]]:
    """Return (request, seconds, error) of `rounds` times the named requests, none of which a cache answers."""
    found = []
    for turn in range(rounds):
        config = LIBROSA.to_dict() | {"hop_length": 256 + rounds * number + turn}
        view = {"sound": sound, "config": config, "start": 0.0, "end": SECONDS, "columns": 900}
        requests = {
            "classify": lambda turn=turn: reply_of(visitor.event("classify", "classify", {"sound": sound, "turn": turn})),
            "mel": lambda view=view: visitor.ask("mel", "mel_view", view),
            "timeline": lambda turn=turn: reply_of(
                visitor.event("timeline", "run_timeline", {"sound": sound, "hop": (1.0, 0.5, 0.25)[turn % 3], "turn": turn})
            ),
        }
        for name in names:
            began = time.monotonic()
            error = requests[name]().get("error")
            found.append((name, time.monotonic() - began, error))
    return found


def visit(
    url: str, visitors: int, rounds: int, names: Sequence[str] = REQUESTS
) -> tuple[list[list[tuple[str, float, str | None]]], float]:
    """Return what `in_turn` returns of visitors who begin at the same time, and the seconds until the last one ends."""
    began: list[float] = []
    begin = threading.Barrier(visitors, lambda: began.append(time.monotonic()))  # when all sounds are open

    def one(number: int) -> list[tuple[str, float, str | None]]:
        visitor = Visitor(url)
        opened = visitor.open(f"{number}.flac", sound_of(number))
        begin.wait()
        return in_turn(visitor, opened["ok"]["id"], number, rounds, names)

    with ThreadPoolExecutor(visitors) as pool:
        found = list(pool.map(one, range(visitors)))
    return found, time.monotonic() - began[0]


def waits(url: str, times: int) -> list[float]:
    """Return the seconds of single predictions of a visitor."""
    visitor, found = Visitor(url), []
    sound = visitor.open("wait.flac", sound_of(99))["ok"]["id"]
    for turn in range(times):
        began = time.monotonic()
        reply = reply_of(visitor.event("classify", "classify", {"sound": sound, "turn": turn}))
        assert "error" not in reply, reply
        found.append(time.monotonic() - began)
    return found


def greedy_while(url: str, times: int) -> tuple[list[float], bool]:
    """Return `waits` while a program asks for 7,200 windows, and whether it was still at work."""
    greedy = Visitor(url)
    path = greedy.upload("hours.flac", sound_of(7, GREEDY_SECONDS))
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}

    def ask() -> None:
        with suppress(httpx.HTTPError):  # the server ends first
            greedy.call("timeline", [file, 0.1, MEAN])

    began = threading.Thread(target=ask, daemon=True)
    began.start()
    time.sleep(5.0)
    return waits(url, times), began.is_alive()


def many_requests(url: str, visitors: int, requests: int) -> int:
    """Send requests by some visitors at a time, mostly for spectrograms, and return how many were refused."""

    def one(number: int) -> int:
        visitor, refused = Visitor(url), 0
        sound = visitor.open(f"{number}.flac", sound_of(number, CLIP_S))["ok"]["id"]
        for turn in range(requests // visitors):
            if turn % CLASSIFY_EVERY == 0:
                reply = reply_of(visitor.event("classify", "classify", {"sound": sound, "turn": turn}))
            else:
                config = LIBROSA.to_dict() | {"hop_length": 256 + turn}
                view = {"sound": sound, "config": config, "start": 0.0, "end": CLIP_S, "columns": 900}
                reply = visitor.ask("mel", "mel_view", view)
            refused += "error" in reply
        return refused

    with ThreadPoolExecutor(visitors) as pool:
        return sum(pool.map(one, range(visitors)))


def measure(visitors: int, rounds: int, times: int, requests: int) -> dict:
    """Return all figures."""
    with TemporaryDirectory() as folder, serving_app(Path(folder)) as app:
        visit(app.url, 1, 1, IN_TURN)  # warms up
        single, _ = visit(app.url, 1, max(5, rounds), IN_TURN)
        found, seconds = visit(app.url, visitors, rounds, IN_TURN)
        alone = waits(app.url, times)
        greedy, at_work = greedy_while(app.url, times)
    with TemporaryDirectory() as folder, serving_app(Path(folder)) as app:  # without the greedy program, still at work
        visit(app.url, visitors, 1, IN_TURN)
        refused, held_gb = 0, []
        for _ in range(2):
            refused += many_requests(app.url, visitors, requests)
            time.sleep(CLEAN_EVERY_S + 2.0)  # until the server has returned what it freed
            held_gb.append(resident_gb(app.process))
    totals = [sum(seconds for _, seconds, _ in one) for one in found]
    return {
        "requests": requests,
        "errors": [error for one in found for *_, error in one if error] + ["refused"] * refused,
        "single_s": {name: median(_seconds(single, name)) for name in IN_TURN},
        "median_s": {name: median(_seconds(found, name)) for name in IN_TURN},
        "p95_s": {name: quantiles(_seconds(found, name), n=20)[-1] for name in IN_TURN},
        "slowest_to_median_visitor": max(totals) / median(totals),
        "pairs_a_second": visitors * rounds / seconds,
        "pairs_a_second_in_process": in_process(),
        "alone_s": median(alone),
        "greedy_worst_s": max(greedy),
        "greedy_at_work": at_work,
        "held_gb": held_gb,
    }


def _seconds(found: list[list[tuple[str, float, str | None]]], name: str) -> list[float]:
    return [seconds for one in found for request, seconds, _ in one if request == name]


def in_process(seconds: float = 5.0) -> float:
    """Return how often a second this process classifies a visitor's sound and computes its spectrogram."""
    classifier = Classifier.load()
    waveform, rate = soundfile.read(io.BytesIO(sound_of(0)), dtype="float32")
    classifier.predict(waveform, rate)
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        classifier.predict(waveform, rate)
        mel_db(waveform, LIBROSA.replace(hop_length=256 + count % 100))
        count += 1
    return count / (time.monotonic() - began)


def rows(result: dict) -> list[Row]:
    """Return the table's rows."""
    delay_s = result["greedy_worst_s"] - result["alone_s"]
    ours, other = result["pairs_a_second"], result["pairs_a_second_in_process"]
    held_gb, more_gb = result["held_gb"][0], result["held_gb"][1] - result["held_gb"][0]
    after = f"memory after 20 visitors and {result['requests']:,} requests"
    listed = [
        Row(
            "20 pages, classify and mel in turn",
            "in process",
            ours / other,
            GOAL_SHARE,
            detail=f"{ours:.2f}, {other:.2f} pairs/s",
        ),
        Row("20 pages, refused requests", "-", float(len(result["errors"])), 0.0, "", at_most=True),
        Row("20 pages, slowest", "the median page", result["slowest_to_median_visitor"], GOAL_TURNS, at_most=True),
        Row("a prediction beside 7,200 windows of another", "alone", delay_s, GOAL_GREEDY_S, "s more", at_most=True),
        Row(after, "-", held_gb, GOAL_GB, "GB", at_most=True),
        Row(f"memory after {result['requests']:,} more", "before them", more_gb, GOAL_MORE_GB, "GB more", at_most=True),
    ]
    for name in IN_TURN:
        p95_s, single_s = result["p95_s"][name], result["single_s"][name]
        detail = f"{p95_s:.2f} s, {single_s:.3f} s"
        listed.append(Row(f"20 pages, {name}, p95", "a single page", p95_s / single_s, GOAL_P95, at_most=True, detail=detail))
    return listed


def main(given: list[str] | None = None) -> list[Row]:
    """Run the benchmark."""
    options = {
        "visitors": (20, "visitors at a time"),
        "rounds": (3, "rounds of requests each"),
        "times": (15, "predictions timed"),
        "requests": (2000, "requests sent before each look at the memory"),
    }
    return run(__doc__, measure, rows, given, **options)


if __name__ == "__main__":
    main()
