"""Selection, harmonic cursor and spectrum slice in a real Chromium, against tones of known frequency, level and time."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from chromium import Sheet
from esc.config import LIBROSA
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN
from test_views import enter

pytestmark = pytest.mark.browser
RATE = LIBROSA.sample_rate
AMPLITUDE = 0.5
PEAK_DB = 20 * np.log10(AMPLITUDE * LIBROSA.win_length / 4)  # of a sine under a Hann window
SLICE = "viewer.hooks.find((hooks) => 'spectrum' in hooks).spectrum"
# How much the overlay covers the image at the left end of lines at these heights.
LINES = """heights.map((y) => { const ratio = Math.min(3, devicePixelRatio);
    const x = (viewer.area().left + 5) * ratio;
    return viewer.overlay.getContext('2d').getImageData(x, Math.floor(y * ratio), 1, 1).data[3]; })"""
PLACE = (
    "(hz) => { const box = viewer.plot.getBoundingClientRect(); return [box.left + viewer.xOf(1.5), box.top + viewer.yOf(hz)]; }"
)


@pytest.fixture(scope="module")
def tone_wav(tmp_path_factory) -> Path:
    """Stereo: 1 kHz of amplitude 0.5 from 1 s to 2 s of three, over faint noise, alike on both channels."""
    rng = np.random.default_rng(4)
    times_s = np.arange(3 * RATE) / RATE
    loud = (times_s >= 1) & (times_s < 2)
    mono = AMPLITUDE * np.sin(2 * np.pi * 1000 * times_s) * loud + 1e-4 * rng.standard_normal(len(times_s))
    path = tmp_path_factory.mktemp("measuring") / 'one "kilo".wav'
    soundfile.write(path, np.stack([mono, mono], axis=1), RATE, "PCM_24")
    return path


def select(sheet: Sheet, start: float, end: float, low: float | None = None, high: float | None = None) -> None:
    sheet.ev("(box) => session.select(box)", {"start": start, "end": end, "low_hz": low, "high_hz": high})


def values(sheet: Sheet) -> dict[str, str]:
    """Return the panel's figures by the words beside them, once they are there."""
    sheet.until("!/[–]$/.test([...viewer.host.querySelectorAll('.sg-selection dd')].at(-1).textContent)")
    return sheet.ev(
        """() => Object.fromEntries([...viewer.host.querySelectorAll('.sg-selection dl div')]
            .map((cell) => [cell.querySelector('dt').textContent, cell.querySelector('dd').textContent]))"""
    )


def first(text: str) -> float:
    return float(text.replace(",", "").split()[0])


def test_selection_values_of_a_known_tone(open_sheet, tone_wav: Path):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    panel = sheet.page.locator(".sg-selection").first
    expect(panel).to_contain_text(ENGLISH["measurements.none"])
    expect(panel.locator("dl")).to_be_hidden()  # one line, until there are figures
    place = sheet.page.locator(".sg-plot").first.bounding_box()
    select(sheet, 1.2, 1.8, 500, 2000)
    shown = values(sheet)
    assert sheet.page.locator(".sg-plot").first.bounding_box() == place  # the picture stays under the hand
    assert [first(shown[ENGLISH[name]]) for name in ("measurements.start", "measurements.end", "measurements.duration")] == [
        1.2,
        1.8,
        0.6,
    ]
    assert shown[ENGLISH["measurements.band"]] == "500 – 2,000 Hz"
    assert first(shown[ENGLISH["measurements.peak_hz"]]) == pytest.approx(1000.0, abs=0.5)
    assert first(shown[ENGLISH["measurements.peak"]]) == pytest.approx(PEAK_DB, abs=0.1)
    assert 1.2 <= first(shown[ENGLISH["measurements.peak_s"]]) <= 1.8
    assert first(shown[ENGLISH["measurements.rms"]]) == pytest.approx(20 * np.log10(AMPLITUDE / np.sqrt(2)), abs=0.01)
    assert shown[ENGLISH["measurements.amplitude"]].startswith("0.500 · -6.0")
    # three bins hold the power of a Hann window's tone: 1, 1/4 and 1/4 of the peak's, wherever it lies between the bins
    bins = np.arange(np.ceil(500 / (RATE / 2048)), np.floor(2000 / (RATE / 2048)) + 1)
    mean_db = PEAK_DB + 10 * np.log10(1.5 / len(bins))
    assert first(shown[ENGLISH["measurements.mean"]]) == pytest.approx(mean_db, abs=0.1)
    for view in ("stft", "mfcc", "wave"):
        enter(sheet, view)
        assert values(sheet) == shown, view
    wave = sheet.page.locator(".sg-viewer[data-view=wave] .sg-plot")
    wave.dblclick(position={"x": 400, "y": 60})  # restores the selection, which is measured again
    assert values(sheet) == shown
    wave.focus()
    sheet.page.keyboard.press("Escape")
    expect(sheet.page.locator(".sg-viewer[data-view=wave] .sg-selection")).to_contain_text(ENGLISH["measurements.none"])


def test_selection_values_copy_and_excerpt_save(open_sheet, tone_wav: Path):
    sheet = open_sheet(permissions=["clipboard-read", "clipboard-write"])
    sheet.open_file(tone_wav)
    expect(sheet.page.locator(".sg-selection [data-do=save]").first).to_be_disabled()
    select(sheet, 1.2, 1.8, 500, 2000)
    shown = values(sheet)
    sheet.page.click(".sg-selection [data-do=copy]")
    expect(sheet.page.locator(".sg-selection p").first).to_have_text(ENGLISH["measurements.copied"])
    assert sheet.ev("navigator.clipboard.readText()").splitlines() == [f"{name}: {text}" for name, text in shown.items()]
    sheet.page.click(".sg-selection [data-do=csv]")
    sheet.until("navigator.clipboard.readText().then((text) => text.startsWith('file,start_s'))")
    (row,) = csv.DictReader(io.StringIO(sheet.ev("navigator.clipboard.readText()")))
    assert (row["file"], float(row["start_s"]), float(row["high_hz"])) == (tone_wav.name, 1.2, 2000.0)
    assert float(row["peak_hz"]) == pytest.approx(1000.0, abs=0.5)
    assert float(row["peak_db"]) == pytest.approx(PEAK_DB, abs=0.1)
    with sheet.page.expect_download() as saved:
        sheet.page.click(".sg-selection [data-do=save]")
    assert saved.value.suggested_filename.endswith("1.200-1.800 s.wav")
    got, rate = soundfile.read(saved.value.path(), dtype="float32")
    held, _ = soundfile.read(tone_wav, dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(got, held[round(1.2 * RATE) : round(1.8 * RATE)])


def test_spectrum_slice_equals_numpy(open_sheet, tone_wav: Path):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    enter(sheet, "stft")
    x, y = sheet.ev(PLACE, 3000)
    sheet.page.mouse.move(x, y)
    sheet.until("/^at 1\\.[45]/.test(viewer.host.querySelector('.sg-slice figcaption').textContent)")
    caption = sheet.page.locator(".sg-viewer[data-view=stft] .sg-slice figcaption")
    earlier = caption.inner_text()
    sheet.ev("session.show(0.2, 2.2)")  # another time comes under the pointer
    expect(caption).not_to_have_text(earlier)
    sheet.ev("session.showAll()")
    expect(caption).to_have_text(earlier)
    time_s = sheet.ev("viewer.timeAt(viewer.pointer.x)")
    centre = round(time_s * RATE / LIBROSA.hop_length) * LIBROSA.hop_length
    mono = soundfile.read(tone_wav)[0].mean(axis=1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    power = np.abs(np.fft.rfft(mono[centre - 1024 : centre + 1024] * window)) ** 2
    levels = np.array(sheet.ev(f"[...{SLICE}.levels]"))
    np.testing.assert_allclose(levels[60:130], 10 * np.log10(power[60:130]), atol=0.3)  # the tone's skirts; the rest is float32's
    np.testing.assert_allclose(levels[91:95], 10 * np.log10(power[91:95]), atol=0.01)
    assert sheet.ev(f"{SLICE}.peak") == [pytest.approx(1000, abs=0.5), pytest.approx(PEAK_DB, abs=0.1)]
    # the same height as the picture's own axis
    tops = sheet.ev(
        """() => { const box = viewer.plot.getBoundingClientRect(); const { top, height } = viewer.area();
            const canvas = viewer.host.querySelector('.sg-slice canvas').getBoundingClientRect();
            return [canvas.top - box.top - top, canvas.height - height]; }"""
    )
    assert tops == [pytest.approx(0, abs=1), pytest.approx(0, abs=1)]
    unchanged = sheet.ev(
        """() => { const slice = viewer.hooks.find((hooks) => 'spectrum' in hooks);
            const before = slice.canvas.toDataURL();
            viewer.data = { ...viewer.data, low_db: 0, high_db: 100, unit: '%', feature: 'pcen' };
            slice.image();
            viewer.data = viewer.spectrogram ?? viewer.data;
            return slice.canvas.toDataURL() === before; }"""
    )
    assert unchanged, "its levels are the spectrogram's, whatever is drawn in its place"
    sheet.page.mouse.down()  # it rests while the picture is moved, and follows when that is let go
    before = caption.inner_text()
    asked: list[str] = []
    sheet.page.on("request", lambda request: asked.append(request.post_data or ""))
    for step in range(1, 6):
        sheet.page.mouse.move(x + 12 * step, y)
        sheet.page.wait_for_timeout(80)
    assert caption.inner_text() == before
    assert not [data for data in asked if '"spectrum"' in data]
    sheet.page.mouse.up()
    sheet.page.mouse.move(x + 90, y)
    expect(caption).not_to_have_text(before)
    assert [data for data in asked if '"spectrum"' in data], "which shows what the questions are called"
    select(sheet, 2.3, 2.9)
    sheet.page.mouse.move(5, 5)
    expect(caption).to_have_text(ENGLISH["measurements.slice_selection"])
    assert sheet.ev(f"Math.max(...{SLICE}.levels)") < 0  # noise alone
    sheet.page.click(".sg-viewer[data-view=stft] [data-do=slice]")
    expect(caption).to_be_hidden()
    sheet.page.focus(".sg-viewer[data-view=stft] .sg-plot")
    sheet.page.keyboard.press("m")
    expect(caption).to_be_visible()


@pytest.mark.parametrize("view", ["mel", "stft"])
def test_harmonic_cursor_lies_at_the_multiples(open_sheet, tone_wav: Path, view: str):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    if view == "stft":
        enter(sheet, view)
    sheet.page.focus(f".sg-viewer[data-view={view}] .sg-plot")
    sheet.page.keyboard.press("h")
    x, y = sheet.ev(PLACE, 800)
    sheet.page.mouse.move(x, y)
    sheet.load("viewer/harmonic_cursor", "cursor")
    sheet.until("viewer.pointer !== null")
    f0 = sheet.ev("viewer.hzAt(viewer.pointer.y)")
    assert f0 == pytest.approx(800, abs=2 * abs(sheet.ev("viewer.hzAt(viewer.pointer.y + 1)") - f0))
    hz = sheet.ev("(hz) => cursor.harmonics(hz, viewer.axis().high)", f0)
    np.testing.assert_allclose(hz, f0 * np.arange(1, int(RATE / 2 / f0) + 1))
    heights = sheet.ev("(all) => all.map((hz) => viewer.yOf(hz))", hz)
    apart = [first for first, second in pairwise(heights) if first - second > 12]
    assert len(apart) >= 3
    middles = [first - 6 for first in apart]
    sheet.until(f"(heights) => {LINES}.every((cover) => cover > 150)", apart)
    assert sheet.ev(f"(heights) => {LINES}.every((cover) => cover < 150)", middles)  # the pointer's line covers less
    sheet.page.mouse.click(x, y)  # keeps it
    sheet.page.mouse.move(x, y - 40)
    sheet.until("viewer.pointer && Math.abs(viewer.hzAt(viewer.pointer.y) - 800) > 50")
    sheet.page.wait_for_timeout(100)
    assert sheet.ev(f"(heights) => {LINES}.every((cover) => cover > 150)", apart)
    sheet.page.keyboard.press("h")
    expect(sheet.page.locator(f".sg-viewer[data-view={view}] [data-do=harmonics]")).to_have_attribute("aria-pressed", "false")


def test_spectrum_slice_on_a_phone(open_sheet, tone_wav: Path):
    sheet = open_sheet(viewport={"width": 390, "height": 844}, has_touch=True, locale="ru-RU")
    sheet.open_file(tone_wav)
    slice_ = sheet.page.locator(".sg-slice").first
    expect(slice_).to_be_hidden()
    sheet.page.tap(".sg-viewer [data-do=slice]")
    expect(slice_).to_be_visible()
    sheet.until(SLICE)
    assert sheet.ev("document.documentElement.scrollWidth") <= 390
    sheet.page.focus(".sg-plot")
    sheet.page.keyboard.press("?")
    keys = sheet.page.locator(".sg-dialog")
    for name in (
        "playback.play_selection_hint",
        "playback.key_loop",
        "playback.key_speed",
        "playback.key_pitch",
        "measurements.key_band",
        "measurements.key_harmonics",
        "measurements.key_slice",
    ):
        expect(keys).to_contain_text(RUSSIAN[name])


def test_selection_above_nyquist_is_explained(open_sheet, tmp_path: Path):
    sheet = open_sheet()
    path = tmp_path / "fast.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(44_100), 44_100, "PCM_16")
    sheet.open_file(path)
    select(sheet, 0.2, 0.4, 15_000, 20_000)  # the picture's rate is 22,050 Hz
    expect(sheet.page.locator(".sg-selection p").first).to_contain_text("low_hz = 15,000")
    expect(sheet.page.locator(".sg-selection [data-do=csv]").first).to_be_disabled()
