"""How smoothly the 3D view's plane follows the play head: frames a second while a sound plays, and the longest standstill.

A Chromium that draws WebGL by SwiftShader, that is by the processor alone, without a graphics card: the worst that a
user's machine can be. An example sound plays in the 3D tab; the page notes the time of each animation frame that finds
the plane at another place than the frame before. The surface itself is not touched meanwhile, which is checked: its trace
stays the same object. For comparison the animation frames of the same page while nothing plays.

    python -m benchmarks.play_in_3d [--seconds 4] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from contextlib import ExitStack

import numpy as np

from benchmarks.mel_repaint import CHROMIUMS, FLAGS, SOUND, serving

GOAL_FPS, GOAL_GAP_MS = 20.0, 150.0
OPEN_MS = 120_000
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
FRAMES = """([seconds, moving]) => new Promise((done) => {
    const stage = document.querySelector('.sg-surface');
    const surface = stage._fullData?.[0];
    const { head } = document.querySelector('.sg-viewer[data-view=surface]').viewer;
    const times = [];
    let place = null;
    const begun = performance.now();
    const look = (now) => {
        if (!moving || head.shown?.time !== place) times.push(now);
        place = head.shown?.time;
        if (performance.now() - begun < 1000 * seconds) requestAnimationFrame(look);
        else done({ times, same: stage._fullData?.[0] === surface });
    };
    requestAnimationFrame(look);
})"""


def measure(seconds: float) -> dict:
    """Return frames a second and the longest gap between two, at rest and while the sound plays."""
    from playwright.sync_api import sync_playwright

    load = os.getloadavg()
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
        page.get_by_role("tab", name="3D", exact=True).click()
        page.wait_for_function("document.querySelector('.sg-viewer[data-view=surface]')?.viewer?.drawings > 0")
        page.wait_for_timeout(1000)  # what the tab still draws is not the play head's
        rest = page.evaluate(FRAMES, [seconds, False])
        page.locator(".sg-viewer[data-view=surface] .sg-plot").focus()
        page.keyboard.press(" ")
        page.wait_for_function("document.querySelector('.sg-viewer[data-view=surface]').viewer.head.shown?.time > 0.1")
        plays = page.evaluate(FRAMES, [seconds, True])
    if not plays["same"]:
        raise RuntimeError("the surface was drawn anew while its plane moved")
    return {"at_rest": _rate(rest["times"]), "while_it_plays": _rate(plays["times"])} | {
        "cores": os.cpu_count(),
        "load_average_before": list(load),
    }


def _rate(times: list[float]) -> dict:
    gaps = np.diff(times)
    return {"fps": float(1000 / gaps.mean()), "median_gap_ms": float(np.median(gaps)), "longest_gap_ms": float(gaps.max())}


def show(result: dict) -> None:
    """Print what was measured as a table."""
    for name, row in ((name, result[name]) for name in ("at_rest", "while_it_plays")):
        gaps = f"{row['median_gap_ms']:>6.0f} ms median{row['longest_gap_ms']:>6.0f} ms longest"
        print(f"{name.replace('_', ' '):<18}{row['fps']:>6.1f} frames/s, from one to the next{gaps}")
    row, load = result["while_it_plays"], result["load_average_before"][0]
    met = row["fps"] >= GOAL_FPS and row["longest_gap_ms"] <= GOAL_GAP_MS
    goal = f"goal, without a graphics card: >= {GOAL_FPS:g} frames/s, none longer than {GOAL_GAP_MS:g} ms"
    print(f"{goal}: {'met' if met else 'MISSED'}")
    others = "nothing else to speak of ran" if load < 0.5 else "other work ran or had just run, so all of it is slowed"
    print(f"{result['cores']} cores; load average before the start: {load:.2f}: {others}")


def main(given: list[str] | None = None) -> None:
    """Measure and print; `given`: arguments in place of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="how long to watch (default 4; the sound has 5)")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    arguments = parser.parse_args(given)
    result = measure(arguments.seconds)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
