"""One hour of sound in the page: first image, zooms, and memory.

A synthetic hour (of timeline_speed.py) is uploaded to the page in a Chromium. The time to the first spectrogram runs from
the moment the server's decoder returns the samples to the first animation frame with the image, by the shared wall clock. A
zoom is timed by the page, from the wheel or pointer event to the first animation frame with the sharp image; each goes to a
new position and depth, so that nothing is cached. Memory is the private memory of the processes (RssAnon); mapped samples
are files that the system may drop.

The browser runs without an emulated GPU, as a user's would; with SwiftShader, needed for WebGL only, each frame of the page
costs 100 to 200 ms on two cores.

    python -m benchmarks.hour_zoom [--minutes 60] [--zooms 20] [--json]
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.harness import ROOT, Row, chromium, open_page, run, serving
from benchmarks.timeline_speed import write_sound

FIRST_S, ZOOM_MS, SERVER_GB, PAGE_GB = 3.0, 300.0, 2.0, 0.6
VIEWS = {"mel": "Mel", "stft": "STFT", "wave": "Wave"}
SHORTEST_S = 2.0  # the deepest zoom
SEED = 0

FIRST = """() => {
    const viewer = document.querySelector('.sg-viewer').component;
    const look = () => { if (viewer.data) window.firstImage = Date.now(); else requestAnimationFrame(look); };
    requestAnimationFrame(look);
}"""
WATCH = """(view) => {
    const viewer = window.looking = document.querySelector(`.sg-viewer[data-view=${view}]`).component;
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
    """Run the app and record its process and when its decoder returns."""
    from esc.ui.sessions import decoding

    decode = decoding.decode_in_worker

    def noted(*given, **named):
        decoded = decode(*given, **named)
        notes.write_text(json.dumps({"pid": os.getpid(), "decoded": time.time()}))
        return decoded

    decoding.decode_in_worker = noted
    sys.argv[1:] = []
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


def held_gb(pid: int) -> float:
    """Return the private memory of a process in GB."""
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024 / 1e9


def zoom(page, view: str, seconds: float, rng: np.random.Generator) -> float:
    """Show the whole sound, zoom by wheel or box, and return the milliseconds."""
    page.keyboard.press("0")
    page.wait_for_function(WHOLE.replace("seconds", str(seconds)))
    left, top, width, height = page.evaluate(AREA)
    position, span = rng.uniform(0.05, 0.9), float(np.exp(rng.uniform(np.log(SHORTEST_S), np.log(seconds / 2))))
    page.mouse.move(left + position * width, top + 0.5 * height)
    page.evaluate("window.zoomTook = null")
    boxed = span / seconds * width  # narrower boxes than this can't be drawn from so far
    if boxed > 20 and rng.uniform() < 0.5:
        page.keyboard.down("Alt")
        page.mouse.down()
        page.mouse.move(left + min(1.0, position + span / seconds) * width, top + 0.5 * height + 2, steps=3)
        page.mouse.up()
        page.keyboard.up("Alt")
    else:
        page.mouse.wheel(0, 500 * np.log(span / seconds))
    return page.wait_for_function("window.zoomTook").json_value()


def measure(minutes: float, zooms: int) -> dict:
    """Return the times of first image and zooms, and the memory."""
    seconds, rng = 60 * minutes, np.random.default_rng(SEED)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sound, notes = folder / "hour.wav", folder / "notes.json"
        write_sound(sound, minutes)
        url = stack.enter_context(serving("-m", "benchmarks.hour_zoom", "--serve", str(notes)))
        browser = stack.enter_context(chromium())
        page = open_page(browser, url, example=False)
        page.evaluate(FIRST)
        page.set_input_files("input.sg-file", sound)
        first = page.wait_for_function("window.firstImage").json_value() / 1000
        server = json.loads(notes.read_text())
        taken = {}
        for view, tab in VIEWS.items():
            page.get_by_role("tab", name=tab, exact=True).click()
            page.wait_for_function(f"document.querySelector('.sg-viewer[data-view={view}]')?.component?.data")
            page.evaluate(WATCH, view)
            page.locator(f".sg-viewer[data-view={view}] .sg-plot").focus()
            taken[view] = [zoom(page, view, seconds, rng) for _ in range(zooms)]
        processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        pages = [held_gb(process["id"]) for process in processes if process["type"] == "renderer"]
        memory = {"server_gb": held_gb(server["pid"]), "page_gb": max(pages)}
    return {"minutes": minutes, "first_image_s": first - server["decoded"], "zooms_ms": taken, **memory}


def rows(result: dict) -> list[Row]:
    """Return the first image, the slowest zooms and the memory."""
    hour = f"{result['minutes']:g} minutes in the page"
    return [
        Row(f"{hour}: first image after decoding", "-", result["first_image_s"], FIRST_S, "s", at_most=True),
        *(
            Row(f"{hour}: slowest zoom, {view}", "-", max(times), ZOOM_MS, "ms", at_most=True)
            for view, times in result["zooms_ms"].items()
        ),
        Row(f"{hour}: memory of the server", "-", result["server_gb"], SERVER_GB, "GB", at_most=True),
        Row(f"{hour}: memory of the page", "-", result["page_gb"], PAGE_GB, "GB", at_most=True),
    ]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, minutes=(60.0, "length of the sound"), zooms=(20, "zooms per view"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]))
    else:
        main()
