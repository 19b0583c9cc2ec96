"""What browsers really play: a sound server with a recorded output, and a Firefox driven over WebDriver BiDi."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

RATE = 48_000
START_SECONDS = 60.0
LATENCY_MS = 60
FIREFOX_SETTINGS = {
    "media.autoplay.default": 0,
    "media.cubeb.backend": "pulse",
    "intl.accept_languages": "en-US",
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
}
# runs an expression, or a function with an argument, in the page and sends what it gives as JSON
_CALL = """async (source, argument) => {
    const given = (0, eval)(`(${source})`);
    const answer = await (typeof given === 'function' ? given(JSON.parse(argument)) : given);
    try { return JSON.stringify(answer) ?? 'null'; } catch { return 'null'; } // a component of the page
}"""


def require(*programs: str) -> None:
    """Skip a test that needs programs which are missing."""
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed: nothing can be recorded (apt-get install firefox-esr pulseaudio)")


class Recorder:
    """The output of a sound server as one stream, with the wall time of each sample.

    The server's silent sink runs at its own clock, so sample n is at `offset + n / RATE`. Samples reach us late by as much as
    this process waits for its turn: of the readings around a sample the earliest one counts.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        command = [
            "parec",
            "--device=output.monitor",
            "--format=float32le",
            f"--rate={RATE}",
            "--channels=1",
            f"--latency-msec={LATENCY_MS}",
        ]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        self._parts: list[bytes] = []
        self._arrivals: list[tuple[float, int]] = []  # wall time, samples until then
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        n_bytes, pipe = 0, self._process.stdout.fileno()
        while part := os.read(pipe, 1 << 16):
            n_bytes += len(part)
            self._parts.append(part)
            self._arrivals.append((time.time(), n_bytes // 4))

    def between(self, start: float, end: float) -> tuple[np.ndarray, float]:
        """Return the samples between two wall times, float32, and the wall time of the first one."""
        while not self._arrivals or self._arrivals[-1][0] < end + 0.5:
            time.sleep(0.05)
        walls, counts = np.array(self._arrivals[: len(self._parts)]).T
        near = (walls > start - 1) & (walls < end + 1)
        offset = (walls[near] - counts[near] / RATE).min()
        samples = np.frombuffer(b"".join(self._parts)[: 4 * int(counts[-1])], np.float32)
        first = max(0, int((start - offset) * RATE))
        return samples[first : int((end - offset) * RATE)], offset + first / RATE

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._thread.join(10)


@contextmanager
def recorded_output(folder: Path) -> Iterator[tuple[dict[str, str], Recorder]]:
    """Run a PulseAudio of our own; yield the environment of what plays to it, and what records it."""
    require("pulseaudio", "parec", "pactl")
    socket = folder / "server.socket"
    environment = os.environ | {"PULSE_SERVER": f"unix:{socket}", "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
    environment["PULSE_LATENCY_MSEC"] = str(LATENCY_MS)  # the sink renders in blocks of the latency that its players ask for
    modules = (
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
        f"module-null-sink sink_name=output rate={RATE} channels=1",
    )
    command = [
        "pulseaudio",
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
        *(f"--load={one}" for one in modules),
    ]
    with (folder / "pulse.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    recorder = None
    try:
        end = time.monotonic() + START_SECONDS
        while subprocess.run(["pactl", "info"], env=environment, capture_output=True, check=False).returncode:
            if server.poll() is not None or time.monotonic() > end:
                pytest.skip("PulseAudio does not start here: nothing can be recorded")
            time.sleep(0.1)
        recorder = Recorder(environment)
        yield environment, recorder
    finally:
        if recorder:
            recorder.close()
        server.terminate()
        server.wait(10)


class FirefoxPage:
    """A page in Firefox, with those methods of Playwright's `Page` that tests need here."""

    def __init__(self, connection) -> None:
        self._connection, self._numbers = connection, itertools.count()
        self._send("session.new", capabilities={})
        self._context = self._send("browsingContext.getTree")["contexts"][0]["context"]
        self._send("browsingContext.setViewport", context=self._context, viewport={"width": 1280, "height": 900})

    def _send(self, method: str, **parameters: object) -> dict:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=START_SECONDS))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def goto(self, url: str) -> None:
        """Load an address."""
        self._send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, source: str, argument: object = None) -> object:
        """Return what an expression, or a function of `argument`, gives."""
        arguments = [{"type": "string", "value": text} for text in (source, json.dumps(argument))]
        target = {"context": self._context}
        answer = self._send(
            "script.callFunction", functionDeclaration=_CALL, arguments=arguments, target=target, awaitPromise=True
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def wait_for_function(self, source: str, arg: object = None) -> None:
        """Wait until an expression, or a function of `arg`, holds."""
        end = time.monotonic() + START_SECONDS
        condition = f"async (arg) => {{ const it = ({source}); return Boolean(await (it instanceof Function ? it(arg) : it)); }}"
        while not self.evaluate(condition, arg):
            assert time.monotonic() < end, f"never came true: {source}"
            time.sleep(0.05)

    def set_input_files(self, selector: str, path: Path) -> None:
        """Choose a file."""
        target = {"context": self._context}
        found = self._send(
            "script.evaluate", expression=f"document.querySelector('{selector}')", target=target, awaitPromise=False
        )
        element = {"sharedId": found["result"]["sharedId"]}
        self._send("input.setFiles", context=self._context, element=element, files=[str(path)])

    def on(self, *_: object) -> None:
        """Ignore a listener."""

    def close(self) -> None:
        """End the browser."""
        self._send("browser.close")


@contextmanager
def firefox(folder: Path, environment: dict[str, str]) -> Iterator[FirefoxPage]:
    """Run a headless Firefox; yield its page."""
    require("firefox-esr" if shutil.which("firefox-esr") else "firefox")
    from websockets.sync.client import connect

    profile = folder / "profile"
    profile.mkdir()
    lines = (f'user_pref("{name}", {json.dumps(value)});\n' for name, value in FIREFOX_SETTINGS.items())
    (profile / "user.js").write_text("".join(lines))
    program = shutil.which("firefox-esr") or "firefox"
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with connect(_address(folder / "firefox.log", process), max_size=None, proxy=None) as connection:
            page = FirefoxPage(connection)
            yield page
            with suppress(Exception):
                page.close()
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def _address(log: Path, process: subprocess.Popen) -> str:
    """Return where a Firefox that has just been started listens."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text(errors="replace")):
            return f"{found[1]}/session"
        time.sleep(0.1)
    pytest.skip(f"Firefox does not start here: {log.read_text(errors='replace')[-500:]}")
