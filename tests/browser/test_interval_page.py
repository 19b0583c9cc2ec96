"""What an interval of a sound is and why, in a real browser: a row, a selection, and back to the first clip."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import ROOT, Sheet
from esc.audio.io import load_audio
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
WAIT_MS = 90_000
SALIENCY = "document.querySelector('.sg-saliency').component"


def test_row_and_selection_are_named_and_explained(sheet: Sheet, tmp_path):
    """Rain, then at 0:57 a siren."""
    rain, rate = load_audio(ROOT / "assets/examples/rain.flac")
    siren, _ = load_audio(ROOT / "assets/examples/siren.flac", rate)
    long = np.concatenate([rain, np.zeros(52 * rate, np.float32), siren])
    sheet.page.context.set_default_timeout(WAIT_MS)
    sheet.open_file(sounds.write(tmp_path / "memo.wav", long, rate))
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()
    tab, box = sheet.page.locator(".sg-timeline"), sheet.page.locator(".sg-classify")
    expect(tab).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    sheet.until(f"{SALIENCY}?.data?.maps.rain && {SALIENCY}.data.start < 1")

    tab.locator(".sg-table tbody tr", has_text=re.compile("siren", re.I)).last.get_by_role("button").click()
    sheet.until("/siren/i.test(document.querySelector('.sg-now-playing').textContent)")  # what plays
    sheet.until("session.state.asked?.label === 'siren' && session.state.asked.start > 56")
    expect(box.locator(".sg-asked h3")).to_have_text(re.compile("0:5[67].*1:02"))
    expect(box.locator(".sg-bars li").first).to_have_attribute("data-label", "siren")
    sheet.until(f"{SALIENCY}.data?.maps.siren && {SALIENCY}.label === 'siren' && {SALIENCY}.data.start > 56")
    expect(sheet.page.locator(".sg-saliency .sg-clip-interval")).to_contain_text(re.compile("0:5[67].*1:0[12]"))
    sheet.ev("session.audio.pause()")

    sheet.ev("for (const end of [1, 2, 3]) session.ask({ start: 0, end })")  # before any is answered: the last one is
    heading = ENGLISH["classify.interval_padded"].format(start="0:00.00", end="0:03.00", seconds="5")
    expect(box.locator(".sg-asked h3")).to_have_text(heading)
    sheet.until(f"{SALIENCY}.data?.end === 3")

    sheet.ev(f"""() => {{ const one = {SALIENCY}; window.drawn = [];
        one.choose = (label) => {{ drawn.push(one.data.end); one.constructor.prototype.choose.call(one, label); }};
        for (const end of [1, 2, 4]) one.request(null, 0, end); }}""")
    sheet.until("drawn.includes(4)")
    assert sheet.ev("drawn") == [4], "a late map of another interval is not drawn"

    sheet.ev("session.select({ start: 1, end: 2.5 })")  # shorter than a clip: padded
    tab.locator(".sg-ask").click()
    expect(tab.locator(".sg-ask")).to_be_hidden()
    heading = ENGLISH["classify.interval_padded"].format(start="0:01.00", end="0:02.50", seconds="5")
    expect(box.locator(".sg-asked h3")).to_have_text(heading)
    sheet.until(f"{SALIENCY}.data?.end === 2.5 && {SALIENCY}.data.fit === 'padded'")
    assert sheet.ev(f"{SALIENCY}.map.span()")[0] == pytest.approx(1 - 1.75, abs=0.02)

    similar = sheet.page.locator(".sg-similar")
    similar.scroll_into_view_if_needed()
    expect(similar.locator("h2")).to_contain_text(ENGLISH["similar_sounds.interval"].format(start="0:01.00", end="0:02.50"))

    box.locator(".sg-asked button").click()
    expect(box.locator(".sg-asked")).to_have_count(0)
    expect(box.locator(".sg-bars li").first).to_have_attribute("data-label", "rain")
    expect(similar.locator("h2")).not_to_contain_text("0:02.50")

    sent = sheet.ev(
        """() => {
            const [sent, timer] = [[], window.setTimeout];
            let late;
            window.setTimeout = (work) => { late = work; return 1; };
            const context = { trigger: (event, { end }) => sent.push(end), watch: () => {}, props: {} };
            const trigger = soundglass['tabs/newest_only.js'].newestOnly(context, new AbortController().signal);
            for (const end of [1, 2, 3]) trigger('explain', { end });
            late();
            window.setTimeout = timer;
            return sent;
        }"""
    )
    assert sent == [1, 3], "of those that wait, the newest is sent once the reply counts as lost"
