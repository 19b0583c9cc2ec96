"""Time from slider release to repaint: our mel view and Plotly in gr.Plot.

Both apps run on this machine and are used alternately in one Chromium. Each release sets a new number of mel bands, so that
nothing is cached. The time is the page's own, from the release to the first animation frame with the new image.

The Plotly app is plain: gr.Slider.release -> a function -> gr.Plot, with the sound loaded once and librosa's mel
spectrogram. The differences favour it: its slider has its value before the clock starts, while ours sends its request
within; and it is done when the image is in the page, decoded or not.

    python -m benchmarks.mel_repaint [--releases 20] [--json]
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

import numpy as np

from benchmarks.harness import OPEN_MS, SOUND, WEBGL_FLAGS, chromium, open_page, run, serving

GOAL_MS, GOAL_RATIO = 120.0, 6.0
WARM_UP = 3
BANDS = 128  # of librosa's preset; the releases set neighbouring values

OURS = """(n_mels) => new Promise((done) => {
    const viewer = document.querySelector('.sg-viewer').component;
    const slider = document.querySelector('[data-field=n_mels] input[type=range]');
    const before = viewer.data;
    const look = () => {
        if (viewer.data.rows === n_mels && viewer.data !== before) done(performance.now() - start);
        else requestAnimationFrame(look);
    };
    slider.value = n_mels;
    const start = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    slider.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
    slider.dispatchEvent(new Event('change', { bubbles: true }));
    requestAnimationFrame(look);
})"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestIdleCallback(() => setTimeout(done, 200))))"
PLOTLY = """(n_mels) => new Promise((done) => {
    const image = () => document.querySelector('.js-plotly-plot .heatmaplayer image')?.getAttribute('href');
    const slider = document.querySelector('input[type=range]');
    const before = image();
    slider.value = n_mels;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => {
        const look = () => {
            const now = image();
            if (now && now !== before) done(performance.now() - start);
            else requestAnimationFrame(look);
        };
        const start = performance.now();
        slider.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
        requestAnimationFrame(look);
    }));
})"""


def plotly_app():
    """Return the app for comparison."""
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


def measure(releases: int) -> dict:
    """Return medians and 90th percentiles by app, their ratio and whether the goal is met."""
    steps = np.arange(1, WARM_UP + releases + 1)
    values = [int(BANDS + step * sign) for step in steps for sign in (1, -1)][: WARM_UP + releases]  # 129, 127, 130, ...
    with ExitStack() as stack:
        urls = {"ours": stack.enter_context(serving("app.py"))}
        urls["plotly"] = stack.enter_context(serving("-m", "benchmarks.mel_repaint", "--serve-plotly"))
        browser = stack.enter_context(chromium(*WEBGL_FLAGS))
        pages = {"ours": open_page(browser, urls["ours"]), "plotly": browser.new_page(viewport={"width": 1280, "height": 900})}
        pages["plotly"].set_default_timeout(OPEN_MS)
        pages["plotly"].goto(urls["plotly"])
        pages["plotly"].wait_for_function("document.querySelector('.js-plotly-plot .heatmaplayer image')")
        taken: dict[str, list[float]] = {name: [] for name in pages}
        for value in values:
            for name, script in (("ours", OURS), ("plotly", PLOTLY)):
                pages[name].bring_to_front()  # a page in the background gets no animation frames
                pages[name].evaluate(SETTLED)
                taken[name].append(pages[name].evaluate(script, value))
    rows: dict[str, dict] = {}
    for name, each in taken.items():
        times = each[WARM_UP:]
        rows[name] = {"median_ms": float(np.median(times)), "p90_ms": float(np.percentile(times, 90)), "releases_ms": times}
    ratio = rows["plotly"]["median_ms"] / rows["ours"]["median_ms"]
    met = rows["ours"]["median_ms"] <= GOAL_MS and ratio >= GOAL_RATIO
    return rows | {"ratio": ratio, "goal_met": met}


def show(result: dict) -> None:
    """Print the result as a table."""
    print(f"{'release -> repaint':<28}{'median':>10}{'p90':>10}")
    for name, title in (("ours", "our mel view"), ("plotly", "Plotly heat map in gr.Plot")):
        print(f"{title:<28}{result[name]['median_ms']:>7.0f} ms{result[name]['p90_ms']:>7.0f} ms")
    verdict = "met" if result["goal_met"] else "MISSED"
    print(f"\nours is {result['ratio']:.1f} times faster; goal (median <= {GOAL_MS:.0f} ms, {GOAL_RATIO:.0f} times): {verdict}")


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    run(__doc__, measure, show, given, releases=(20, "measured releases per app"))


if __name__ == "__main__":
    if "--serve-plotly" in sys.argv:
        plotly_app().launch(server_name=os.environ["HOST"], server_port=int(os.environ["PORT"]), quiet=True)
    else:
        main()
