"""What happens when, in a real Chromium: it comes piece by piece, can be given up, lies under the picture and plays."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import ROOT
from esc.audio.io import load_audio
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN

pytestmark = pytest.mark.browser
WAIT_MS = 90_000


@pytest.fixture(scope="module")
def rain_then_siren(tmp_path_factory):
    """20 s: rain, silence, siren twice."""
    rain, rate = load_audio(ROOT / "assets/examples/rain.flac")
    siren, _ = load_audio(ROOT / "assets/examples/siren.flac", rate)
    whole = np.concatenate([rain, np.zeros(5 * rate, np.float32), siren, siren])
    return sounds.write(tmp_path_factory.mktemp("when") / "rain then siren.wav", whole, rate)


def ask(sheet):
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"]).click()


def timeline_of(open_sheet, path):
    """Return a page with a file's finished timeline, and the timeline's element."""
    sheet = open_sheet()
    sheet.page.context.set_default_timeout(WAIT_MS)
    sheet.open_file(path)
    ask(sheet)
    when = sheet.page.locator(".sg-timeline")
    expect(when).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    return sheet, when


def test_headline_says_mostly_of_the_sound_not_of_what_is_known(open_sheet, rain_then_siren):
    _, when = timeline_of(open_sheet, rain_then_siren)
    mostly = ENGLISH["timeline.mostly"].format(what="siren")
    totals = [["siren", 4.0, 2, 0.9], ["rain", 1.0, 1, 0.9]]
    for silences, uncertain, text in (
        ([], [], mostly),
        ([[5.0, 20.0]], [], mostly),
        ([], [["engine", 5.0, 9.0, 0.3, "unknown"]], "siren, rain"),
        ([], [["engine", 5.0, 9.0, 0.3, "unsure"]], "siren, rain"),
    ):
        reply = {"stage": "done", "clip_seconds": 5.0, "done_s": 20.0, "segments": [], "totals": totals, "overall": None}
        when.evaluate("(root, reply) => root.component.take(reply)", reply | {"silences": silences, "uncertain": uncertain})
        expect(when.locator(".sg-big").first).to_have_text(re.compile(f"^{text}$", re.I))


def test_timeline_lanes_and_table(open_sheet, rain_then_siren):
    sheet, when = timeline_of(open_sheet, rain_then_siren)
    strip = when.locator(".sg-lanes")
    siren = strip.locator(".sg-mark[data-label=siren]").last
    expect(siren).to_be_visible()
    expect(when.locator(".sg-big").first).to_contain_text(re.compile("siren", re.I))
    plot, mark = (node.bounding_box() for node in (when.locator(".sg-plot"), siren))
    shares = sheet.ev("[...document.querySelectorAll('.sg-timeline .sg-mark[data-label=siren]')].length")
    row = when.locator(".sg-table tbody tr", has_text="siren").last
    assert shares >= 1 and plot["x"] <= mark["x"] and mark["x"] + mark["width"] <= plot["x"] + plot["width"] + 1
    siren.click()
    sheet.until("!session.audio.paused && session.audio.currentTime > 5")
    began = sheet.ev("session.state.selection.start")
    viewer = "document.querySelector('.sg-timeline .sg-viewer').component"
    assert mark["x"] - plot["x"] == pytest.approx(sheet.ev(f"{viewer}.xOf({began})"), abs=2), "one time axis"
    sheet.ev("session.audio.pause()")
    row.get_by_role("button").click()  # the table plays, too
    sheet.until("!session.audio.paused")
    sheet.ev("session.audio.pause()")
    starts = "[...document.querySelectorAll('.sg-timeline .sg-table tbody tr')].map((row) => row.children[1].textContent)"
    rising = sheet.ev(starts)
    when.locator(".sg-table th", has_text=ENGLISH["timeline.column_start"]).get_by_role("button").click()
    expect(when.locator(".sg-table th[aria-sort=descending]")).to_have_count(1)
    assert sheet.ev(starts) == rising[::-1] and len(rising) >= 2
    with sheet.page.expect_download() as saving:
        when.locator(".sg-save .sg-chip", has_text=ENGLISH["timeline.form_audacity"]).click()
    assert saving.value.suggested_filename == "rain then siren-timeline.txt"
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    expect(sheet.page.locator("#mel .sg-lanes .sg-mark[data-label=siren]").last).to_be_visible()  # under every picture


def test_timeline_uncertain_and_late_start(open_sheet, tmp_path):
    siren, rate = load_audio(ROOT / "assets/examples/siren.flac")
    noise = np.random.default_rng(0).normal(0, 0.1, 12 * rate)
    sound = np.concatenate([np.zeros(7 * rate, np.float32), siren, noise.astype(np.float32)])
    sheet = open_sheet()
    sheet.page.context.set_default_timeout(WAIT_MS)
    sheet.open_file(sounds.write(tmp_path / "late.wav", sound, rate))
    ask(sheet)
    when = sheet.page.locator(".sg-timeline")
    expect(when).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    expect(sheet.page.locator(".sg-bars li[data-label=siren]")).to_be_visible()  # not the silence that it begins with
    expect(when.locator(".sg-first")).to_have_text(ENGLISH["timeline.first_clip_alone"].format(start="0:07", end="0:12"))
    expect(sheet.page.locator(".sg-saliency")).to_contain_text(
        ENGLISH["saliency.given_window"].format(start="0:07.00", end="0:12.00")
    )
    marks = when.locator(".sg-uncertain")
    expect(marks.last).to_have_attribute("data-label", "unknown")  # the noise
    key = {"uncertain": "timeline.uncertain", "unknown": "timeline.none_known"}
    for mark in marks.all():
        assert ENGLISH[key[mark.get_attribute("data-label")]] in mark.get_attribute("title")
    expect(when.locator(".sg-totals li[data-label=unknown]")).to_be_visible()
    silence, siren, noise = sheet.ev(
        """() => {
            const { detections } = soundglass['core/detections.js'];
            const { segments, silences, uncertain } = detections.timeline;
            return [silences[0], segments.find(({ label }) => label === 'siren'), uncertain.at(-1)];
        }"""
    )
    assert (silence["start"], silence["end"]) == (0, pytest.approx(7, abs=0.1))
    assert (siren["start"], siren["end"]) == (pytest.approx(7, abs=0.1), pytest.approx(12, abs=0.3))
    assert noise["start"] < 16 and noise["end"] == pytest.approx(24.0)
    row = when.locator(".sg-table tbody tr", has_text=re.compile("siren", re.I)).first
    expect(row.locator("[data-column=uncertainty]")).to_have_text(re.compile(r"±[0-9.]+\s*s"))


def test_timeline_progress_and_stop(open_sheet, tmp_path):
    sheet = open_sheet()
    sheet.page.context.set_default_timeout(WAIT_MS)
    noise = np.random.default_rng(0).normal(0, 0.1, 15 * 60 * 8000)
    sheet.open_file(sounds.write(tmp_path / "quarter of an hour.wav", noise, 8000))
    ask(sheet)
    when = sheet.page.locator(".sg-timeline")
    done = "Number(document.querySelector('.sg-timeline .sg-progress')?.getAttribute('aria-valuenow'))"
    sheet.until(f"{done} > 0")
    for kind in (".sg-mark", ".sg-row"):  # strip and table are drawn anew all the time
        when.locator(kind).first.hover()
        sheet.page.mouse.down()
        sheet.until(f"(before) => {done} > before", sheet.ev(done))
        sheet.page.mouse.up()
        sheet.until("!session.audio.paused")  # the click has come
        sheet.ev("session.audio.pause()")
        sheet.until(f"(before) => {done} > before", sheet.ev(done))
        assert sheet.ev("(kind) => document.activeElement.matches(kind)", kind)
    expect(when).to_have_attribute("data-stage", "working")
    when.locator(".sg-start-stop").click()
    expect(when).to_have_attribute("data-stage", "stopped")
    expect(when.locator(".sg-progress-text")).to_have_text(re.compile(ENGLISH["timeline.stopped_at"].split("{")[0]))
    expect(when.locator(".sg-start-stop")).to_have_text(ENGLISH["timeline.run_again"])
    sheet.choose_example("siren")  # another sound is classified at once: the work on the server has ended
    sheet.until("session.state.sound.example === 'siren'")
    expect(when).to_have_attribute("data-stage", "done", timeout=WAIT_MS)


def test_timeline_phone_layout(open_sheet, rain_then_siren):
    sheet = open_sheet(viewport={"width": 390, "height": 844}, has_touch=True, locale="ru-RU")
    sheet.page.context.set_default_timeout(WAIT_MS)
    sheet.open_file(rain_then_siren)
    sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_classify"], exact=True).tap()
    expect(sheet.page.locator(".sg-timeline")).to_have_attribute("data-stage", "done", timeout=WAIT_MS)
    assert sheet.ev("document.documentElement.scrollWidth") <= 390
    assert sheet.ev("document.querySelector('.sg-timeline').scrollWidth") <= 390


MACHADO = [  # of linear RGB, of the whole deficiency: nobody's, protanopia, deuteranopia, tritanopia
    np.eye(3),
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
]


def oklab(linear_rgb):
    """Return OKLab coordinates (Ottosson, 2020)."""
    to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    to_lms.append([0.0883024619, 0.2817188376, 0.6299787005])
    to_lab = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
    to_lab.append([0.0259040371, 0.7827717662, -0.8086757660])
    return np.cbrt(np.clip(linear_rgb, 0, 1) @ np.transpose(to_lms)) @ np.transpose(to_lab)


def test_colours_and_names_of_classes(open_sheet):
    sheet = open_sheet()
    painted = sheet.ev(
        """() => {
            const { paintClass } = soundglass['core/detections.js'];
            const context = document.createElement('canvas').getContext('2d');
            return Object.keys(i18n.texts.class_names).map((label) => {
                const node = document.createElement('i');
                paintClass(node, label);
                context.fillStyle = node.style.getPropertyValue('--sg-colour');
                context.fillRect(0, 0, 1, 1);
                return [node.dataset.pattern, ...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
            });
        }"""
    )
    rgb = np.array([row[1:] for row in painted]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for matrix, least in zip(MACHADO, (0.14, 0.08, 0.08, 0.08), strict=True):
        places = oklab(linear @ np.transpose(matrix))
        for one in range(50):
            alike = [other for other in range(one) if painted[one][0] == painted[other][0]]
            assert all(np.linalg.norm(places[one] - places[other]) > least for other in alike)
    sheet.choose_example("siren")
    sheet.until("session.state.sound?.example === 'siren'")
    sheet.ev(  # segments of all widths
        """() => {
            const { setTimeline } = soundglass['core/detections.js'];
            const { seconds } = session.state.sound;
            const segments = Object.keys(i18n.texts.class_names).map((label, index) => [label, 0, (seconds * index) / 200, 0.9]);
            setTimeline({ stage: 'done', done_s: seconds, segments, silences: [], uncertain: [], totals: [], overall: null });
        }"""
    )
    shown = sheet.ev(
        """[...document.querySelectorAll('#mel .sg-mark span')].filter((name) => !name.hidden).map((name) => {
            const range = document.createRange();
            range.setStart(name.firstChild, 0);
            range.setEnd(name.firstChild, Math.min(4, name.textContent.length));
            const { left, right } = name.parentNode.getBoundingClientRect();
            return [name.textContent, left, right, range.getBoundingClientRect().right, name.parentNode.title];
        })"""
    )
    assert 10 < len(shown) < 50, "narrow ones have no name"
    for name, _, right, fourth_letter, title in shown:
        assert fourth_letter <= right, f"{name} is cut to fewer than four letters"
        assert name.lower() in title.lower()
