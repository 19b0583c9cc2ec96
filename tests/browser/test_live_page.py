"""The live tab in a Chromium whose microphone plays an example sound."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import soundfile
from playwright.sync_api import Browser, BrowserType, expect

import sounds
from chromium import FLAGS, Contexts, Sheet
from esc import load_audio
from esc.example_sounds import example_sounds
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN
from test_accessibility import GRAVE, findings

pytestmark = pytest.mark.browser
EXAMPLE = "siren"
LONG_MS = 60_000
SERVER_FUNCTION = re.compile("/component_server")
STAYS = "window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
SPY = """
    const media = navigator.mediaDevices;
    const original = media.getUserMedia.bind(media);
    window.wanted = [];
    media.getUserMedia = (constraints) => { window.wanted.push(constraints); return original(constraints); };
"""
UNFILTERED = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}


@pytest.fixture(scope="module")
def chromium(chromium: Browser, chromium_path: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium of this module's own, whose microphone plays an example over and over."""
    wav = tmp_path_factory.mktemp("live") / f"{EXAMPLE}.wav"
    waveform, rate = load_audio(example_sounds()[EXAMPLE], sample_rate=48_000)
    sounds.write(wav, waveform, rate, subtype="PCM_16")
    kind: BrowserType = chromium.browser_type
    own = kind.launch(executable_path=chromium_path, args=[*FLAGS, f"--use-file-for-fake-audio-capture={wav}"])
    yield own
    own.close()


@pytest.fixture(scope="module")
def contexts(chromium: Browser) -> Contexts:
    """The contexts of that Chromium."""
    return Contexts(chromium)


def open_live(sheet: Sheet, words: dict[str, str]) -> None:
    """Open the tab and wait until it is mounted."""
    tab = sheet.page.get_by_role("tab", name=words["page.tab_live"], exact=True)
    tab.click()
    expect(sheet.page.locator(".sg-start-stop")).to_contain_text(words["live.listen"], timeout=LONG_MS)


def waterfall(sheet: Sheet) -> dict:
    """Return how many columns the scrolling picture has had, a number of its pixels, and how many colours it shows."""
    return sheet.ev(
        """() => {
            const plot = document.querySelector('.sg-waterfall');
            const canvas = plot.querySelector('canvas');
            const ratio = canvas.width / plot.getBoundingClientRect().width;
            const [x, y, width, height] = [60, 30, 500, 200].map((value) => Math.round(value * ratio));
            const pixels = new Uint32Array(canvas.getContext('2d').getImageData(x, y, width, height).data.buffer);
            let sum = 17;
            for (const pixel of pixels) sum = (Math.imul(sum, 31) + pixel) | 0;
            const { columns } = document.querySelector('.sg-live').component.spectrogram;
            return { columns, sum, colours: new Set(pixels).size };
        }"""
    )


def assert_nothing_grave(sheet: Sheet, state: str) -> None:
    """The page has no serious finding of axe."""
    assert [str(finding) for finding in findings(sheet, state) if finding.impact in GRAVE] == []


def test_live_session(open_sheet):
    sheet = open_sheet(prepare=SPY)
    page = sheet.page
    open_live(sheet, ENGLISH)
    page.press(".sg-start-stop", "Space")
    expect(page.locator(".sg-start-stop")).to_contain_text(ENGLISH["player.stop"], timeout=LONG_MS)
    expect(page.locator(".sg-start-stop")).to_be_focused()
    assert not sheet.ev(STAYS), "the browser asks before it leaves the page"
    rows = page.locator(".sg-live-classes .sg-bars li")
    expect(rows).to_have_count(5, timeout=LONG_MS)
    expect(page.locator(f".sg-live-classes li[data-label={EXAMPLE}]")).to_be_visible(timeout=LONG_MS)
    page.wait_for_function("document.querySelector('.sg-live').component.spectrogram.columns > 600", timeout=LONG_MS)
    first = waterfall(sheet)
    assert first["colours"] > 20
    page.wait_for_function(
        "(before) => document.querySelector('.sg-live').component.spectrogram.columns > before + 30", arg=first["columns"]
    )
    assert waterfall(sheet)["sum"] != first["sum"], "the picture moves"
    assert sheet.ev("window.wanted") == [{"audio": UNFILTERED}]
    level = page.get_by_role("meter", name=ENGLISH["live.level"])
    page.wait_for_function("Number(document.querySelector('.sg-level-meter-bar').ariaValueNow) > -60")
    assert level.count() == 1

    device = page.locator(".sg-device select")
    other = device.locator("option").nth(1).get_attribute("value")
    device.select_option(other)
    sheet.until("window.wanted.length === 2")
    assert sheet.ev("window.wanted[1]") == {"audio": UNFILTERED | {"deviceId": {"exact": other}}}
    page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    pill = page.locator(".sg-live-pill")
    expect(pill).to_contain_text(ENGLISH["live.on"])
    pill.locator("[data-do=show]").click()
    expect(pill).to_be_hidden()
    stop = page.locator(".sg-start-stop")
    stop.click()
    expect(page.locator(".sg-recording")).to_be_visible(timeout=LONG_MS)
    expect(page.locator(".sg-recording")).to_contain_text(") is now open in all tabs", timeout=LONG_MS)
    assert sheet.facts()[ENGLISH["player.fact_name"]].startswith("live-")
    assert not sheet.ev(STAYS), "the browser asks until it is saved"
    with page.expect_download():
        page.click(".sg-recording [data-do=save]")
    assert sheet.ev(STAYS)
    assert sheet.ev("session.state.sound.seconds") > 6
    at_rest = waterfall(sheet)
    sheet.ev(
        "new Promise((done) => { let left = 10; const step = () => (left-- ? requestAnimationFrame(step) : done()); step(); })"
    )
    assert waterfall(sheet) == at_rest, "stopped, it stands still"
    with sheet.new_picture():  # all views show it
        page.locator(".sg-recording [data-tab=mel]").click()
    page.get_by_role("tab", name=ENGLISH["page.tab_classify"], exact=True).click()
    expect(page.locator(f".sg-classify li[data-label={EXAMPLE}]")).to_be_visible(timeout=LONG_MS)


def test_live_slow_server(open_sheet):
    """Questions that wait are replaced by the newest one, an old answer is called old, and a lost device ends it all."""
    sheet = open_sheet(
        prepare=SPY + "media.getUserMedia = async (wanted) => (window.stream = await original(wanted));",
        reduced_motion="reduce",
        color_scheme="dark",
    )
    page, held = sheet.page, []
    open_live(sheet, ENGLISH)
    page.click(".sg-start-stop")
    expect(page.locator(".sg-live-classes .sg-bars li")).to_have_count(5, timeout=LONG_MS)

    page.route(SERVER_FUNCTION, lambda route: held.append(route))  # all that is asked now is what the last seconds are
    expect(page.locator(".sg-late").first).to_have_text(re.compile(r"[4-9] s old"), timeout=LONG_MS)
    assert_nothing_grave(sheet, "listening, late")
    columns = waterfall(sheet)["columns"]
    sheet.until(f"document.querySelector('.sg-live').component.spectrogram.columns > {columns} + 150")
    assert len(held) == 1, "seconds have gone by, and nothing piles up"
    page.unroute(SERVER_FUNCTION)  # which lets the held one go
    expect(page.locator(".sg-late").first).to_be_hidden(timeout=LONG_MS)

    sheet.ev("window.stream.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.locator(".sg-live .sg-message")).to_have_text(ENGLISH["live.gone"])
    expect(page.locator(".sg-recording [data-tab=classify]")).to_be_visible(timeout=LONG_MS)
    assert_nothing_grave(sheet, "stopped")
    with page.expect_download() as saved:
        page.locator(".sg-recording [data-do=save]").click()
    samples, rate = soundfile.read(saved.value.path(), always_2d=True)
    assert samples.shape[1] == 1 and len(samples) == pytest.approx(sheet.ev("session.state.sound.seconds") * rate, abs=2)
    sheet.choose_example("crow")
    expect(page.locator(".sg-recording")).to_be_hidden(timeout=LONG_MS)


@pytest.mark.parametrize(
    ("prepare", "key"),
    [
        ("", "player.mic_denied"),
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }",
            "player.mic_missing",
        ),
        (
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
            "Object.defineProperty(window, 'isSecureContext', { value: false });",
            "player.mic_insecure",
        ),
        ("delete window.AudioWorkletNode", "player.mic_unsupported"),
    ],
)
def test_live_microphone_errors(open_sheet, prepare, key):
    sheet = open_sheet(prepare=prepare, permissions=["geolocation"], locale="ru-RU")
    open_live(sheet, RUSSIAN)
    sheet.page.click(".sg-start-stop")
    expect(sheet.page.locator(".sg-live .sg-message")).to_have_text(RUSSIAN[key])
    expect(sheet.page.locator(".sg-start-stop")).to_contain_text(RUSSIAN["live.listen"])
    expect(sheet.page.locator(".sg-start-stop")).to_be_enabled()


def test_live_stop_twice(open_sheet):
    """A double click on Stop while the audio device is slow to close stops, and the next start classifies again."""
    slow = """
        const close = AudioContext.prototype.close;
        AudioContext.prototype.close = async function () {
            await new Promise((resolve) => { setTimeout(resolve, 1000); });
            await close.call(this);
            window.microphoneClosed = true;
        };
    """
    sheet = open_sheet(prepare=slow)
    page = sheet.page
    open_live(sheet, ENGLISH)
    rows = page.locator(".sg-live-classes .sg-bars li")
    for _ in range(2):
        page.click(".sg-start-stop")
        expect(rows).to_have_count(5, timeout=LONG_MS)
        page.dblclick(".sg-start-stop")
        sheet.until("window.microphoneClosed")
        expect(page.locator(".sg-recording [data-tab=classify]")).to_be_visible(timeout=LONG_MS)
        expect(page.locator(".sg-live")).to_have_attribute("data-state", "stopped")
        sheet.ev("() => { window.microphoneClosed = false; }")


def test_live_announces_whose_answer_it_is(open_sheet):
    """Where two networks answer, a screen reader is told which of them it is."""
    sheet = open_sheet()
    open_live(sheet, ENGLISH)
    sheet.load("tabs/live/predictions", "predictions")
    reply = {"top": [["dog", 0.9]], "verdict": "dog", "calibrated": True}
    said = sheet.ev(
        """(reply) => ['', 'Your network'].map((name) => {
            const host = document.createElement('section');
            new predictions.LivePredictions(host).draw(reply, performance.now(), name);
            return host.querySelector('[role=status]').textContent;
        })""",
        reply,
    )
    assert said[1] == f"Your network: {said[0]}" and said[0]


def test_live_ignores_answers_of_the_network_before(open_sheet):
    """The length of a clip is the new network's, though the answer about the old one comes later."""
    sheet = open_sheet()
    open_live(sheet, ENGLISH)
    seconds = sheet.ev(
        """async () => {
            const { component } = document.querySelector('.sg-live');
            let answer;
            component.server = { live_begin: () => new Promise((done) => { answer = done; }) };
            const asked = component.classifyNow();
            await null;
            await null;
            session.emit('network');
            answer({ ok: { clip_seconds: 5 } });
            await asked;
            return component.clipSeconds;
        }"""
    )
    assert seconds == 0
