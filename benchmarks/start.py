"""Start of the app, its page and its API, relative to an empty Gradio app that imports torch and torchvision.

Both are started in turn, and each page is loaded in a Chromium with an empty cache. A call of the API on an idle server is
compared with the same work in process.

    python -m benchmarks.start [--rounds 3] [--json]
"""

from __future__ import annotations

import base64
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import OPEN_MS, READY, SOUND, Row, chromium, open_page, resident_gb, run, serving, serving_app

GOAL_START, GOAL_BYTES, GOAL_REQUESTS, GOAL_PAGE = 1.2, 1.4, 30, 1.3
GOAL_REST_GB, GOAL_DROP_S, CALLS = 0.9, 0.8, 5
SETTLE_MS = 2000
EXAMPLE = ("/soundglass/sounds/", "/component_server/")  # of the example that ours opens: its sound, its views
APPS = {"ours": ["app.py"], "empty": ["-m", "benchmarks.start", "--serve-empty"]}
USABLE = {"ours": READY, "empty": "document.querySelector('.gradio-container button')"}

DROP = """(data) => new Promise((done) => {
    const viewer = document.querySelector('.sg-viewer').component;
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], 'dropped.flac', { type: 'audio/flac' }));
    const start = performance.now();
    const look = () => { if (viewer.data) done(performance.now() - start); else requestAnimationFrame(look); };
    for (const name of ['dragenter', 'dragover', 'drop']) {
        viewer.plot.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
    }
    requestAnimationFrame(look);
})"""


def empty_app():
    """Return the app for comparison."""
    import gradio as gr
    import torch  # noqa: F401
    import torchvision  # noqa: F401

    with gr.Blocks(analytics_enabled=False) as app:
        gr.Button("nothing")
    return app


def load_page(browser, url: str, usable: str) -> dict[str, float]:
    """Return seconds until a page is usable, bytes that came over the network, and requests of our files.

    The sound and the views of the example that opens with ours are not counted: any sound opened by hand has them, too.
    """
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(OPEN_MS)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    counted, addresses = {"bytes": 0.0, "requests": 0.0}, {}

    def finished(event: dict) -> None:
        if not any(part in addresses.get(event["requestId"], "") for part in EXAMPLE):
            counted["bytes"] += event["encodedDataLength"]

    session.on("Network.requestWillBeSent", lambda event: addresses.setdefault(event["requestId"], event["request"]["url"]))
    session.on("Network.loadingFinished", finished)
    begun = time.perf_counter()
    page.goto(url)
    page.wait_for_function(usable)
    seconds = time.perf_counter() - begun
    page.wait_for_timeout(SETTLE_MS)  # for files of the page that were still on their way
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    counted["requests"] = sum("/soundglass/" in name for name in names)
    context.close()
    return counted | {"seconds": seconds}


def calls(url: str) -> dict[str, list[float]]:
    """Return seconds of the API's classify and mel, and of the same work in this process."""
    from gradio_client import Client, handle_file

    from esc.audio.io import load_audio
    from esc.classification.classifier import Classifier
    from esc.config import LIBROSA
    from esc.dsp.spectrogram import mel_db

    client, classifier = Client(url, verbose=False), Classifier.load(device="cpu")
    work = {
        "classify, API": lambda: client.predict(handle_file(SOUND), api_name="/classify"),
        "classify, in process": lambda: classifier.predict(*load_audio(SOUND)),
        "mel, API": lambda: client.predict(handle_file(SOUND), api_name="/mel"),
        "mel, in process": lambda: mel_db(load_audio(SOUND, LIBROSA.sample_rate)[0], LIBROSA),
    }
    taken: dict[str, list[float]] = {name: [] for name in work}
    for number in range(CALLS + 1):
        for name, one in work.items():
            begun = time.perf_counter()
            one()
            if number:
                taken[name].append(time.perf_counter() - begun)
    return taken


def first_drop(browser) -> float:
    """Return seconds from the drop of a file of 5 s to its spectrogram, the first of a new server."""
    with serving("app.py") as url:
        page = open_page(browser, url, example=False)
        return page.evaluate(DROP, base64.b64encode(SOUND.read_bytes()).decode()) / 1000


def measure(rounds: int) -> dict:
    """Return medians of start, page load, drop and calls, and the memory at rest."""
    starts: dict[str, list[float]] = {name: [] for name in APPS}
    pages: dict[str, list[dict]] = {name: [] for name in APPS}
    with chromium() as browser:
        for number in range(rounds):
            for name, command in APPS.items():
                begun = time.perf_counter()
                with tempfile.TemporaryDirectory() as folder, serving_app(Path(folder), *command, ready="/") as app:
                    starts[name].append(time.perf_counter() - begun)
                    pages[name].append(load_page(browser, app.url, USABLE[name]))
                    if name == "ours" and number == rounds - 1:
                        time.sleep(5)  # until the network is loaded
                        rest_gb, called = resident_gb(app.process), calls(app.url)
        drops = [first_drop(browser) for _ in range(rounds)]
    medians = {app: {key: statistics.median(page[key] for page in each) for key in each[0]} for app, each in pages.items()}
    return {
        "start_s": {name: statistics.median(each) for name, each in starts.items()},
        "page": medians,
        "drop_s": statistics.median(drops),
        "rest_gb": rest_gb,
        "call_s": {name: statistics.median(each) for name, each in called.items()},
    }


def rows(result: dict) -> list[Row]:
    """Return ratios to the empty app and to the work in process."""
    ours, empty = result["page"]["ours"], result["page"]["empty"]
    started, other, call = result["start_s"], "an empty Gradio app", result["call_s"]
    bytes_of = f"{ours['bytes'] / 1e6:.2f} MB, {empty['bytes'] / 1e6:.2f} MB"
    found = [
        _ratio("python app.py -> first page served", started, GOAL_START),
        Row("page load, bytes", other, ours["bytes"] / empty["bytes"], GOAL_BYTES, at_most=True, detail=bytes_of),
        Row("page load, our requests", "-", ours["requests"], GOAL_REQUESTS, "requests", at_most=True),
        _ratio("page load until usable", {app: page["seconds"] for app, page in result["page"].items()}, GOAL_PAGE),
        Row("5 s file dropped -> spectrogram, first after start", "-", result["drop_s"], GOAL_DROP_S, "s", at_most=True),
        Row("memory of the server at rest", "-", result["rest_gb"], GOAL_REST_GB, "GB", at_most=True),
    ]
    for name in ("classify", "mel"):
        api_s, process_s = call[f"{name}, API"], call[f"{name}, in process"]
        taken, figure = f"{1e3 * api_s:.0f} ms, {1e3 * process_s:.0f} ms in process", api_s / (2 * process_s + 0.06)
        found.append(Row(f"one /{name} by the API", "2 x in process + 60 ms", figure, 1.0, at_most=True, detail=taken))
    return found


def _ratio(what: str, seconds: dict[str, float], goal: float) -> Row:
    detail = f"{seconds['ours']:.2f} s, {seconds['empty']:.2f} s"
    return Row(what, "an empty Gradio app", seconds["ours"] / seconds["empty"], goal, at_most=True, detail=detail)


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, rounds=(3, "starts of each app"))


if __name__ == "__main__":
    if "--serve-empty" in sys.argv:
        empty_app().launch(server_name=os.environ["HOST"], server_port=int(os.environ["PORT"]), quiet=True)
    else:
        main()
