"""Nothing lost: Back and Forward through tabs and sounds, the last sounds after a reload, unsaved recordings."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import sounds
from chromium import Sheet
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
STAYS = "window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
MOUNTED = "document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-main span')"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Two sounds of the same length."""
    folder = tmp_path_factory.mktemp("own")
    return [sounds.write(folder / f"{hz}.wav", sounds.tone(hz, 2.0), 44_100) for hz in (440, 880)]


def entered(sheet: Sheet, tab: str, name: str) -> None:
    """Wait until a tab and a sound are open and the address is written."""
    sheet.until("(name) => session.state.sound?.name === name", name)
    sheet.until("(tab) => soundglass['core/tabs.js'].currentTab() === tab", tab)
    written = "(({ tab, sound } = {}) => tab === open && sound === session.state.sound.digest)(history.state?.soundglass)"
    sheet.until(f"(open) => {written}", tab)


def reloaded(sheet: Sheet) -> None:
    sheet.page.reload()
    sheet.until(MOUNTED)
    prepared(sheet)


def prepared(sheet: Sheet) -> None:
    sheet.load("core/state", "session")
    sheet.ev("() => { window.viewer = document.querySelector('.sg-viewer').component; }")


def test_back_through_tabs_and_sounds_and_a_reload(open_sheet, own):
    """Examples and own files, two of them of one length, come again; a reload brings the last one."""
    sheet = open_sheet()
    prepared(sheet)
    page = sheet.page
    sheet.open_example("crow")
    entered(sheet, "mel", "crow.flac")
    for path in own:
        sheet.open_file(path)
        entered(sheet, "mel", path.name)
    page.get_by_role("tab", name=ENGLISH["page.tab_stft"]).click()
    entered(sheet, "stft", "880.wav")
    for tab, name in (("mel", "880.wav"), ("mel", "440.wav"), ("mel", "crow.flac")):
        page.go_back()
        entered(sheet, tab, name)
    for tab, name in (("mel", "440.wav"), ("mel", "880.wav"), ("stft", "880.wav")):
        page.go_forward()
        entered(sheet, tab, name)
    reloaded(sheet)
    entered(sheet, "stft", "880.wav")
    expect(page.locator(".sg-message")).to_be_hidden()
    page.select_option(".sg-example", label="440.wav")
    entered(sheet, "stft", "440.wav")
    page.select_option(".sg-example", label=ENGLISH["player.forget"])
    expect(page.locator(".sg-message")).to_contain_text(ENGLISH["player.forgotten"])
    expect(page.locator(".sg-example optgroup").last.locator("option")).to_have_count(0)
    sheet.load("core/reading", "reading")
    sheet.ev("reading.readAs({ full_scale: 2 })")  # nothing of this keeps it again
    sheet.until("session.state.sound.full_scale === 2")
    sheet.load("lib/database", "database")
    sheet.ev("new Promise((done) => setTimeout(done, 500))")
    assert sheet.ev("database.allKept('sounds').then((all) => all.length)") == 0
    reloaded(sheet)
    expect(page.locator(".sg-message")).to_contain_text(ENGLISH["player.kept_gone"])


def test_kept_sound_that_is_gone_ends_the_wait(open_sheet):
    """Neither it nor a player that is removed leaves the page busy with the sound that was to open before."""
    sheet = open_sheet()
    prepared(sheet)
    player, busy = "document.querySelector('.sg-player').component", "document.body.hasAttribute('data-busy')"
    sheet.ev(f"() => {{ {player}.server = {{ open_sound: () => new Promise(() => {{}}) }}; }}")
    sheet.choose_example("crow")
    sheet.until(busy)
    sheet.ev("session.emit('reopen', { digest: 'of none' })")
    expect(sheet.page.locator(".sg-message")).to_have_text(re.compile(re.escape(ENGLISH["player.kept_gone"])))
    assert not sheet.ev(busy)
    expect(sheet.page.locator(".sg-player")).to_have_attribute("aria-busy", "false")
    sheet.choose_example("rain")
    sheet.until(busy)
    sheet.ev(f"{player}.destroy()")
    assert not sheet.ev(busy)


def test_unsaved_recording_and_labels_ask(open_sheet):
    """A recording asks until it is saved, and is there after a reload; labels ask where the browser keeps none."""
    sheet = open_sheet()
    prepared(sheet)
    page = sheet.page
    assert sheet.ev(STAYS)
    page.click(".sg-record")
    sheet.until("/[1-9]/.test(document.querySelector('.sg-hint').textContent)")
    page.click(".sg-record")
    save = page.locator(".sg-save-recording")
    expect(save).to_be_visible()
    assert not sheet.ev(STAYS)
    sheet.until("document.querySelectorAll('.sg-example optgroup:last-of-type option').length === 2")  # it is kept
    with page.expect_download() as saved:
        save.click()
    assert saved.value.suggested_filename.startswith("recording-")
    assert sheet.ev(STAYS)
    name = sheet.ev("session.state.sound.name")
    sheet.until("history.state?.soundglass?.own")
    reloaded(sheet)
    sheet.until("(name) => session.state.sound?.name === name", name)
    expect(save).to_be_visible()
    off = open_sheet(prepare="indexedDB.open = () => { throw new Error('off'); };", link="example=crow")
    off.load("core/labels", "labels")
    off.until("session.state.sound && viewer.current()")
    off.ev("session.select({ start: 1, end: 2 })")
    off.page.locator("#mel .sg-plot").focus()
    off.page.keyboard.press("Enter")
    off.page.keyboard.type("caw")
    off.page.keyboard.press("Enter")
    assert not off.ev(STAYS)
    off.open_example("rain")
    assert off.ev("labels.labels.now.list.length") == 0
    off.open_example("crow")
    off.until("labels.labels.now.list.length === 1")  # as long as the page is open
    with off.page.expect_download():
        off.page.click("#mel .sg-labels [data-form=csv]")
    off.until(STAYS)
