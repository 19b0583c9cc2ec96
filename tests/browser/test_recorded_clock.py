"""One clock: what is drawn, played and exported agrees within 20 ms after any seek, by recordings of what browsers play.

Each second of the test files has a burst of its own frequency. The page plays three seconds after a seek; a recording of the
sound server's output is searched for the bursts, and a burst's wall time is compared with the wall time at which
`audio.currentTime` shows the moment at which that burst is drawn. Both times are of this machine's clock, so a slow
machine delays both. What is left is the time between media clock and loudspeaker, which a browser has for all files: a WAV, the
control, measures it in the same browser. An overloaded browser's pause delays some bursts, not the clock: a seek counts by the
best of four attempts, while a clock that is off by file or seek is off in all of them.

`python -m pytest -m recorded -s` prints a table; it needs PulseAudio and, for its half, Firefox.
"""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from playwright.sync_api import sync_playwright

import sounds
from chromium import FLAGS, Sheet
from recorded_output import RATE, Recorder, firefox, recorded_output, require

pytestmark = [pytest.mark.browser, pytest.mark.recorded]
TOLERANCE_S, ATTEMPTS, PLAYED_S = 0.02, 4, 3.2
BURST_S, FIRST_HZ, STEP_HZ, N_PITCHES = 0.06, 600.0, 60.0, 50
FILE_RATE = 24_000
CONTROL_S = (3.0, 11.0, 29.0, 53.0)
SEEKS_S = {  # file: where it is played from
    "control.wav": (0.0, 31.0),
    "vbr.mp3": (0.0, 61.0, 300.0, 471.0, 595.0),
    "edit_list.m4a": (0.0, 9.0, 40.0),
    "gaps.mka": (0.0, 18.0, 33.0, 50.0),
    "two_tracks.mp4": (0.0, 20.0, 41.0),
}


def bursts(seconds: int) -> np.ndarray:
    """A tone of 60 ms amid each second, each 60 Hz above the last one, fifty of them in turn; between them noise."""
    waveform = 1e-3 * np.random.default_rng(0).standard_normal(seconds * FILE_RATE).astype(np.float32)
    envelope = np.hanning(round(BURST_S * FILE_RATE)).astype(np.float32)
    for second in range(seconds):
        first = round((second + 0.5) * FILE_RATE) - len(envelope) // 2
        tone = sounds.tone(FIRST_HZ + STEP_HZ * (second % N_PITCHES), BURST_S, FILE_RATE)
        waveform[first : first + len(envelope)] += tone * envelope
    return waveform


def write_timed(path: Path, samples: np.ndarray, starts_s: list[tuple[float, float]], codec: str = "aac") -> Path:
    """Write a sound whose parts from a second on (`starts_s`: second, shift) are later in the time stamps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FILE_RATE, layout="mono")
        size, position = stream.codec_context.frame_size or 1024, 0
        while position < len(samples):
            frame = av.AudioFrame.from_ndarray(samples[None, position : position + size], format="fltp", layout="mono")
            shift = sum(by for start, by in starts_s if position >= start * FILE_RATE)
            frame.sample_rate, frame.time_base = FILE_RATE, Fraction(1, FILE_RATE)
            frame.pts = position + round(shift * FILE_RATE)
            container.mux(stream.encode(frame))
            position += size
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """The folder of the files to play."""
    folder = tmp_path_factory.mktemp("clock")
    minute = bursts(60)
    sounds.write(folder / "control.wav", minute, FILE_RATE, "PCM_16")
    options = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.5}
    soundfile.write(str(folder / "vbr.mp3"), bursts(600), FILE_RATE, **options)
    write_timed(folder / "edit_list.m4a", minute, [(0, 2.0)])
    write_timed(folder / "gaps.mka", minute, [(20.0, 1.5), (40.0, 0.7)], "flac")
    sounds.write_tracks(folder / "two_tracks.mp4", [minute, minute[::-1]], FILE_RATE)
    return folder


@contextmanager
def chromium_page(chromium_path: str | None, environment: dict[str, str]) -> Iterator:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=FLAGS, env=environment, ignore_default_args=["--mute-audio"]
        )
        yield browser.new_page(locale="en-US", viewport={"width": 1280, "height": 900})
        browser.close()


@pytest.fixture(params=["chromium", "firefox"])
def recorded(request, server, chromium_path, tmp_path) -> Iterator[tuple[str, Sheet, Recorder]]:
    """A browser's name, the app in it, and the recording of what it plays."""
    if request.param == "firefox":
        require("firefox-esr" if shutil.which("firefox-esr") else "firefox")
    with recorded_output(tmp_path) as (environment, recorder):
        opened = firefox(tmp_path, environment) if request.param == "firefox" else chromium_page(chromium_path, environment)
        with opened as page:
            yield request.param, Sheet(page, server.url).start(), recorder


def centres(samples: np.ndarray, rate: float) -> list[float]:
    """Return the middle of each burst in seconds, by the centroid of its power."""
    power = np.square(samples, dtype=np.float64)
    half = round(1.5 * BURST_S * rate)
    smooth = np.convolve(power, np.ones(max(1, round(BURST_S * rate / 2))), "same")
    found = []
    least = 0.1 * smooth.max(initial=0.0)
    while smooth.max(initial=0.0) > max(least, 1e-9):
        peak = int(smooth.argmax())
        first = max(0, peak - half)
        part = power[first : peak + half]
        if peak >= half and peak + half < len(power):  # whole
            found.append((first + float((part * np.arange(len(part))).sum() / part.sum())) / rate)
        smooth[max(0, peak - 4 * half) : peak + 4 * half] = 0.0
    return sorted(found)


def pitch(samples: np.ndarray, rate: float, centre_s: float) -> int:
    """Return the number of a burst's frequency."""
    part = samples[round((centre_s - BURST_S / 2) * rate) : round((centre_s + BURST_S / 2) * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 15))
    return round((float(spectrum.argmax()) * rate / (1 << 15) - FIRST_HZ) / STEP_HZ)


def drawn(sheet: Sheet, start: float, end: float) -> list[float]:
    """Return the middles of the bursts in the spectrogram on screen."""
    sheet.ev("([start, end]) => session.show(start, end)", [start, end])
    sheet.until(
        "([start, end]) => viewer.data && viewer.current() && !viewer.host.hasAttribute('data-busy')"
        " && viewer.data.start <= start + 0.01 && viewer.data.end >= end - 0.01 && viewer.data.end - viewer.data.start < 12",
        [start, end],
    )
    power, first, last = sheet.ev(
        """() => { const { levels, rows, columns, start, end, low_db, high_db } = viewer.data;
            const power = (column) => { let sum = 0;
                for (let row = 0; row < rows; row++) {
                    sum += 10 ** ((low_db + (levels[row * columns + column] / 255) * (high_db - low_db)) / 10);
                } return sum; };
            return [Array.from({ length: columns }, (_, column) => Math.sqrt(power(column))), start, end]; }"""
    )
    step = (last - first) / len(power)
    return [first + step / 2 + centre for centre in centres(np.array(power), 1 / step)]


def exported(sheet: Sheet, start: float, end: float) -> tuple[np.ndarray, int]:
    """Return the samples and the rate of the interval saved as a WAV."""
    content = sheet.ev(
        """async ([start, end]) => {
            const { request } = window.rpc;
            const { url } = await request(viewer.server.save_selection, { sound: session.state.sound.id, start, end });
            const bytes = new Uint8Array(await (await fetch(new URL(url, document.baseURI))).arrayBuffer());
            let text = '';
            for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
            return btoa(text); }""",
        [start, end],
    )
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)), dtype="float32")
    return samples, rate


def played(sheet: Sheet, recorder: Recorder, start: float) -> list[tuple[float, int]]:
    """Return media time and pitch of each burst that is played after a seek."""
    sheet.ev(
        """async (start) => {
            window.clock = [];
            session.audio.pause();
            session.seek(start);
            while (session.audio.seeking || session.audio.readyState < 3) await new Promise((done) => setTimeout(done, 20));
            window.listening = setInterval(() => {
                if (session.audio.paused) return;
                clock.push([(performance.timeOrigin + performance.now()) / 1000, session.audio.currentTime]);
            }, 10);
            await session.play(); }""",
        start,
    )
    sheet.until(f"session.audio.currentTime > {start + PLAYED_S} || session.audio.ended")
    readings = sheet.ev("() => { session.audio.pause(); clearInterval(listening); return clock; }")
    walls, times = np.array(readings).T
    samples, first = recorder.between(walls[0], walls[-1])
    return [(float(np.interp(first + at, walls, times)), pitch(samples, RATE, at)) for at in centres(samples, RATE)]


def lags(sheet: Sheet, recorder: Recorder, start: float) -> tuple[list[float], float]:
    """Return how much later than drawn each burst is played after a seek, and the largest difference of the export."""
    seen = drawn(sheet, start, start + PLAYED_S + 0.3)
    samples, rate = exported(sheet, start, min(start + PLAYED_S + 0.3, sheet.ev("session.state.sound.seconds")))
    saved = centres(samples, rate)
    assert saved, "no burst in the export"
    pitches = [pitch(samples, rate, centre) for centre in saved]
    differences = [min((start + centre - one for one in seen), key=abs) for centre in saved]
    found = played(sheet, recorder, start)
    late = [time_s - (start + saved[pitches.index(number)]) for time_s, number in found if number in pitches]
    return late, max(differences, key=abs)


def best_lag(sheet: Sheet, recorder: Recorder, start: float, reference: float) -> tuple[float, float]:
    """Return how much later than the control a file is played after a seek, by its best attempt, and as `lags`."""
    best, saved = np.inf, 0.0
    for _ in range(ATTEMPTS):
        late, difference = lags(sheet, recorder, start)
        saved = max(saved, difference, key=abs)
        best = min([best, *([float(np.median(late)) - reference] if late else [])], key=abs)
        if abs(best) < TOLERANCE_S:
            break
    return best, saved


def test_drawn_played_and_exported_agree(recorded, files):
    browser, sheet, recorder = recorded
    sheet.load("core/rpc", "rpc")
    sheet.open_file(files / "control.wav")
    reference = float(np.median([one for start in CONTROL_S for one in lags(sheet, recorder, start)[0]]))
    print(f"{browser}: the loudspeaker is {1000 * reference:.0f} ms after the media clock")
    assert abs(reference) < 0.25  # what browser and sound server buffer
    wrong = []
    for name, starts in SEEKS_S.items():
        sheet.open_file(files / name)
        sheet.until("session.audio.readyState > 0")
        for start in starts:
            late, saved = best_lag(sheet, recorder, start, reference)
            said = f"{browser} {name} from {start:.0f} s: played {1000 * late:+.0f} ms, exported {1000 * saved:+.1f} ms"
            print(said)
            if max(abs(late), abs(saved)) >= TOLERANCE_S:
                wrong.append(said)
    assert not wrong, wrong
