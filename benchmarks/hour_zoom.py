"""An hour of sound in the page: how soon its first picture stands, how long a zoom takes, and what memory it costs.

A synthetic hour (the one of timeline_speed.py) is uploaded by a Chromium that looks at the page as a user would. The first
picture's clock runs from the moment at which the server's decoder hands over the samples, by the wall clock that both share,
to the first animation frame that finds the picture. A zoom's clock is the page's own: from the wheel's or the pointer's event
to the first animation frame that finds the sharp picture of what is shown; each goes to a place and a depth that was never asked
for before, so nothing comes from a cache. Memory is what the processes hold for themselves (RssAnon); mapped samples are
files that the system may drop.

The browser is started as a user's is, with no GPU emulated: without one Chromium puts a page together by itself. With
SwiftShader in its place, which only WebGL needs, each frame of the page costs 100 to 200 ms on two cores, whatever is drawn.

    python -m benchmarks.hour_zoom [--minutes 60] [--zooms 20] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.machine import machine, show_machine
from benchmarks.mel_repaint import CHROMIUMS, PLAIN_FLAGS, ROOT, serving
from benchmarks.timeline_speed import write_sound

FIRST_S, ZOOM_MS, SERVER_GB, PAGE_GB = 3.0, 300.0, 2.0, 0.6
VIEWS = {"mel": "Mel", "stft": "STFT", "wave": "Wave"}
SHORTEST_S = 2.0  # the deepest zoom
OPEN_MS = 300_000
SEED = 0

FIRST = """() => {
    const viewer = document.querySelector('.sg-viewer').viewer;
    const look = () => { if (viewer.data) window.firstPicture = Date.now(); else requestAnimationFrame(look); };
    requestAnimationFrame(look);
}"""
WATCH = """(view) => {
    const viewer = window.looking = document.querySelector(`.sg-viewer[data-view=${view}]`).viewer;
    if (viewer.watched) return;
    viewer.watched = true;
    for (const name of ['wheel', 'pointerup']) viewer.plot.addEventListener(name, () => {
        const [began, before] = [performance.now(), viewer.data];
        const look = () => {
            if (viewer.data !== before) window.zoomTook = performance.now() - began;
            else requestAnimationFrame(look);
        };
        window.zoomTook = null;
        requestAnimationFrame(look);
    }, true);
}"""
AREA = """() => { const { left, top, width, height } = looking.area(); const box = looking.plot.getBoundingClientRect();
    return [box.left + left, box.top + top, width, height]; }"""
WHOLE = "looking.data.end - looking.data.start > 0.98 * seconds && !looking.host.hasAttribute('data-busy')"


def serve(notes: Path) -> None:
    """Run the app and note when its decoder hands over a sound, and under which number it runs."""
    from esc.ui.sessions import sound_store

    decode = sound_store.decode_in_worker

    def noted(*given, **named):
        decoded = decode(*given, **named)
        notes.write_text(json.dumps({"pid": os.getpid(), "decoded": time.time()}))
        return decoded

    sound_store.decode_in_worker = noted
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


def held_gb(pid: int) -> float:
    """Return the memory that a process holds for itself, in GB."""
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024 / 1e9


def zoom(page, view: str, seconds: float, rng: np.random.Generator) -> float:
    """Go back to the whole sound, then zoom to some place by wheel or by box; return the milliseconds."""
    page.keyboard.press("0")
    page.wait_for_function(WHOLE.replace("seconds", str(seconds)))
    left, top, width, height = page.evaluate(AREA)
    place, span = rng.uniform(0.05, 0.9), float(np.exp(rng.uniform(np.log(SHORTEST_S), np.log(seconds / 2))))
    page.mouse.move(left + place * width, top + 0.5 * height)
    page.evaluate("window.zoomTook = null")
    boxed = span / seconds * width  # narrower boxes than this can't be drawn from so far
    if boxed > 20 and rng.uniform() < 0.5:
        page.keyboard.down("Alt")
        page.mouse.down()
        page.mouse.move(left + min(1.0, place + span / seconds) * width, top + 0.5 * height + 2, steps=3)
        page.mouse.up()
        page.keyboard.up("Alt")
    else:
        page.mouse.wheel(0, 500 * np.log(span / seconds))
    return page.wait_for_function("window.zoomTook").json_value()


def measure(minutes: float, zooms: int) -> dict:
    """Return when the first picture stood, how long each zoom took, and the memory of server and page."""
    from playwright.sync_api import sync_playwright

    seconds, rng, before = 60 * minutes, np.random.default_rng(SEED), machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sound, notes = folder / "hour.wav", folder / "notes.json"
        write_sound(sound, minutes)
        url = stack.enter_context(serving("-m", "benchmarks.hour_zoom", "--serve", str(notes)))
        playwright = stack.enter_context(sync_playwright())
        path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=path, args=list(PLAIN_FLAGS))
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(OPEN_MS)
        page.goto(url)
        page.wait_for_function("document.querySelector('.sg-viewer')?.viewer && document.querySelector('.sg-chip')")
        page.evaluate(FIRST)
        page.set_input_files("input.sg-file", sound)
        first = page.wait_for_function("window.firstPicture").json_value() / 1000
        server = json.loads(notes.read_text())
        taken = {}
        for view, tab in VIEWS.items():
            page.get_by_role("tab", name=tab, exact=True).click()
            page.wait_for_function(f"document.querySelector('.sg-viewer[data-view={view}]')?.viewer?.data")
            page.evaluate(WATCH, view)
            page.locator(f".sg-viewer[data-view={view}] .sg-plot").focus()
            taken[view] = [zoom(page, view, seconds, rng) for _ in range(zooms)]
        processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        pages = [held_gb(process["id"]) for process in processes if process["type"] == "renderer"]
        memory = {"server_gb": held_gb(server["pid"]), "page_gb": max(pages)}
    return {"minutes": minutes, "first_picture_s": first - server["decoded"], "zooms_ms": taken, **memory} | before


def summary(result: dict) -> dict:
    """Return a measurement with medians, worst cases and whether the goals are met."""
    zooms = {view: {"median_ms": float(np.median(times)), "worst_ms": max(times)} for view, times in result["zooms_ms"].items()}
    goals = {
        "first_picture": result["first_picture_s"] <= FIRST_S,
        "zooms": all(row["worst_ms"] <= ZOOM_MS for row in zooms.values()),
        "memory": result["server_gb"] <= SERVER_GB and result["page_gb"] <= PAGE_GB,
    }
    return result | {"views": zooms, "goals_met": goals}


def show(result: dict) -> None:
    """Print a summary as a table."""
    verdict = {name: "met" if met else "MISSED" for name, met in result["goals_met"].items()}
    print(f"{result['minutes']:g} minutes of sound in the page")
    print(
        f"{'first picture after decoding':<32}{result['first_picture_s']:>7.2f} s    <= {FIRST_S:g} s: {verdict['first_picture']}"
    )
    for view, row in result["views"].items():
        figures = f"{row['median_ms']:>7.0f} ms median{row['worst_ms']:>7.0f} ms worst"
        print(f"{f'zoom, {view}':<32}{figures}")
    print(f"{'':<32}{'':>10}    worst <= {ZOOM_MS:g} ms: {verdict['zooms']}")
    print(f"{'memory, server / page':<32}{result['server_gb']:>7.2f} GB{result['page_gb']:>7.2f} GB", end="    ")
    print(f"<= {SERVER_GB:g} and <= {PAGE_GB:g} GB: {verdict['memory']}")
    show_machine(result)


def main(given: list[str] | None = None) -> None:
    """Measure and print; `given`: arguments in place of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how much sound (default 60)")
    parser.add_argument("--zooms", type=int, default=20, help="zooms in each view (default 20)")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if arguments.serve:
        serve(arguments.serve)
        return
    result = summary(measure(arguments.minutes, arguments.zooms))
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
