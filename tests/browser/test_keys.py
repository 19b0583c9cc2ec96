"""Keys in a real Chromium: shortcuts from everywhere, skip link, toolbars, typed selections, undo of parameters."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from chromium import Sheet
from esc.ui.i18n.catalogue import ENGLISH
from esc.ui.tabs.viewer import VIEWS

pytestmark = pytest.mark.browser
DRAWN = "viewer.data !== null && viewer.current() && !viewer.host.hasAttribute('data-busy')"
FOCUSED = "document.activeElement.dataset.do ?? document.activeElement.className"


@pytest.fixture
def shown(open_sheet) -> Sheet:
    sheet = open_sheet(link="example=crow")
    sheet.until(DRAWN)
    return sheet


def plays_and_pauses(sheet: Sheet) -> None:
    """Press Space twice and expect the sound to play and to pause, without a scrolled page."""
    before = sheet.ev("[scrollY, session.audio.playbackRate]")
    sheet.page.keyboard.press("Space")
    sheet.until("!session.audio.paused")
    sheet.page.keyboard.press("Space")
    sheet.until("session.audio.paused")
    assert sheet.ev("[scrollY, session.audio.playbackRate]") == before


def test_space_and_question_mark_from_everywhere(shown):
    page = shown.page
    plays_and_pauses(shown)  # nothing has the focus
    for part in (
        page.get_by_role("button", name=ENGLISH["playback.speed_50"]),
        page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True),
        page.locator("#mel [data-do=zoom_in]"),
        page.locator("#mel [data-field=n_mels] input[type=range]"),
    ):
        part.click()
        plays_and_pauses(shown)
        page.keyboard.press("?")
        expect(page.locator("dialog.sg-dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog.sg-dialog")).to_have_count(0)
    for tab in ("about", "files", "live"):
        page.get_by_role("tab", name=ENGLISH[f"page.tab_{tab}"], exact=True).click()
        plays_and_pauses(shown)
        page.keyboard.press("?")
        expect(page.locator("dialog.sg-dialog")).to_be_visible()
        page.keyboard.press("Escape")
    page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    now = shown.ev("session.audio.currentTime")
    page.keyboard.press("ArrowRight")
    shown.until("(now) => session.audio.currentTime > now", now)


def test_keys_in_fields_are_theirs(shown):
    page = shown.page
    page.locator("#sg-n_mels").focus()
    page.keyboard.press("Space")
    page.keyboard.press("?")
    page.locator("#mel [data-field=n_mels] input[type=range]").press("ArrowRight")
    shown.until("viewer.panel.values().n_mels === 129")
    page.locator(".sg-example").focus()
    page.keyboard.press("z")
    page.locator("#mel [data-do=tool_select]").focus()
    page.keyboard.press("Tab")  # by the keyboard: Space presses the button that has the focus
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("#mel [data-do=tool_select]")).to_have_attribute("aria-pressed", "true")
    assert shown.ev("[session.audio.paused, session.audio.currentTime]") == [True, 0]
    expect(page.locator("dialog.sg-dialog")).to_have_count(0)


def test_skip_link_leads_to_the_view(shown):
    shown.page.keyboard.press("Tab")
    expect(shown.page.get_by_text(ENGLISH["page.skip"])).to_be_in_viewport()
    shown.page.keyboard.press("Enter")
    assert shown.ev("document.activeElement === viewer.plot")


def test_toolbar_is_one_tab_stop(shown):
    page = shown.page
    expect(page.locator("#mel [role=toolbar][aria-label]")).to_have_count(1)
    tools = "[...document.querySelectorAll('#mel .sg-toolbar .sg-tool')].filter((one) => !one.closest('.sg-panel'))"
    assert shown.ev(f"{tools}.filter((one) => one.tabIndex === 0).length") == 1
    page.locator("#mel [data-do=tool_move]").focus()
    seen = []
    for _ in range(20):
        seen.append(shown.ev(FOCUSED))
        page.keyboard.press("ArrowRight")
    visible = shown.ev(
        tools
        + """.filter((one) => one.offsetParent)
            .sort((one, other) => one.getBoundingClientRect().left - other.getBoundingClientRect().left)
            .map((one) => one.dataset.do)"""
    )
    assert list(dict.fromkeys(seen)) == visible  # all of them, in the order on screen
    assert seen[-1] == visible[-1]
    page.keyboard.press("Home")
    assert shown.ev(FOCUSED) == visible[0]
    page.keyboard.press("Tab")
    assert shown.ev("document.activeElement.closest('.sg-toolbar')") is None


def test_selection_is_typed(shown):
    page, fields = shown.page, shown.page.locator("#mel .sg-edges")
    fields.locator("[data-edge=start]").fill("1.25")
    fields.locator("[data-edge=end]").fill("2.5")
    page.keyboard.press("Enter")
    shown.until("session.state.selection?.start === 1.25 && session.state.selection.end === 2.5")
    fields.locator("[data-edge=high_hz]").fill("3000")
    fields.locator("[data-edge=low_hz]").fill("500")
    page.keyboard.press("Enter")
    shown.until("session.state.selection?.low_hz === 500 && session.state.selection.high_hz === 3000")
    expect(page.locator("#mel .sg-selection dl")).to_contain_text("1.250 s")  # duration
    fields.locator("[data-edge=end]").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("#mel .sg-selection p")).to_have_text(ENGLISH["measurements.wrong_times"])
    assert shown.ev("session.state.selection.end") == 2.5
    shown.ev("session.select({ start: 3, end: 4 })")
    expect(fields.locator("[data-edge=start]")).to_have_value("3")
    expect(fields.locator("[data-edge=low_hz]")).to_have_value("")


def test_complaint_about_typed_values_outlasts_late_measurements(shown):
    page, fields = shown.page, shown.page.locator("#mel .sg-edges")
    note, values = page.locator("#mel .sg-selection p"), page.locator("#mel .sg-selection dl")
    shown.ev(
        """() => { const { measure } = viewer.server; const until = new Promise((done) => { window.release = done; });
            viewer.server = { ...viewer.server, measure: async (query) => { await until; return measure(query); } }; }"""
    )
    shown.ev("session.select({ start: 1, end: 2 })")
    fields.locator("[data-edge=end]").fill("0.5")
    page.keyboard.press("Enter")
    expect(note).to_have_text(ENGLISH["measurements.wrong_times"])
    shown.ev("release()")
    expect(values).to_contain_text("dBFS")  # measured
    expect(note).to_have_text(ENGLISH["measurements.wrong_times"])
    fields.locator("[data-edge=end]").fill("2.5")
    page.keyboard.press("Enter")
    expect(note).to_have_text(ENGLISH["measurements.meaning"])


def tab_to(sheet: Sheet, selector: str, key: str = "Tab") -> None:
    """Press a key until an element has the focus."""
    for _ in range(150):
        if sheet.ev("(selector) => document.activeElement.matches(selector)", selector):
            return
        sheet.page.keyboard.press(key)
    pytest.fail(f"{selector} is not reached by {key}")


def test_keyboard_alone_from_load_to_save(open_sheet):
    """Choose a sound, turn a parameter, label, save, and compare two settings without a pointer."""
    sheet = open_sheet()
    page, press = sheet.page, sheet.page.keyboard.press
    tab_to(sheet, ".sg-example")
    page.keyboard.type("crow")
    sheet.until(f"session.state.sound?.example === 'crow' && {DRAWN}")
    tab_to(sheet, "#sg-n_mels")
    page.keyboard.type("64")
    sheet.until("viewer.data.rows === 64")
    tab_to(sheet, "#mel .sg-plot", "Shift+Tab")
    for key in ("ArrowRight", "[", "ArrowRight", "]"):
        press(key)
    sheet.until("session.state.selection !== null")
    press("Enter")
    page.keyboard.type("Crow")
    press("Enter")
    expect(page.locator("#mel .sg-label-track .sg-mark")).to_have_count(1)
    tab_to(sheet, "#mel .sg-toolbar .sg-tool", "Shift+Tab")
    tab_to(sheet, "#mel [data-do=export]", "ArrowRight")
    press("Enter")
    tab_to(sheet, "#mel [data-save=png]")
    with page.expect_download() as saving:
        press("Enter")
    assert Path(saving.value.path()).read_bytes().startswith(b"\x89PNG")
    press("Escape")
    tab_to(sheet, "[role=tab]", "Shift+Tab")
    tab_to(sheet, f"[role=tab]:nth-of-type({(*VIEWS, 'classify', 'live', 'compare').index('compare') + 1})", "ArrowRight")
    press("Enter")
    press("Shift+Tab")  # the tabs are one stop
    assert sheet.ev("document.activeElement.closest('[role=tablist]')") is None
    tab_to(sheet, ".sg-compare .sg-other-settings")
    page.keyboard.type(ENGLISH["parameters.preset_clicks"][:6])
    expect(page.locator(".sg-compare .sg-pane-title").last).to_contain_text("RMS")
    expect(page.locator(".sg-compare .sg-other-settings")).to_have_value("clicks")


def test_parameters_are_undone_and_redone(shown):
    page = shown.page
    page.fill("#sg-n_mels", "64")
    shown.until("viewer.data.rows === 64")
    page.fill("#sg-n_mels", "32")
    shown.until("viewer.data.rows === 32")
    shown.ev("session.show(1, 2)")
    page.locator("#mel .sg-plot").focus()
    page.keyboard.press("Control+z")  # the zoom first
    shown.until("session.state.visible.end - session.state.visible.start > 4.9")
    assert shown.ev("viewer.panel.values().n_mels") == 32
    page.keyboard.press("Control+z")
    shown.until("viewer.data.rows !== 32")
    expect(page.locator("#sg-n_mels")).not_to_have_value("32")
    page.keyboard.press("Control+Shift+z")
    shown.until("viewer.data.rows === 32")
    for _ in range(4):
        page.keyboard.press("Control+z")
    shown.until("viewer.data.rows === 128")
    expect(page.locator("#mel [data-do=back]")).to_be_disabled()


def test_steps_after_a_press_without_a_release(shown):
    """A list that opens keeps the release; steps of keys and wheel after it are undone one by one."""
    span = "session.state.visible.end - session.state.visible.start"
    for ended in (
        "new KeyboardEvent('keydown', { key: 'Shift', bubbles: true })",
        "new PointerEvent('pointermove', { bubbles: true })",
    ):
        shown.ev("session.showAll()")
        shown.ev(
            "document.querySelector('.sg-example').dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, buttons: 1 }))"
        )
        shown.ev(f"document.body.dispatchEvent({ended})")
        for _ in range(2):
            shown.page.wait_for_timeout(800)
            shown.ev("session.zoom(0.5)")
        shown.page.locator("#mel [data-do=back]").click()
        assert shown.ev(span) == pytest.approx(2.5)
