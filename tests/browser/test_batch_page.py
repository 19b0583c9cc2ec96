"""Many files in a real Chromium: a folder with a broken one, what is listed and sorts, what opens, what is saved; giving up."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import ROOT
from esc.audio.io import load_audio
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN
from test_accessibility import GRAVE, findings

pytestmark = pytest.mark.browser
WAIT_MS = 90_000
RATE = 8_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    siren, rate = load_audio(ROOT / "assets/examples/siren.flac")
    rain, _ = load_audio(ROOT / "assets/examples/rain.flac", rate)
    sounds.write(folder / "b siren.wav", siren, rate)
    (folder / "deep").mkdir()
    sounds.write(folder / "deep" / "a <i> rain, siren.wav", np.concatenate([rain, siren]), rate)
    (folder / "c broken.wav").write_bytes(b"no sound " * 99)
    (folder / "notes.txt").write_text("no sound")
    return folder


def enter(sheet) -> None:
    sheet.page.context.set_default_timeout(WAIT_MS)
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_files"], exact=True).click()


def named(sheet) -> list[str]:
    """The names in the list's order, without the folder."""
    return [name.split("/", 1)[-1] for name in sheet.page.locator(".sg-list tbody td:first-child").all_inner_texts()]


def test_batch_folder(open_sheet, folder, tmp_path):
    sheet = open_sheet()
    enter(sheet)
    page = sheet.page
    page.set_input_files(".sg-pick input[webkitdirectory]", folder)
    expect(page.locator(".sg-files")).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    both, siren, broken = "deep/a <i> rain, siren.wav", "b siren.wav", "c broken.wav"
    assert named(sheet) == [siren, broken, both], "a text file is no sound; a name is only text"
    rows = page.locator(".sg-list tbody tr")
    expect(rows.nth(0)).to_contain_text("siren")
    expect(rows.nth(1).locator(".sg-refused")).to_contain_text("can't be read as sound")
    expect(rows.nth(1).get_by_role("button")).to_be_disabled()
    expect(page.locator(".sg-files .sg-progress-text")).to_contain_text(ENGLISH["batch.refused"].format(refused=1))
    expect(rows.nth(2).locator(".sg-mini-mark").first).to_be_visible()
    assert [found for found in findings(sheet, "files") if found.impact in GRAVE] == []
    length = page.get_by_role("columnheader", name=ENGLISH["timeline.column_duration"]).locator("visible=true")
    length.get_by_role("button").click()
    expect(length).to_have_attribute("aria-sort", "ascending")
    assert named(sheet) == [broken, siren, both]
    page.keyboard.press("Enter")
    expect(length).to_have_attribute("aria-sort", "descending")
    assert named(sheet) == [both, siren, broken]
    with page.expect_download() as saving:
        page.locator(".sg-files .sg-save .sg-chip", has_text="JSON").click()
    saved = json.loads(Path(saving.value.path()).read_text())
    assert [row["file"].split("/", 1)[-1] for row in saved] == [siren, broken, both]
    rows.nth(1).get_by_role("button").click()
    sheet.until("session.state.sound?.name.endsWith('b siren.wav')")
    expect(page.locator(".sg-bars li[data-label=siren]")).to_be_visible(timeout=WAIT_MS)
    walk_label_and_save(sheet)


def walk_label_and_save(sheet) -> None:
    """Go to the next file, label it, and find the label in the list and in one file of all labels."""
    page = sheet.page
    navigation = page.locator(".sg-file-navigation")
    expect(navigation).to_contain_text("2 of 2")
    page.keyboard.press("Shift+P")
    sheet.until("session.state.sound?.name.endsWith('rain, siren.wav')")
    expect(navigation).to_contain_text("1 of 2")
    expect(navigation.get_by_role("button", name=ENGLISH["batch.previous"])).to_be_disabled()
    navigation.get_by_role("button", name=ENGLISH["batch.next"]).click()
    sheet.until("session.state.sound?.name.endsWith('b siren.wav')")
    sheet.load("core/labels", "labels")
    sheet.ev("labels.addLabels([{ name: 'mine', start: 0.25, end: 0.5 }])")
    enter(sheet)
    rows, kinds = page.locator(".sg-list tbody tr"), page.locator(".sg-kinds")
    expect(rows).to_have_count(3)
    expect(page.locator(".sg-list tbody tr[aria-current=true]")).to_contain_text("b siren.wav")
    kinds.locator("[data-kind=refused]").click()
    assert named(sheet) == ["c broken.wav"]
    kinds.locator("[data-kind=labelled]").click()
    assert named(sheet)[0].startswith("b siren.wav")
    expect(page.locator(".sg-filter p")).to_have_text(ENGLISH["batch.shown"].format(shown=1, count=3))
    kinds.locator("[data-kind=labelled]").click()
    page.get_by_label(ENGLISH["batch.search"]).fill("DEEP")
    expect(rows).to_have_count(1)
    page.get_by_label(ENGLISH["batch.search"]).fill("")
    expect(rows).to_have_count(3)
    with page.expect_download() as saving:
        page.locator(".sg-save-labels .sg-chip[data-form=json]").click()
    saved = json.loads(Path(saving.value.path()).read_text())
    assert saved["file"].endswith("/b siren.wav")
    assert saved["labels"] == [{"label": "mine", "start": 0.25, "end": 0.5}]


def test_batch_stop_and_continue(open_sheet, tmp_path):
    sheet = open_sheet()
    page = sheet.page
    page.context.set_default_timeout(WAIT_MS)
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * 60 * RATE)
    long = sounds.write(tmp_path / "long.wav", noise, RATE)
    short = sounds.write(tmp_path / "a short.wav", noise[: 6 * RATE], RATE)
    handle = page.evaluate_handle("new DataTransfer()")
    page.set_input_files("input.sg-file", [])
    for path in (short, long):  # dropped on the page, not on the tab
        page.evaluate(
            "([transfer, name, bytes]) => transfer.items.add(new File([new Uint8Array(bytes)], name))",
            [handle, path.name, list(path.read_bytes()[:200])] if path == short else [handle, path.name, list(b"broken")],
        )
    page.dispatch_event(".sg-player", "drop", {"dataTransfer": handle})
    files = page.locator(".sg-files")
    expect(files).to_be_visible()
    expect(page.locator(".sg-list tbody tr")).to_have_count(2)
    expect(files).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    page.locator(".sg-clear").click()
    expect(page.locator(".sg-list")).to_be_hidden()
    page.set_input_files(".sg-pick input[multiple]:not([webkitdirectory])", [short, long])
    sheet.until("[...document.querySelectorAll('.sg-file-class')].some((cell) => /classifying, [1-9]/.test(cell.textContent))")
    files.locator(".sg-start-stop").click()
    expect(files).to_have_attribute("data-stage", "stopped")
    expect(files.locator(".sg-progress-text")).to_have_text(re.compile("1 of 2"))
    expect(files.locator(".sg-mini-timeline")).to_have_count(1)
    files.locator(".sg-start-stop").click()
    expect(files).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    expect(files.locator(".sg-mini-timeline")).to_have_count(2)
    page.locator(".sg-clear").click()


def test_batch_last_row_comes_while_an_older_answer_is_under_way(open_sheet, folder):
    """Answers without rows are held back until everything is classified, so the last row is never in the fetch that runs."""
    sheet = open_sheet()
    enter(sheet)
    page, files = sheet.page, sheet.page.locator(".sg-files")
    sheet.until("document.querySelector('.sg-files')?.component")
    sheet.ev(
        """() => {
            const batch = document.querySelector('.sg-files').component;
            const [rows, take] = [batch.server.rows, batch.take.bind(batch)];
            const all = new Promise((resolve) => {
                batch.take = (reply) => { if (reply.stage === 'done') resolve(); return take(reply); };
            });
            batch.server = { ...batch.server, rows: async (asked) => {
                const answer = await rows(asked);
                if (!answer.ok.rows.length) await all;
                return answer;
            } };
        }"""
    )
    page.set_input_files(".sg-pick input[webkitdirectory]", folder)
    expect(files).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    expect(files.locator(".sg-mini-timeline")).to_have_count(2)
    expect(files.locator(".sg-progress-text")).to_contain_text(ENGLISH["batch.done"].format(done=3, count=3))


def test_batch_network_failure(open_sheet, folder):
    sheet = open_sheet()
    enter(sheet)
    page, files = sheet.page, sheet.page.locator(".sg-files")
    stays = "window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    page.route("**/upload*", lambda route: route.abort())
    page.set_input_files(".sg-pick input[multiple]:not([webkitdirectory])", [folder / "b siren.wav", folder / "c broken.wav"])
    expect(files.locator(".sg-error")).to_have_text(ENGLISH["page.offline"])
    expect(files.locator(".sg-file-class")).to_have_text([ENGLISH["batch.state_waiting"]] * 2)
    expect(files.locator(".sg-progress-text")).to_have_text(ENGLISH["batch.far"].format(done=0, count=2))
    assert sum("/upload" in url for url in sheet.requests) == 1, "the second is not tried in vain"
    sheet.complaints.clear()
    page.unroute("**/upload*")
    files.get_by_role("button", name=ENGLISH["batch.go_on"]).click()
    assert not sheet.ev(stays), "the browser asks before it leaves the work"
    expect(files).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    expect(files.locator(".sg-mini-timeline")).to_have_count(1)
    expect(files.locator(".sg-error")).to_be_hidden()
    assert not sheet.ev(stays), "nor a table that nobody has saved"
    with page.expect_download():
        files.locator(".sg-downloads .sg-chip").first.click()
    sheet.until(stays)


def test_batch_phone_layout(open_sheet, folder):
    sheet = open_sheet(viewport={"width": 390, "height": 844}, has_touch=True, locale="ru-RU")
    sheet.page.context.set_default_timeout(WAIT_MS)
    found = "[...document.querySelectorAll('[role=tab], .overflow-dropdown button')]"  # a phone has some in a menu
    sheet.ev(f"{found}.find((one) => one.textContent.trim() === 'Файлы').click()")
    sheet.page.set_input_files(".sg-pick input[webkitdirectory]", folder)
    expect(sheet.page.locator(".sg-files")).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    expect(sheet.page.locator(".sg-refused")).to_contain_text("не читается как звук")
    expect(sheet.page.locator(".sg-list tbody tr", has_text="b siren")).to_contain_text("сирена")
    order = sheet.page.get_by_role("combobox", name=RUSSIAN["batch.order"])
    expect(order).to_have_value("file up")
    order.select_option(f"{RUSSIAN['timeline.column_duration']} ↓")
    assert named(sheet) == ["deep/a <i> rain, siren.wav", "b siren.wav", "c broken.wav"]
    assert sheet.ev("document.documentElement.scrollWidth") <= 390
    assert [found for found in findings(sheet, "files on a phone") if found.impact in GRAVE] == []
