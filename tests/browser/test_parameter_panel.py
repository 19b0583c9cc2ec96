"""Parameter panel in a real Chromium: sliders, lists, and several panels in one page."""

import pytest
from playwright.sync_api import expect

from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser


def test_fmax_slider_ends_at_nyquist(sheet):
    sheet.open_example("crow")
    sheet.page.select_option("#sg-sample_rate", "11025")
    sheet.page.fill("#sg-fmax", "3000")
    sheet.until("viewer.data.request.config.fmax === 3000")
    sheet.page.locator("#mel [data-field=fmax] input[type=range]").press("End")
    sheet.until("viewer.data.request.config.fmax === 5512.5")
    expect(sheet.page.locator("#mel .sg-refusal")).to_be_hidden()


def test_arrow_keys_move_every_slider(sheet):
    sheet.open_example("crow")
    for field, value in (("hop_length", 40), ("win_length", 20)):
        sheet.page.fill(f"#sg-{field}", str(value))
        sheet.until("([field, value]) => viewer.panel.values()[field] === value", [field, value])
        slider = sheet.page.locator(f"#mel [data-field={field}] input[type=range]")
        slider.press("ArrowLeft")
        assert int(sheet.page.input_value(f"#sg-{field}")) < value
        slider.press("ArrowRight")
        slider.press("ArrowRight")
        assert int(sheet.page.input_value(f"#sg-{field}")) > value


def test_unusual_sample_rate_is_listed(sheet):
    sheet.ev("() => { location.hash = '#sample_rate=12345&fmax=6000'; }")
    expect(sheet.page.locator("#sg-sample_rate option:checked")).to_have_text("12,345 Hz")


def test_views_share_no_ids_nor_choices(sheet):
    sheet.open_example("crow")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"], exact=True).click()  # it has a spectrogram, too
    sheet.until("document.querySelector('.sg-timeline .sg-viewer')?.component")
    ids = sheet.ev("[...document.querySelectorAll('.sg-viewer [id]')].map((node) => node.id)")
    assert len(set(ids)) == len(ids)
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    sheet.page.click("#mel [data-do=menu]")
    sheet.page.check("#mel .sg-features input[value=reassigned]")
    expect(sheet.page.locator("#mel .sg-features input[value=reassigned]")).to_be_checked()
    assert sheet.ev("document.querySelectorAll('.sg-timeline .sg-features input[value=reassigned]:checked').length") == 1
