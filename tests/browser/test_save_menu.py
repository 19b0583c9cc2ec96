"""The menu "Save" and the link in a real Chromium: files, copied code, settings, and each field of a link restored."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import librosa
import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import Sheet
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
MEL = ".sg-viewer[data-view=mel]"
# the first view is mounted half a second after the player, as on a slow machine
LATE = """
    Object.defineProperty(globalThis, 'soundglass', {
        configurable: true,
        set(modules) {
            Object.defineProperty(globalThis, 'soundglass', { value: modules });
            let views;
            Object.defineProperty(modules, 'viewer/views.js', {
                get: () => views,
                set({ mount, ...others }) {
                    const late = async (...args) => {
                        await modules['lib/i18n.js'].messagesReady;
                        await new Promise((done) => setTimeout(done, 500));
                        return mount(...args);
                    };
                    views = { ...others, mount: late };
                },
            });
        },
    });
"""


def download(sheet: Sheet, name: str, folder: Path, view: str = MEL) -> Path:
    with sheet.page.expect_download() as saving:
        sheet.page.locator(f"{view} [data-save={name}]").click()
    path = folder / saving.value.suggested_filename
    saving.value.save_as(path)
    return path


def test_files_code_and_settings(open_sheet, tmp_path):
    sheet = open_sheet(link="example=crow&t=1,2&db_ref=max&features=onsets", permissions=["clipboard-read", "clipboard-write"])
    page = sheet.page
    sheet.until("session.state.visible.start === 1 && viewer.current() && viewer.data.high_db === 0")
    page.locator(f"{MEL} [data-do=export]").click()
    status = page.locator(f"{MEL} .sg-save-status")
    assert download(sheet, "png", tmp_path).read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in download(sheet, "svg", tmp_path).read_text()
    shown = np.load(download(sheet, "npy", tmp_path))
    times_s = librosa.frames_to_time(np.arange(200), sr=22_050, hop_length=512)
    assert shown.shape == (128, np.count_nonzero((times_s >= 1) & (times_s <= 2)))
    assert -80.0 <= shown.min() < shown.max() <= 0.0
    page.locator(f"{MEL} input[value=whole]").check()
    with np.load(download(sheet, "npz", tmp_path)) as whole:
        assert whole["values"].max() == 0.0
        assert whole["times_s"][-1] == pytest.approx(5.0, abs=0.03)
        assert len(whole["onsets_times_s"])
    assert download(sheet, "features_csv", tmp_path).read_text().startswith("feature,quantity,time_s,value\nonsets,")
    page.locator(f"{MEL} [data-save=code]").click()
    expect(status).to_have_text(ENGLISH["save.code_copied"])
    code = sheet.ev("navigator.clipboard.readText()")
    assert "ref=np.max" in code and "onset_detect" in code
    compile(code, "copied", "exec")
    assert json.loads(download(sheet, "ipynb", tmp_path).read_text())["nbformat"] == 4

    settings = json.loads(download(sheet, "settings", tmp_path).read_text())
    assert settings["settings"] | {"db_ref": "max", "features": "onsets"} == settings["settings"]
    changed = tmp_path / "changed.json"
    more = {"n_mels": 64, "colours": "viridis", "features": "", "fmax": 90_000, "attic": 1}
    changed.write_text(json.dumps(settings | {"settings": settings["settings"] | more}))
    with page.expect_file_chooser() as choosing:
        page.locator(f"{MEL} [data-save=load_settings]").click()
    choosing.value.set_files(changed)
    expect(page.locator(".sg-message span")).to_have_text(
        ENGLISH["viewer_toolbar.link_ignored"].format(fields="fmax, features, attic")
    )
    sheet.until("viewer.data.request.config.n_mels === 64 && viewer.data.request.config.fmax === 11025")
    assert sheet.ev("viewer.data.request.config.db_ref") == "max"
    page.locator(f"{MEL} .sg-save-panel input[type=file]").set_input_files(
        {"name": "other.json", "mimeType": "application/json", "buffer": b'{"a": [1]}'}
    )
    expect(status).to_have_text(ENGLISH["save.no_settings"].format(name="other.json"))


def test_print_is_one_page_with_the_view_alone(open_sheet):
    sheet = open_sheet(link="example=crow&selection=1,2,500,1500")
    sheet.until("viewer.data !== null && session.state.selection !== null")
    canvases = f"[...document.querySelectorAll('{MEL} :is(.sg-plot, .sg-wave-strip) canvas')].filter((one) => one.offsetWidth)"
    shape = f"{canvases}.map((one) => one.offsetWidth / one.offsetHeight)"
    shapes = sheet.ev(shape)
    sheet.ev("window.dispatchEvent(new Event('beforeprint'))")
    sheet.page.emulate_media(media="print")
    expect(sheet.page.locator(f"{MEL} .sg-plot")).to_be_visible()
    assert len(shapes) >= 3
    assert sheet.ev(shape) == pytest.approx(shapes, rel=0.01)
    for control in (f"{MEL} .sg-toolbar", f"{MEL} .sg-side", "[role=tablist]", ".sg-play", "#footer"):
        expect(sheet.page.locator(control).first).to_be_hidden()
    plot = f"(({{ offsetWidth, offsetHeight }}) => offsetWidth / offsetHeight)(document.querySelector('{MEL} .sg-plot'))"
    wide = sheet.ev(plot)
    sheet.page.set_viewport_size({"width": 800, "height": 560})  # as narrow as a page of paper
    assert sheet.ev(plot) == pytest.approx(wide, rel=0.01)
    printed = sheet.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_print_of_a_dark_page_is_light(open_sheet):
    sheet = open_sheet(link="example=crow", color_scheme="dark")
    sheet.until("viewer.data !== null && viewer.current()")
    brightest = """() => {
        const { data } = viewer.image.getContext('2d').getImageData(0, 0, 30, viewer.image.height); // marks of the frequency axis
        return Math.max(...data.filter((value, i) => i % 4 === 0 && data[i + 3] === 255));
    }"""
    dark = sheet.ev("[document.body.className, getComputedStyle(document.body).color]")
    assert dark[0] == "dark" and sheet.ev(brightest) > 200
    sheet.page.emulate_media(media="print", color_scheme="dark")
    assert sheet.ev("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"  # of each page of paper
    sheet.page.emulate_media(media="screen", color_scheme="dark")
    sheet.ev("window.dispatchEvent(new Event('beforeprint'))")
    assert sheet.ev("document.body.className") == "" and sheet.ev(brightest) < 100
    assert sheet.ev("getComputedStyle(viewer.image).imageRendering") == "pixelated"
    sheet.ev("window.dispatchEvent(new Event('afterprint'))")
    sheet.until("document.body.className === 'dark'")
    assert sheet.ev(brightest) > 200
    assert sheet.ev("getComputedStyle(viewer.image).imageRendering") == "auto"


@pytest.mark.parametrize("prepare", ["", LATE], ids=["mounted at once", "mounted late"])
def test_link_restores_each_field(open_sheet, prepare):
    fields = {
        "example": "crow", "t": "1,3", "f": "300,3000", "selection": "1.5,2,500,1500", "hop_length": "256",
        "db_ref": "full_scale", "colours": "viridis", "second": "stft", "levels": "-60,-6", "smooth": "1", "axis_mel": "log",
        "features": "onsets,reassigned", "harmonics": "440.00", "spectrum": "0", "box": "0", "speed": "0.5", "pitch": "0",
        "loop": "1", "camera": "1,-1.5,0.8,0,0,0,0,0,1", "of": "stft", "light": "flat", "relief": "0.9",
    }  # fmt: skip
    link = "&".join(f"{name}={value}" for name, value in fields.items())
    sheet = open_sheet(prepare, link)
    page = sheet.page
    sheet.until("viewer.data?.feature === 'reassigned' && session.state.selection !== null")
    written = "Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"
    page.keyboard.press("Escape")  # clears the selection: the address is written anew
    kept = {name: value for name, value in fields.items() if name != "selection"}
    same = f"(kept) => {{ const now = {written}; return Object.keys(kept).every((name) => now[name] === kept[name]); }}"
    sheet.until(f"!('selection' in {written})")
    sheet.until(same, kept)
    assert sheet.ev("[session.audio.playbackRate, session.audio.preservesPitch, session.audio.loop]") == [0.5, False, True]
    expect(page.locator(f"{MEL} [data-do=harmonics]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"{MEL} .sg-slice")).to_be_hidden()

    fresh = open_sheet(prepare, urlsplit(page.url).fragment)  # as another person
    fresh.until(same, kept)
    fresh.until("viewer.data?.feature === 'reassigned'")
    page.fill("#sg-fmax", "20000")  # refused by the server: half the rate is 11,025 Hz
    expect(page.locator(f"{MEL} .sg-refusal").last).to_be_visible()  # the first is the second view's
    page.keyboard.press("Tab")
    sheet.until(f"!('fmax' in {written})")

    wrong = {"features": "attic", "harmonics": "-3", "speed": "9", "box": "maybe", "win_length": "9000", "fmax": "90000"}
    other = open_sheet(link="&".join(f"{name}={value}" for name, value in wrong.items()) + "&example=crow")
    message = other.page.locator(".sg-message span")
    expect(message).to_contain_text("harmonics")  # its sound is open
    other.until("viewer.current() && viewer.data.request.config.fmax === 11025")


def test_reload_blames_no_link(open_sheet, tmp_path):
    sheet = open_sheet()
    sheet.open_file(sounds.write(tmp_path / "own.wav", sounds.tone(440.0, 2.0), 44_100))
    sheet.until("location.hash.includes('length=2')")
    sheet.page.reload()
    sheet.page.wait_for_function("document.querySelector('.sg-viewer')?.component?.data")  # the sound is open again
    expect(sheet.page.locator(".sg-message")).to_be_hidden()
    fragment = urlsplit(sheet.page.url).fragment
    assert parse_qs(fragment)["length"] == ["2"]
    other = open_sheet(link=fragment)
    expect(other.page.locator(".sg-message span")).to_have_text(ENGLISH["viewer_toolbar.link_own"].format(seconds="2"))
