"""The page in a real Chromium: each promise of the first view, kept by pointer, by keyboard and by microphone."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

import sounds
from chromium import MICROPHONE_HZ, PLAYHEAD, Sheet
from esc.config import LIBROSA, PRESETS
from esc.ui.i18n.catalogue import CLASSES_RUSSIAN, ENGLISH, RUSSIAN

pytestmark = pytest.mark.browser

RATE = 22_050  # librosa's, so that nothing is resampled on the way
TONE_HZ, TONE_SECONDS = 1000.0, 2.0
BROKEN = b"this is no sound at all, whatever its name may say. " * 50
NASTY = "<img src=x onerror=alert(1)>.wav"


def faded(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return it with 50 ms of fading at both ends, since codecs overshoot where a sound sets in."""
    n_samples = sample_rate // 20
    ramp = np.sin(np.linspace(0, np.pi / 2, n_samples)) ** 2
    waveform = waveform.copy()
    waveform[:n_samples] *= ramp
    waveform[-n_samples:] *= ramp[::-1]
    return waveform


def librosa_empty_bands(n_fft: int, n_mels: int) -> np.ndarray:
    """Return the numbers of the bands that no bin falls into."""
    return np.flatnonzero(librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=n_mels).max(axis=1) == 0)


def write_containers(folder: Path) -> dict[str, tuple[Path, str, int]]:
    """Write one tone into every container; return path, what its format fact begins with, and its rate."""
    waveform, opus = faded(sounds.tone(TONE_HZ, TONE_SECONDS), 44_100), faded(sounds.tone(TONE_HZ, TONE_SECONDS, 48_000), 48_000)
    stereo = sounds.in_channels(waveform, 2)
    files = {name: folder / f"tone.{name}" for name in ("wav", "flac", "ogg", "opus", "mp3", "aiff", "m4a", "webm", "mp4", "mka")}
    sounds.write(files["wav"], stereo, 44_100, "PCM_24")
    for name in ("flac", "ogg", "mp3", "aiff"):
        sounds.write(files[name], waveform, 44_100)
    sounds.write(files["opus"], opus, 48_000, "OPUS")
    sounds.write_av(files["m4a"], waveform, 44_100, "aac")
    sounds.write_av(files["webm"], opus, 48_000, "libopus", video=True)
    sounds.write_av(files["mp4"], waveform, 44_100, "aac", video=True)
    sounds.write_av(files["mka"], waveform, 44_100, "flac")
    formats = dict.fromkeys(files, "") | {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "opus": "OGG", "mp3": "MP3", "aiff": "AIFF"}
    return {name: (path, formats[name], 48_000 if name in ("opus", "webm") else 44_100) for name, path in files.items()}


@pytest.fixture(scope="session")
def busy_wav(tmp_path_factory) -> Path:
    """Five seconds of everything at librosa's own rate, in floats."""
    waveform = sounds.busy(5.0, RATE)
    return sounds.write(tmp_path_factory.mktemp("sounds") / "busy.wav", waveform, RATE, "FLOAT")


def at_rest(sheet: Sheet, action) -> None:
    """Do something and give the page two frames to ask the server for anything it might want."""
    action()
    sheet.ev("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def type_into(sheet: Sheet, field: str, value: object) -> None:
    """Type a number into a parameter's box, key by key, and leave it."""
    box = sheet.page.locator(f"#sg-{field}")
    box.select_text()
    box.press_sequentially(str(value))
    box.press("Tab")


def parameters(sheet: Sheet) -> dict:
    """Return the parameters that the panel stands at."""
    return sheet.ev("viewer.panel.values()")


def test_containers(sheet: Sheet, tmp_path: Path, subtests):
    for name, (path, container, rate) in write_containers(tmp_path).items():
        with subtests.test(container=name):
            sheet.open_file(path)
            facts = sheet.facts()
            assert facts[ENGLISH["player.fact_name"]] == path.name
            assert facts[ENGLISH["player.fact_rate"]] == f"{rate:,} Hz"
            minutes, seconds = facts[ENGLISH["player.fact_length"]].split(":")
            assert 60 * int(minutes) + float(seconds) == pytest.approx(TONE_SECONDS, abs=0.08)  # codecs pad
            assert facts[ENGLISH["player.fact_channels"]] == ("stereo" if name == "wav" else "mono")
            assert facts[ENGLISH["player.fact_format"]].startswith(container)
            # amplitude 0.5 is -6.02 dB and its RMS 3.01 dB less; the WAV's second channel halves the second one
            assert float(facts[ENGLISH["player.fact_peak"]].removesuffix(" dBFS")) == pytest.approx(-6.0, abs=0.4)
            assert float(facts[ENGLISH["player.fact_rms"]].removesuffix(" dBFS")) == pytest.approx(
                -11.5 if name == "wav" else -9.0, abs=0.3
            )
            assert sheet.pixels()["colours"] > 20
            bands_hz = librosa.mel_frequencies(LIBROSA.n_mels + 2, fmin=0.0, fmax=RATE / 2)
            assert sheet.loudest_hz() == pytest.approx(bands_hz[np.abs(bands_hz - TONE_HZ).argmin()], abs=0.01)
            sheet.page.click(".sg-play")
            sheet.until("session.audio.currentTime > 0.05 && !session.audio.paused")
            assert sheet.ev("session.audio.duration") == pytest.approx(TONE_SECONDS, abs=0.1)
            sheet.page.click(".sg-play")
            sheet.until("session.audio.paused")


def test_drop(sheet: Sheet, busy_wav: Path):
    transfer = sheet.page.evaluate_handle(
        """(data) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            transfer.items.add(new File([bytes], 'dropped.wav', { type: 'audio/wav' }));
            return transfer;
        }""",
        base64.b64encode(busy_wav.read_bytes()).decode(),
    )
    with sheet.new_picture():  # beside the player, for the whole page takes drops
        for event in ("dragenter", "dragover"):
            sheet.page.dispatch_event("#mel", event, {"dataTransfer": transfer})
        expect(sheet.page.locator("[data-drag]")).to_be_visible()
        sheet.page.dispatch_event("#mel", "drop", {"dataTransfer": transfer})
    expect(sheet.page.locator("[data-drag]")).to_have_count(0)
    assert sheet.facts()[ENGLISH["player.fact_name"]] == "dropped.wav"


def test_parameter_by_pointer(sheet: Sheet):
    sheet.open_example("crow")
    painted = sheet.pixels()
    slider = sheet.page.locator("[data-field=n_mels] input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    thumb = 16.0
    low, high = (float(slider.get_attribute(name)) for name in ("min", "max"))
    share = (float(slider.input_value()) - low) / (high - low)
    x, y = box["x"] + thumb / 2 + share * (box["width"] - thumb), box["y"] + box["height"] / 2
    with sheet.new_picture():
        sheet.page.mouse.move(x, y)
        sheet.page.mouse.down()
        sheet.page.mouse.move(x - 20, y, steps=4)
        sheet.page.mouse.up()
    sheet.until("viewer.data.rows === viewer.panel.values().n_mels")
    assert 4 <= sheet.picture()["rows"] < 128
    assert sheet.pixels()["sum"] != painted["sum"]
    expect(sheet.page.locator("#sg-n_mels")).to_have_value(str(sheet.picture()["rows"]))
    expect(sheet.page.locator(".sg-preset select")).to_have_value("own")


def test_parameter_by_keyboard(sheet: Sheet):
    sheet.open_example("crow")
    painted = sheet.pixels()
    slider = sheet.page.locator("[data-field=n_mels] input[type=range]")
    slider.focus()
    with sheet.new_picture():
        slider.press("ArrowRight")
    assert sheet.picture()["rows"] == 129
    moved = sheet.pixels()
    assert moved["sum"] != painted["sum"]
    type_into(sheet, "n_mels", 64)
    sheet.until("viewer.data.rows === 64")
    assert sheet.pixels()["sum"] not in (painted["sum"], moved["sum"])
    with sheet.new_picture():  # the FFT takes the window with it, as both are one in librosa's defaults
        sheet.page.locator("[data-field=n_fft] input[type=range]").press("ArrowLeft")
    assert (parameters(sheet)["n_fft"], parameters(sheet)["win_length"]) == (1024, 1024)
    expect(sheet.page.locator(".sg-derived")).to_contain_text("46.4 ms")


def test_presets(sheet: Sheet):
    sheet.open_example("crow")
    for name in ("notebook", "speech", "birdsong", "bats", "clicks", "esc50", "librosa"):
        config = PRESETS[name]
        with sheet.new_picture():
            sheet.page.select_option(".sg-preset select", name)
        picture = sheet.picture()
        assert picture["rows"] == config.n_mels
        assert picture["high_db"] - picture["low_db"] == pytest.approx(config.top_db)
        mels = librosa.mel_frequencies(config.n_mels + 2, fmin=config.fmin, fmax=config.fmax, htk=config.mel_scale == "htk")
        np.testing.assert_allclose(picture["edges_hz"], mels, atol=2e-3)
        assert parameters(sheet).items() <= config.to_dict().items()
        expect(sheet.page.locator(".sg-refusal")).to_be_hidden()
        assert sheet.pixels()["colours"] > 20


@pytest.mark.parametrize(
    ("field", "impossible", "reason", "fixed"),
    [
        ("win_length", 4096, "4,096 is not possible: the window must fit into", 2048),
        ("fmax", 20000, "20,000 Hz is not possible: it must be at most 11,025 Hz, half of 22,050 Hz", 11025),
        ("n_mels", 1000, "1,000 is not possible: it must lie between 4 and 512", 512),
    ],
)
def test_impossible_parameters_and_fixes(sheet: Sheet, field, impossible, reason, fixed):
    sheet.open_example("crow")
    painted = sheet.pixels()
    type_into(sheet, field, impossible)
    refusal = sheet.page.locator(".sg-refusal")
    expect(refusal).to_contain_text(f"{ENGLISH[f'parameters.field_{field}']} = {reason}")
    assert sheet.page.locator(f"[data-field={field}]").get_attribute("data-wrong") == "true"
    assert sheet.pixels() == painted  # the last good picture stays
    expect(refusal.locator("button")).to_have_text(re.compile(rf"{ENGLISH[f'parameters.field_{field}']}.*\b{fixed:,}\b"))
    at_rest(sheet, refusal.locator("button").click)
    expect(refusal).to_be_hidden()
    expect(sheet.page.locator("[data-wrong]")).to_have_count(0)
    sheet.until("([field, value]) => viewer.panel.values()[field] === value", [field, fixed])
    sheet.until("viewer.data.rows === viewer.panel.values().n_mels")
    assert sheet.pixels()["colours"] > 20


@pytest.mark.filterwarnings("ignore:Empty filters")
def test_empty_mel_bands_and_fix(sheet: Sheet):
    sheet.open_example("crow")
    type_into(sheet, "n_mels", 256)
    type_into(sheet, "n_fft", 512)
    sheet.until("viewer.data.rows === 256 && viewer.data.meaning.bin_hz > 43")
    empty = librosa_empty_bands(n_fft=512, n_mels=256)
    warning = sheet.page.locator("#mel [data-note=empty]")
    expect(warning).to_contain_text(f"{len(empty)} mel bands stay black")
    expect(warning).to_contain_text(", ".join(str(band + 1) for band in empty[:6]))
    with sheet.new_picture():
        warning.locator("button").click()
    expect(warning).to_be_hidden()
    values = parameters(sheet)
    assert len(librosa_empty_bands(values["n_fft"], values["n_mels"])) == 0


def test_display_settings_without_requests(sheet: Sheet):
    sheet.open_example("crow")
    sheet.page.click("[data-do=display]")
    seen, asked = [sheet.pixels()["sum"]], len(sheet.requests)
    for action in (
        lambda: sheet.page.select_option(".sg-colours", "viridis"),
        lambda: sheet.page.select_option(".sg-axis", "linear"),
        lambda: sheet.page.select_option(".sg-axis", "log"),
        lambda: sheet.page.locator(".sg-low").press("PageUp"),
        lambda: sheet.page.locator(".sg-high").press("PageDown"),
    ):
        at_rest(sheet, action)
        seen.append(sheet.pixels()["sum"])
    assert len(set(seen)) == len(seen)
    assert sheet.requests[asked:] == []


def test_seek_and_playhead(sheet: Sheet):
    sheet.open_example("crow")
    sheet.page.mouse.click(*sheet.point(0.4, 0.5))
    sheet.until("Math.abs(session.audio.currentTime - 2.0) < 0.03")
    left = sheet.ev("viewer.area().left + 0.4 * viewer.area().width")
    sheet.until(f"(x) => Math.abs({PLAYHEAD} - x) < 4", left)
    head = "parseFloat(document.querySelector('.sg-playhead').style.left)"
    sheet.until(f"Math.abs({head} - 40) < 1")
    sheet.page.click(".sg-play")
    expect(sheet.page.locator(".sg-play")).to_have_attribute("aria-label", ENGLISH["player.pause"])
    sheet.until(f"(x) => {PLAYHEAD} > x + 10 && {head} > 41", left)
    sheet.page.click(".sg-play")
    expect(sheet.page.locator(".sg-play")).to_have_attribute("aria-label", ENGLISH["player.play"])
    box = sheet.page.locator(".sg-strip").bounding_box()
    sheet.page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    sheet.until("Math.abs(session.audio.currentTime - 4.0) < 0.03")
    sheet.page.click(".sg-loop")
    expect(sheet.page.locator(".sg-loop")).to_have_attribute("aria-pressed", "true")
    assert sheet.ev("session.audio.loop") is True


def test_zoom_resolution(sheet: Sheet, tmp_path: Path):
    sheet.open_file(sounds.write(tmp_path / "minute.wav", sounds.sweep(60.0, RATE), RATE))
    per_second = "viewer.data.columns / (viewer.data.end - viewer.data.start)"
    coarse, all_of_it = sheet.ev(per_second), sheet.picture()
    assert all_of_it["end"] - all_of_it["start"] == pytest.approx(60.0, abs=0.1)
    sheet.page.mouse.move(*sheet.point(0.5, 0.5))
    with sheet.new_picture():
        sheet.page.mouse.wheel(0, -900)
    shown = sheet.ev("session.state.visible")
    assert shown["end"] - shown["start"] < 20
    assert shown["start"] < 30.0 < shown["end"]  # around the pointer
    sheet.until("viewer.data.end - viewer.data.start < 21")
    assert sheet.ev(per_second) > 2 * coarse
    assert sheet.ev(per_second) == pytest.approx(RATE / 512, rel=0.02)  # every frame there is
    with sheet.new_picture():
        sheet.page.locator(".sg-plot").press("0")
    assert sheet.ev("session.state.visible") == {"start": 0, "end": pytest.approx(60.0)}
    with sheet.new_picture():
        sheet.page.locator(".sg-plot").press("+")
    assert sheet.ev("session.state.visible.end - session.state.visible.start") == pytest.approx(30.0)
    expect(sheet.page.locator(".sg-visible-range")).to_be_visible()


def test_time_formats(sheet: Sheet):
    times = [4.5, 59.996, 659.7, 3599.7, 3600]
    clocks = sheet.ev("(times) => times.map((time) => i18n.formatTime(time))", times)
    assert clocks == ["0:04.50", "1:00.00", "11:00", "1:00:00", "1:00:00"]
    ticks = """([start, end, count, origin = null]) => {
        const { marks, name: unit } = soundglass['lib/time_axis.js'].timeTicks(start, end, count, origin);
        return [unit, ...marks.map(([, text]) => text)];
    }"""
    for asked, expected in [
        ([3599.76, 3600.24, 5], ["min:s", "59:59.8", "59:59.9", "1:00:00.0", "1:00:00.1", "1:00:00.2"]),
        ([0, 12, 7], ["time, s", "0", "2", "4", "6", "8", "10", "12"]),
        ([0, 600, 12], ["min:s", *(f"{minute}:00" for minute in range(11))]),
        ([10, 160, 6], ["min:s", "0:30", "1:00", "1:30", "2:00", "2:30"]),
        ([0, 7000, 5], ["h:min", "00:00", "00:30", "01:00", "01:30"]),
        ([0, 180, 4, 86_310], ["h:min:s", "23:59:00", "00:00:00", "00:01:00"]),  # recorded from 23:58:30 on
        ([0, 100, 5, 86_310], ["time, s", "0", "20", "40", "60", "80", "100"]),
    ]:
        assert sheet.ev(ticks, asked) == expected


def test_readout_equals_librosa(sheet: Sheet, busy_wav: Path):
    sheet.open_file(busy_wav)
    waveform, _ = soundfile.read(busy_wav, dtype="float32")
    level_db = librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=RATE), top_db=80.0)
    seconds, top_mel = len(waveform) / RATE, librosa.hz_to_mel(RATE / 2)
    area = sheet.ev("viewer.area()")

    def spot(share_x: float, share_y: float) -> tuple[float, float, float, float]:
        """Return the nearest place that lies well inside one frame and one band, and its time and mel."""
        x0, y0 = sheet.point(0.0, 0.0)
        for x in range(round(x0 + share_x * area["width"]), 2000):
            time_s = (x - x0) / area["width"] * seconds
            if abs((time_s * RATE / 512 + 0.5) % 1 - 0.5) < 0.2:
                break
        for y in range(round(y0 + share_y * area["height"]), 2000):
            mel = (1 - (y - y0) / area["height"]) * top_mel
            if abs((mel / top_mel * (LIBROSA.n_mels + 1) + 0.5) % 1 - 0.5) < 0.2:
                return x, y, time_s, mel
        raise AssertionError("no such place")

    for share_x, share_y in ((0.1, 0.7), (0.35, 0.5), (0.5, 0.2), (0.62, 0.9)):
        x, y, time_s, mel = spot(share_x, share_y)
        sheet.page.mouse.move(x, y)
        readout = sheet.page.locator(".sg-readout")
        expect(readout).to_have_text(re.compile(r"-?\d+\.\d\d dB$"))  # whole dB at once, exact ones at rest
        shown = re.fullmatch(r"([\d.]+) s · ([\d,]+) Hz · ([\d.]+) mel · (?:≤ )?(-?[\d.]+) dB", readout.inner_text().strip())
        shown_s, shown_hz, shown_mel, shown_db = (float(part.replace(",", "")) for part in shown.groups())
        assert shown_s == pytest.approx(time_s, abs=0.002)
        assert shown_mel == pytest.approx(mel, abs=0.2)
        assert shown_hz == pytest.approx(librosa.mel_to_hz(mel), rel=0.01, abs=1)
        band, frame = round(mel / top_mel * (LIBROSA.n_mels + 1)) - 1, round(time_s * RATE / 512)
        assert shown_db == pytest.approx(level_db[band, frame], abs=0.05)
        sheet.page.mouse.move(5, 5)


SPY = """
    const media = navigator.mediaDevices;
    const original = media.getUserMedia.bind(media);
    window.wanted = [];
    media.getUserMedia = (constraints) => { window.wanted.push(constraints); return original(constraints); };
"""


SOONER = "const later = setTimeout; window.setTimeout = (work, ms, ...rest) => later(work, ms === 30000 ? 50 : ms, ...rest);"


def test_recording(open_sheet):
    sheet = open_sheet(prepare=SPY)
    record = sheet.page.locator(".sg-record")
    record.press("Space")
    expect(record).to_contain_text(ENGLISH["player.stop"])
    sheet.until("Number((document.querySelector('.sg-hint').textContent.match(/:(\\d+\\.\\d+)/) ?? [])[1]) > 0.8")
    with sheet.new_picture():
        sheet.page.keyboard.press("Space")  # the button that began it still has the focus
    expect(record).to_contain_text(ENGLISH["player.record"])
    assert sheet.ev("window.wanted") == [
        {"audio": {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}}
    ]
    assert sheet.facts()[ENGLISH["player.fact_name"]].startswith("recording-")
    assert sheet.ev("session.state.sound.seconds") > 0.8
    assert sheet.loudest_hz() == pytest.approx(MICROPHONE_HZ, rel=0.06)


def test_drag_from_elsewhere_does_not_seek(sheet: Sheet):
    sheet.open_example("crow")
    strip = sheet.page.locator(".sg-strip").bounding_box()
    sheet.page.mouse.move(strip["x"] + strip["width"] / 2, strip["y"] - 40)
    sheet.page.mouse.down()
    sheet.page.mouse.move(strip["x"] + strip["width"] / 2, strip["y"] + strip["height"] / 2, steps=3)
    assert sheet.ev("session.audio.currentTime") == 0
    sheet.page.mouse.up()
    sheet.page.mouse.down()
    sheet.until("session.audio.currentTime > 0")
    sheet.page.mouse.up()


def test_recording_after_failed_upload(sheet: Sheet):
    page, line = sheet.page, sheet.page.locator(".sg-unopened p")
    stays = "window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert sheet.ev(stays), "nothing to lose, nothing is asked"
    page.route("**/upload*", lambda route: route.abort())
    for _ in range(2):
        page.click(".sg-record")
        sheet.until("/[1-9]/.test(document.querySelector('.sg-hint').textContent)")
        assert not sheet.ev(stays), "the browser asks before the recording is lost"
        page.click(".sg-record")
    expect(line).to_have_count(2)
    expect(page.locator(".sg-message")).to_contain_text(ENGLISH["page.offline"])
    assert not sheet.ev(stays)
    with page.expect_download() as saved:
        line.first.get_by_role("button", name=ENGLISH["live.save"]).click()
    assert soundfile.info(saved.value.path()).frames > 0
    line.first.locator("button").last.click()
    page.unroute("**/upload*")
    name = re.search(r"recording-\S+\.wav", line.inner_text())[0]
    with sheet.new_picture():
        line.get_by_role("button", name=ENGLISH["page.retry"]).click()
    expect(line).to_have_count(0)
    assert sheet.facts()[ENGLISH["player.fact_name"]] == name
    assert not sheet.ev(stays)
    with page.expect_download():
        page.click(".sg-save-recording")
    assert sheet.ev(stays)
    page.route("**/upload*", lambda route: route.abort())
    sheet.ev(
        """() => {
            const { component } = document.querySelector('.sg-player');
            component.openRecording(component.recent.opened.get(session.state.sound.digest).file, { full_scale: 2 });
        }"""
    )
    expect(line).to_have_count(1)
    page.unroute("**/upload*")
    line.get_by_role("button", name=ENGLISH["page.retry"]).click()
    sheet.until("session.state.sound.full_scale === 2")  # read as before it failed
    sheet.complaints.clear()  # of the aborted uploads


def test_denied_microphone(open_sheet, busy_wav: Path):
    sheet = open_sheet(permissions=["geolocation"])
    sheet.open_file(busy_wav)
    sheet.page.click(".sg-record")
    expect(sheet.page.locator(".sg-message")).to_contain_text(ENGLISH["player.mic_denied"])
    expect(sheet.page.locator(".sg-record")).to_contain_text(ENGLISH["player.record"])
    assert sheet.facts()[ENGLISH["player.fact_name"]] == busy_wav.name
    sheet.page.click(".sg-message button")
    expect(sheet.page.locator(".sg-message")).to_be_hidden()


def test_example_classification(sheet: Sheet):
    sheet.open_example("church_bells")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
    bars = sheet.page.locator(".sg-bars li")
    expect(bars).to_have_count(5)
    labels = [bar.get_attribute("data-label") for bar in bars.all()]
    shares = [float(bar.locator("output").inner_text().rstrip("%")) for bar in bars.all()]
    assert "church_bells" in labels
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 100.3
    expect(sheet.page.locator(".sg-verdict .sg-big")).to_have_text(labels[0].replace("_", " "))
    sheet.choose_example("door_wood_knock")  # the tab on screen follows the sound
    expect(sheet.page.locator(".sg-bars li[data-label=door_wood_knock]")).to_be_visible()


def test_retry_after_timeout(open_sheet):
    sheet = open_sheet(prepare=SOONER)
    page, joins, held = sheet.page, "**/queue/join*", []
    sheet.open_example("crow")
    page.route(joins, lambda route: route.fulfill(status=503, json={"detail": "Queue is full."}))
    page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
    again = page.locator(".sg-classify").get_by_role("button", name=ENGLISH["page.retry"])
    expect(again).to_be_visible()
    page.unroute(joins)
    again.click()
    expect(page.locator(".sg-bars li[data-label=crow]")).to_be_visible()
    page.route(joins, lambda route: held.append(route))
    sheet.choose_example("rain")
    again.click()
    expect(again).to_be_visible()
    page.unroute(joins)  # which lets them go
    expect(page.locator(".sg-bars li[data-label=rain]")).to_be_visible()  # late, but it counts
    expect(again).to_be_hidden()
    sheet.complaints.clear()  # of the full queue


def test_silent_sound(sheet: Sheet, tmp_path: Path):
    sheet.open_file(sounds.write(tmp_path / "nothing.wav", np.zeros(RATE, np.float32), RATE))
    assert sheet.facts()[ENGLISH["player.fact_peak"]] == ENGLISH["page.silence"]
    expect(sheet.page.locator("#player .sg-message")).to_be_hidden()  # nothing cancels: there is nothing
    assert sheet.ev("Math.max(...viewer.data.levels)") == 0
    assert sheet.pixels()["colours"] <= 3  # the playhead's own are on another canvas
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
    expect(sheet.page.locator(".sg-verdict .sg-big")).to_have_text(ENGLISH["page.silence"])
    expect(sheet.page.locator(".sg-bars")).to_have_count(0)


def test_too_short_a_sound_offers_no_retry(sheet: Sheet, tmp_path: Path):
    sheet.open_file(sounds.write(tmp_path / "short.wav", sounds.tone(1_000.0, 0.02), 44_100))
    page = sheet.page
    page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
    for part in (".sg-classify", ".sg-similar"):
        expect(page.locator(part).get_by_text("too short to name")).to_be_visible()
    expect(page.locator(".sg-timeline")).to_have_attribute("data-stage", "failed")
    expect(page.locator(".sg-timeline .sg-error")).to_be_hidden()
    for text in ("page.retry", "timeline.run_again"):
        expect(page.get_by_role("button", name=ENGLISH[text])).to_have_count(0)


def test_noise_and_tone_verdict(sheet: Sheet, tmp_path: Path):
    """Sounds of none of the classes: the verdict says so, in grey, and names the nearest class."""
    noise = np.random.default_rng(0).normal(0, 0.2, 5 * RATE).astype(np.float32)
    said = sheet.page.locator(".sg-verdict .sg-big")
    for name, waveform in (("noise", noise), ("tone", sounds.tone(440.0, 5.0, RATE))):
        sheet.open_file(sounds.write(tmp_path / f"{name}.wav", waveform, RATE))
        sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
        expect(sheet.page.locator(".sg-verdict[data-state=unknown]")).to_be_visible()
        nearest = sheet.page.locator(".sg-bars li").first.get_attribute("data-label").replace("_", " ")
        expect(said).to_have_text(ENGLISH["classify.unknown"].format(count=50, what=nearest))
        grey, plain = (
            sheet.ev("(of) => getComputedStyle(document.querySelector(of)).color", of)
            for of in (".sg-verdict .sg-big", ".sg-verdict")
        )
        assert grey != plain
        sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"]).click()
        sheet.open_example("siren")
        sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
        expect(said).to_have_text("siren")
        sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"]).click()


@pytest.mark.parametrize(
    ("locale", "sentence"), [("en-US", "broken.wav can't be read as sound"), ("ru-RU", "broken.wav не читается как звук")]
)
def test_broken_file(open_sheet, busy_wav: Path, tmp_path: Path, locale, sentence):
    sheet = open_sheet(locale=locale)
    sheet.open_file(busy_wav)
    painted, facts = sheet.pixels(), sheet.facts()
    broken = tmp_path / "broken.wav"
    broken.write_bytes(BROKEN)
    sheet.page.set_input_files("input.sg-file", broken)
    message = sheet.page.locator(".sg-message")
    expect(message).to_contain_text(sentence)
    expect(message).to_contain_text("FLAC")  # what would be accepted
    assert "Traceback" not in message.inner_text()
    assert sheet.facts() == facts
    broken.write_bytes(b"")
    sheet.page.set_input_files("input.sg-file", broken)
    expect(message).to_contain_text("0 байт" if locale == "ru-RU" else "0 bytes")
    sheet.page.click(".sg-message button")
    expect(message).to_be_hidden()
    sheet.until("viewer.data !== null")
    assert sheet.pixels() == painted
    sheet.page.click(".sg-play")  # what was open still plays
    sheet.until("session.audio.currentTime > 0.05")


TABS = ("wave", "stft", "mel", "mfcc", "surface", "classify", "live", "compare", "teach", "files", "learn", "about")


def test_russian_page(open_sheet, busy_wav: Path):
    sheet = open_sheet(locale="ru-RU")
    expect(sheet.page.locator("html")).to_have_attribute("lang", "ru")
    expect(sheet.page.get_by_role("tab")).to_have_text([RUSSIAN[f"page.tab_{tab}"] for tab in TABS])
    for key in ("player.drop", "viewer.empty_mel", "player.choose", "player.record"):
        expect(sheet.page.get_by_text(RUSSIAN[key]).first).to_be_visible()
    expect(sheet.page.locator(".sg-example option[value=crow]")).to_have_text(CLASSES_RUSSIAN["crow"])
    sheet.open_file(busy_wav)
    expect(sheet.page.get_by_text(RUSSIAN["parameters.title"]).first).to_be_visible()
    shown = sheet.page.locator("body").inner_text()
    sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_classify"]).click()
    expect(sheet.page.locator(".sg-bars li")).to_have_count(5)
    shown += sheet.page.locator("body").inner_text()
    named = sheet.ev(
        """[...document.querySelectorAll('[aria-label], [title]')]
            .flatMap((element) => [element.getAttribute('aria-label'), element.title]).filter(Boolean)"""
    )
    lines = {line.strip() for line in [*shown.splitlines(), *named]}
    english = {text for key, text in ENGLISH.items() if text and text != RUSSIAN[key]}
    assert lines & english == set()
    assert RUSSIAN["page.footer"] in lines


def test_keyboard(sheet: Sheet):
    sheet.open_example("crow")
    wanted = sheet.ev(
        """() => {
            const shown = (element) =>
                element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0;
            const found = [...document.querySelectorAll(
                'a[href], button, input, select, textarea, summary, [tabindex]')].filter(shown);
            found.forEach((element, index) => { element.dataset.control = index; });
            document.activeElement.blur();
            return found.length;
        }"""
    )
    assert wanted > 40
    reached = set()
    for _ in range(wanted + 10):
        sheet.page.keyboard.press("Tab")
        reached.add(sheet.ev("document.activeElement.dataset.control ?? null"))
    missed = sheet.ev(
        """(reached) => [...document.querySelectorAll('[data-control]')]
            .filter((element) => !reached.includes(element.dataset.control)).map((element) => element.outerHTML.slice(0, 120))""",
        [number for number in reached if number is not None],
    )
    # of a tab list one is reached by Tab and the rest by arrows
    assert [control for control in missed if 'role="tab"' not in control] == []
    for target in (".sg-plot", ".sg-strip", ".sg-play"):
        sheet.page.focus(target)
        sheet.page.keyboard.press("Space")
        sheet.until("!session.audio.paused")
        sheet.page.keyboard.press("Space")
        sheet.until("session.audio.paused")
    sheet.page.focus(".sg-strip")
    sheet.page.keyboard.press("Home")
    sheet.until("session.audio.currentTime === 0")
    sheet.page.keyboard.press("PageDown")
    sheet.until("Math.abs(session.audio.currentTime - 0.5) < 0.01")


def test_phone_layout(open_sheet, busy_wav: Path):
    sheet = open_sheet(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    width = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    assert sheet.ev(width) <= 390
    with sheet.page.expect_file_chooser():  # fingers drop nothing
        sheet.page.locator(".sg-strip", has_text=ENGLISH["player.drop_touch"]).tap()
    expect(sheet.page.get_by_text(ENGLISH["viewer.empty_hint_touch"]).first).to_be_visible()
    sheet.open_file(busy_wav)
    assert sheet.ev("viewer.plot.getBoundingClientRect().width") > 300
    expect(sheet.page.locator("#sg-n_mels")).to_be_visible()
    assert sheet.ev(width) <= 390
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).tap()
    expect(sheet.page.locator(".sg-bars li")).to_have_count(5)
    assert sheet.ev(width) <= 390


def test_hostile_file_name(sheet: Sheet, busy_wav: Path):
    sheet.page.set_input_files("input.sg-file", {"name": NASTY, "mimeType": "audio/wav", "buffer": busy_wav.read_bytes()})
    sheet.until("viewer.data")
    assert sheet.facts()[ENGLISH["player.fact_name"]] == NASTY
    sheet.page.set_input_files("input.sg-file", {"name": NASTY, "mimeType": "audio/wav", "buffer": BROKEN})
    expect(sheet.page.locator(".sg-message")).to_contain_text(NASTY)
    assert sheet.page.locator("#player img").count() == 0  # an alert would be among the complaints


def test_time_of_day_of_a_recording(sheet: Sheet, tmp_path: Path):
    path = sounds.write(tmp_path / "dawn.wav", np.tile(sounds.tone(440.0, 10.0, 8_000), 13), 8_000)
    guano = b"GUANO|Version:1.0\nTimestamp:2026-05-01T04:59:30+02:00"
    sound = path.read_bytes() + b"guan" + len(guano).to_bytes(4, "little") + guano
    path.write_bytes(sound[:4] + (len(sound) - 8).to_bytes(4, "little") + sound[8:])
    sheet.open_file(path)
    sheet.page.mouse.move(*sheet.point(0.5, 0.5))
    readout = sheet.page.locator("#mel .sg-readout")
    expect(readout).to_contain_text(re.compile(r"6[45]\.\d+ s .* 05:00:3[45]"))
