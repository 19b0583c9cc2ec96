"""Wording of the page in a real Chromium: names of parameters, dB reference, languages, numbers, dismissed notes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from esc.config import LIBROSA
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN

pytestmark = pytest.mark.browser
DRAWN = "viewer.data !== null && viewer.current() && !viewer.host.hasAttribute('data-busy')"
WRITTEN = """const { fillText } = CanvasRenderingContext2D.prototype;
    window.written = new Set();
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        window.written.add(text);
        return fillText.call(this, text, ...rest);
    };"""


def test_parameters_bear_the_names_of_librosa(open_sheet):
    sheet = open_sheet(prepare=WRITTEN, link="example=crow")
    sheet.until(DRAWN)
    shown = sheet.page.locator("#mel .sg-field code").all_inner_texts()
    fields = ("n_fft", "win_length", "hop_length", "n_mels", "fmin", "fmax", "top_db", "ref", "window")
    assert shown == ["sr", *fields]
    assert set(fields) - {"ref"} <= set(LIBROSA.to_dict())
    assert ENGLISH["page.level_axis"] in sheet.ev("[...window.written]")  # dB of what
    titles = sheet.ev("[...document.querySelectorAll('#mel .sg-derived dl > div')].map((one) => one.title)")
    assert len(titles) == 7 and all(titles)


def test_language_switch(open_sheet):
    sheet = open_sheet(prepare=WRITTEN, link="example=crow&hop_length=256")
    sheet.until(DRAWN)
    page = sheet.page
    for texts, language in ((RUSSIAN, "ru"), (ENGLISH, "en")):
        page.get_by_role("button", name={"ru": "Русский", "en": "English"}[language]).click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.get_by_role("tab", name=texts["page.tab_wave"], exact=True)).to_be_visible()  # Gradio's part
        expect(page.locator(".sg-record")).to_contain_text(texts["player.record"])
        page.wait_for_function("document.querySelector('.sg-viewer')?.component?.data?.request.config.hop_length === 256")
    page.set_input_files("input.sg-file", {"name": "x.wav", "mimeType": "audio/wav", "buffer": b"no sound " * 99})
    expect(page.locator(".sg-message")).to_contain_text("can't be read")  # the server's part


def test_russian_numbers(open_sheet):
    sheet = open_sheet(prepare=WRITTEN, link="example=crow", locale="ru-RU")
    sheet.until(DRAWN)
    expect(sheet.page.locator(".sg-time")).to_have_text("0:00,00 / 0:05,00")
    written = {text.replace("\u00a0", " ") for text in sheet.ev("[...window.written]")}
    assert {"10 000", RUSSIAN["page.level_axis"]} <= written
    assert not any(re.fullmatch(r"[\d.,]+k", text) for text in written)
    sheet.page.fill("#sg-fmax", "50000")
    refusal = sheet.page.locator("#mel .sg-refusal")
    expect(refusal).to_contain_text(re.compile("50\u00a0000 Гц невозможно: при 22\u00a0050 Гц выше 11\u00a0025 Гц"))
    expect(refusal.get_by_role("button")).to_have_text(re.compile("11\u00a0025"))
    refusal.get_by_role("button").click()
    sheet.page.fill("#sg-fmin", "5000.5")
    sheet.page.fill("#sg-fmax", "4000")
    expect(refusal).to_contain_text("нижняя частота должна быть ниже верхней")
    expect(refusal).to_contain_text("5\u00a0000,5")


def test_what_rounds_to_zero_has_no_sign(sheet, tmp_path: Path):
    sheet.open_file(sounds.write(tmp_path / "loud.wav", sounds.tone(440.0, 2.0, amplitude=0.999), 44_100))
    expect(sheet.page.locator(".sg-facts")).to_contain_text(re.compile(r"Peak\s*0\.0 dBFS"))


def test_dismissed_note_stays_away(open_sheet):
    sheet = open_sheet(link="example=crow")
    sheet.until(DRAWN)
    note = sheet.page.locator("#mel [data-note=rate]")
    expect(note).to_contain_text("11,025 Hz")
    note.get_by_role("button", name=ENGLISH["parameter_advice.dismiss"]).click()
    expect(note).to_have_count(0)
    sheet.page.reload()
    sheet.page.wait_for_function("document.querySelector('.sg-viewer')?.component?.data")
    expect(sheet.page.locator("#mel [data-field=n_fft]")).to_be_visible()
    expect(note).to_have_count(0)


def test_silent_file_gets_no_note_on_its_frequencies(sheet, tmp_path: Path):
    sheet.open_file(sounds.write(tmp_path / "silence.wav", np.zeros(2 * 44_100, np.float32), 44_100))
    expect(sheet.page.locator("#mel .sg-note")).to_have_count(0)
    sheet.open_file(sounds.write(tmp_path / "tone.wav", sounds.tone(440.0, 2.0), 44_100))
    expect(sheet.page.locator("#mel [data-note=rate]")).to_have_count(1)
