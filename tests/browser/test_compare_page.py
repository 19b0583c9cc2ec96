"""The compare tab in a real Chromium: choose B, align, zoom, switch, other settings, bad input."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from chromium import Sheet
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
RATE, DELAY_S = 22_050, 0.25
READY = """compare.panes.every((pane) => pane.current()) && compare.panes[0].loaded === JSON.stringify(compare.panes[0].query())
    && !compare.panes[0].host.hasAttribute('data-busy')"""


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A, and the same 6 dB softer after a quarter of a second of silence."""
    noise = (0.2 * np.random.default_rng(2).standard_normal(4 * RATE)).astype(np.float32)
    later = np.concatenate([np.zeros(round(DELAY_S * RATE)), noise * 10 ** (-6 / 20)]).astype(np.float32)
    return sounds.write(tmp_path / "a.wav", noise, RATE, "FLOAT"), sounds.write(tmp_path / "b.wav", later, RATE, "FLOAT")


def open_compare(sheet: Sheet, path: Path) -> None:
    sheet.open_file(path)
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_compare"], exact=True).click()
    sheet.until("document.querySelector('.sg-compare')?.component")
    sheet.ev("() => { window.compare = document.querySelector('.sg-compare').component; }")
    sheet.until(READY)


def summary(sheet: Sheet) -> str:
    sheet.until(READY)
    return sheet.ev("compare.titles[2].textContent")


def choose_other(sheet: Sheet, path: Path) -> None:
    sheet.page.set_input_files(".sg-compare input[type=file]", path)
    sheet.until("(name) => compare.other.sound?.name === name", path.name)
    sheet.until(READY)


def set_offset(sheet: Sheet, seconds: float) -> None:
    sheet.page.locator(".sg-offset").fill(str(seconds))
    sheet.page.locator(".sg-offset").press("Enter")
    sheet.until("(seconds) => compare.offset.seconds === seconds", seconds)


def test_two_sounds_aligned_zoomed_and_alternated(sheet: Sheet, two):
    page = sheet.page
    open_compare(sheet, two[0])
    assert "mean 0.0, RMS 0.0 dB" in summary(sheet)  # with itself
    choose_other(sheet, two[1])
    expect(page.locator(".sg-other")).to_have_value("own")
    page.locator(".sg-align").click()
    expect(page.locator(".sg-offset")).to_have_value(str(-DELAY_S))
    assert "mean +6.0, RMS 6.0 dB" in summary(sheet)
    expect(page.locator(".sg-matched")).to_have_text(re.compile(r"A -6\.[01] dB"))

    box = page.locator(".sg-pane .sg-plot").first.bounding_box()  # a wheel on B zooms all three
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -600)
    sheet.until("session.state.visible.end - session.state.visible.start < 2")
    assert "mean +6.0" in summary(sheet)
    starts = sheet.ev("compare.panes.map((pane) => [pane.data.start, pane.xOf(pane.data.start), pane.area().height])")
    assert starts[0] == starts[1] == starts[2]
    assert "A − B +6.0 dB" in sheet.ev("compare.panes[0].readout.textContent")  # the pointer reads all three

    page.locator(".sg-pane-title[role=slider]").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".sg-offset")).to_have_value("-0.15")
    assert "RMS 6.0" not in summary(sheet)
    page.locator(".sg-offset").fill("9")
    page.locator(".sg-offset").press("Enter")
    expect(page.locator(".sg-compare > .sg-error")).to_contain_text("-4.250 and 4.000 s")
    expect(page.locator(".sg-offset")).to_have_value("-0.15")
    page.locator(".sg-offset").fill(str(-DELAY_S))
    page.locator(".sg-offset").press("Enter")
    expect(page.locator(".sg-compare > .sg-error")).to_be_hidden()

    sheet.ev("session.seek(1)")
    sheet.ev("session.togglePlay()")
    sheet.until("session.audio.currentTime > 1.05")
    sheet.ev("() => { window.clip = compare.sides.alternation.clip; }")
    page.locator(".sg-sides [data-side=b]").click()
    sheet.until(f"!clip.paused && Math.abs(clip.currentTime - session.audio.currentTime - {DELAY_S}) < 0.1")
    assert sheet.ev("[session.audio.muted, clip.muted, session.audio.paused]") == [True, False, False]
    assert sheet.ev("session.audio.volume / clip.volume") == pytest.approx(10 ** (-6 / 20), abs=0.03)
    page.keyboard.press("x")
    expect(page.locator(".sg-sides [data-side=a]")).to_have_attribute("aria-pressed", "true")
    assert sheet.ev("[session.audio.muted, clip.muted]") == [False, True]
    page.keyboard.press("x")
    sheet.load("player/playback", "playback")
    sheet.ev("playback.setSpeed(0.1)")  # 20 ms are a fifth of a second then
    sheet.until("session.audio.slowdown > 1 && clip.slowdown > 1 && !clip.paused && session.audio.currentTime > 0.01")
    apart = sheet.ev(
        """() => {
            const { alternation } = compare.sides;
            const at = session.audio.currentTime - alternation.offset;
            const late = { src: clip.src, seeking: false, paused: false, slowdown: 1, currentTime: at - 0.02 };
            Object.assign(alternation, { clip: late }).sync();
            alternation.clip = clip;
            return late.currentTime - at;
        }"""
    )
    assert apart == pytest.approx(0, abs=0.005)
    sheet.ev("playback.setSpeed(1)")
    page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()  # elsewhere only A plays
    sheet.until("!session.audio.muted && session.audio.volume === 1 && clip.paused")


def test_longer_b_is_said_and_reached(sheet: Sheet, two):
    """A line says where B ends, and its button moves B on until its end is that of A."""
    open_compare(sheet, two[0])
    line = sheet.page.locator(".sg-longer")
    expect(line).to_be_hidden()  # with itself
    choose_other(sheet, two[1])
    expect(line).to_contain_text(ENGLISH["compare.longer"].format(end="0:04.25"))
    line.get_by_role("button", name=ENGLISH["compare.next_part"]).click()
    expect(sheet.page.locator(".sg-offset")).to_have_value(str(-DELAY_S))
    expect(line).to_be_hidden()
    expect(sheet.page.locator(".sg-offset")).to_be_focused()
    assert "mean +6.0, RMS 6.0 dB" in summary(sheet)


def test_one_sound_with_two_settings(sheet: Sheet, two):
    page = sheet.page
    open_compare(sheet, two[0])
    page.select_option(".sg-kind", "stft")
    sheet.until(READY)
    page.fill("#sg-compare-hop_length", "128")
    page.press("#sg-compare-hop_length", "Enter")
    sheet.until(f"compare.panes[0].data?.request.config.hop_length === 128 && {READY}")
    assert sheet.ev("compare.panes[0].data.request.other_config.hop_length") == 512
    assert "RMS 0.0" not in summary(sheet)
    page.select_option(".sg-other-settings", "")
    sheet.until(f"compare.panes[0].data.request.other_config.hop_length === 128 && {READY}")
    assert "mean 0.0, RMS 0.0 dB" in summary(sheet)
    page.select_option(".sg-other-settings", "clicks")
    sheet.until(f"compare.panes[0].data.request.other_config.sample_rate === 44100 && {READY}")
    colours = sheet.ev(
        """compare.panes.map((pane) => { const { left, top, width, height } = pane.area();
            const { data } = pane.image.getContext('2d').getImageData(left, top, width, height);
            return new Set(new Uint32Array(data.buffer)).size; })"""
    )
    assert min(colours) > 20
    page.select_option(".sg-kind", "mfcc")
    sheet.until(f"compare.panes[0].view === 'mfcc' && {READY}")
    expect(page.locator(".sg-range-db")).to_be_disabled()
    page.select_option(".sg-other", "rain")
    sheet.until(f"compare.other.sound?.example === 'rain' && {READY}")
    sheet.ev("() => { compare.other.sound.id = 'gone'; compare.refresh(); }")
    expect(page.locator(".sg-compare > .sg-error")).to_have_text(ENGLISH["compare.gone"])
    expect(page.locator(".sg-other")).to_have_value("")
    page.select_option(".sg-example", "crow")  # another A
    sheet.until(f"session.state.sound.example === 'crow' && {READY}")


def test_integers_as_floats_of_b_are_offered_to_be_divided(sheet: Sheet, two, tmp_path):
    """B's file can be read otherwise, too; a channel of A follows how A is read."""
    page = sheet.page
    integers = sounds.write(
        tmp_path / "integers.wav", 32_768 * sounds.in_channels(sounds.tone(440.0, 4.0, RATE), 2), RATE, "FLOAT"
    )
    open_compare(sheet, two[0])
    choose_other(sheet, integers)
    offer = page.locator(".sg-compare > .sg-scale-offer")
    expect(offer).to_contain_text(f"B · {ENGLISH['scale.integers']}")
    raw = sheet.ev("compare.other.sound.peak_db")
    set_offset(sheet, 0.5)
    offer.get_by_role("button", name="Divide by 32,768").click()
    expect(offer).to_contain_text("The samples were divided by 32,768.")
    assert sheet.ev("compare.other.sound.peak_db") == pytest.approx(raw - 90.31, abs=0.02)
    assert sheet.ev("compare.other.sound.name") == "integers.wav"
    assert sheet.ev("compare.offset.seconds") == 0.5

    sheet.ev("() => { window.old = session.state.sound.id; }")
    page.set_input_files("input.sg-file", integers)  # as A, beside its own channel
    sheet.until("session.state.sound.id !== old")
    expect(offer).to_be_hidden()  # what A is offered holds for both
    assert sheet.ev("compare.offset.seconds") == 0
    page.select_option(".sg-other", "channel:left")
    sheet.until("compare.other.sound?.channel === 'left'")
    expect(offer).to_be_hidden()
    set_offset(sheet, -0.25)
    sheet.ev("""() => session.events.addEventListener('sound', () => { window.said = compare.titles[1].textContent; })""")
    page.locator(".sg-player > .sg-scale-offer").get_by_role("button", name="Divide by 32,768").click()
    sheet.until("session.state.sound.full_scale === 32768 && compare.other.sound.full_scale === 32768")
    assert sheet.ev("[compare.other.sound.channel, compare.other.sound.name]") == ["left", "integers.wav · Left"]
    assert ENGLISH["player.opening"].format(name="integers.wav · Left") in sheet.ev("window.said")
    assert sheet.ev("compare.offset.seconds") == -0.25
    page.set_input_files("input.sg-file", two[0])
    expect(offer).to_contain_text("The samples were divided by 32,768.")  # another A


def test_offset_stays_in_the_file_as_its_times_change(sheet: Sheet, two, tmp_path):
    page = sheet.page
    bat = sounds.write_slowed(tmp_path / "bat.wav", sounds.tone(4_000.0, 5.0, 44_100), 44_100)
    open_compare(sheet, two[0])
    choose_other(sheet, bat)
    set_offset(sheet, -0.5)
    page.locator(".sg-compare > .sg-expansion-offer").get_by_role("button", name=ENGLISH["expansion.apply"]).click()
    sheet.until("compare.other.sound.time_expansion === 10")
    assert sheet.ev("compare.offset.seconds") == -0.05
    sheet.ev("() => { window.old = session.state.sound.id; }")
    page.set_input_files("input.sg-file", bat)
    sheet.until("session.state.sound.id !== old && compare.other.sound.time_expansion === 1")  # B follows, as A's file
    set_offset(sheet, 0.5)
    sheet.load("core/reading", "reading")
    for expansion, offset in ((10, 0.05), (1, 0.5)):
        sheet.ev("(expansion) => reading.expandTime(expansion)", expansion)
        both = "[session.state.sound, compare.other.sound].every((one) => one.time_expansion === expansion)"
        sheet.until(f"(expansion) => {both}", expansion)
        assert sheet.ev("compare.offset.seconds") == offset


def test_link_carries_the_comparison(open_sheet):
    link = "example=siren&view=compare&compare=with:crow,offset:0.5,view:stft,range:12,settings:kept,hop_length:256"
    sheet = open_sheet(link=link)
    sheet.until("document.querySelector('.sg-compare')?.component")
    sheet.ev("() => { window.compare = document.querySelector('.sg-compare').component; }")
    sheet.until(f"compare.other.sound?.example === 'crow' && compare.offset.seconds === 0.5 && {READY}")
    query = sheet.ev("compare.panes[0].data.request")
    assert (query["view"], query["range_db"], query["offset"]) == ("stft", 12, 0.5)
    assert (query["config"]["hop_length"], query["other_config"]["hop_length"]) == (512, 256)
    sheet.page.locator(".sg-offset").fill("0.25")
    sheet.page.locator(".sg-offset").press("Enter")
    expected = "with:crow,offset:0.25,view:stft,range:12,settings:kept,hop_length:256"
    sheet.until("(text) => new URLSearchParams(location.hash.slice(1)).get('compare') === text", expected)
    again = open_sheet(link=sheet.ev("location.hash.slice(1)"))
    again.until("document.querySelector('.sg-compare')?.component?.offset.seconds === 0.25")


def test_print_of_compare_is_one_page(open_sheet, two):
    sheet = open_sheet()
    open_compare(sheet, two[0])
    choose_other(sheet, two[1])
    sheet.until(READY)
    sheet.ev("window.dispatchEvent(new Event('beforeprint'))")
    printed = sheet.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
