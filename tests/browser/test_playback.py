"""Ways of playing in a real Chromium: the selection, loop, slower, and only the selected frequencies, measured by Web Audio."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import expect

import sounds
from chromium import Sheet
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
RATE = 44_100
LOW_HZ, HIGH_HZ = 500.0, 4000.0

# what goes to the loudspeakers goes to an analyser, too
TAP = """
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (to, ...rest) {
        if (to === this.context.destination && this.context instanceof AudioContext) {
            window.tap ??= new AnalyserNode(this.context, { fftSize: 16384, smoothingTimeConstant: 0 });
            connect.call(this, window.tap);
        }
        return connect.call(this, to, ...rest);
    };
    window.level = (hz) => {
        if (!window.tap) return -Infinity;
        const levels = new Float32Array(tap.frequencyBinCount);
        tap.getFloatFrequencyData(levels);
        const bin = Math.round((hz * tap.fftSize) / tap.context.sampleRate);
        return Math.max(...levels.subarray(bin - 4, bin + 5));
    };
    window.loudestHz = () => {
        const levels = new Float32Array(tap.frequencyBinCount);
        tap.getFloatFrequencyData(levels);
        const loudest = levels.indexOf(Math.max(...levels));
        return levels[loudest] > -60 ? (loudest * tap.context.sampleRate) / tap.fftSize : 0;
    };
"""


@pytest.fixture(scope="module")
def two_tones(tmp_path_factory) -> Path:
    """Eight seconds of 500 Hz and, as loud, 4 kHz."""
    times_s = np.arange(8 * RATE) / RATE
    path = tmp_path_factory.mktemp("playback") / "two.wav"
    samples = 0.3 * np.sin(2 * np.pi * LOW_HZ * times_s) + 0.3 * np.sin(2 * np.pi * HIGH_HZ * times_s)
    soundfile.write(path, samples, RATE, "PCM_16")
    return path


def do(sheet: Sheet, name: str) -> None:
    sheet.page.click(f".sg-playback [data-do={name}]")


def select(sheet: Sheet, start: float, end: float, low: float | None = None, high: float | None = None) -> None:
    sheet.ev("(box) => session.select(box)", {"start": start, "end": end, "low_hz": low, "high_hz": high})


def test_bandpass_response(sheet: Sheet):
    gains = sheet.ev(
        """async (bands) => {
            const { bandPass } = soundglass['player/bandpass_filter.js'];
            const seconds = 2;
            const gain = async (low, high, hz) => {
                const context = new OfflineAudioContext(1, seconds * 48000, 48000);
                const tone = new OscillatorNode(context, { frequency: hz });
                [tone, ...bandPass(context, low, high), context.destination].reduce((from, to) => from.connect(to));
                tone.start();
                const samples = (await context.startRendering()).getChannelData(0).subarray(48000); // once it has settled
                return 10 * Math.log10(2 * samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
            };
            const answer = [];
            for (const [low, high] of bands) {
                const tones = [low / 2, low, Math.sqrt(low * high), high, 2 * high];
                answer.push(await Promise.all(tones.map((hz) => gain(low, high, hz))));
            }
            return answer;
        }""",
        [[100, 200], [500, 2000], [950, 1050], [3000, 9000]],
    )
    for below, at_low, middle, at_high, above in gains:
        assert max(below, above) < -40
        assert [at_low, middle, at_high] == [pytest.approx(0, abs=0.3)] * 3  # twice the ripple, and what is measured


def test_selected_band_only(open_sheet, two_tones):
    sheet = open_sheet(prepare=TAP)
    sheet.open_file(two_tones)
    band = sheet.page.locator(".sg-playback [data-do=only_band]")
    expect(band).to_be_hidden()  # no frequencies are selected
    select(sheet, 0.5, 7.5, 300, 1000)
    do(sheet, "only_band")
    expect(band).to_have_attribute("aria-pressed", "true")
    sheet.page.click(".sg-loop")
    do(sheet, "play_selection")
    sheet.until(f"level({LOW_HZ}) > -40 && level({LOW_HZ}) - level({HIGH_HZ}) > 40")
    expect(sheet.page.locator(".sg-now-playing")).to_contain_text("300–1,000 Hz only")
    select(sheet, 0.5, 7.5, 2000, 6000)  # the filter follows the selection
    sheet.until(f"level({HIGH_HZ}) > -40 && level({HIGH_HZ}) - level({LOW_HZ}) > 40")
    do(sheet, "only_band")
    sheet.until(f"level({LOW_HZ}) > -40 && Math.abs(level({LOW_HZ}) - level({HIGH_HZ})) < 3")


def test_speed_and_pitch(open_sheet, two_tones):
    sheet = open_sheet(prepare=TAP)
    sheet.open_file(two_tones)
    select(sheet, 0.2, 7.8, 300, 1000)
    do(sheet, "only_band")
    sheet.page.click(".sg-loop")
    expect(sheet.page.locator(".sg-playback [data-do=keep_pitch]")).to_be_hidden()  # it makes no difference yet
    sheet.page.get_by_role("button", name=ENGLISH["playback.speed_25"]).click()
    sheet.page.click(".sg-play")
    sheet.until(f"Math.abs(loudestHz() - {LOW_HZ}) < 15")
    assert sheet.ev("[session.audio.playbackRate, session.audio.preservesPitch]") == [0.25, True]
    do(sheet, "keep_pitch")
    sheet.until(f"Math.abs(loudestHz() - {LOW_HZ / 4}) < 6")  # and the filter's edges fell with it
    expect(sheet.page.locator(".sg-now-playing")).to_contain_text(ENGLISH["playback.playing_falls"].format(speed="¼×"))
    sheet.page.get_by_role("button", name=ENGLISH["playback.speed_100"]).click()
    sheet.until(f"Math.abs(loudestHz() - {LOW_HZ}) < 15")


def test_a_tenth_of_the_speed(open_sheet, tmp_path):
    """A bat's 40 kHz become 4 kHz, in a copy whose time is the sound's for the playhead, selections and the loop."""
    sheet = open_sheet(prepare=TAP)
    sheet.open_file(sounds.write(tmp_path / "bat.wav", sounds.tone(40_000, 2.0, 384_000), 384_000, "PCM_16"))
    sheet.page.get_by_role("button", name=ENGLISH["playback.speed_10"]).click()
    sheet.until("session.audio.src.includes('slowed') && session.audio.readyState > 0")
    samples, rate = soundfile.read(io.BytesIO(sheet.page.request.get(sheet.ev("session.audio.src")).body()))
    assert (rate, len(samples)) == (38_400, 2 * 384_000)
    assert np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples) == pytest.approx(4_000, abs=0.1)
    expect(sheet.page.locator(".sg-playback [data-do=keep_pitch]")).to_be_hidden()
    select(sheet, 0.5, 1.9, 30_000, 50_000)
    do(sheet, "only_band")
    do(sheet, "play_selection")
    sheet.until("Math.abs(loudestHz() - 4000) < 20")  # through a filter that fell with the sound
    expect(sheet.page.locator(".sg-now-playing")).to_contain_text(ENGLISH["playback.playing_falls"].format(speed="⅒×"))
    sheet.until("session.audio.currentTime > 0.51")
    assert sheet.ev("[session.audio.playbackRate, session.audio.slowdown]") == [1, 10]  # the copy itself is ten times as long
    select(sheet, 1.2, 1.25, 30_000, 50_000)  # it plays on there, to its end
    sheet.until("session.audio.paused && Math.abs(session.audio.currentTime - 1.25) < 0.001")
    in_copy = "Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'currentTime').get.call(session.audio)"
    assert sheet.ev(in_copy) == pytest.approx(12.5, abs=0.01)
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.page.keyboard.press("ArrowLeft")
    assert sheet.ev("session.audio.currentTime") == pytest.approx(1.2, abs=0.001)
    sheet.page.keyboard.press("d")  # back to normal speed, in the file itself, at the same moment
    sheet.until("!session.audio.src.includes('slowed') && session.audio.readyState > 0")
    assert sheet.ev("[session.audio.currentTime, session.audio.playbackRate]") == pytest.approx([1.2, 1.0], abs=0.001)


def test_selection_once_and_looped(sheet: Sheet, two_tones):
    sheet.open_file(two_tones)
    expect(sheet.page.locator(".sg-playback [data-do=play_selection]")).to_be_hidden()
    select(sheet, 1.0, 1.4)
    sheet.ev(
        """() => {
            window.times = [];
            window.said = [];
            session.onPlayhead(() => {
                if (session.audio.paused) return;
                times.push(session.audio.currentTime);
                said.push(document.querySelector('.sg-now-playing').textContent); // four tenths of a second are soon over
            });
            window.turns = 0;
            session.audio.addEventListener('seeked', () => { if (session.audio.currentTime < 1.2) turns += 1; });
        }"""
    )
    do(sheet, "play_selection")
    sheet.until("times.length > 0")
    sheet.until("said.some((text) => text.includes('Selection 1.00–1.40 s'))")
    sheet.until("session.audio.paused && Math.abs(session.audio.currentTime - 1.4) < 0.001")  # the head rests at its end
    assert sheet.ev("times.every((time) => time >= 0.999)")
    sheet.page.click(".sg-loop")
    sheet.ev("() => { turns = 0; }")
    do(sheet, "play_selection")
    sheet.until("turns >= 3")
    assert not sheet.ev("session.audio.paused")
    select(sheet, 2.0, 2.3)  # the loop goes where the selection goes
    sheet.until("session.audio.currentTime >= 2.0 && session.audio.currentTime < 2.4")
    do(sheet, "play_selection")
    sheet.until("session.audio.paused")
    sheet.ev("session.select(null)")
    sheet.ev("session.seek(7.7)")
    sheet.page.click(".sg-play")  # without a selection the whole is in the loop
    sheet.until("session.audio.currentTime < 1.0")
    assert not sheet.ev("session.audio.paused")


def test_loop_of_a_detected_segment(sheet: Sheet, two_tones):
    """A segment that is clicked in the lanes repeats while the loop is on."""
    sheet.open_file(two_tones)
    sheet.page.click(".sg-loop")
    sheet.ev(
        """() => {
            const segments = [['siren', 1, 1.3, 0.9]];
            const { setTimeline } = soundglass['core/detections.js'];
            setTimeline({ segments, silences: [], uncertain: [], totals: [], overall: null, stage: 'done' });
            window.turns = 0;
            session.audio.addEventListener('seeked', () => { turns += 1; });
        }"""
    )
    sheet.page.click("#mel .sg-mark[data-label=siren]")
    sheet.until("turns >= 4")
    assert not sheet.ev("session.audio.paused")
    assert 0.9 < sheet.ev("session.audio.currentTime") < 1.5
    sheet.page.click(".sg-loop")
    sheet.until("session.audio.paused && Math.abs(session.audio.currentTime - 1.3) < 0.01")


def test_seek_out_of_selection_and_speed(sheet: Sheet, two_tones):
    sheet.open_file(two_tones)
    select(sheet, 1.0, 3.0)
    sheet.page.get_by_role("button", name=ENGLISH["playback.speed_50"]).click()
    do(sheet, "play_selection")
    sheet.until("!session.audio.paused && session.audio.currentTime >= 1.0")
    sheet.ev("session.seek(5)")
    sheet.until("session.audio.currentTime > 5.05")
    expect(sheet.page.locator(".sg-now-playing")).to_contain_text(ENGLISH["playback.playing_all"])
    sheet.open_example("crow")
    assert sheet.ev("session.audio.paused")
    assert sheet.ev("session.audio.playbackRate") == 0.5
    assert sheet.ev("session.state.selection") is None


def test_play_button_contrast(sheet: Sheet, two_tones: Path):
    sheet.open_file(two_tones)
    button = sheet.page.locator(".sg-play")
    button.click()  # and the pointer stays there
    expect(button).to_have_accessible_name(ENGLISH["player.pause"])
    middle = np.asarray(Image.open(io.BytesIO(button.screenshot())).convert("L"), np.int32)[10:-10, 10:-10]
    assert middle.max() - middle.min() > 120  # white bars on a dark ground


@pytest.mark.parametrize("forced", ["none", "active"])
def test_pressed_tools_in_forced_colours(open_sheet, forced):
    sheet = open_sheet(forced_colors=forced)
    sheet.open_example("crow")
    tools = sheet.page.locator("#mel [data-do=tool_move], #mel [data-do=tool_select]")
    expect(tools.first).to_have_attribute("aria-pressed", "true")
    ground = "(node) => getComputedStyle(node).backgroundColor"
    for pressed, other in (tools.all(), tools.all()[::-1]):
        pressed.click()  # and the pointer stays there
        under = pressed.evaluate(ground)
        other.hover()
        assert other.evaluate(ground) != under == pressed.evaluate(ground)
    assert sheet.page.locator(".sg-playhead").evaluate(ground) != sheet.page.locator(".sg-strip").evaluate(ground)


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_settings_move_nothing_in_the_first_row(open_sheet, locale):
    sheet = open_sheet(link="example=crow", locale=locale, viewport={"width": 1440, "height": 900})
    sheet.until("session.state.sound !== null")
    row = """['.sg-sources', '.sg-example', '.sg-play', '.sg-strip', '.sg-time'].map((part) => {
        const { left, right, top } = document.querySelector(part).getBoundingClientRect(); return [left, right, top]; })"""
    texts = "['.sg-facts', '.sg-playback .sg-group'].map((part) => document.querySelector(part).getBoundingClientRect().width)"
    for width in (1440, 1280, 1000, 901):
        sheet.page.set_viewport_size({"width": width, "height": 900})
        sheet.ev("session.select(null)")
        before, (_, speeds) = sheet.ev(row), sheet.ev(texts)
        select(sheet, 0.5, 1.5, LOW_HZ, HIGH_HZ)
        if width == 1440:
            for name in ("loop", "only_band"):
                do(sheet, name)
            sheet.page.locator(".sg-playback .sg-group > .sg-tool").nth(2).click()
            do(sheet, "play_selection")
        sheet.until("!session.audio.paused && document.querySelector('.sg-now-playing').textContent !== ''")
        assert sheet.ev(row) == before, width
        facts, group = sheet.ev(texts)
        assert facts > 100 and group == speeds
        assert sheet.ev("document.documentElement.scrollWidth") <= width
