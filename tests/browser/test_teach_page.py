"""Own classes in a real Chromium: folders dropped, taught, looked at, used, saved, and loaded again elsewhere."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from command_line import classify
from esc.ui.i18n.catalogue import ENGLISH
from test_accessibility import GRAVE, findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WAIT_MS = 240_000
RATE = 22_050


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Three classes of four sounds; the last hiss is a tone in truth."""
    folder, rng = tmp_path_factory.mktemp("classes"), np.random.default_rng(3)
    for number in range(4):
        clicks = 1e-3 * rng.standard_normal(RATE)
        clicks[rng.integers(0, RATE, 6)] = 0.9
        made = {"tone": sounds.tone(400.0 + 90 * number, 1.0, RATE), "hiss": 0.2 * rng.standard_normal(RATE), "clicks": clicks}
        for label, waveform in made.items():
            (folder / label).mkdir(exist_ok=True)
            sounds.write(folder / label / f"{number}.wav", waveform, RATE)
    sounds.write(folder / "hiss" / "a tone.wav", sounds.tone(505.0, 1.0, RATE), RATE)
    return folder


def drop_folders(sheet, folder: Path) -> None:
    """Drop the folders on the page as a browser does: entries that are read part by part."""
    files = [(str(path.relative_to(folder)), list(path.read_bytes())) for path in sorted(folder.rglob("*.wav"))]
    sheet.page.evaluate(
        """(files) => {
          const top = new Map();
          for (const [name, bytes] of files) {
            const file = new File([new Uint8Array(bytes)], name.split('/')[1]);
            const entry = { isFile: true, isDirectory: false, fullPath: `/${name}`, file: (take) => take(file) };
            top.set(name.split('/')[0], [...top.get(name.split('/')[0]) ?? [], entry]);
          }
          const items = [...top.values()].map((inside) => {
            const parts = [inside, []];
            const createReader = () => ({ readEntries: (take) => take(parts.shift()) });
            const entry = { isFile: false, isDirectory: true, createReader };
            return { webkitGetAsEntry: () => entry };
          });
          const event = new Event('drop', { bubbles: true, cancelable: true });
          Object.defineProperty(event, 'dataTransfer', { value: { items, files: [], types: ['Files'] } });
          document.querySelector('.sg-teach').dispatchEvent(event);
        }""",
        files,
    )


def enter(sheet, tab: str) -> None:
    sheet.page.context.set_default_timeout(WAIT_MS)
    sheet.page.get_by_role("tab", name=ENGLISH[f"page.tab_{tab}"], exact=True).click()


def choose(sheet, choice: str, tab: str = "classify") -> None:
    """Choose the classes of the page, the own ones, or both."""
    sheet.page.locator(f"#{tab}-tab .sg-network [data-choice={choice}], #{tab} .sg-network [data-choice={choice}]").first.click()


def download(sheet, button: str) -> bytes:
    """Press a button and return the file that it saves."""
    with sheet.page.expect_download() as saving:
        sheet.page.locator(button).click()
    return Path(saving.value.path()).read_bytes()


def bars(sheet) -> dict[str, float]:
    """The probabilities that "What is it?" shows, in percent."""
    rows = sheet.page.locator(".sg-classify .sg-bars li")
    expect(rows).to_have_count(3, timeout=WAIT_MS)
    text = (
        "rows => Object.fromEntries(rows.map((row) => [row.dataset.label, parseFloat(row.querySelector('output').textContent)]))"
    )
    return rows.evaluate_all(text)


def use_both_everywhere(sheet, file: Path, own_timeline: list[dict]) -> None:
    """In the timeline, Live and Files both networks answer, each for itself."""
    page = sheet.page
    choose(sheet, "both")
    for name in ("own", "app"):
        expect(page.locator("#timeline .sg-lanes-of", has_text=ENGLISH[f"teach.answer_{name}"])).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#timeline .sg-overall:visible")).to_have_count(2)
    expect(page.locator("#timeline .sg-save")).to_be_visible(timeout=WAIT_MS)
    assert {cell.inner_text() for cell in page.locator("#timeline tbody [data-column=answer]").all()} == {
        ENGLISH["teach.answer_own"],
        ENGLISH["teach.answer_app"],
    }
    with zipfile.ZipFile(io.BytesIO(download(sheet, "#timeline .sg-save [data-form=json]"))) as both:
        assert sorted(both.namelist()) == ["own/long-timeline.json", "page/long-timeline.json"]
        assert json.loads(both.read("own/long-timeline.json")) == own_timeline
    rows = page.locator("#timeline tbody tr", has_text=ENGLISH["teach.answer_app"])
    rows.first.get_by_role("button").click()  # its class is explained by the network that named it
    sheet.until(
        "(({ second, label, data }) => second && data?.maps[label] && label === session.state.asked?.label)"
        "(document.querySelector('.sg-saliency').component)"
    )
    expect(page.locator(".sg-saliency .sg-error")).to_be_hidden()
    page.evaluate("session.audio.pause()")
    page.evaluate("session.ask(null)")

    enter(sheet, "live")
    page.locator("#live .sg-start-stop").click()
    answers = page.locator("#live .sg-live-classes")
    expect(answers.nth(0).locator(".sg-bars li")).to_have_count(3, timeout=WAIT_MS)
    expect(answers.nth(1).locator(".sg-bars li")).to_have_count(5)
    choose(sheet, "own", "live")
    expect(answers.nth(1)).to_be_hidden()
    choose(sheet, "both", "live")
    expect(answers.nth(1).locator(".sg-bars li")).to_have_count(5)
    page.locator("#live .sg-start-stop").click()

    enter(sheet, "files")
    page.locator("#files input[type=file]").first.set_input_files(file)
    expect(page.locator("#files .sg-save")).to_be_visible(timeout=WAIT_MS)
    row = page.locator("#files tbody tr")
    expect(row.locator(".sg-mini-timeline")).to_have_count(2)
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})  # a card: the second answer has a line of its own
    card, cell = (row.locator(selector).bounding_box() for selector in ("[data-column=file]", "[data-column=second]"))
    assert (cell["x"], cell["width"]) == pytest.approx((card["x"], card["width"]), abs=1)
    page.set_viewport_size(size)
    with zipfile.ZipFile(io.BytesIO(download(sheet, "#files .sg-save [data-form=csv]"))) as both:
        labels = {
            name: [one["label"] for one in csv.DictReader(io.StringIO(both.read(name).decode()))] for name in both.namelist()
        }
    assert set(labels["own/soundglass-files.csv"]) <= {"tone", "hiss", "clicks", "unsure", "unknown", "silence"}
    assert not set(labels["page/soundglass-files.csv"]) & {"tone", "hiss", "clicks"}
    choose(sheet, "own", "files")
    expect(page.locator("#files .sg-save")).to_be_visible(timeout=WAIT_MS)
    expect(row.locator(".sg-mini-timeline")).to_have_count(1)


def test_teach_use_save_and_load(open_sheet, folders, tmp_path):
    sheet = open_sheet()
    page = sheet.page
    enter(sheet, "teach")
    expect(page.locator(".sg-class")).to_have_count(2)
    drop_folders(sheet, folders)
    expect(page.locator(".sg-class-files li")).to_have_count(13)
    teach = page.locator(".sg-teach .sg-start-stop")
    expect(teach).to_be_enabled()
    teach.click()
    expect(page.locator(".sg-teach")).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    expect(page.locator(".sg-matrix tbody th")).to_have_text(["clicks", "hiss", "tone"])
    counts = [
        [int(cell.replace("·", "0")) for cell in row.locator("td").all_inner_texts()]
        for row in page.locator(".sg-matrix tbody tr").all()
    ]
    assert [sum(row) for row in counts] == [4, 5, 4]
    assert counts[1][2] >= 1, "the tone among the hisses"
    assert [found for found in findings(sheet, "teach") if found.impact in GRAVE] == []
    page.locator(".sg-wrong li", has_text="a tone.wav").locator(".sg-thumb").click()
    sheet.until("session.state.sound?.name === 'a tone.wav'")
    enter(sheet, "classify")
    shown = bars(sheet)
    maps = page.locator(".sg-saliency[data-filled] .sg-choices button")
    expect(maps).to_have_count(3, timeout=WAIT_MS)
    others = page.locator(".sg-saliency .sg-choices select")
    expect(others).to_be_hidden()  # all classes are buttons
    choose(sheet, "app")
    expect(page.locator(".sg-classify .sg-bars li")).to_have_count(5)
    expect(others).to_be_visible()
    choose(sheet, "both")
    expect(page.locator(".sg-classify .sg-verdict")).to_have_count(2)
    expect(page.locator(".sg-classify .sg-verdict:not([data-second]) .sg-bars li")).to_have_count(3)
    expect(maps).to_have_count(3)
    theirs = page.locator(".sg-classify .sg-verdict[data-second] .sg-bars li")
    expect(theirs).to_have_count(5)
    theirs.nth(1).locator("button").click()
    expect(theirs.nth(1)).to_have_attribute("aria-current", "true", timeout=WAIT_MS)
    expect(maps).to_have_count(5)
    choose(sheet, "own")
    assert bars(sheet) == shown
    send_twice = "() => { const one = document.querySelector('.sg-classify').component; one.send(); one.turn += 1; one.send(); }"
    page.evaluate(send_twice)
    assert bars(sheet) == shown, "a request that follows another at once is answered, too"
    long = np.concatenate([sounds.tone(520.0, 6.0, RATE), np.zeros(RATE, np.float32), sounds.tone(480.0, 6.0, RATE)])
    page.set_input_files("input.sg-file", sounds.write(tmp_path / "long.wav", long, RATE))
    sheet.until("session.state.sound?.name === 'long.wav'")
    expect(page.locator("#timeline .sg-totals li").first).to_be_visible(timeout=WAIT_MS)
    shown = bars(sheet)
    reply = dict(page.evaluate("document.querySelector('.sg-classify').component.reply.top"))  # unrounded
    own_timeline = json.loads(download(sheet, "#timeline .sg-save [data-form=json]"))
    use_both_everywhere(sheet, tmp_path / "long.wav", own_timeline)
    enter(sheet, "teach")
    saved = tmp_path / "mine.zip"
    saved.write_bytes(download(sheet, ".sg-teach .sg-keep"))
    said = classify(tmp_path / "long.wav", "--checkpoint", saved, "--timeline", "--format", "json")
    (theirs,) = json.loads(said.stdout)
    assert reply == pytest.approx({one["label"]: one["probability"] for one in theirs["top"]}, abs=1e-5)
    assert shown == pytest.approx({label: 100 * share for label, share in reply.items()}, abs=0.06)
    for part in ("timeline", "uncertain"):
        for ours, other in zip(own_timeline[0][part], theirs[part], strict=True):
            assert ours == pytest.approx(other, abs=1e-5)
    assert sheet.page.evaluate("document.querySelectorAll('.sg-teach .sg-error:not([hidden])').length") == 0
    enter(sheet, "about")
    expect(page.locator("#about table").first.locator("tbody tr")).to_have_count(3)
    cells = page.locator("#about table").nth(1).locator("tbody td")
    assert [int(text) for text in cells.all_inner_texts() if text.isdigit()] == [count for row in counts for count in row]
    right = sum(counts[i][i] for i in range(3))
    expect(page.locator("#about .sg-numbers dd").first).to_contain_text(f"{100 * right / 13:.1f}")

    elsewhere = open_sheet()
    enter(elsewhere, "teach")
    assert elsewhere.page.locator(".sg-own").is_hidden(), "the classes of one session are nobody else's"
    broken = tmp_path / "broken.zip"
    broken.write_bytes(saved.read_bytes()[:-4_000_000])
    elsewhere.page.set_input_files(".sg-teach-load", broken)
    expect(elsewhere.page.locator(".sg-teach > .sg-error")).to_contain_text("broken.zip can't be used as a network")
    elsewhere.page.set_input_files(".sg-teach-load", saved)
    expect(elsewhere.page.locator(".sg-matrix tbody tr")).to_have_count(3)
    elsewhere.page.set_input_files("input.sg-file", tmp_path / "long.wav")
    elsewhere.until("session.state.sound?.name === 'long.wav'")
    enter(elsewhere, "classify")
    assert bars(elsewhere) == shown
