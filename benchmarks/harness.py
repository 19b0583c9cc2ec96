"""Shared parts of the benchmarks: rows of the table, machine, app server, browser, command line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
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
READY = "document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-example option[value]')"


@dataclass(frozen=True)
class Row:
    """A measured figure, its goal, and what it is compared with."""

    what: str
    against: str
    figure: float | None  # None: not measured
    goal: float
    unit: str = "x"
    at_most: bool = False  # the goal is the largest figure that meets it, not the smallest
    detail: str = ""  # the figures behind it

    @property
    def met(self) -> bool:
        """Whether the goal is met; a figure that was not measured misses it."""
        return self.figure is not None and (self.figure <= self.goal if self.at_most else self.figure >= self.goal)

    def cells(self) -> tuple[str, ...]:
        """Return the row's texts."""
        figure = "not measured" if self.figure is None else f"{self.figure:.3g} {self.unit}"
        goal = "-" if self.figure is None else f"{'<=' if self.at_most else '>='} {self.goal:g} {self.unit}".rstrip()
        return self.what, self.against, figure, goal, "pass" if self.met else "FAIL", self.detail


def table(rows: list[Row]) -> str:
    """Return rows as a Markdown table with aligned columns."""
    lines = [("what", "against", "figure", "goal", "verdict", "ours, the other's"), *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def machine() -> dict:
    """Return what the figures depend on: processor, cores, memory, versions, load averages."""
    import torch

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_average_before": [round(value, 2) for value in os.getloadavg()],
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


@dataclass(frozen=True)
class App:
    """A running app: its address, process, temporary folder and log."""

    url: str
    process: subprocess.Popen
    folder: Path
    log: Path


@contextmanager
def serving_app(folder: Path, *command: str, ready: str = "/health", temporary: Path | None = None) -> Iterator[App]:
    """Run an app, by default app.py, on a free port until the block ends; it has begun once the path `ready` is answered.

    Its temporary files are in `temporary`, by default inside `folder`, its log in `folder`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = temporary or folder / "temporary"
    temporary.mkdir(exist_ok=True)
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "TMPDIR": str(temporary), "GRADIO_ANALYTICS_ENABLED": "False"}
    env = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"} | settings
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *(command or ("app.py",))], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
        )
    app = App(f"http://127.0.0.1:{port}", process, temporary, log)
    try:
        end = time.monotonic() + START_SECONDS
        while not _answers(app.url + ready):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the app did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=30).close()
    except OSError:  # also of a status such as 503
        return False
    return True


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """Run an app until the block ends, and yield its URL once the page is served."""
    with tempfile.TemporaryDirectory() as folder, serving_app(Path(folder), *command, ready="/") as app:
        yield app.url


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
    page.goto(f"{url}/#example=none")
    page.wait_for_function(READY)
    if example:
        page.select_option(".sg-example", SOUND.stem)
        page.wait_for_function("document.querySelector('.sg-viewer').component.data")
    return page


def resident_gb(process: subprocess.Popen) -> float:
    """Return the resident memory of a process in GB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e9


def run(
    doc: str, measure: Callable[..., dict], rows: Callable[[dict], list[Row]], given: list[str] | None, **options: tuple
) -> list[Row]:
    """Run a benchmark with its options (default, help), print its table and return its rows.

    `given` replaces the arguments of the command line.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name, (default, meaning) in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{meaning} (default {default:g})")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--rows", type=Path, help="JSON file for the rows")
    arguments = vars(parser.parse_args(given))
    as_json, file, before = arguments.pop("json"), arguments.pop("rows"), machine()
    result = measure(**arguments)
    found = rows(result)
    print(json.dumps(result | before, indent=1) if as_json else f"{table(found)}\n{before}")
    if file:
        file.write_text(json.dumps([asdict(row) for row in found]), encoding="utf-8")
    return found
