"""Channels on the page, in a real Chromium: choice, offers, waveforms, link, and a channel that a sound has not."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from playwright.sync_api import expect

import sounds
from chromium import ROOT, Sheet
from command_line import classify
from esc.audio.io import load_audio
from esc.ui.i18n.catalogue import ENGLISH

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def crow_and_rain(tmp_path_factory):
    """A crow on the left, rain on the right."""
    crow, rate = load_audio(ROOT / "assets/examples/crow.flac")
    rain, _ = load_audio(ROOT / "assets/examples/rain.flac", rate)
    length = min(len(crow), len(rain))
    path = tmp_path_factory.mktemp("channels") / "crow and rain.wav"
    return sounds.write(path, np.stack([crow[:length], rain[:length]], axis=1), rate)


def test_choice_of_a_channel(open_sheet, crow_and_rain):
    sheet = open_sheet()
    sheet.open_file(crow_and_rain)
    choice = sheet.page.locator(".sg-channel select")
    expect(choice).to_have_value("mean")
    texts = [ENGLISH[f"channels.name_{name}"] for name in ("mean", "left", "right", "mid", "side")]
    expect(choice.locator("option")).to_have_text(texts)
    expect(sheet.page.locator(".sg-player .sg-channel-offer")).to_be_hidden()  # neither is much louder than the mean
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_wave"], exact=True).click()
    wave = "document.querySelector('#wave .sg-viewer').component"
    sheet.until(f"{wave}?.data?.request.channels")
    peaks = f"{wave}.lanes.map(({{ name, values }}) => [name, Math.max(...values)])"
    assert [name for name, _ in sheet.ev(peaks)] == [ENGLISH["channels.name_left"], ENGLISH["channels.name_right"]]
    assert all(peak > 0.3 for _, peak in sheet.ev(peaks))
    sheet.ev("session.show(1, 3)")
    sheet.ev("session.select({ start: 1.5, end: 2.5 })")
    sheet.ev("session.seek(2)")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"], exact=True).click()
    offer = sheet.page.locator(".sg-classify .sg-channel-offer")
    expect(offer).to_contain_text("rain")  # the mean is named a crow
    offer.get_by_role("button", name=ENGLISH["channels.name_right"]).click()
    said = sheet.page.locator(".sg-channel-said")
    expect(said).to_have_text(ENGLISH["channels.said"].format(channel=ENGLISH["channels.name_right"]))
    expect(sheet.page.locator(".sg-classify .sg-big")).to_have_text("rain", ignore_case=True)
    expect(sheet.page.locator(".sg-saliency h2")).to_contain_text("rain")
    expect(choice).to_have_value("right")
    assert sheet.ev("session.state.visible") == {"start": 1, "end": 3}
    assert sheet.ev("session.state.selection.start") == 1.5
    assert sheet.ev("session.audio.currentTime") == pytest.approx(2)
    sheet.until("location.hash.includes('channel=right')")
    sheet.until("session.audio.readyState > 0")
    assert sheet.ev("session.audio.src").endswith(".flac"), "a copy of the channel alone"
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_wave"], exact=True).click()
    sheet.until(f"{wave}.current() && {wave}.lanes.length === 1")
    choice.select_option("left")
    sheet.until("location.hash.includes('channel=left')")
    sheet.ev("location.hash = location.hash.replace('channel=left', 'channel=side')")
    sheet.until("session.state.sound.channel === 'side' && location.hash.includes('channel=side')")
    sheet.ev("location.hash = location.hash.replace('channel=side', 'channel=4')")
    message = sheet.page.locator(".sg-message")
    expect(message).to_contain_text("crow and rain.wav has no channel 4; it has mean, left, right, mid, side.")


def test_offer_of_channels_that_cancel_out(open_sheet, tmp_path):
    sheet = open_sheet(link="example=siren&channel=right")
    expect(sheet.page.locator(".sg-message")).to_contain_text("siren.flac has no channel right; it has mean.")
    expect(sheet.page.locator(".sg-channel")).to_be_hidden()
    tone = sounds.tone(440.0, 2.0, 44_100)
    sheet.open_file(sounds.write(tmp_path / "opposed.wav", np.stack([tone, -tone], axis=1), 44_100))
    offer = sheet.page.locator(".sg-player .sg-channel-offer")
    expect(offer).to_contain_text(ENGLISH["channels.cancelled"])
    with sheet.new_picture():
        offer.get_by_role("button", name=ENGLISH["channels.name_left"]).click()
    expect(offer).to_be_hidden()
    assert sheet.loudest_hz() == pytest.approx(440, abs=40)


def test_offer_to_divide_integers_by_their_full_scale(open_sheet, tmp_path):
    sheet = open_sheet()
    sheet.open_file(sounds.write(tmp_path / "integers.wav", 32_768 * sounds.tone(440.0, 2.0, 44_100), 44_100, "FLOAT"))
    offer = sheet.page.locator(".sg-scale-offer")
    expect(offer).to_contain_text(ENGLISH["scale.integers"])
    raw_db = sheet.ev("session.state.sound.peak_db")
    with sheet.new_picture():
        offer.get_by_role("button", name="Divide by 32,768").click()
    expect(offer).to_contain_text("The samples were divided by 32,768.")
    assert sheet.ev("session.state.sound.peak_db") == pytest.approx(raw_db - 90.31, abs=0.02)
    with sheet.new_picture():
        offer.get_by_role("button", name=ENGLISH["scale.undo"]).click()
    expect(offer).to_contain_text(ENGLISH["scale.integers"])
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.page.keyboard.press("Control+z")  # the press and its undoing are steps of the history
    expect(offer).to_contain_text("The samples were divided by 32,768.")
    sheet.until("location.hash.includes('full_scale=32768')")
    sheet.page.keyboard.press("Control+z")
    expect(offer).to_contain_text(ENGLISH["scale.integers"])
    assert sheet.ev("session.state.sound.peak_db") == raw_db
    sheet.choose_example("crow")
    expect(offer).to_be_hidden()


@pytest.fixture(scope="module")
def bat(tmp_path_factory):
    """4 kHz of a detector that slows down ten times."""
    return sounds.write_slowed(tmp_path_factory.mktemp("bat") / "bat.wav", sounds.tone(4_000.0, 5.0, 44_100), 44_100)


LABEL = "(({ start, end, high_hz }) => [start, end, high_hz])(labels.labels.now.list[0])"
# requests to open a sound wait until they are let through
HOLD = """() => {
    const { component } = document.querySelector('.sg-player');
    const { open_sound, slowed_copy } = component.server;
    window.held = [];
    component.server = { slowed_copy, open_sound: async (query) => {
        await new Promise((done) => { held.push(done); });
        return open_sound(query);
    } };
}"""


def expanded(open_sheet, bat) -> Sheet:
    """Open the bat with its time expansion undone."""
    sheet = open_sheet()
    for module in ("labels", "reading", "database"):
        sheet.load(f"{'lib' if module == 'database' else 'core'}/{module}", module)
    sheet.load("viewer/parameters", "panel")
    sheet.open_file(bat)
    sheet.ev("reading.expandTime(10)")
    sheet.until("session.state.sound.time_expansion === 10 && panel.parameters.values.sample_rate === 220500")
    return sheet


def test_labels_and_undo_of_an_expansion(open_sheet, bat):
    """Labels of another tab of the browser, or added while the file is read otherwise, keep their places in the file."""
    sheet = expanded(open_sheet, bat)
    slow, fast = [pytest.approx(values) for values in ([1, 2, 5_000], [0.1, 0.2, 50_000])]
    kept = {"name": "call", "start": 1, "end": 2, "low_hz": 3_000, "high_hz": 5_000, "probability": None, "of": None}
    sheet.ev(
        """async (label) => {
            const { digest } = session.state.sound;
            await database.keep('labels', digest, { list: [label], refused: [] });
            new BroadcastChannel('soundglass-labels').postMessage(digest);
        }""",
        kept,
    )
    sheet.until("labels.labels.now.list.length === 1")
    assert sheet.ev(LABEL) == fast
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.page.keyboard.press("Control+z")
    sheet.until("session.state.sound.time_expansion === 1 && panel.parameters.values.sample_rate === 22050")
    assert sheet.ev(LABEL) == slow
    sheet.page.keyboard.press("Control+y")
    sheet.until("session.state.sound.time_expansion === 10 && panel.parameters.values.sample_rate === 220500")
    assert sheet.ev(LABEL) == fast

    sheet.ev(HOLD)
    sheet.page.keyboard.press("Control+z")
    sheet.until("held.length === 1")
    sheet.ev("labels.addLabels([{ name: 'late', start: 0.3, end: 0.4 }])")
    sheet.ev("held[0]()")
    sheet.until("session.state.sound.time_expansion === 1 && panel.parameters.values.sample_rate === 22050")
    starts = "labels.labels.now.list.map(({ start }) => start)"
    assert sheet.ev(starts) == pytest.approx([1, 3]), "a label that is added while an undo waits stays"
    sheet.page.keyboard.press("Control+z")  # the file is read as before, with the label
    sheet.until("held.length === 2")
    sheet.ev("held[1]()")
    sheet.until("session.state.sound.time_expansion === 10 && panel.parameters.values.sample_rate === 220500")
    assert sheet.ev(starts) == pytest.approx([0.1, 0.3])
    sheet.page.keyboard.press("Control+z")
    assert sheet.ev(starts) == pytest.approx([0.1])


def test_undo_waits_for_its_own_reading(open_sheet, bat):
    """The end of an earlier opening does not end the wait; what is undone can be redone."""
    sheet = expanded(open_sheet, bat)
    sheet.ev(HOLD)
    sheet.ev("reading.readAs({ full_scale: 2 })")
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.page.keyboard.press("Control+z")
    sheet.until("held.length === 2")
    sheet.ev("held[0]()")
    sheet.page.wait_for_timeout(300)  # its reply counts for nothing
    sheet.ev("held[1]()")
    sheet.until("session.state.sound.time_expansion === 1 && panel.parameters.values.sample_rate === 22050")
    sheet.page.keyboard.press("Control+y")
    sheet.until("held.length === 3")
    sheet.ev("held[2]()")
    sheet.until("session.state.sound.time_expansion === 10 && panel.parameters.values.sample_rate === 220500")


def test_expansion_and_its_undoing(open_sheet, bat):
    """A millisecond can be seen; listeners find the selection in the new times; what can't follow stays."""
    sheet = expanded(open_sheet, bat)
    sheet.ev("session.show(0.2, 0.2002)")
    assert sheet.ev("session.state.visible.end - session.state.visible.start") == pytest.approx(0.001)
    sheet.ev("session.select({ start: 0.1, end: 0.2 })")
    sheet.ev("session.events.addEventListener('sound', () => { window.seen = session.state.selection.start; })")
    sheet.ev("panel.applyParameters({ sample_rate: 11025, fmax: 5512.5 })")
    for expansion, rate in ((1, 1103), (10, 11_025)):  # exactly, though the rate was rounded
        sheet.ev("(expansion) => reading.expandTime(expansion)", expansion)
        now = "session.state.sound.time_expansion === expansion && panel.parameters.values.sample_rate === rate"
        sheet.until(f"([expansion, rate]) => {now}", [expansion, rate])
        assert sheet.ev("window.seen") == pytest.approx(1 / expansion)
    sheet.ev("reading.expandTime(1)")
    sheet.until("session.state.sound.time_expansion === 1")
    sheet.ev("panel.applyParameters({ sample_rate: 96000, fmax: 48000 })")
    for expansion in (10, 1):  # 960 kHz are not possible
        sheet.ev("(expansion) => reading.expandTime(expansion)", expansion)
        sheet.until("(expansion) => session.state.sound.time_expansion === expansion", expansion)
        assert sheet.ev("panel.parameters.values.sample_rate") == 96_000
        sheet.ev("panel.applyParameters({ fmax: 40000 })")


def test_time_expansion_of_a_bat_detector(open_sheet, bat):
    """Axes, selection and labels follow the press; undo, redo and a reload keep what was pressed."""
    sheet = open_sheet()
    sheet.load("core/labels", "labels")
    sheet.open_file(bat)
    offer = sheet.page.locator(".sg-expansion-offer")
    expect(offer).to_contain_text("time expansion 10×")
    assert sheet.loudest_hz() == pytest.approx(4_000, abs=100)
    sheet.ev("labels.addLabels([{ name: 'call', start: 1, end: 2, low_hz: 3000, high_hz: 5000 }])")
    sheet.ev("session.select({ start: 1, end: 2 })")
    offer.get_by_role("button", name=ENGLISH["expansion.apply"]).click()
    slow, fast = [pytest.approx(values) for values in ([1, 2, 5_000], [0.1, 0.2, 50_000])]
    sheet.until("location.hash.includes('sample_rate=220500')")  # the same frequencies stay in sight
    sheet.until("!viewer.host.hasAttribute('data-busy') && viewer.data.edges_hz.at(-1) > 100_000")
    assert sheet.loudest_hz() == pytest.approx(40_000, abs=1_500)
    now = sheet.ev(
        "(({ sound, visible, selection }) => [sound.seconds, sound.sample_rate, visible.end, selection.start])(session.state)"
    )
    assert now == pytest.approx([0.5, 441_000, 0.5, 0.1])
    assert sheet.ev(LABEL) == fast
    sheet.page.locator("#mel .sg-plot").focus()
    sheet.page.keyboard.press("Control+z")
    sheet.until("session.state.sound.time_expansion === 1 && !location.hash.includes('sample_rate')")
    assert sheet.ev(LABEL) == slow
    sheet.page.keyboard.press("Control+y")
    sheet.until("session.state.sound.time_expansion === 10 && location.hash.includes('sample_rate=220500')")
    assert sheet.ev(LABEL) == fast
    sheet.until("window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")  # once the labels are kept
    sheet.page.reload()
    sheet.until("document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-main span')")
    sheet.load("core/state", "session")
    sheet.load("core/labels", "labels")
    sheet.until("session.state.sound?.time_expansion === 10 && labels.labels.now.list.length === 1")
    assert sheet.ev(LABEL) == fast
    offer.get_by_role("button", name=ENGLISH["expansion.undo"]).click()
    sheet.until("session.state.sound.time_expansion === 1 && !location.hash.includes('sample_rate')")
    assert sheet.ev(LABEL) == slow


def test_each_channel_of_a_file_in_the_batch(open_sheet, crow_and_rain):
    sheet = open_sheet()
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_files"], exact=True).click()
    files = sheet.page.locator(".sg-files")
    sheet.page.set_input_files(".sg-files .sg-pick input:not([webkitdirectory])", crow_and_rain)
    expect(files).to_have_attribute("data-stage", "done")
    rows = files.locator(".sg-list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("crow and rain.wav")
    files.locator(".sg-batch-channel").select_option("each")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator(".sg-file-class")).to_contain_text("crow")
    expect(rows.nth(1).locator(".sg-file-class")).to_contain_text("rain")
    expect(rows.nth(1)).to_contain_text(ENGLISH["channels.name_number"].format(number=2))
    rows.nth(1).get_by_role("button").click()
    sheet.until("session.state.sound?.channel === '2'")
    expect(sheet.page.locator(".sg-channel select")).to_have_value("right")
    expect(sheet.page.locator(".sg-classify .sg-big")).to_have_text("rain", ignore_case=True)


@pytest.mark.data
def test_birds_left_and_chainsaw_right(open_sheet, data_dir, tmp_path):
    """Two clips of ESC-50's held-out fold are named alike by page, API, files and command line."""
    clips = [load_audio(next(data_dir.rglob(f"{name}.*")), 44_100)[0] for name in ("5-242490-A-14", "5-170338-B-41")]
    path = sounds.write(tmp_path / "birds and chainsaw.wav", np.stack(clips, axis=1), 44_100)
    labels = {"left": "chirping_birds", "right": "chainsaw"}
    by_command = json.loads(classify(path, "--timeline", "--channel", "each", "--format", "json").stdout)
    assert [(row["channel"], row["verdict"]) for row in by_command] == [("1", "chirping_birds"), ("2", "chainsaw")]
    sheet = open_sheet()
    sheet.open_file(path)
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_classify"], exact=True).click()
    client = Client(sheet.url, verbose=False)
    for (channel, label), row in zip(labels.items(), by_command, strict=True):
        sheet.page.locator(".sg-channel select").select_option(channel)
        said = sheet.page.locator(".sg-channel-said")
        expect(said).to_have_text(ENGLISH["channels.said"].format(channel=ENGLISH[f"channels.name_{channel}"]))
        expect(sheet.page.locator(".sg-classify .sg-big")).to_have_text(label.replace("_", " "), ignore_case=True)
        expect(sheet.page.locator(f".sg-timeline .sg-mark[data-label={label}]").first).to_be_visible()
        answer = client.predict(handle_file(path), channel, None, None, api_name="/classify")
        assert answer["label"] == label
        by_api = {one["label"]: one["confidence"] for one in answer["confidences"]}
        assert by_api == pytest.approx({one["label"]: one["probability"] for one in row["top"]}, abs=1e-4)
    client.close()
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_files"], exact=True).click()
    files = sheet.page.locator(".sg-files")
    sheet.page.set_input_files(".sg-files .sg-pick input:not([webkitdirectory])", path)
    files.locator(".sg-batch-channel").select_option("each")
    expect(files.locator(".sg-file-class")).to_have_text(["chirping birds", "chainsaw"], ignore_case=True)
    expect(files).to_have_attribute("data-stage", "done")
    with sheet.page.expect_download() as saving:
        files.locator(".sg-save .sg-chip[data-form=json]").click()
    by_files = json.loads(Path(saving.value.path()).read_text())

    def found(rows):
        return [
            (row["channel"], row["verdict"], [(one["label"], one["start"], one["end"]) for one in row["timeline"]])
            for row in rows
        ]

    assert found(by_files) == found(by_command)


def test_choice_of_a_sound_track(open_sheet, tmp_path):
    """The second track is drawn, played, saved under its name, in the link, and offered as B in Compare."""
    tracks = [sounds.tone(440.0, 3.0, 44_100), sounds.in_channels(sounds.tone(2_500.0, 3.0, 44_100), 2)]
    sheet = open_sheet()
    sheet.open_file(sounds.write_tracks(tmp_path / "two.mp4", tracks, 44_100))
    box, choice = sheet.page.locator(".sg-channel"), sheet.page.locator(".sg-channel select")
    expect(box.locator("span")).to_have_text(ENGLISH["channels.choice_track"])
    expect(choice.locator("option")).to_have_text(["Track 1", "Track 2"])
    expect(sheet.page.locator(".sg-message")).to_contain_text("several sound tracks")
    assert sheet.loudest_hz() == pytest.approx(440, abs=40)
    with sheet.new_picture():
        choice.select_option("2:mean")
    assert sheet.loudest_hz() == pytest.approx(2_500, abs=90)
    expect(choice).to_have_value("2:mean")
    expect(choice.locator("option").nth(2)).to_have_text("Track 2: Left")
    sheet.until("location.hash.includes('channel=2%3Amean')")
    copy = sheet.page.request.get(sheet.ev("session.audio.src")).body()
    samples, rate = soundfile.read(io.BytesIO(copy))
    assert np.abs(np.fft.rfft(samples[:, 0])).argmax() * rate / len(samples) == pytest.approx(2_500, abs=5)
    choice.select_option("2:right")
    sheet.until("session.state.sound.channel === '2:right' && location.hash.includes('2%3Aright')")
    sheet.ev("location.hash = location.hash.replace('2%3Aright', '7%3Amean')")
    expect(sheet.page.locator(".sg-message")).to_contain_text("two.mp4 has no channel 7:mean; it has mean, 2:mean, 2:left")
