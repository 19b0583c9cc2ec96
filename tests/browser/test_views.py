"""STFT, waveform and MFCC views in a real Chromium, against the contents of the file."""

import json

import numpy as np
import pytest
import soundfile

import sounds
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser
RATE = 22_050


@pytest.fixture(scope="module")
def tone_wav(tmp_path_factory):
    times = np.arange(4 * RATE) / RATE
    path = tmp_path_factory.mktemp("views") / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 1000 * times) * (times >= 2), RATE, "PCM_16")
    return path


KEEP_PIXELS = """() => { const { width, height } = viewer.image;
    window.kept = new Uint32Array(viewer.image.getContext('2d').getImageData(0, 0, width, height).data.buffer);
    return kept.length; }"""
CHANGED_PIXELS = """() => { const { width, height } = viewer.image;
    const now = new Uint32Array(viewer.image.getContext('2d').getImageData(0, 0, width, height).data.buffer);
    return now.length - now.filter((pixel, i) => pixel === kept[i]).length; }"""


def reload(sheet):
    """Request what is visible anew."""
    with sheet.new_picture():
        sheet.ev("() => { viewer.loaded = null; viewer.load(); }")


def enter(sheet, view):
    """Open a view's tab and wait for its picture; `viewer` is its viewer from then on."""
    sheet.page.get_by_role("tab", name=ENGLISH[f"page.tab_{view}"], exact=True).click()
    sheet.until(f"document.querySelector('.sg-viewer[data-view={view}]')?.component?.data")
    sheet.ev(f"() => {{ window.viewer = document.querySelector('.sg-viewer[data-view={view}]').component; }}")


def test_stft_shows_a_tone_at_its_frequency(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    enter(sheet, "stft")
    assert sheet.pixels()["colours"] > 20
    row, column = sheet.ev(
        """() => { const { levels, columns } = viewer.data; const at = levels.lastIndexOf(255);
            return [Math.floor(at / columns), at % columns]; }"""
    )
    picture = sheet.picture()
    assert picture["bounds_hz"][row] <= 1000 <= picture["bounds_hz"][row + 1]
    assert column > picture["columns"] / 2
    x, y = sheet.point(0.75, 1 - 1000 / (RATE / 2))
    sheet.page.mouse.move(x, y)
    sheet.until("/\\.\\d\\d dB/.test(viewer.readout.textContent)")
    _, hz, db = sheet.ev("viewer.readout.textContent").split(" · ")
    assert abs(float(hz.split()[0].replace(",", "")) - 1000) < 30
    assert float(db.split()[0]) > 40


def test_waveform_shows_peaks_then_samples(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    enter(sheet, "wave")
    low, high = sheet.ev(
        "(() => { const { values, columns } = viewer.data; return [values[columns - 9], values[2 * columns - 9]]; })()"
    )
    assert (low, high) == (pytest.approx(-0.5, abs=1e-3), pytest.approx(0.5, abs=1e-3))
    assert sheet.ev("viewer.data.values[10]") == 0  # silence before the tone
    sheet.ev("session.show(2.5, 2.505)")
    sheet.until("viewer.data.samples")
    values = np.array(sheet.ev("[...viewer.data.values.subarray(0, viewer.data.columns)]"))
    samples, _ = soundfile.read(tone_wav)
    first = int(2.5 * RATE)
    np.testing.assert_allclose(values, samples[first : first + len(values)], atol=1e-6)


def test_mfcc_rows_are_coefficients(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    enter(sheet, "mfcc")
    assert sheet.ev("viewer.data.rows") == 19
    sheet.page.fill("#sg-mfcc-n_mfcc", "13")
    sheet.until("viewer.data.rows === 12")
    assert sheet.pixels()["colours"] > 20


def test_zoom_and_parameters_are_shared_by_all_tabs(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    sheet.ev("session.show(1.5, 2.5)")
    sheet.page.fill("#sg-hop_length", "256")
    sheet.until("viewer.panel.values().hop_length === 256")
    enter(sheet, "stft")
    sheet.until("viewer.data.request.config.hop_length === 256")
    picture = sheet.picture()
    assert picture["start"] == pytest.approx(1.5, abs=0.02)
    assert picture["end"] == pytest.approx(2.5, abs=0.02)
    sheet.page.fill("#sg-stft-n_fft", "1024")
    sheet.until("viewer.data.rows === 513")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    sheet.until("document.querySelector('.sg-viewer').component.data.request.config.n_fft === 1024")
    assert sheet.page.input_value("#sg-win_length") == "1024"  # it followed, as it was as long as the transform


def test_readout_is_exact_again_after_a_zoom(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    exact = "/\\.\\d\\d dB/.test(viewer.readout.textContent)"
    sheet.ev(
        """() => { const { level } = viewer.server;
            const late = async (query) => { await new Promise((done) => setTimeout(done, 1500)); return level(query); };
            viewer.server = { ...viewer.server, level: late }; }"""  # it comes after the data of the zoom
    )
    sheet.page.mouse.move(*sheet.point(0.75, 0.5))
    sheet.until(exact)
    sheet.page.mouse.wheel(0, -200)
    sheet.until(f"session.state.visible.start > 0 && !{exact}")
    sheet.until(exact)


def test_smoothing_draws_nothing_where_data_are_awaited(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    sheet.page.locator(".sg-plot").first.press("i")
    sheet.ev("session.show(2, 3)")
    reload(sheet)
    covers = """(share) => { const { left, top, width, height } = viewer.area(); const ratio = Math.min(3, devicePixelRatio);
        const at = [(left + share * width) * ratio, (top + height / 2) * ratio].map(Math.round);
        return viewer.image.getContext('2d').getImageData(...at, 1, 1).data[3]; }"""
    assert [sheet.ev(covers, share) for share in (0.1, 0.9)] == [255, 255]
    sheet.ev("() => { viewer.server = { mel_view: () => new Promise(() => {}) }; session.show(2.5, 3.5); }")
    assert [sheet.ev(covers, share) for share in (0.1, 0.9)] == [255, 0]  # the second half is awaited


@pytest.fixture(scope="module")
def busy_wav(tmp_path_factory):
    return sounds.write(tmp_path_factory.mktemp("views") / "busy.wav", sounds.busy(4.0, RATE), RATE)


DATA_REQUESTS = """performance.getEntriesByType('resource').filter(({ name }) => name.includes('component_server')).length"""
AT_REST = "() => new Promise((done) => setTimeout(done, 400))"  # longer than a range may still be changing


@pytest.mark.parametrize("view", ["mel", "stft", "mfcc"])
def test_zoom_within_loaded_frames_needs_no_request(open_sheet, busy_wav, view):
    sheet = open_sheet(link="example=none&spectrum=0")
    sheet.open_file(busy_wav)
    if view != "mel":
        enter(sheet, view)
    sheet.page.mouse.move(2, 2)  # nothing is read out
    sheet.ev(AT_REST)
    loaded, asked = sheet.ev("viewer.data.request"), sheet.ev(DATA_REQUESTS)
    for _ in range(2):
        for start, end in ((0.7, 3.2), (1.5, 4.0), (0.0, 2.3), (1.013, 3.297)):
            sheet.ev("([start, end]) => session.show(start, end)", [start, end])
            sheet.ev(AT_REST)
            assert sheet.ev("[viewer.data.request, session.state.visible.end]") == [loaded, end]
            assert sheet.ev(DATA_REQUESTS) == asked
            drawn = sheet.ev(KEEP_PIXELS)
            reload(sheet)
            assert sheet.ev("viewer.data.request") != loaded
            assert sheet.ev(CHANGED_PIXELS) <= drawn * 1e-3  # frames are computed in other groups
            with sheet.new_picture():
                sheet.ev("session.showAll()")
            sheet.ev(AT_REST)
            asked = sheet.ev(DATA_REQUESTS)
        sheet.page.locator(f"#{view} .sg-plot").press("i")  # smooth


def test_finer_frames_are_requested(open_sheet, tmp_path):
    sheet = open_sheet()
    sheet.open_file(sounds.write(tmp_path / "minute.wav", sounds.busy(60.0, RATE), RATE))
    with sheet.new_picture():
        sheet.ev("session.show(10, 18)")  # frames shared columns
    with sheet.new_picture():
        sheet.ev("session.show(12, 20)")  # more than is loaded
    loaded = sheet.ev("viewer.data.request")
    sheet.ev("session.show(13, 17)")
    sheet.ev(AT_REST)
    assert sheet.ev("viewer.data.request") == loaded
    with sheet.new_picture():
        sheet.page.set_viewport_size({"width": 400, "height": 900})  # frames share columns now
        sheet.ev("session.show(12, 20)")
    with sheet.new_picture():
        sheet.page.fill("#sg-hop_length", "256")


def test_no_plugin_lays_out_the_page_while_a_viewer_is_built(open_sheet):
    prepare = """(() => { window.looks = 0;
        const { get } = Object.getOwnPropertyDescriptor(HTMLElement.prototype, 'offsetParent');
        Object.defineProperty(HTMLElement.prototype, 'offsetParent', { configurable: true, get() {
            if (this.matches('.sg-plot') && !this.closest('.sg-viewer').component.built) looks += 1;
            return get.call(this); } }); })()"""
    sheet = open_sheet(prepare, link="example=crow")
    sheet.until("viewer.data && viewer.current()")
    assert sheet.ev("[window.looks, viewer.onScreen]") == [0, True]


def test_a_readout_restyles_nothing_else(open_sheet, chromium, tmp_path):
    sheet = open_sheet(link="example=crow")
    sheet.until("viewer.data && viewer.current()")
    sheet.ev("() => new Promise((done) => setTimeout(done, 500))")
    chromium.start_tracing(page=sheet.page, path=tmp_path / "trace.json", categories=["devtools.timeline", "blink.debug"])
    styled = """(text) => { viewer.readout.textContent = text; return viewer.readout.offsetHeight; }"""
    for text in ("1", "2", "3"):
        sheet.ev(styled, text)
    chromium.stop_tracing()
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    counts = [event["args"].get("elementCount", 0) for event in events if event["name"] == "UpdateLayoutTree" and "args" in event]
    assert len(counts) >= 3
    assert sum(counts) < 100  # a relation such as body:has() restyles all of the page's thousand elements


def test_destroyed_viewer_requests_no_level(open_sheet, tone_wav):
    sheet = open_sheet()
    sheet.open_file(tone_wav)
    x, y = sheet.point(0.75, 0.5)
    asked = sheet.ev(
        """async ([clientX, clientY]) => {
            let asked = 0;
            viewer.server = { ...viewer.server, level: async () => { asked += 1; return { ok: { value: 0 } }; } };
            viewer.plot.dispatchEvent(new PointerEvent('pointermove', { clientX, clientY, bubbles: true }));
            viewer.destroy();
            await new Promise((done) => setTimeout(done, 300));
            return asked; }""",
        [x, y],
    )
    assert asked == 0
