"""Time from the release of a parameter's slider to the repaint: our views and Plotly in gr.Plot.

Both apps run on this machine and are used alternately in one Chromium. Each release sets a new value, so that nothing is
cached. The time is the page's own, from the release to the first animation frame with the new spectrogram. A
waveform has no parameters: a turn of the wheel shows another part, and Plotly's slider moves its part.

The Plotly app is plain: gr.Slider.release -> a function -> gr.Plot, with the sound loaded once and librosa's analyses. The
differences favour it: its slider has its value before the clock starts, while ours sends its request within; a heat map is
done when the image is in the page, decoded or not, a surface when Plotly has its data, drawn or not. WebGL is drawn by
SwiftShader, on the processor.

    python -m benchmarks.repaint [--releases 12] [--json]
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import ExitStack

import numpy as np

from benchmarks.harness import OPEN_MS, SOUND, WEBGL_FLAGS, Row, chromium, open_page, run, serving

WARM_UP = 3
VIEWS = {
    "mel": ("n_mels", 128),
    "stft": ("top_db", 80),
    "mfcc": ("n_mfcc", 20),
    "wave": ("zoom", 64),
    "surface": ("n_mels", 128),
}  # parameter, first value
GOAL_MS, GOAL_RATIO = 40.0, dict.fromkeys(VIEWS, 10.0) | {"surface": 5.0}

OURS = """([view, field, value]) => new Promise((done) => {
    const viewer = document.querySelector(`.sg-viewer[data-view=${view}]`).component;
    const slider = document.querySelector(`.sg-viewer[data-view=${view}] [data-field=${field}] input[type=range]`);
    const drawn = () => (view === 'surface' ? viewer.drawn : viewer.data);
    const before = drawn();
    const look = () => {
        if (drawn() !== before && viewer.data.request.config[field] === value) done(performance.now() - start);
        else requestAnimationFrame(look);
    };
    slider.value = value;
    const start = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    slider.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
    slider.dispatchEvent(new Event('change', { bubbles: true }));
    requestAnimationFrame(look);
})"""
ZOOMED = """([view, , value]) => new Promise((done) => {
    const viewer = document.querySelector(`.sg-viewer[data-view=${view}]`).component;
    const before = viewer.data;
    const look = () => { if (viewer.data !== before) done(performance.now() - start); else requestAnimationFrame(look); };
    const { left, top, width, height } = viewer.plot.getBoundingClientRect();
    const place = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true };
    const start = performance.now();
    viewer.plot.dispatchEvent(new WheelEvent('wheel', { deltaY: -value, ...place }));
    requestAnimationFrame(look);
})"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestIdleCallback(() => setTimeout(done, 200))))"
SHOWN = """const shown = (view) => (view === 'surface'
    ? document.querySelector(`#${view} .js-plotly-plot`)?._fullData?.[0]?.z
    : document.querySelector(`#${view} .heatmaplayer image`)?.getAttribute('href')
        ?? document.querySelector(`#${view} .scatterlayer .js-line`)?.getAttribute('d'));"""
PLOTLY = f"""([view, , value]) => new Promise((done) => {{
    {SHOWN}
    const slider = document.querySelector(`#${{view}}-slider input[type=range]`);
    const before = shown(view);
    slider.value = value;
    slider.dispatchEvent(new Event('input', {{ bubbles: true }}));
    requestAnimationFrame(() => setTimeout(() => {{
        const look = () => {{
            const now = shown(view);
            if (now && now !== before) done(performance.now() - start);
            else requestAnimationFrame(look);
        }};
        const start = performance.now();
        slider.dispatchEvent(new PointerEvent('pointerup', {{ bubbles: true }}));
        requestAnimationFrame(look);
    }}));
}})"""


def plotly_app():
    """Return the app for comparison."""
    import gradio as gr
    import librosa
    import plotly.graph_objects as go

    waveform, rate = librosa.load(SOUND, sr=22_050)

    def mel_db(n_mels: int) -> np.ndarray:
        return librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=rate, n_mels=int(n_mels)), top_db=80.0)

    def stft_db(top_db: float) -> np.ndarray:
        return librosa.amplitude_to_db(np.abs(librosa.stft(waveform)), top_db=top_db)

    def mfcc(n_mfcc: int) -> np.ndarray:
        return librosa.feature.mfcc(y=waveform, sr=rate, n_mfcc=int(n_mfcc))

    def wave(first: int) -> np.ndarray:
        return waveform[100 * int(first) :]

    analyses = {"mel": mel_db, "stft": stft_db, "mfcc": mfcc, "wave": wave, "surface": mel_db}

    def drawing(view: str):
        if view == "wave":
            return lambda value: go.Figure(go.Scatter(y=analyses[view](value)))
        trace = go.Surface if view == "surface" else go.Heatmap
        return lambda value: go.Figure(trace(z=analyses[view](value), colorscale="Magma"))

    with gr.Blocks(analytics_enabled=False) as app:
        for view, (field, first) in VIEWS.items():
            slider = gr.Slider(2, 512, first, step=1, label=field, elem_id=f"{view}-slider")
            plot = gr.Plot(elem_id=view)
            slider.release(drawing(view), slider, plot)
            app.load(drawing(view), slider, plot)
    return app


def measure(releases: int) -> dict:
    """Return milliseconds of each release by view and app; a view that fails has none."""
    taken: dict[str, dict[str, list[float]]] = {view: {"ours": [], "plotly": []} for view in VIEWS}
    with ExitStack() as stack:
        urls = {"ours": stack.enter_context(serving("app.py"))}
        urls["plotly"] = stack.enter_context(serving("-m", "benchmarks.repaint", "--serve-plotly"))
        browser = stack.enter_context(chromium(*WEBGL_FLAGS))
        pages = {"ours": open_page(browser, urls["ours"]), "plotly": browser.new_page(viewport={"width": 1280, "height": 900})}
        pages["plotly"].set_default_timeout(OPEN_MS)
        pages["plotly"].goto(urls["plotly"])
        for view, times in taken.items():
            try:
                _release(pages, urls["ours"], view, releases, times)
            except Exception:  # the other views are measured still
                traceback.print_exc()
    return {view: {name: times[WARM_UP:] for name, times in apps.items()} for view, apps in taken.items()}


def _release(pages: dict, url: str, view: str, releases: int, taken: dict[str, list[float]]) -> None:
    """Release a view's parameter in both apps in turn, and add the milliseconds."""
    field, first = VIEWS[view]
    steps = np.arange(1, WARM_UP + releases + 1)
    offsets = [int(step * sign) for step in steps for sign in (1, -1)][: WARM_UP + releases]
    pages["plotly"].wait_for_function(f"(view) => {{ {SHOWN} return shown(view); }}", arg=view)
    show_view(pages["ours"], url, view)
    for offset in offsets:
        for name, script in (("ours", ZOOMED if field == "zoom" else OURS), ("plotly", PLOTLY)):
            pages[name].bring_to_front()  # a page in the background gets no animation frames
            pages[name].evaluate(SETTLED)
            taken[name].append(pages[name].evaluate(script, [view, field, first + offset]))


def show_view(page, url: str, view: str) -> None:
    """Open a view with the example sound, and wait until it is drawn."""
    page.goto("about:blank")  # another fragment alone loads nothing
    page.goto(f"{url}/#view={view}&example={SOUND.stem}")
    page.wait_for_function(
        f"(() => {{ const viewer = document.querySelector('.sg-viewer[data-view={view}]')?.component;"
        " return viewer?.data && (viewer.drawn ?? 1); })()"
    )


def rows(result: dict) -> list[Row]:
    """Return each view's median and its ratio to Plotly's."""
    found = []
    for view, apps in result.items():
        ours, plotly = (float(np.median(apps[name])) if apps[name] else None for name in ("ours", "plotly"))
        times = None if ours is None or plotly is None else plotly / ours
        what, taken = f"release of a parameter -> repaint, {view}", times and f"{ours:.1f} ms, {plotly:.1f} ms"
        found.append(Row(what, "-", ours, GOAL_MS, "ms", at_most=True))
        found.append(Row(what, "Plotly in gr.Plot", times, GOAL_RATIO[view], detail=taken or ""))
    return found


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, releases=(12, "measured releases per app and view"))


if __name__ == "__main__":
    if "--serve-plotly" in sys.argv:
        plotly_app().launch(server_name=os.environ["HOST"], server_port=int(os.environ["PORT"]), quiet=True)
    else:
        main()
