"""Changes of parameters over a slow network, and display changes.

The network is Chromium's own emulation: each request waits 100 ms on its way there and 100 ms on its way back. A display
change needs no request; its cost is the script, style and layout time of the page in a frame with a change, by Chromium's
performance counters, at a plot of 1,000 x 500 CSS pixels of spectrogram.

    python -m benchmarks.interaction [--releases 8] [--changes 40] [--json]
"""

from __future__ import annotations

import time
from contextlib import ExitStack

import numpy as np

from benchmarks.harness import WEBGL_FLAGS, Row, chromium, open_page, run, serving
from benchmarks.repaint import OURS, SETTLED, VIEWS, show_view

DELAY_MS = 200.0  # both ways
GOAL_MS, GOAL_BEHIND, GOAL_FRAME_MS = 60.0, 1.0, 16.0
DELAYED = ("mel", "stft", "mfcc")
DRAG_STEPS = 40

DRAG = """([view, field, first, steps]) => new Promise((done) => {
    const slider = document.querySelector(`.sg-viewer[data-view=${view}] [data-field=${field}] input[type=range]`);
    let step = 0;
    const move = () => {
        slider.value = first + step;
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        if (++step < steps) requestAnimationFrame(() => requestAnimationFrame(move)); // about 33 ms
        else done(Number(slider.value));
    };
    move();
})"""
SHOWS = """([view, field, value]) => document.querySelector(`.sg-viewer[data-view=${view}]`)
    .component.data.request.config[field] === value"""
CHANGE = {
    "colour map": "(viewer, step) => press(viewer, 'c')",
    "level range": "(viewer, step) => press(viewer, step % 2 ? ',' : '.')",
    "zoom": "(viewer, step) => wheel(viewer, { deltaY: step % 8 < 4 ? -120 : 120 })",
    "pan": "(viewer, step) => wheel(viewer, step ? { deltaX: step % 8 < 4 ? 40 : -40 } : { deltaY: -300 })",
}
FRAMES = """([, steps]) => new Promise((done) => {
    const viewer = document.querySelector('.sg-viewer[data-view=mel]').component;
    const press = ({ plot }, key) => plot.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    const wheel = ({ plot }, by) => {
        const { left, top, width, height } = plot.getBoundingClientRect();
        const place = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true };
        plot.dispatchEvent(new WheelEvent('wheel', { ...place, ...by }));
    };
    const make = CHANGE;
    let step = 0;
    const frame = () => {
        if (step === steps) return done();
        make(viewer, step);
        step += 1;
        requestAnimationFrame(frame);
    };
    viewer.plot.focus();
    requestAnimationFrame(frame);
})"""
SENT = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('component_server')).length"
COUNTERS = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def delayed(browser, url: str, releases: int) -> dict:
    """Return milliseconds of releases by view, and the most requests that were on their way during a drag."""
    page = open_page(browser, url)
    network, taken = page.context.new_cdp_session(page), {}
    limits = {"offline": False, "latency": DELAY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    for view in DELAYED:
        field, first = VIEWS[view]
        network.send("Network.emulateNetworkConditions", limits | {"latency": 0})
        show_view(page, url, view)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", limits)
        times = []
        for step in range(1, releases + 2):
            page.evaluate(SETTLED)
            times.append(page.evaluate(OURS, [view, field, first + step]))
        taken[view] = times[1:]
    return {"released_ms": taken, **_dragged(page)}


def _dragged(page) -> dict:
    """Drag the slider of the last view and return how many requests were on their way at a time."""
    view = DELAYED[-1]
    field, _ = VIEWS[view]
    on_way: set = set()
    most, sent = 0, 0

    def begun(request) -> None:
        nonlocal most, sent
        if "component_server" in request.url:
            on_way.add(request)
            most, sent = max(most, len(on_way)), sent + 1

    page.on("request", begun)
    for ending in ("requestfinished", "requestfailed"):
        page.on(ending, lambda request: on_way.discard(request))
    page.evaluate(SETTLED)
    last = page.evaluate(DRAG, [view, field, 2, DRAG_STEPS])
    stopped = time.perf_counter()
    page.wait_for_function(SHOWS, arg=[view, field, last])
    return {"most_requests": most, "requests": sent, "last_shown_s": time.perf_counter() - stopped}


def display_changes(browser, url: str, changes: int) -> dict:
    """Return milliseconds a frame and requests of each kind of change."""
    context = browser.new_context(viewport={"width": 1366, "height": 1000})
    page = context.new_page()
    show_view(page, url, "mel")
    page.evaluate(
        "document.querySelector('.sg-viewer[data-view=mel] .sg-plot').style.cssText += '; width: 1060px; height: 540px'"
    )
    page.evaluate("performance.setResourceTimingBufferSize(10000)")
    counters, found = context.new_cdp_session(page), {}
    counters.send("Performance.enable")
    for name, change in CHANGE.items():
        page.evaluate(SETTLED)
        before, sent = _seconds(counters), page.evaluate(SENT)
        page.evaluate(FRAMES.replace("CHANGE", change), [None, changes])
        page.evaluate(SETTLED)  # what follows the last change counts, too
        found[name] = {"ms": 1e3 * (_seconds(counters) - before) / changes, "requests": page.evaluate(SENT) - sent}
    context.close()
    return found


def _seconds(counters) -> float:
    metrics = {one["name"]: one["value"] for one in counters.send("Performance.getMetrics")["metrics"]}
    return sum(metrics[name] for name in COUNTERS)


def measure(releases: int, changes: int) -> dict:
    """Return the times over a slow network and of display changes."""
    with ExitStack() as stack:
        url = stack.enter_context(serving("app.py"))
        browser = stack.enter_context(chromium(*WEBGL_FLAGS))
        return {"display": display_changes(browser, url, changes), "delay": delayed(browser, url, releases)}


def rows(result: dict) -> list[Row]:
    """Return the time beyond the delay, the requests behind, and the script's time of a change."""
    delay, found = result["delay"], []
    for view, times in delay["released_ms"].items():
        median = float(np.median(times))
        what = f"release -> repaint, 100 ms of network delay each way, {view}"
        found.append(Row(what, "the delay", median - DELAY_MS, GOAL_MS, "ms more", at_most=True, detail=f"{median:.0f} ms"))
    most, detail = float(delay["most_requests"]), f"{delay['requests']} requests for {DRAG_STEPS} values"
    found.append(Row("requests on their way while a slider is dragged", "-", most, GOAL_BEHIND, "", at_most=True, detail=detail))
    for name, each in result["display"].items():
        found.append(Row(f"display change, {name}: script a frame", "-", each["ms"], GOAL_FRAME_MS, "ms", at_most=True))
        found.append(Row(f"display change, {name}: requests", "-", float(each["requests"]), 0.0, "", at_most=True))
    return found


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    options = {"releases": (8, "releases of each view"), "changes": (40, "display changes of each kind")}
    return run(__doc__, measure, rows, given, **options)


if __name__ == "__main__":
    main()
