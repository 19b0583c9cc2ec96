"""How long after a slider is released the mel picture is repainted: our viewer beside a Plotly heat map in gr.Plot.

Both apps are served from this machine and looked at by the same Chromium, release by release in turn. Each release uses a
number of mel bands that was never asked for before, so nothing comes from a cache. The clock is the page's own: from the
release to the first animation frame that finds the new picture.

Plotly's app is the plain kind: gr.Slider.release -> a function -> gr.Plot, with the sound loaded once and the mel
spectrogram by librosa. What is unequal favours it: its slider has its value before the clock starts, while ours sends its
request inside; and it is done when the heat map's image is in the page, decoded or not.

    python -m benchmarks.mel_repaint [--releases 20] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from benchmarks.machine import machine, show_machine

ROOT = Path(__file__).resolve().parent.parent
SOUND = ROOT / "assets" / "examples" / "crow.flac"
GOAL_MS, GOAL_RATIO = 120.0, 6.0
WARM_UP = 3
BANDS = 128  # librosa's preset; the releases go to its neighbours
START_SECONDS = 120
PLAIN_FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
FLAGS = (*PLAIN_FLAGS, "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a GPU
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

OURS = """(n_mels) => new Promise((done) => {
    const viewer = document.querySelector('.sg-viewer').viewer;
    const slider = document.querySelector('[data-field=n_mels] input[type=range]');
    const before = viewer.data;
    const look = () => {
        if (viewer.data.rows === n_mels && viewer.data !== before) done(performance.now() - start);
        else requestAnimationFrame(look);
    };
    slider.value = n_mels - Number(document.querySelector('#sg-n_mels').min);
    const start = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    slider.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
    slider.dispatchEvent(new Event('change', { bubbles: true }));
    requestAnimationFrame(look);
})"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestIdleCallback(() => setTimeout(done, 200))))"
PLOTLY = """(n_mels) => new Promise((done) => {
    const picture = () => document.querySelector('.js-plotly-plot .heatmaplayer image')?.getAttribute('href');
    const slider = document.querySelector('input[type=range]');
    const before = picture();
    slider.value = n_mels;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => {
        const look = () => {
            const now = picture();
            if (now && now !== before) done(performance.now() - start);
            else requestAnimationFrame(look);
        };
        const start = performance.now();
        slider.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
        requestAnimationFrame(look);
    }));
})"""


def plotly_app():
    """Return the app to compare with."""
    import gradio as gr
    import librosa
    import plotly.graph_objects as go

    waveform, rate = librosa.load(SOUND, sr=22_050)

    def draw(n_mels: int) -> go.Figure:
        power = librosa.feature.melspectrogram(y=waveform, sr=rate, n_mels=int(n_mels))
        level_db = librosa.power_to_db(power, top_db=80.0)
        times_s = librosa.times_like(level_db, sr=rate)
        return go.Figure(go.Heatmap(z=level_db, x=times_s, colorscale="Magma"))

    with gr.Blocks(analytics_enabled=False) as app:
        bands = gr.Slider(4, 512, BANDS, step=1, label="Mel bands")
        plot = gr.Plot()
        bands.release(draw, bands, plot)
        app.load(draw, bands, plot)
    return app


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """Run an app on a free port and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            end = time.monotonic() + START_SECONDS
            while True:
                try:
                    urllib.request.urlopen(url, timeout=5).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > end:
                        log.seek(0)
                        raise RuntimeError(f"{command} did not start: {log.read()[-2000:].decode()}") from None
                    time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def measure(releases: int) -> dict[str, list[float]]:
    """Return the milliseconds of each release, by app."""
    from playwright.sync_api import sync_playwright

    steps = np.arange(1, WARM_UP + releases + 1)
    values = [int(BANDS + step * sign) for step in steps for sign in (1, -1)][: WARM_UP + releases]  # 129, 127, 130, ...
    with ExitStack() as stack:
        urls = {"ours": stack.enter_context(serving("app.py"))}
        urls["plotly"] = stack.enter_context(serving("-m", "benchmarks.mel_repaint", "--serve-plotly"))
        playwright = stack.enter_context(sync_playwright())
        path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        stack.callback(browser.close)
        pages = {name: browser.new_page(viewport={"width": 1280, "height": 900}) for name in urls}
        for name, page in pages.items():
            page.goto(urls[name])
        ours, plotly = pages["ours"], pages["plotly"]
        ours.wait_for_function("document.querySelector('.sg-viewer')?.viewer && document.querySelector('.sg-chip')")
        ours.click(f".sg-chip[data-example={SOUND.stem}]")
        ours.wait_for_function("document.querySelector('.sg-viewer').viewer.data")
        plotly.wait_for_function("document.querySelector('.js-plotly-plot .heatmaplayer image')")
        taken = {name: [] for name in pages}
        for value in values:
            for name, script in (("ours", OURS), ("plotly", PLOTLY)):
                pages[name].bring_to_front()  # a page at the back gets no animation frames
                pages[name].evaluate(SETTLED)
                taken[name].append(pages[name].evaluate(script, value))
    return {name: times[WARM_UP:] for name, times in taken.items()}


def summary(taken: dict[str, list[float]], before: dict) -> dict:
    """Return medians, 90th percentiles and what they come to."""
    rows = {
        name: {"median_ms": float(np.median(times)), "p90_ms": float(np.percentile(times, 90)), "releases_ms": times}
        for name, times in taken.items()
    }
    ratio = rows["plotly"]["median_ms"] / rows["ours"]["median_ms"]
    met = rows["ours"]["median_ms"] <= GOAL_MS and ratio >= GOAL_RATIO
    return rows | {"ratio": ratio, "goal_met": met} | before


def show(result: dict) -> None:
    """Print a summary as a table."""
    print(f"{'release -> repaint':<28}{'median':>10}{'p90':>10}")
    for name, title in (("ours", "our mel view"), ("plotly", "Plotly heat map in gr.Plot")):
        print(f"{title:<28}{result[name]['median_ms']:>7.0f} ms{result[name]['p90_ms']:>7.0f} ms")
    verdict = "met" if result["goal_met"] else "MISSED"
    print(f"\nours is {result['ratio']:.1f} times faster; goal (median <= {GOAL_MS:.0f} ms, {GOAL_RATIO:.0f} times): {verdict}")
    show_machine(result)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--releases", type=int, default=20, help="measured releases of each app (default 20)")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--serve-plotly", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve_plotly:
        plotly_app().launch(server_name=os.environ["HOST"], server_port=int(os.environ["PORT"]), quiet=True)
        return
    before = machine()
    result = summary(measure(arguments.releases), before)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
