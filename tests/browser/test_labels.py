"""Labels in a real Chromium: named by pointer and by keyboard alone, corrected, undone, kept, saved, read; a review."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from chromium import Sheet
from esc.batch.label_files import read_labels
from esc.config import LIBROSA
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
RATE = LIBROSA.sample_rate
SEGMENTS = {
    "stage": "done", "done_s": 4, "totals": [], "overall": None, "silences": [], "uncertain": [["cow", 2, 3, 0.4, "uncertain"]],
    "segments": [["dog", 0, 1, 0.9], ["cat", 1, 2, 0.8], ["rain", 3, 4, 0.7]],
}  # fmt: skip


@pytest.fixture(scope="module")
def tone_wav(tmp_path_factory) -> Path:
    """1 kHz from 1 s to 2 s of four, over faint noise."""
    times_s = np.arange(4 * RATE) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 1000 * times_s) * ((times_s >= 1) & (times_s < 2))
    path = tmp_path_factory.mktemp("labels") / "tone.wav"
    soundfile.write(path, tone + 1e-4 * np.random.default_rng(4).standard_normal(len(times_s)), RATE)
    return path


def names(sheet: Sheet) -> list[str]:
    return sheet.ev("labels.labels.now.list.map(({ name }) => name)")


def box(sheet: Sheet, at: int = 0) -> dict:
    return sheet.ev("(at) => labels.labels.now.list[at]", at)


def opened(open_sheet, sound: Path) -> Sheet:
    sheet = open_sheet()
    sheet.load("core/labels", "labels")
    sheet.open_file(sound)
    return sheet


def drag(sheet: Sheet, begin: tuple[float, float], end: tuple[float, float], key: str = "Shift") -> None:
    """Drag between two points, as shares of the plot."""
    (x0, y0, *_), (x1, y1, *_) = sheet.point(*begin), sheet.point(*end)
    mouse = sheet.page.mouse
    if key:
        sheet.page.keyboard.down(key)
    mouse.move(x0, y0)
    mouse.down()
    mouse.move(x1, y1, steps=4)
    mouse.up()
    if key:
        sheet.page.keyboard.up(key)


def saved(sheet: Sheet, form: str) -> bytes:
    with sheet.page.expect_download() as download:
        sheet.page.click(f"#mel .sg-labels [data-form={form}]")
    return Path(download.value.path()).read_bytes()


def test_labels_by_pointer_over_a_reload(open_sheet, tone_wav: Path, tmp_path):
    """Name a box, snap and drag its edges, undo, reload, save, delete, read back."""
    sheet = opened(open_sheet, tone_wav)
    page = sheet.page
    drag(sheet, (0.28, 0.2), (0.47, 0.9))  # 1.12 s to 1.88 s
    page.click("#mel .sg-labels [data-do=name_it]")
    page.fill(".sg-name-field input", "my pump")
    page.click(".sg-name-field [type=submit]")
    drag(sheet, (0.7, 0.5), (0.8, 0.51))  # flat: all frequencies
    page.keyboard.press("Enter")
    expect(page.locator(".sg-name-field input")).to_have_value("my pump")  # the last name is offered
    page.keyboard.type("Crow")
    page.keyboard.press("Enter")
    assert names(sheet) == ["my pump", "crow"]  # a class by its own name
    assert box(sheet)["low_hz"] > 0
    assert box(sheet, 1)["low_hz"] is None
    marks = page.locator("#mel .sg-label-track .sg-mark")
    expect(marks).to_have_text(["my pump", "crow"])
    marks.first.click()
    page.click("#mel .sg-labels [data-do=snap]")  # to the tone
    sheet.until("Math.abs(labels.labels.now.list[0].start - 1) < 0.02")
    assert box(sheet)["end"] == pytest.approx(2.0, abs=0.02)
    mark = marks.last.bounding_box()
    page.mouse.move(mark["x"] + mark["width"] - 2, mark["y"] + 8)
    page.mouse.down()
    page.mouse.move(mark["x"] + 1.5 * mark["width"], mark["y"] + 8, steps=3)
    page.wait_for_timeout(800)  # a drag that rests is one step, too
    page.mouse.move(mark["x"] + 2 * mark["width"], mark["y"] + 8, steps=3)
    page.mouse.up()
    sheet.until("labels.labels.now.list[1].end > 3.5")
    sheet.until("Math.abs(session.state.selection.end - labels.labels.now.list[1].end) < 1e-9")
    page.locator("#mel .sg-plot").focus()
    page.keyboard.press("Control+z")  # the whole drag
    assert box(sheet, 1)["end"] == pytest.approx(3.2, abs=0.05)
    page.keyboard.press("Control+Shift+z")
    assert box(sheet, 1)["end"] > 3.5
    table = page.locator("#mel .sg-label-table tbody")
    expect(table.locator("tr").first.locator("td[data-column=peak_hz]")).to_contain_text("1,0")
    before = sheet.ev("labels.labels.now.list.map(({ id, ...label }) => label)")
    tracks = {form: saved(sheet, form).decode() for form in ("audacity", "raven", "csv", "json")}
    for form, text in tracks.items():
        found = read_labels(text, form, 4.0, RATE).labels
        assert [(one.name, one.low_hz is None) for one in found] == [("my pump", False), ("crow", True)]
    with zipfile.ZipFile(io.BytesIO(saved(sheet, "zip"))) as archive:
        assert sorted(name.split("/")[0] for name in archive.namelist()) == ["crow", "my pump"]
    page.reload()
    sheet.until("document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-main span')")
    for module, name in {"core/state": "session", "core/labels": "labels"}.items():
        sheet.load(module, name)
    page.evaluate("window.viewer = document.querySelector('.sg-viewer').component")
    sheet.until("labels.labels.now.list.length === 2")  # by the content of the file, which is open again
    assert sheet.ev("labels.labels.now.list.map(({ id, ...label }) => label)") == before
    for left in (1, 0):
        page.locator("#mel .sg-label-table [data-do=delete]").first.click()
        expect(page.locator("#mel .sg-label-table tbody tr")).to_have_count(left)
    expect(page.locator("#mel .sg-label-track")).to_be_hidden()
    page.keyboard.press("Control+z")
    assert names(sheet) == ["crow"]
    page.keyboard.press("Control+Shift+z")
    (tmp_path / "a.txt").write_text(tracks["audacity"] + "9\t10\t<img src=x onerror=alert(1)>\n3\t2\tx\n", encoding="utf-8")
    page.set_input_files("#mel .sg-labels input[type=file]", tmp_path / "a.txt")
    sheet.until("labels.labels.now.list.length === 2")
    expect(page.locator(".sg-message")).to_contain_text(ENGLISH["labels.problem_past"])
    expect(page.locator(".sg-message")).to_contain_text(ENGLISH["labels.problem_order"])


def figures(sheet: Sheet) -> list[str]:
    """Return the columns of the CSV that hold measurements, without those in which a label has none."""
    rows = list(csv.DictReader(io.StringIO(saved(sheet, "csv").decode())))
    return [name for name in ("mean_db", "peak_db", "peak_hz", "rms_dbfs") if all(row.get(name) for row in rows)]


def test_labels_are_measured_however_they_came(open_sheet, tone_wav: Path, tmp_path):
    """Those kept from before a reload, those under other parameters, and for the file those of pages that were not shown, too."""
    sheet = opened(open_sheet, tone_wav)
    peaks = sheet.page.locator("#mel .sg-label-table tbody td[data-column=peak_hz]")
    sheet.ev("labels.addLabels([{ name: 'a', start: 1, end: 1.5 }, { name: 'b', start: 1.5, end: 2 }])")
    expect(peaks).to_have_text([re.compile("1,0")] * 2)
    sheet.load("lib/database", "database")
    sheet.until("database.kept('labels', session.state.sound.digest).then((found) => found?.list.length === 2)")
    sheet.page.wait_for_timeout(200)  # until the page asks nothing when it is left
    sheet.page.reload()
    sheet.until("document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-main span')")
    expect(peaks).to_have_text([re.compile("1,0")] * 2)
    assert len(figures(sheet)) == 4
    for module, name in {"core/labels": "labels", "viewer/parameters": "parameters"}.items():
        sheet.load(module, name)
    sheet.page.evaluate("window.viewer = document.querySelector('.sg-viewer').component")
    before = peaks.first.text_content()
    with sheet.new_picture():
        sheet.ev("parameters.applyParameters({ n_fft: 256, win_length: 256 })")
    expect(peaks.first).not_to_have_text(before)
    expect(peaks.first).not_to_have_text("–")
    sheet.ev("labels.changeLabel(labels.labels.now.list[0].id, { start: 1.2 })")
    assert len(figures(sheet)) == 4
    (tmp_path / "many.csv").write_text("start,end,label\n" + "".join(f"{at / 20},{at / 20 + 0.5},x\n" for at in range(70)))
    sheet.page.set_input_files("#mel .sg-labels input[type=file]", tmp_path / "many.csv")
    sheet.until("labels.labels.now.list.length === 72")
    assert len(figures(sheet)) == 4


def test_labels_of_another_tab_of_the_browser(open_sheet, tone_wav: Path):
    """Labels that another tab keeps for the same sound appear here; a point can be chosen, renamed and deleted."""
    sheet = opened(open_sheet, tone_wav)
    sheet.load("lib/database", "database")
    point = {"name": "click", "start": 1.5, "end": 1.5, "low_hz": None, "high_hz": None, "probability": None, "of": None}
    sheet.ev(
        """async (label) => {
            const { digest } = session.state.sound;
            await database.keep('labels', digest, { list: [label], refused: [] });
            new BroadcastChannel('soundglass-labels').postMessage(digest);
        }""",
        point,
    )
    sheet.until("labels.labels.now.list.length === 1")
    page = sheet.page
    sheet.ev("labels.addLabels([{ name: 'own', start: 2, end: 3 }])")
    page.locator("#mel .sg-plot").focus()
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert names(sheet) == ["click"], "to undo a step of this tab leaves the other one's labels"
    page.locator("#mel .sg-label-track .sg-mark").click()
    page.get_by_role("button", name=ENGLISH["labels.do_rename"], exact=True).locator("visible=true").click()
    page.fill(".sg-name-field input", "tick")
    page.keyboard.press("Enter")
    assert names(sheet) == ["tick"]
    page.locator("#mel .sg-plot").focus()
    page.keyboard.press("Delete")
    assert names(sheet) == []


def test_label_that_is_added_before_the_kept_ones_are_read(open_sheet, tone_wav: Path):
    """Both stay, on the page and in the browser; to undo the new one keeps the others and is the only step."""
    slow = """Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
        set(work) { this.addEventListener('complete', () => setTimeout(work, window.lag ?? 0)); } });"""
    sheet = open_sheet(prepare=slow)
    sheet.load("core/labels", "labels")
    sheet.load("lib/database", "database")
    sheet.open_file(tone_wav)
    sheet.ev("labels.addLabels([{ name: 'kept', start: 1, end: 2 }])")
    kept = "database.kept('labels', digest).then((found) => found?.list.map(({ name }) => name))"
    sheet.ev("() => { window.digest = session.state.sound.digest; }")
    sheet.until(f"{kept}.then((all) => all?.length === 1)")
    sheet.open_example("crow")
    sheet.ev("() => { window.lag = 1500; }")
    sheet.open_file(tone_wav)
    assert names(sheet) == []
    sheet.ev("labels.addLabels([{ name: 'early', start: 2, end: 3 }])")
    sheet.until("labels.labels.now.list.length === 2")
    sheet.ev("() => { window.lag = 0; }")
    assert names(sheet) == ["kept", "early"]
    sheet.until(f"{kept}.then((all) => all?.length === 2)")
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.page.keyboard.press("Control+z")
    assert names(sheet) == ["kept"]
    sheet.until(f"{kept}.then((all) => all?.length === 1)")
    sheet.load("core/view_history", "view_history")
    assert not sheet.ev("view_history.canGo(-1)"), "no step that changes nothing"


def test_labels_by_keyboard_alone(open_sheet, tone_wav: Path):
    """Select, name, rename, move an edge, delete and undo without a pointer."""
    sheet = opened(open_sheet, tone_wav)
    press = sheet.page.keyboard.press
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.ev("session.seek(1.2)")
    press("[")
    sheet.ev("session.seek(1.8)")
    press("]")
    press("Enter")
    sheet.page.keyboard.type("собака")  # the class in the other language
    press("Enter")
    assert names(sheet) == ["dog"]
    expect(sheet.page.locator("#mel .sg-plot")).to_be_focused()
    press("n")
    sheet.page.keyboard.type("<b>fan</b>")
    press("Enter")
    assert names(sheet) == ["<b>fan</b>"]
    expect(sheet.page.locator("#mel .sg-label-track .sg-mark")).to_have_text("<b>fan</b>")
    sheet.ev("session.seek(1.6)")
    press("]")  # an edge of the chosen label
    assert box(sheet)["end"] == pytest.approx(1.6)
    press("g")
    sheet.until("Math.abs(labels.labels.now.list[0].start - 1) < 0.02")
    press("Delete")
    assert names(sheet) == []
    press("Control+z")
    assert names(sheet) == ["<b>fan</b>"]
    sheet.page.locator("#mel .sg-label-track .sg-mark").focus()
    press("Enter")
    sheet.until("!session.audio.paused || session.audio.currentTime > 1.5")
    press("Escape")
    sheet.page.locator("#mel .sg-plot").focus()
    press("Enter")  # nothing is selected: the page says how
    expect(sheet.page.locator(".sg-message")).to_contain_text(ENGLISH["labels.select_first"])


def test_timeline_reviewed_by_keys(open_sheet, tone_wav: Path):
    """Accept, refuse and correct segments by keys; probabilities stay; what is accepted is a label."""
    sheet = opened(open_sheet, tone_wav)
    sheet.load("core/detections", "detections")
    sheet.ev("(reply) => detections.setTimeline(reply)", SEGMENTS)
    marks = sheet.page.locator("#mel .sg-lanes .sg-mark")
    press = sheet.page.keyboard.press
    marks.first.focus()
    press("ArrowRight")
    press("ArrowLeft")
    press("a")
    press("r")
    press("n")
    expect(sheet.page.locator(".sg-name-field input")).to_have_value("cow")  # the guess
    sheet.page.keyboard.type("sheep")
    press("Enter")
    press("ArrowRight")
    for at, verdict in enumerate(("accepted", "refused", "corrected")):
        expect(marks.nth(at)).to_have_attribute("data-verdict", verdict)
    assert sheet.ev("labels.labels.now.list.map(({ name, start, probability }) => [name, start, probability])") == [
        ["dog", 0, 0.9],
        ["sheep", 2, 0.4],
    ]
    expect(sheet.page.locator("#mel .sg-review span")).to_contain_text("70\u00a0%")
    press("Control+z")
    assert names(sheet) == ["dog"]
    press("Control+z")
    expect(marks.nth(1)).not_to_have_attribute("data-verdict", "refused")


def test_verdict_is_on_one_network_and_reading(open_sheet, tone_wav: Path):
    """An equal segment of the other network, or of another channel, is not reviewed with it."""
    sheet = opened(open_sheet, tone_wav)
    sheet.load("core/detections", "detections")
    sheet.load("core/network", "networks")
    sheet.ev("networks.setNetwork({ classes: ['dog'] }, 'both')")
    sheet.ev("(reply) => detections.setTimeline({ ...reply, second: reply })", SEGMENTS)
    verdicts = "detections.segmentsOf(detections.detections.timeline).map(([dog]) => labels.verdictOn(dog))"
    sheet.ev("labels.review(detections.segmentsOf(detections.detections.timeline)[1][0], 'dog')")
    assert sheet.ev(verdicts) == ["", "accepted"]
    sheet.ev("networks.setNetwork({ classes: ['dog'] }, 'app')")  # the second of both
    sheet.ev("(reply) => detections.setTimeline(reply)", SEGMENTS)
    assert sheet.ev(verdicts) == ["accepted"]
    sheet.ev("() => { session.state.sound = { ...session.state.sound, channel: 'left' }; }")
    assert sheet.ev(verdicts) == [""]


def test_a_hundred_thousand_labels_leave_the_page_quick(open_sheet, tone_wav: Path, tmp_path):
    sheet = opened(open_sheet, tone_wav)
    lines = (f"{at / 26_000:.5f},{at / 26_000 + 0.05:.5f},x\n" for at in range(100_000))
    (tmp_path / "many.csv").write_text("start,end,label\n" + "".join(lines))
    longest = """() => { window.longest = 0; let last = performance.now(); const tick = () => { const now = performance.now();
        window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(tick); }; tick(); }"""
    sheet.ev(longest)
    sheet.page.set_input_files("#mel .sg-labels input[type=file]", tmp_path / "many.csv")
    sheet.until("labels.labels.now.list.length === 100_000")
    expect(sheet.page.locator("#mel .sg-label-more")).to_be_visible()
    expect(sheet.page.locator("#mel .sg-label-table tbody tr")).to_have_count(50)
    sheet.ev("session.show(1, 1.01)")
    sheet.page.locator("#mel .sg-labels [data-do=next_page]").click()
    expect(sheet.page.locator("#mel .sg-pages output")).to_contain_text("51–100")
    assert sheet.ev("window.longest") < 5000  # a table or lanes of them all would take minutes


def test_label_that_can_not_be_measured_is_asked_once(open_sheet):
    """A band above what the view has is refused; the page stays quick, and its row has dashes."""
    sheet = open_sheet(link="example=crow")
    sheet.until("viewer.data !== null && viewer.current()")
    sheet.load("core/labels", "labels")
    sheet.ev(
        """() => { const { measure } = viewer.server; window.asked = 0;
            viewer.server = { ...viewer.server, measure: (query) => { asked += 1; return measure(query); } }; }"""
    )
    sheet.ev("labels.addLabels([{ name: 'high', start: 1, end: 2, low_hz: 15000, high_hz: 16000 }])")
    sheet.ev("session.select(null)")
    sheet.until("window.asked > 0")
    sheet.page.wait_for_timeout(500)
    first = sheet.ev("asked")
    sheet.page.wait_for_timeout(500)
    assert sheet.ev("asked") == first <= 3
    expect(sheet.page.locator("#mel .sg-label-table tbody tr")).to_contain_text("–")
