"""The served page and a Chromium to look at it with: what browser and endpoint tests stand on."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

import sounds

ROOT = Path(__file__).resolve().parent.parent
MICROPHONE_HZ = 1000.0  # what the fake microphone hears
START_SECONDS = 120
WAIT_MS = 30_000
expect.set_options(timeout=WAIT_MS)
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card; an emulated one for the whole page slows every frame
)  # fmt: skip
# Where the playhead is drawn, in CSS pixels: the column that covers most near the top of the overlay.
PLAYHEAD = """(() => { const [ratio, { width }] = [Math.min(3, devicePixelRatio), viewer.overlay];
    const row = viewer.overlay.getContext('2d').getImageData(0, Math.round((viewer.area().top + 3) * ratio), width, 1).data;
    const covers = Array.from({ length: width }, (_, x) => row[4 * x + 3]);
    const most = Math.max(...covers);
    return most > 150 ? covers.indexOf(most) / ratio : NaN; })()"""
# what the web server logs of an upload whose page was closed meanwhile
_DISCONNECTS = re.compile(rb"Traceback(?:(?!Traceback).)*?\nstarlette\.requests\.ClientDisconnect", re.DOTALL)


@dataclass(frozen=True)
class Server:
    """A running app: where it listens and what it logs."""

    url: str
    log: Path


@contextmanager
def serving(folder: Path, *command: str, **variables: str) -> Iterator[Server]:
    """Run an app (`python app.py` unless told otherwise, with more environment `variables`) until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", folder / "server.log")
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    with open(server.log, "wb") as log:
        process = subprocess.Popen(
            command or [sys.executable, "app.py"],
            cwd=ROOT,
            env=os.environ | settings | variables,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(server: Server, process: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(server.url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not start:\n{server.log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, served for the whole run."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium(chromium_path: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium whose microphone plays a tone of `MICROPHONE_HZ`."""
    recording = tmp_path_factory.mktemp("microphone") / "tone.wav"
    sounds.write(recording, sounds.tone(MICROPHONE_HZ, 5.0, 48_000), 48_000)
    arguments = [*FLAGS, f"--use-file-for-fake-audio-capture={recording}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


class Contexts:
    """Browser contexts, used again by later tests: files that one has loaded need not be read and compiled anew."""

    KEPT = 4

    def __init__(self, browser: Browser):
        self.browser = browser
        self.free: list[tuple[dict, BrowserContext]] = []

    def page(self, settings: dict, url: str) -> Page:
        """Return a blank page of a context of these settings in which nothing is stored."""
        at = next((at for at, (theirs, _) in enumerate(self.free) if theirs == settings), None)
        context = self.browser.new_context(**settings) if at is None else self.free.pop(at)[1]
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        if at is not None:
            storage = context.new_cdp_session(page)
            storage.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
            storage.detach()
        return page

    def give_back(self, settings: dict, context: BrowserContext) -> None:
        """Close a context's pages and keep it for later, the newest few."""
        for page in context.pages:
            page.close()
        self.free.append((settings, context))
        if len(self.free) > self.KEPT:
            self.free.pop(0)[1].close()


@pytest.fixture(scope="session")
def contexts(chromium: Browser) -> Contexts:
    """The contexts of the tests' Chromium."""
    return Contexts(chromium)


@dataclass
class Sheet:
    """The app's page as a test sees it: the browser's page, what was asked of the network and what went wrong."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def start(self, link: str = "example=none") -> Sheet:
        """Load the page by a link, by default without a sound, and wait until its parts are mounted."""
        for name, listener in {
            "request": lambda request: self.requests.append(request.url),
            "console": lambda said: said.type == "error" and self.complaints.append(f"console: {said.text}"),
            "pageerror": lambda error: self.complaints.append(f"page error: {error}"),
            "requestfailed": self._on_failure,
            "response": lambda answer: answer.status >= 400 and self.complaints.append(f"{answer.status}: {answer.url}"),
            "dialog": lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()),
        }.items():
            self.page.on(name, listener)
        self.page.goto(f"{self.url}/#{link}")
        self.page.wait_for_function("document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-main span')")
        self.load("core/state", "session")
        self.load("lib/i18n", "i18n")
        self.page.evaluate("window.viewer = document.querySelector('.sg-viewer').component")
        return self

    def load(self, module: str, name: str) -> None:
        """Make one of the page's own modules a global of the page."""
        self.page.evaluate(f"() => {{ window.{name} = soundglass['{module}.js']; }}")

    def _on_failure(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a sound that is replaced while it loads
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def foreign(self) -> list[str]:
        """What was asked of any other machine."""
        return [url for url in self.requests if re.match(r"(https?|wss?)://", url) and not url.startswith(self.url)]

    def ev(self, expression: str, argument: object = None):
        """Return what a JavaScript expression gives; `viewer` and `session` are the page's own."""
        return self.page.evaluate(expression, argument)

    def until(self, expression: str, argument: object = None) -> None:
        """Wait until a JavaScript expression holds."""
        self.page.wait_for_function(expression, arg=argument)

    def open_file(self, path: Path) -> None:
        """Choose a file and wait for its picture."""
        with self.new_picture():
            self.page.set_input_files("input.sg-file", path)

    def open_example(self, name: str) -> None:
        """Choose an example and wait for its picture."""
        with self.new_picture():
            self.choose_example(name)

    def choose_example(self, name: str) -> None:
        """Choose an example."""
        self.page.select_option(".sg-example", name)

    @contextmanager
    def new_picture(self) -> Iterator[None]:
        """Wait at the end for a picture from the server other than the one at the beginning, and for it to be drawn."""
        self.ev("() => { window.before = viewer.data; }")
        yield
        self.until("viewer.data && viewer.data !== window.before")
        self.until("!viewer.host.hasAttribute('data-busy')")

    def pixels(self) -> dict:
        """Return how many colours the picture has inside its axes, and a number that changes when any pixel does."""
        return self.ev(
            """() => {
                const { left, top, width, height } = viewer.area();
                const ratio = Math.min(3, devicePixelRatio);
                const box = [left, top, width, height].map((value) => Math.round(value * ratio));
                const pixels = new Uint32Array(viewer.image.getContext('2d').getImageData(...box).data.buffer);
                let sum = 17;
                for (const pixel of pixels) sum = (Math.imul(sum, 31) + pixel) | 0;
                return { colours: new Set(pixels).size, sum };
            }"""
        )

    def picture(self) -> dict:
        """Return what the picture on screen is made of, without its levels."""
        return self.ev("(({ levels, ...rest }) => rest)(viewer.data)")

    def loudest_hz(self) -> float:
        """Return the centre of the band that is loudest in most columns."""
        return self.ev(
            """() => {
                const { levels, rows, columns, edges_hz: edges } = viewer.data;
                const sums = Array.from({ length: rows }, (_, row) =>
                    levels.subarray(row * columns, (row + 1) * columns).reduce((sum, level) => sum + level, 0));
                return edges[sums.indexOf(Math.max(...sums)) + 1];
            }"""
        )

    def facts(self) -> dict[str, str]:
        """Return the file's facts by the words beside them."""
        return self.ev(
            """() => Object.fromEntries([...document.querySelectorAll('.sg-facts div')]
                .map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').textContent]))"""
        )

    def point(self, share_x: float, share_y: float) -> tuple[float, float]:
        """Return the place on screen that lies at these shares of the picture, from its left and its top."""
        area = self.ev(
            """() => { const { left, top, width, height } = viewer.area();
                viewer.plot.scrollIntoView({ block: 'center' });
                const box = viewer.plot.getBoundingClientRect();
                return [box.left + left, box.top + top, width, height]; }"""
        )
        return area[0] + share_x * area[2], area[1] + share_y * area[3]


@pytest.fixture
def open_sheet(contexts: Contexts, server: Server) -> Iterator[Callable[..., Sheet]]:
    """Return what opens the app for a new visitor; at the end no page of them may have complained.

    A test that provokes a complaint takes it out of `Sheet.complaints` itself.
    """
    used: list[tuple[dict, Sheet]] = []
    logged = server.log.stat().st_size

    def opened(prepare: str = "", link: str = "example=none", **options) -> Sheet:
        settings = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, "permissions": ["microphone"]} | options
        page = contexts.page(settings, server.url)
        if prepare:
            page.add_init_script(prepare)
        used.append((settings, Sheet(page, server.url)))
        return used[-1][1].start(link)

    yield opened
    complaints = [complaint for _, sheet in used for complaint in sheet.complaints]  # not those of requests cut by the closing
    for settings, sheet in used:
        contexts.give_back(settings, sheet.page.context)
    assert complaints == [], complaints
    foreign = [url for _, sheet in used for url in sheet.foreign()]
    assert foreign == [], foreign
    with open(server.log, "rb") as log:
        log.seek(logged)
        assert b"Traceback" not in _DISCONNECTS.sub(b"", log.read())


@pytest.fixture
def sheet(open_sheet: Callable[..., Sheet]) -> Sheet:
    """The app in English on a wide screen."""
    return open_sheet()
