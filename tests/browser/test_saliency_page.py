"""What speaks for a class, in a real browser: the map over the picture, its strength, other classes, other stretches."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import PLAYHEAD, Sheet
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN

pytestmark = pytest.mark.browser
RATE = 44_100
PIXELS = """() => {
    const why = document.querySelector('.sg-saliency').component.map;
    const { width, height } = why.image;
    let sum = 17;
    for (const pixel of new Uint32Array(why.image.getContext('2d').getImageData(0, 0, width, height).data.buffer)) {
        sum = (Math.imul(sum, 31) + pixel) | 0;
    }
    return sum;
}"""
COLOURED = """() => {
    const why = document.querySelector('.sg-saliency').component.map;
    const { data } = why.image.getContext('2d').getImageData(0, 0, why.image.width, why.image.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += data[i + 3] > 250 && data[i] - data[i + 2] > 30;
    return count;
}"""


def opened(sheet: Sheet) -> None:
    """Open the tab and wait for a map of the open sound."""
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
    sheet.until("document.querySelector('.sg-saliency')?.component?.data?.sound === session.state.sound.id")


def set_strength(sheet: Sheet, value: int) -> None:
    sheet.ev(
        """(value) => { const slider = document.querySelector('.sg-tools input');
            slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })); }""",
        value,
    )


def test_saliency_of_classes(sheet: Sheet):
    sheet.open_example("crow")
    opened(sheet)
    why = sheet.page.locator(".sg-saliency")
    first, second = (bar.get_attribute("data-label") for bar in sheet.page.locator(".sg-bars li").all()[:2])
    expect(why.locator("h2")).to_have_text(ENGLISH["saliency.title"].format(name=first.replace("_", " ")))
    expect(why.locator(".sg-chip")).to_have_count(5)
    expect(why).to_contain_text(ENGLISH["saliency.given_whole"].format(seconds="5.00"))
    assert sheet.ev(COLOURED) > 500

    sheet.load("player/playback", "playback")  # what to listen for, and only that
    regions = sheet.ev("document.querySelector('.sg-saliency').component.map.regions()")
    buttons = why.locator(".sg-region")
    expect(buttons).to_have_count(len(regions))
    assert [one["weight"] for one in regions] == sorted((one["weight"] for one in regions), reverse=True)
    expect(buttons.first).to_contain_text(re.compile(r"^[\d,]+ to [\d,]+ Hz, [\d.]+ to [\d.]+ s \d+ % of the evidence$"))
    sheet.ev(
        """() => session.audio.addEventListener('play', () => {
            window.played = { ...playback.playback.span, ...playback.audibleRange() }; }, { once: true })"""
    )
    buttons.first.click()
    sheet.until("window.played")
    played = sheet.ev("window.played")
    for name, field in (("start", "start"), ("end", "end"), ("low", "low_hz"), ("high", "high_hz")):
        assert played[name] == pytest.approx(regions[0][field], abs=0.1)
    sheet.until("session.audio.paused && playback.playback.span === null && playback.audibleRange() === null")

    asked = len(sheet.requests)  # strength and the other classes that are at hand are the browser's own
    strong = sheet.ev(PIXELS)
    set_strength(sheet, 0)
    assert sheet.ev(PIXELS) != strong
    assert sheet.ev(COLOURED) == 0, "at strength 0 it is the picture alone, in grey"
    set_strength(sheet, 75)
    assert sheet.ev(PIXELS) == strong
    sheet.page.locator(f".sg-bars li[data-label={second}] button").click()
    expect(why.locator("h2")).to_have_text(ENGLISH["saliency.title"].format(name=second.replace("_", " ")))
    expect(why.locator(f".sg-chip[data-label={second}]")).to_have_attribute("aria-pressed", "true")
    expect(sheet.page.locator(f".sg-bars li[data-label={second}]")).to_have_attribute("aria-current", "true")
    assert sheet.ev(PIXELS) != strong
    assert [url for url in sheet.requests[asked:] if "queue" in url] == []

    why_component = "document.querySelector('.sg-saliency').component"
    sheet.ev(f"((one) => one.take({{ sound: session.state.sound.id, turn: one.turn, error: 'failed' }}))({why_component})")
    expect(why.locator(".sg-map")).to_be_hidden()
    sheet.page.locator(f".sg-bars li[data-label={first}] button").click()  # that one is at hand all the same
    expect(why.locator(".sg-map")).to_be_visible()

    sheet.ev("""() => { const { component } = document.querySelector('.sg-saliency');
        window.labels = component.data.labels; component.data.labels = ['valve', 'pump']; component.showChoices(); }""")
    expect(why.locator("option")).to_have_text([ENGLISH["saliency.other"], "pump", "valve"])  # the checkpoint's, not ESC-50's
    sheet.ev("""() => { const { component } = document.querySelector('.sg-saliency');
        component.data.labels = window.labels; component.showChoices(); }""")
    assert sheet.ev("window.labels.length") == 50
    missing = sheet.ev("[...document.querySelectorAll('.sg-choices option')].at(-1).value")
    why.locator("select").select_option(missing)  # one that the server has to be asked for
    sheet.until("(label) => document.querySelector('.sg-saliency').component.label === label", missing)
    expect(why.locator(f".sg-chip[data-label={missing}]")).to_have_attribute("aria-pressed", "true")
    expect(why.locator(".sg-chip")).to_have_count(6)


def test_saliency_equals_library(sheet: Sheet, root: Path):
    """Bytes of picture and map on the page against esc.classification.saliency.maps on the same file."""
    from esc.audio.io import load_audio
    from esc.classification.classifier import Classifier
    from esc.classification.saliency.maps import explain

    sheet.open_example("siren")
    opened(sheet)
    classifier = Classifier.load()
    found = explain(classifier, *load_audio(root / "assets/examples/siren.flac"), labels=["siren"])
    data = sheet.ev(
        """() => {
            const { maps, levels, rows, columns } = document.querySelector('.sg-saliency').component.data;
            return [[...maps.siren], [...levels], rows, columns];
        }"""
    )
    heat, levels = (np.array(part).reshape(data[2:]) for part in data[:2])
    np.testing.assert_allclose(heat / 255, found.maps["siren"], atol=0.02)
    spectrogram_db = found.prediction.spectrogram_db
    np.testing.assert_allclose(levels / 255 * 80 - 80, spectrogram_db - spectrogram_db.max(), atol=80 / 255)


def test_saliency_window_and_playhead(sheet: Sheet, tmp_path: Path):
    wave = np.concatenate([sounds.busy(4.0, seed=seed) for seed in range(3)])
    sheet.open_file(sounds.write(tmp_path / "long.wav", wave, RATE))
    opened(sheet)
    expect(sheet.page.locator(".sg-saliency")).to_contain_text(ENGLISH["saliency.given_cut"].format(seconds="5.00"))
    sheet.ev("session.emit('explain', { start: 6.0, label: null })")
    sheet.until("document.querySelector('.sg-saliency')?.component?.data.start === 6")
    expect(sheet.page.locator(".sg-saliency")).to_contain_text(
        ENGLISH["saliency.given_window"].format(start="0:06.00", end="0:11.00")
    )
    sheet.ev("session.seek(8.5)")
    middle = sheet.ev("(({ left, width }) => left + width / 2)(document.querySelector('.sg-saliency').component.map.area())")
    playhead = PLAYHEAD.replace("viewer", "document.querySelector('.sg-saliency').component.map")
    sheet.until(f"(middle) => Math.abs({playhead} - middle) < 4", middle)
    sheet.page.get_by_role("button", name=ENGLISH["saliency.play_clip"]).click()  # the clip itself, as the network was given it
    sheet.until("document.querySelector('.sg-saliency').component.clip.currentTime > 0.2")
    box = sheet.page.locator(".sg-map").bounding_box()
    sheet.page.mouse.click(box["x"] + 60, box["y"] + 100)
    sheet.until("session.audio.currentTime > 6 && session.audio.currentTime < 6.5")


def test_saliency_of_short_and_silent_sounds(open_sheet, tmp_path: Path):
    sheet = open_sheet(locale="ru-RU")
    sheet.open_file(sounds.write(tmp_path / "short.wav", sounds.busy(1.0), RATE))
    sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_classify"]).click()
    sheet.until("document.querySelector('.sg-saliency')?.component?.data?.fit === 'padded'")
    assert sheet.ev("document.querySelector('.sg-saliency')?.component?.data.before_s") == pytest.approx(2.0)
    assert sheet.ev("document.querySelector('.sg-saliency').component.map.span()")[0] == pytest.approx(-2.0, abs=0.02)
    silence = sounds.write(tmp_path / "nothing.wav", np.zeros(RATE, np.float32), RATE)
    sheet.page.set_input_files("input.sg-file", silence)
    sheet.until("document.querySelector('.sg-verdict') && !document.querySelector('.sg-bars')")
    expect(sheet.page.locator(".sg-verdict .sg-big")).to_have_text(RUSSIAN["page.silence"])
    expect(sheet.page.locator(".sg-saliency")).to_be_hidden()
