"""The lesson in a real browser: every step on the open sound, its sliders, sounds, links and the tabs that it opens."""

from __future__ import annotations

import re

import librosa
import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import Sheet
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN

pytestmark = pytest.mark.browser
STEPS = ("samples", "sampling_rate", "sines", "window", "decibels", "mel", "mfcc", "surface", "network", "training", "accuracy")
FILLED = """(name) => { const host = document.querySelector('.sg-learn');
    return host?.component?.step.name === name && host.hasAttribute('data-filled'); }"""
PAINTED = """(() => { const { canvas } = document.querySelector('.sg-learn').component.figure;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size; })()"""


def lesson(sheet: Sheet, name: str) -> str:
    """Wait for a step and return what its caption says."""
    sheet.until(FILLED, name)
    return sheet.page.locator(".sg-learn-figure > output").inner_text().replace("\u00a0", " ")


def test_lesson_on_the_open_sound(open_sheet):
    sheet = open_sheet(link="learn=window&example=siren")
    page = sheet.page
    assert "Δt = 23.2 ms, Δf = 43.1 Hz, Δt · Δf = 1." in lesson(sheet, "window")
    page.get_by_label(ENGLISH["learn.slider_size"]).press("ArrowRight")  # 2,048 samples
    expect(page.locator(".sg-learn-figure > output")).to_contain_text("Δt = 46.4 ms, Δf = 21.5 Hz, Δt · Δf = 1.")
    page.get_by_role("button", name=ENGLISH["learn.open_window"]).click()
    sheet.until("location.hash.includes('n_fft=2048') || location.hash.includes('sample_rate=44100')")
    assert page.get_by_role("tab", name="STFT", exact=True).get_attribute("aria-selected") == "true"
    page.get_by_role("tab", name=ENGLISH["page.tab_learn"], exact=True).click()
    page.locator(".sg-learn nav").get_by_role("link", name=ENGLISH["learn.title_sampling_rate"]).click()
    assert "tone of 5,000 Hz comes back as 3,000 Hz" in lesson(sheet, "sampling_rate")
    sheet.until("location.hash.includes('learn=sampling_rate')")
    assert sheet.ev("document.querySelector('.sg-learn').component.sounds.clip.paused && session.audio.paused"), (
        "nothing plays yet"
    )
    page.get_by_role("button", name=re.compile("sampled: 3,000")).click()
    sheet.until("document.querySelector('.sg-learn').component.sounds.clip.currentTime > 0.1")
    page.get_by_role("button", name=ENGLISH["learn.next"]).click()
    lesson(sheet, "sines")
    assert sheet.ev("document.querySelector('.sg-learn').component.sounds.clip.paused")


def test_every_step_on_a_phone(open_sheet):
    """Each has a figure, says its figures in Russian, and keeps to the screen; Next leads through all."""
    sheet = open_sheet(link="learn=samples&example=rain", locale="ru-RU", viewport={"width": 390, "height": 844}, has_touch=True)
    for name in STEPS:
        said = lesson(sheet, name)
        assert re.search(r"\d", said) and "{" not in sheet.page.locator(".sg-learn").inner_text()
        assert sheet.ev(PAINTED) > 3, name
        assert sheet.ev("document.documentElement.scrollWidth") <= 390, name
        following = sheet.page.locator(".sg-learn [data-do=next]")
        if following.is_enabled():
            following.click()
    held = read_metrics(DEFAULT_CHECKPOINT)["held_out"]
    assert f"из {held['clips']}" in said
    expect(sheet.page.locator(".sg-learn [data-do=previous]")).to_be_focused()
    sheet.choose_example("crow")  # the lesson follows the open sound
    sheet.until("session.state.sound.example === 'crow'")
    sheet.page.locator(f".sg-learn nav a:has-text('{RUSSIAN['learn.title_network']}')").click()
    lesson(sheet, "network")
    expect(sheet.page.locator(".sg-learn-figure > output")).to_contain_text("ворона")


def figures(text: str) -> list[float]:
    """The numbers in a caption."""
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_lesson_without_a_sound_and_with_a_wrong_address(open_sheet, tmp_path):
    sheet = open_sheet(link="learn=nowhere&example=none")
    expect(sheet.page.locator(".sg-learn-figure > output")).to_have_text(ENGLISH["learn.empty"])
    expect(sheet.page.locator(".sg-message")).to_contain_text("learn")
    sheet.page.locator(".sg-learn nav a").last.click()  # of the network alone
    lesson(sheet, "accuracy")
    sheet.choose_example("crow")
    rate, at_s, hz = 22_050, 1.5, 2_000.0
    burst = np.zeros(3 * rate)
    start = round(at_s * rate)
    burst[start : start + rate // 20] = 0.5 * np.sin(2 * np.pi * hz * np.arange(rate // 20) / rate)
    sheet.page.set_input_files("input.sg-file", sounds.write(tmp_path / "burst.wav", burst, rate))
    sheet.until("session.state.sound?.name === 'burst.wav'")
    sheet.page.locator(".sg-learn nav a").first.click()
    count, ms, us, peak = figures(lesson(sheet, "samples"))
    assert (ms, us) == (pytest.approx(1000 * count / rate, abs=0.06), pytest.approx(1e6 / rate, abs=0.06))
    assert peak == pytest.approx(np.abs(burst).max(), abs=6e-4)
    sheet.page.locator(f".sg-learn nav a:has-text('{ENGLISH['learn.title_surface']}')").click()
    *_, seconds, peak_hz = figures(lesson(sheet, "surface"))
    centres = librosa.mel_frequencies(n_mels=50, fmin=0, fmax=11_025, htk=True)[1:-1]
    assert peak_hz == pytest.approx(centres[np.abs(centres - hz).argmin()], abs=0.6)
    assert at_s - 0.03 <= seconds <= at_s + 0.08, "the burst lasts 50 ms"
