"""axe over the page in its main states: no serious finding, in our own components or in Gradio's, so that none is excused."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from chromium import Sheet
from esc.ui.i18n.catalogue import MESSAGES
from esc.ui.tabs.viewer import VIEWS

pytestmark = pytest.mark.browser
GRAVE = ("serious", "critical")
MEL, PANEL = ".sg-viewer[data-view=mel]", "[role=tabpanel]:not([style*='display: none'])"


SETTLED = """!document.querySelector('[data-busy]') && document.getAnimations().every((one) =>
    one.playState !== 'running' || one.effect.getComputedTiming().iterations === Infinity)"""


@dataclass(frozen=True)
class Finding:
    """One element that breaks one of axe's rules."""

    state: str
    rule: str
    impact: str
    selector: str
    html: str


def findings(sheet: Sheet, state: str, within: str | None = None, colours_only: bool = False) -> list[Finding]:
    """Return what axe finds on the page as it is now, or in the part that differs from a state seen before."""
    sheet.until(SETTLED)  # a colour half-way from one to the other has a contrast of its own
    if not sheet.ev("'axe' in window"):
        sheet.ev(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], "preload": False}
    if colours_only:
        options["runOnly"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    run = "async ([within, options]) => (await axe.run(within ?? document, options)).violations"
    return [
        Finding(state, violation["id"], violation["impact"], " ".join(map(str, node["target"])), node["html"][:200])
        for violation in sheet.ev(run, [within, options])
        for node in violation["nodes"]
    ]


def findings_by_scheme(sheet: Sheet, state: str, within: str | None = None) -> list[Finding]:
    """Return what axe finds, on a light page also of the colours of the dark one, which differs in nothing else."""
    found = findings(sheet, state, within)
    if not sheet.ev("document.body.classList.contains('dark')"):
        sheet.page.emulate_media(color_scheme="dark")
        sheet.until("document.body.classList.contains('dark')")
        found += findings(sheet, f"{state}, dark", within, colours_only=True)
        sheet.page.emulate_media(color_scheme="light")
        sheet.until("!document.body.classList.contains('dark')")
    return found


def look_into_tools(sheet: Sheet, name: str) -> list[Finding]:
    """Return what axe finds with each of the mel view's menus open, the sheet of keys, a selection and an error."""
    page, found = sheet.page, []
    for button in page.locator(f"{MEL} .sg-menu > button").all():
        if button.is_visible():
            button.click()
            found += findings_by_scheme(sheet, f"{name}, menu {button.get_attribute('data-do')}", MEL)
            page.keyboard.press("Escape")
    sheet.ev("viewer.plot.focus()")
    page.keyboard.press("?")
    page.wait_for_selector("dialog.sg-dialog")
    found += findings_by_scheme(sheet, f"{name}, keys", "dialog")
    page.keyboard.press("Escape")
    page.keyboard.down("Shift")
    page.mouse.move(*sheet.point(0.3, 0.3))
    page.mouse.down()
    page.mouse.move(*sheet.point(0.6, 0.7), steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    sheet.until("session.state.selection")
    found += findings_by_scheme(sheet, f"{name}, selection", MEL)
    page.keyboard.press("Enter")
    page.fill(".sg-name-field input", "a label")
    found += findings_by_scheme(sheet, f"{name}, name of a label", MEL)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{MEL} .sg-label-track .sg-mark")
    found += findings_by_scheme(sheet, f"{name}, label", MEL)
    page.set_input_files("input.sg-file", {"name": "broken.wav", "mimeType": "audio/wav", "buffer": b"no sound " * 99})
    page.wait_for_selector(".sg-message[data-kind=error]:visible")
    return found + findings_by_scheme(sheet, f"{name}, error", "#player")


def look_everywhere(sheet: Sheet, language: str, name: str) -> list[Finding]:
    """Return what axe finds on the empty page, and with a sound in each of its tabs."""
    page, texts = sheet.page, MESSAGES[language]
    found = findings_by_scheme(sheet, f"{name}, empty")
    sheet.open_example("rain")
    found += findings_by_scheme(sheet, f"{name}, filled") + look_into_tools(sheet, name)
    page.get_by_role("tab", name=texts["page.tab_classify"], exact=True).click()
    page.wait_for_selector(".sg-bars")
    page.locator(".sg-similar").scroll_into_view_if_needed()
    page.wait_for_selector(".sg-similar-list")  # the last of the tab's parts to be answered
    found += findings_by_scheme(sheet, f"{name}, classify", PANEL)
    for view in VIEWS:
        tab = page.get_by_role("tab", name=texts[f"page.tab_{view}"], exact=True)
        if not tab.is_visible():  # in the menu of a phone's tabs: seen on the wide page
            continue
        tab.click()
        sheet.until(f"document.querySelector('.sg-viewer[data-view={view}]')?.hasAttribute('data-filled')")
        found += findings_by_scheme(sheet, f"{name}, {view}", PANEL)
    page.get_by_role("tab", name=texts["page.tab_compare"], exact=True).click()
    page.wait_for_selector(".sg-pane[data-filled] >> nth=1")
    found += findings_by_scheme(sheet, f"{name}, compare", PANEL)
    page.get_by_role("tab", name=texts["page.tab_learn"], exact=True).click()
    page.wait_for_selector(".sg-learn[data-filled]")
    found += findings_by_scheme(sheet, f"{name}, learn", PANEL)
    about = page.get_by_role("tab", name=texts["page.tab_about"], exact=True)
    if about.is_visible():
        about.click()
        page.wait_for_selector(".sg-about h2, .sg-about h3")
        found += findings_by_scheme(sheet, f"{name}, about", PANEL)
    return found


@pytest.mark.parametrize(("theme", "width", "locale"), [("light", 1280, "en-US"), ("dark", 390, "ru-RU")])
def test_axe(open_sheet, theme, width, locale):
    sheet = open_sheet(
        viewport={"width": width, "height": 900},
        locale=locale,
        color_scheme=theme,
        has_touch=width < 500,
        reduced_motion="reduce",
    )
    sheet.page.context.set_default_timeout(60_000)  # what is waited for is quick, but on a busy machine
    found = look_everywhere(sheet, locale[:2], f"{theme} {width}")
    grave = {finding for finding in found if finding.impact in GRAVE}
    assert grave == set(), "\n".join(sorted(map(str, grave)))


@pytest.mark.parametrize(("part", "within"), [(".sg-player", None), (MEL, MEL), (MEL, PANEL)])
def test_axe_finds_a_violation(sheet: Sheet, part: str, within: str | None):
    """A button without a name and grey on grey are found, on the page and in each part that is looked at alone."""
    sheet.ev(
        """(part) => document.querySelector(part).insertAdjacentHTML('beforeend',
            '<button class="sg-bad"></button><p class="sg-bad" style="color:#999;background:#aaa">grey</p>')""",
        part,
    )
    found = findings(sheet, "spoilt", within)
    rules = {finding.rule for finding in found if "sg-bad" in finding.html and finding.impact in GRAVE}
    assert {"button-name", "color-contrast"} <= rules
