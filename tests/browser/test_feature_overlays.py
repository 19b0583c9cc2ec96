"""Feature overlays in a real Chromium: drawing, readout, progress and cancellation."""

import re

import librosa
import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from esc.ui.i18n.catalogue import ENGLISH
from test_views import RATE, enter

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000  # librosa compiles on its first use


@pytest.fixture(scope="module")
def notes_wav(tmp_path_factory):
    """Two notes with a pause between: 440 Hz from 0.5 s, 880 Hz from 2 s."""
    times = np.arange(3 * RATE) / RATE
    sound = 0.001 * np.random.default_rng(0).standard_normal(len(times))
    for freq_hz, start in ((440, 0.5), (880, 2.0)):
        sound += 0.4 * np.sin(2 * np.pi * freq_hz * times) * ((times >= start) & (times < start + 0.9))
    path = tmp_path_factory.mktemp("layers") / "notes.wav"
    soundfile.write(path, sound, RATE, "PCM_16")
    return path


@pytest.fixture(scope="module")
def minutes_wav(tmp_path_factory):
    path = tmp_path_factory.mktemp("layers") / "minutes.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(240 * RATE), RATE, "PCM_16")
    return path


def layer(view, name):
    return f"#{view} .sg-features input[value={name}]"


def legend(sheet, view, name):
    return sheet.page.locator(f"#{view} .sg-legend [data-feature={name}]")


def test_features_are_drawn_where_the_sound_is(open_sheet, notes_wav):
    sheet = open_sheet()
    sheet.page.set_default_timeout(PATIENCE_MS)
    sheet.open_file(notes_wav)
    spectrogram = sheet.pixels()["sum"]
    clear = sheet.ev("viewer.overlay.toDataURL()")
    sheet.page.click("#mel [data-do=menu]")
    for name in ("pitch", "centroid", "loudness", "onsets"):
        sheet.page.check(layer("mel", name))
    expect(sheet.page.locator("#mel .sg-legend li:not([hidden])")).to_have_count(4)
    for name in ("pitch", "centroid", "loudness", "onsets"):
        expect(legend(sheet, "mel", name).locator("progress")).to_be_hidden(timeout=PATIENCE_MS)
        expect(legend(sheet, "mel", name)).to_contain_text(ENGLISH[f"features.name_{name}"])
    assert sheet.ev("viewer.overlay.toDataURL()") != clear
    assert sheet.pixels()["sum"] == spectrogram  # over it, not in it
    samples, _ = soundfile.read(notes_wav, dtype="float32")
    expect(legend(sheet, "mel", "onsets")).to_contain_text(str(len(librosa.onset.onset_detect(y=samples, sr=RATE))))
    sheet.page.keyboard.press("Escape")
    for time_s, freq_hz in ((1.0, 440), (2.4, 880)):
        sheet.page.mouse.move(*sheet.point(time_s / 3, 0.5))
        sheet.until("/pitch [\\d.]+ Hz/.test(viewer.readout.textContent)")
        said = sheet.ev("viewer.readout.textContent")
        assert float(re.search(r"pitch ([\d.]+) Hz", said)[1]) == pytest.approx(freq_hz, rel=0.006)
        assert float(re.search(r"([-\d.]+) dB\(A\)", said)[1]) == pytest.approx(
            20 * np.log10(0.4 / np.sqrt(2)) + librosa.A_weighting(freq_hz), abs=0.3
        )
        centroid = float(re.search(r"centroid ([\d,]+) Hz", said)[1].replace(",", ""))
        assert freq_hz * 0.9 < centroid < freq_hz * 2
        # the line runs through the note: its colour is in the pixels around it
        found = sheet.ev(
            """([time, hz]) => { const ratio = Math.min(3, devicePixelRatio);
                const [x, y] = [viewer.xOf(time + 0.1), viewer.yOf(hz)].map((value) => Math.round(value * ratio));
                const { data } = viewer.overlay.getContext('2d').getImageData(x - 2, y - 4, 5, 9);
                return Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)]); }""",
            [time_s, freq_hz],
        )
        assert any(abs(r - 79) < 25 and g > 200 and b > 230 and a > 200 for r, g, b, a in found)

    sheet.page.click("#mel [data-do=menu]")
    for name in ("harmonic", "constant_q"):
        sheet.page.check(layer("mel", name))
        sheet.until(f"viewer.data.feature === '{name}'")
        assert sheet.pixels()["sum"] != spectrogram
    row = sheet.ev("Math.floor(viewer.data.levels.indexOf(255) / viewer.data.columns)")
    low, high = sheet.picture()["bounds_hz"][row : row + 2]
    assert low < 440 < high or low < 880 < high
    sheet.load("viewer/resolution_box", "resolution")
    freqs_hz = librosa.cqt_frequencies(200, fmin=librosa.note_to_hz("C1"), bins_per_octave=24)
    lengths, _ = librosa.filters.wavelet_lengths(freqs=freqs_hz, sr=RATE)
    length = lengths[np.abs(freqs_hz - 440).argmin()] / RATE
    box = sheet.ev("resolution.boxAt(viewer.data, 440)")  # the transform's own, not the STFT's
    assert (box["seconds"], box["hz"]) == (pytest.approx(0.5 * length, rel=1e-3), pytest.approx(2 / length, rel=1e-3))
    sheet.page.keyboard.press("Escape")
    caption = sheet.page.locator("#mel .sg-slice figcaption")
    sheet.page.mouse.move(*sheet.point(0.3, 0.5))
    expect(caption).to_contain_text("0.9")
    sheet.page.mouse.move(*sheet.point(0.7, 0.5))
    expect(caption).to_contain_text("2.1")  # the slice has other rows than the image
    enter(sheet, "stft")  # what is chosen counts in every view
    sheet.until("viewer.data.feature === 'constant_q'")
    legend(sheet, "stft", "constant_q").locator("button").click()
    sheet.until("!viewer.data.feature && viewer.data.rows === 1025")
    expect(sheet.page.locator("#stft .sg-legend li:not([hidden])")).to_have_count(4)


def test_slow_feature_shows_progress_and_cancels(open_sheet, minutes_wav):
    sheet = open_sheet()
    sheet.page.set_default_timeout(PATIENCE_MS)
    sheet.open_file(minutes_wav)
    sheet.page.click("#mel [data-do=menu]")
    sheet.page.check(layer("mel", "pitch"))
    sheet.page.keyboard.press("Escape")
    row = legend(sheet, "mel", "pitch")
    expect(row).to_contain_text(re.compile(r"[1-9]\d? %"), timeout=PATIENCE_MS)
    assert 0 < row.locator("progress").evaluate("(bar) => bar.value") < 1
    row.get_by_text(ENGLISH["features.cancel"]).click()
    expect(sheet.page.locator("#mel .sg-legend li:not([hidden])")).to_have_count(0)
    sheet.ev("session.show(10, 14)")
    sheet.until("viewer.data.request.end < 15")
    sheet.page.click("#mel [data-do=menu]")
    assert not sheet.page.is_checked(layer("mel", "pitch"))
    sheet.page.check(layer("mel", "onsets"))  # the cancelled one is in nobody's way
    expect(legend(sheet, "mel", "onsets").locator("progress")).to_be_hidden(timeout=PATIENCE_MS)


def test_feature_of_a_hidden_view_ends_or_is_asked_for_again(open_sheet, notes_wav):
    sheet = open_sheet()
    sheet.page.set_default_timeout(PATIENCE_MS)
    sheet.open_file(notes_wav)
    sheet.ev(
        """() => { window.starts = 0;
            window.mel = viewer;
            const state = async () => ({ ok: { job: 'mine', state: window.ended ? 'cancelled' : 'running', progress: 0.1 } });
            const start = async () => { window.starts += 1; window.ended = false; return state(); };
            const cancel = async ({ job }) => { window.cancelled = job; return { ok: {} }; };
            viewer.server = { ...viewer.server, feature_start: start, feature_state: state, feature_cancel: cancel }; }"""
    )
    sheet.page.click("#mel [data-do=menu]")
    sheet.page.check(layer("mel", "onsets"))
    expect(legend(sheet, "mel", "onsets")).to_contain_text("10 %")
    enter(sheet, "stft")
    sheet.ev("() => { window.ended = true; }")  # the server computes one view of a page at a time
    sheet.until("mel.hooks.find((hooks) => 'entries' in hooks).entries.size === 0")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    expect(legend(sheet, "mel", "onsets")).to_contain_text("10 %")
    assert sheet.ev("window.starts") == 2
    enter(sheet, "stft")
    sheet.page.click("#stft [data-do=menu]")
    sheet.page.uncheck(layer("stft", "onsets"))
    sheet.until("window.cancelled === 'mine'")
