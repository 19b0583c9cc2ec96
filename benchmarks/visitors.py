"""Twenty visitors at a time, and one of them who asks for hours: how long each of the others waits.

Each visitor opens a sound, then asks for its class, its mel spectrogram and its timeline in turn.
"""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import soundfile

from benchmarks.harness import Row, run, serving_app
from benchmarks.visitor import Visitor, reply_of
from esc.audio.channels import MEAN
from esc.audio.io import load_audio
from esc.classification.classifier import Classifier
from esc.config import LIBROSA
from esc.example_sounds import example_sounds

SECONDS, RATE = 20.0, 22_050
GREEDY_SECONDS = 720.0  # 7,200 windows at a hop of 0.1 s: what one call may ask for
REQUESTS = ("classify", "mel", "timeline")


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


def in_turn(visitor: Visitor, sound: str, number: int, rounds: int) -> list[tuple[str, float, str | None]]:
    """Return (request, seconds, error) of `rounds` times three requests, none of which a cache answers."""
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
        for name, send in requests.items():
            began = time.monotonic()
            error = send().get("error")
            found.append((name, time.monotonic() - began, error))
    return found


def visit(url: str, visitors: int, rounds: int) -> list[list[tuple[str, float, str | None]]]:
    """Return what `in_turn` returns of visitors who all begin at the same time."""
    begin = threading.Barrier(visitors)

    def one(number: int) -> list[tuple[str, float, str | None]]:
        visitor = Visitor(url)
        opened = visitor.open(f"{number}.flac", sound_of(number))
        begin.wait()
        return in_turn(visitor, opened["ok"]["id"], number, rounds)

    with ThreadPoolExecutor(visitors) as pool:
        return list(pool.map(one, range(visitors)))


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


def measure(visitors: int, rounds: int, times: int) -> dict:
    """Return all figures."""
    with TemporaryDirectory() as folder, serving_app(Path(folder)) as app:
        visit(app.url, 1, 1)
        alone = waits(app.url, times)
        began = time.monotonic()
        found = visit(app.url, visitors, rounds)
        elapsed = time.monotonic() - began
        greedy, at_work = greedy_while(app.url, times)
    times_of = {name: [s for one in found for request, s, _ in one if request == name] for name in REQUESTS}
    totals = [sum(seconds for _, seconds, _ in one) for one in found]
    return {
        "errors": [error for one in found for *_, error in one if error],
        "median_s": {name: median(values) for name, values in times_of.items()},
        "p95_s": {name: quantiles(values, n=20)[-1] for name, values in times_of.items()},
        "slowest_to_median_visitor": max(totals) / median(totals),
        "windows_a_second": _windows(visitors, rounds) / elapsed,
        "windows_a_second_in_process": in_process(),
        "alone_s": median(alone),
        "greedy_s": median(greedy),
        "greedy_worst_s": max(greedy),
        "greedy_at_work": at_work,
    }


def _windows(visitors: int, rounds: int) -> float:
    """Return how many clips all visitors had classified."""
    hops = [(5.0, 2.5, 1.25)[turn % 3] for turn in range(rounds)]
    return visitors * sum(1 + SECONDS / hop for hop in hops)


def in_process(seconds: float = 5.0) -> float:
    """Return the clips that this process classifies in a second, from waveform to class."""
    classifier, (waveform, rate) = Classifier.load(), load_audio(next(iter(example_sounds().values())))
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        classifier.predict(waveform, rate)
        count += 1
    return count / (time.monotonic() - began)


def rows(result: dict) -> list[Row]:
    """Return the table's rows."""
    delay_s = result["greedy_worst_s"] - result["alone_s"]
    share = result["windows_a_second"] / result["windows_a_second_in_process"]
    listed = [
        Row("refused requests", "none", float(len(result["errors"])), 0.0, "", at_most=True),
        Row("slowest visitor's time", "the median visitor's", result["slowest_to_median_visitor"], 1.5, at_most=True),
        Row("longest prediction beside 7,200 windows of another", "alone", delay_s, 2.0, "s more", at_most=True),
        Row("clips a second", "in-process", share, 0.5),
    ]
    for name in REQUESTS:
        listed.append(
            Row(f"{name}, median (95 % within {result['p95_s'][name]:.1f} s)", "", result["median_s"][name], 12.4, "s", True)
        )
    return listed


def main(given: list[str] | None = None) -> list[Row]:
    """Run the benchmark."""
    options = {
        "visitors": (20, "visitors at a time"),
        "rounds": (3, "rounds of requests each"),
        "times": (15, "predictions timed"),
    }
    return run(__doc__, measure, rows, given, **options)


if __name__ == "__main__":
    main()
