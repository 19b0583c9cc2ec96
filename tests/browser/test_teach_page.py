"""Own classes in a real Chromium: folders dropped, taught, looked at, used, saved, and loaded again elsewhere."""

from __future__ import annotations

import json
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


def bars(sheet) -> dict[str, float]:
    """The probabilities that "What is it?" shows, in percent."""
    rows = sheet.page.locator(".sg-classify .sg-bars li")
    expect(rows).to_have_count(3, timeout=WAIT_MS)
    text = (
        "rows => Object.fromEntries(rows.map((row) => [row.dataset.label, parseFloat(row.querySelector('output').textContent)]))"
    )
    return rows.evaluate_all(text)


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
    page.locator("#classify-tab .sg-network button").nth(0).click()
    expect(page.locator(".sg-classify .sg-bars li")).to_have_count(5)
    page.locator("#classify-tab .sg-network button").nth(1).click()
    assert bars(sheet) == shown
    long = np.concatenate([sounds.tone(520.0, 6.0, RATE), np.zeros(RATE, np.float32), sounds.tone(480.0, 6.0, RATE)])
    page.set_input_files("input.sg-file", sounds.write(tmp_path / "long.wav", long, RATE))
    sheet.until("session.state.sound?.name === 'long.wav'")
    expect(page.locator("#timeline .sg-totals li").first).to_be_visible(timeout=WAIT_MS)
    shown = bars(sheet)
    enter(sheet, "teach")
    with page.expect_download() as saving:
        page.locator(".sg-teach .sg-keep").click()
    saved = tmp_path / "mine.zip"
    saving.value.save_as(saved)
    said = classify(tmp_path / "long.wav", "--checkpoint", saved, "--format", "json")
    listed = {one["label"]: one["probability"] for one in json.loads(said.stdout)[0]["top"]}
    assert shown == pytest.approx({label: 100 * share for label, share in listed.items()}, abs=0.06)
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
