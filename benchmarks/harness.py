"""Shared parts of the benchmarks: machine load, app server, browser, command line."""

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300  # a busy machine imports torch and Gradio for minutes
PLAIN_FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
WEBGL_FLAGS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a GPU
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPEN_MS = 300_000
SOUND = ROOT / "assets" / "examples" / "crow.flac"
READY = "document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-chip')"


def machine() -> dict:
    """Return the number of cores and the load averages."""
    return {"cores": os.cpu_count(), "load_average_before": list(os.getloadavg())}


def show_machine(result: dict) -> None:
    """Print the values of `machine` in a result."""
    load = result["load_average_before"]
    others = "idle" if load[0] < 0.5 else "busy, so all of it is slower"
    print(f"{result['cores']} cores; load average before the start: {', '.join(f'{value:.2f}' for value in load)}: {others}")


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """Run an app on a free port and yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    env = os.environ | {"HOST": "127.0.0.1", "PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
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


@contextmanager
def chromium(*flags: str) -> Iterator:
    """Yield a browser, the system's Chromium if there is one."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*PLAIN_FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser, url: str, example: bool = True):
    """Return the app's page, by default with the example sound opened."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(OPEN_MS)
    page.goto(url)
    page.wait_for_function(READY)
    if example:
        page.click(f".sg-chip[data-example={SOUND.stem}]")
        page.wait_for_function("document.querySelector('.sg-viewer').component.data")
    return page


def run(doc: str, measure: Callable[..., dict], show: Callable[[dict], None], given: list[str] | None, **options: tuple) -> None:
    """Run a benchmark with its options (default, help) and print the result.

    `given` replaces the arguments of the command line.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name, (default, meaning) in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{meaning} (default {default:g})")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    arguments = vars(parser.parse_args(given))
    as_json, before = arguments.pop("json"), machine()
    result = measure(**arguments) | before
    if as_json:
        print(json.dumps(result, indent=1))
    else:
        show(result)
        show_machine(result)
