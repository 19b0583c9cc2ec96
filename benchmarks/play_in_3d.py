"""How smoothly the 3D view's plane follows the play head: frames a second while a sound plays, and the longest standstill.

A Chromium that draws WebGL, and all else, by SwiftShader, that is by the processor alone, without a graphics card: the
worst that a user's machine can be, and on busy cores far from smooth whatever moves. So the same is measured of the mel
view, whose play head is a line on a flat canvas: the landscape should cost no more. An example sound plays in both tabs;
the page notes the time of each animation frame that finds the play head at another place than the frame before. The
surface itself is not touched meanwhile, which is checked: its trace stays the same object.

    python -m benchmarks.play_in_3d [--seconds 3] [--json]
"""

from __future__ import annotations

import argparse
import json
import shutil
from contextlib import ExitStack

import numpy as np

from benchmarks.machine import machine, show_machine
from benchmarks.mel_repaint import CHROMIUMS, FLAGS, SOUND, serving

GOAL_SHARE = 0.8
OPEN_MS = 120_000
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
VIEWS = {"mel": ("Mel", "viewer.moved"), "surface": ("3D", "viewer.playhead.drawn?.time")}  # tab, what moves
WATCH_2D = """() => {
    const viewer = document.querySelector('.sg-viewer').viewer;
    const paint = viewer.paintOverlay.bind(viewer);
    viewer.paintOverlay = () => { viewer.moved = performance.now(); paint(); };
}"""
FRAMES = """(seconds) => new Promise((done) => {
    const viewer = document.querySelector('.sg-viewer[data-view=VIEW]').viewer;
    const surface = viewer.stage?._fullData[0];
    const times = [];
    let place = null;
    const begun = performance.now();
    const look = (now) => {
        if (MOVES !== place) times.push(now);
        place = MOVES;
        if (performance.now() - begun < 1000 * seconds) requestAnimationFrame(look);
        else done({ times, same: viewer.stage?._fullData[0] === surface });
    };
    requestAnimationFrame(look);
})"""


def measure(seconds: float) -> dict:
    """Return frames a second and the longest gap between two while the sound plays, by view."""
    from playwright.sync_api import sync_playwright

    before = machine()
    with ExitStack() as stack:
        url = stack.enter_context(serving("app.py"))
        playwright = stack.enter_context(sync_playwright())
        path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, AUTOPLAY])
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(OPEN_MS)
        page.goto(url)
        page.wait_for_function("document.querySelector('.sg-viewer')?.viewer && document.querySelector('.sg-chip')")
        page.click(f".sg-chip[data-example={SOUND.stem}]")
        page.wait_for_function("document.querySelector('.sg-viewer').viewer.data")
        page.evaluate(WATCH_2D)
        rows = {view: _played(page, view, seconds) for view in VIEWS}
    return rows | before


def _played(page, view: str, seconds: float) -> dict:
    """Open a view's tab, play the sound from its start and watch what moves."""
    tab, moves = VIEWS[view]
    page.get_by_role("tab", name=tab, exact=True).click()
    viewer = f"document.querySelector('.sg-viewer[data-view={view}]')?.viewer"
    page.wait_for_function(f"{viewer}?.data")
    page.wait_for_timeout(1000)  # what the tab still draws is not the play head's
    page.locator(f".sg-viewer[data-view={view}] .sg-plot").focus()
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function(f"(() => {{ const viewer = {viewer}; return Number({moves}) > 0.1; }})()")
    seen = page.evaluate(FRAMES.replace("VIEW", view).replace("MOVES", moves), seconds)
    page.keyboard.press(" ")
    if not seen["same"]:
        raise RuntimeError("the surface was drawn anew while its plane moved")
    return _rate(seen["times"])


def _rate(times: list[float]) -> dict:
    gaps = np.diff(times)
    return {"fps": float(1000 / gaps.mean()), "median_gap_ms": float(np.median(gaps)), "longest_gap_ms": float(gaps.max())}


def show(result: dict) -> None:
    """Print what was measured as a table."""
    for view, (tab, _) in VIEWS.items():
        row = result[view]
        gaps = f"{row['median_gap_ms']:>6.0f} ms median{row['longest_gap_ms']:>6.0f} ms longest"
        print(f"{tab:<6}{row['fps']:>6.1f} frames/s, from one to the next{gaps}")
    met = result["surface"]["fps"] >= GOAL_SHARE * result["mel"]["fps"]
    print(f"goal: 3D at least {GOAL_SHARE:g} times as smooth as the mel view: {'met' if met else 'MISSED'}")
    show_machine(result)


def main(given: list[str] | None = None) -> None:
    """Measure and print; `given`: arguments in place of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to watch each view (default 3; the sound has 5)")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    arguments = parser.parse_args(given)
    result = measure(arguments.seconds)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
