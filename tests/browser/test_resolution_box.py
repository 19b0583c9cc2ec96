"""Parameter advice, resolution box and MFCC options in a real Chromium."""

import librosa
import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from esc.config import LIBROSA
from esc.dsp.spectrogram import mel_db
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN
from test_views import RATE, enter

pytestmark = pytest.mark.browser
# How much the overlay covers the image where the box at the pointer has its left edge.
EDGE = """(() => { const [ratio, { start, end }] = [Math.min(3, devicePixelRatio), session.state.visible];
    const x = viewer.pointer.x - (seconds / (end - start)) * viewer.area().width / 2;
    const box = [x - 1, viewer.pointer.y + 1, 3, 1].map((value) => Math.round(value * ratio));
    return Math.max(...viewer.overlay.getContext('2d').getImageData(...box).data.filter((_, i) => i % 4 === 3)); })()"""


@pytest.fixture(scope="module")
def tones_wav(tmp_path_factory):
    times = np.arange(3 * RATE) / RATE
    path = tmp_path_factory.mktemp("coach") / "tones.wav"
    pair = 0.3 * np.sin(2 * np.pi * 1000 * times) + 0.3 * np.sin(2 * np.pi * 1015 * times)
    soundfile.write(path, pair + 0.001 * np.random.default_rng(0).standard_normal(len(times)), RATE, "PCM_16")
    return path


def test_advice_click_and_box_at_pointer(open_sheet, tones_wav):
    sheet = open_sheet()
    sheet.open_file(tones_wav)
    notes = sheet.page.locator("#mel .sg-note")
    expect(notes).to_have_count(0)
    sheet.page.fill("#sg-hop_length", "2048")  # frame by frame: what lies right between is seen by none
    expect(sheet.page.locator("#mel [data-note=thin]")).to_contain_text(ENGLISH["parameter_advice.note_unseen"])
    sheet.page.fill("#sg-hop_length", "4000")
    gaps = sheet.page.locator("#mel [data-note=gaps]")
    expect(gaps).to_contain_text("49 %")
    with sheet.new_picture():
        gaps.locator("button").click()
    expect(gaps).to_have_count(0)
    assert sheet.page.input_value("#sg-hop_length") == "1024"
    assert sheet.ev("viewer.data.request.config.hop_length") == 1024
    sheet.page.fill("#sg-top_db", "10")
    deep = sheet.page.locator("#mel [data-note=deep]")
    with sheet.new_picture():
        deep.locator("button").click()
    expect(deep).to_have_count(0)
    assert sheet.ev("viewer.data.levels.filter((level) => level === 0).length / viewer.data.levels.length") < 0.15

    sheet.page.mouse.move(*sheet.point(0.5, 0.5))
    sheet.load("viewer/resolution_box", "resolution")
    sheet.until("viewer.pointer !== null")
    seconds, hz = sheet.ev(
        "Object.values(resolution.boxAt(viewer.data, viewer.hzAt(viewer.pointer.y))).filter((value) => value > 0)"
    )
    sheet.until(f"(seconds) => {EDGE} > 150", seconds)
    assert seconds == pytest.approx(max(0.5 * 2048, 1024) / RATE, abs=1e-4)
    at = sheet.ev("viewer.hzAt(viewer.pointer.y)")
    edges = librosa.mel_frequencies(130, fmin=0, fmax=RATE / 2)
    widths = (edges[2:] - edges[:-2]) / 2
    nearest = np.abs(edges[1:-1] - at).argmin()
    assert hz == pytest.approx(max(2.0 * RATE / 2048, widths[nearest]), rel=0.06)

    enter(sheet, "stft")
    sheet.ev("session.select({ start: 0.5, end: 1.5, low_hz: 1000, high_hz: 1015 })")
    apart = sheet.page.locator("#stft [data-note=apart]")
    expect(apart).to_contain_text("15.0 Hz")
    with sheet.new_picture():
        apart.locator("button").click()
    expect(apart).to_have_count(0)
    assert sheet.ev("viewer.data.meaning.resolution_hz") <= 15
    assert sheet.ev("viewer.data.request.config.win_length") == -(-2048 * 2 * RATE // 2048 // 15)


def test_mfcc_lifter_and_delta_and_bark_axis(open_sheet, tones_wav):
    sheet = open_sheet(locale="ru-RU")
    sheet.open_file(tones_wav)
    mel = sheet.pixels()["sum"]
    asked = len(sheet.requests)
    sheet.page.click("#mel [data-do=display]")
    sheet.page.select_option("#mel .sg-axis", "bark")
    sheet.until("viewer.axisKind() === 'bark'")
    assert sheet.pixels()["sum"] != mel
    assert len(sheet.requests) == asked
    z = 26.81 * np.array([20.0, 1000.0, RATE / 2]) / (1960 + np.array([20.0, 1000.0, RATE / 2])) - 0.53
    z[0] = 26.81 * 0 / 1960 - 0.53
    z[0] += 0.15 * (2 - z[0])
    z[2] += 0.22 * max(0, z[2] - 20.1)
    share = sheet.ev("viewer.axis().share(1000)")
    assert share == pytest.approx((z[1] - z[0]) / (z[2] - z[0]), abs=1e-4)

    sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_mfcc"], exact=True).click()
    sheet.until("document.querySelector('.sg-viewer[data-view=mfcc]')?.component?.data")
    sheet.ev("() => { window.viewer = document.querySelector('.sg-viewer[data-view=mfcc]').component; }")
    plain = sheet.pixels()["sum"]
    with sheet.new_picture():
        sheet.page.fill("#sg-mfcc-lifter", "22")
    lifted = sheet.pixels()["sum"]
    with sheet.new_picture():
        sheet.page.select_option("#sg-mfcc-delta", "1")
    assert len({plain, lifted, sheet.pixels()["sum"]}) == 3
    assert sheet.page.locator("#sg-mfcc-delta option").all_inner_texts() == [
        RUSSIAN[f"parameters.delta_{order}"] for order in range(3)
    ]
    samples, _ = soundfile.read(tones_wav, dtype="float32")
    expected = librosa.feature.delta(
        librosa.feature.mfcc(S=mel_db(samples, LIBROSA).numpy(), n_mfcc=20, lifter=22), order=1
    )[1:]  # fmt: skip
    low, high, columns, rows = sheet.ev("['low_db', 'high_db', 'columns', 'rows'].map((name) => viewer.data[name])")
    shown = np.array(sheet.ev("Array.from(viewer.data.levels)")).reshape(rows, columns) / 255 * (high - low) + low
    np.testing.assert_allclose(shown, expected, atol=(high - low) / 510 + 5e-3)
    sheet.ev("session.show(1.0, 1.4)")  # the same values close up, also at the edges of what is shown
    with sheet.new_picture():
        sheet.page.select_option("#sg-mfcc-delta", "0")
    with sheet.new_picture():
        sheet.page.select_option("#sg-mfcc-delta", "1")
    assert sheet.ev("viewer.data.request.start") > 0.5
    low, high, columns, rows = sheet.ev("['low_db', 'high_db', 'columns', 'rows'].map((name) => viewer.data[name])")
    shown = np.array(sheet.ev("Array.from(viewer.data.levels)")).reshape(rows, columns) / 255 * (high - low) + low
    first = round((sheet.ev("viewer.data.start") * RATE) / 512 + 0.5)
    np.testing.assert_allclose(shown, expected[:, first : first + columns], atol=(high - low) / 510 + 5e-3)
    assert ENGLISH["parameters.field_lifter"] not in sheet.page.locator("#mfcc").inner_text()
