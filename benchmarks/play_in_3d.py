"""Smoothness of the playhead in 3D: frames per second and the longest gap.

Chromium draws everything by SwiftShader, on the processor, the worst case of a user's machine. The mel view, whose playhead
is a line on a canvas, is measured for comparison. An example sound plays in both tabs; the page records each animation
frame in which the playhead has moved. Meanwhile the surface must not be redrawn: its trace stays the same object.

    python -m benchmarks.play_in_3d [--seconds 3] [--json]
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from benchmarks.harness import WEBGL_FLAGS, Row, chromium, open_page, run, serving

GOAL_SHARE = 0.8
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
VIEWS = {"mel": ("Mel", "viewer.moved"), "surface": ("3D", "viewer.playhead.drawn?.time")}  # tab, what moves
WATCH_2D = """() => {
    const viewer = document.querySelector('.sg-viewer').component;
    const paint = viewer.paintOverlay.bind(viewer);
    viewer.paintOverlay = () => { viewer.moved = performance.now(); paint(); };
}"""
FRAMES = """(seconds) => new Promise((done) => {
    const viewer = document.querySelector('.sg-viewer[data-view=VIEW]').component;
    const surface = viewer.stage?._fullData[0];
    const times = [];
    let position = null;
    const begun = performance.now();
    const look = (now) => {
        if (MOVES !== position) times.push(now);
        position = MOVES;
        if (performance.now() - begun < 1000 * seconds) requestAnimationFrame(look);
        else done({ times, same: viewer.stage?._fullData[0] === surface });
    };
    requestAnimationFrame(look);
})"""


def measure(seconds: float) -> dict:
    """Return frames per second and gaps between frames, by view."""
    with ExitStack() as stack:
        url = stack.enter_context(serving("app.py"))
        browser = stack.enter_context(chromium(*WEBGL_FLAGS, AUTOPLAY))
        page = open_page(browser, url)
        page.evaluate(WATCH_2D)
        return {view: _played(page, view, seconds) for view in VIEWS}


def _played(page, view: str, seconds: float) -> dict:
    """Play the sound in a view and record the movement."""
    tab, moves = VIEWS[view]
    page.get_by_role("tab", name=tab, exact=True).click()
    viewer = f"document.querySelector('.sg-viewer[data-view={view}]')?.component"
    page.wait_for_function(f"{viewer}?.data")
    page.wait_for_timeout(1000)  # until the tab is drawn
    page.locator(f".sg-viewer[data-view={view}] .sg-plot").focus()
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function(f"(() => {{ const viewer = {viewer}; return Number({moves}) > 0.1; }})()")
    seen = page.evaluate(FRAMES.replace("VIEW", view).replace("MOVES", moves), seconds)
    page.keyboard.press(" ")
    if not seen["same"]:
        raise RuntimeError("the surface was redrawn while its playhead moved")
    return _rate(seen["times"])


def _rate(times: list[float]) -> dict:
    gaps = np.diff(times)
    if not gaps.size:
        raise RuntimeError("the playhead moved less than twice: the machine is too busy, or --seconds too short")
    return {"fps": float(1000 / gaps.mean()), "median_gap_ms": float(np.median(gaps)), "longest_gap_ms": float(gaps.max())}


def rows(result: dict) -> list[Row]:
    """Return the playhead's frames per second in 3D."""
    ratio = result["surface"]["fps"] / result["mel"]["fps"]
    return [Row("playhead in 3D, frames per second", "the mel view", ratio, GOAL_SHARE)]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, seconds=(3.0, "seconds of playback per view, of 5"))


if __name__ == "__main__":
    main()
