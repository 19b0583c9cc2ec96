"""Channels on the page's server: opening, views, measurements, answers and saved selections of each."""

import base64
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sounds
from esc.audio.io import load_audio
from esc.config import LIBROSA
from esc.paths import DEFAULT_CHECKPOINT, ROOT
from esc.ui.inference.inference import classifier
from esc.ui.tabs.base import Services
from esc.ui.tabs.batch import BatchTab, RowsRequest
from esc.ui.tabs.classify import ClassifyTab
from esc.ui.tabs.timeline import TimelineTab

RATE = 22_050
TONES_HZ = {"left": 440.0, "right": 2_500.0}
CONFIG = LIBROSA.to_dict()


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channels")
    return Services.create(folder / "app", folder, DEFAULT_CHECKPOINT), folder


@pytest.fixture(scope="module")
def page(services):
    """Return what calls a handler of a session of its own."""
    made, folder = services
    token = made.store.new_session("en").token

    def call(handler_name, **request):
        (handler,) = made.handlers.functions(handler_name)
        return handler({"token": token} | request)

    call.token, call.folder = token, folder
    return call


@pytest.fixture(scope="module")
def tones(page):
    """Open a stereo file with a tone on either side, the right one at half the amplitude."""
    samples = np.stack([sounds.tone(TONES_HZ["left"], 2.0, RATE), sounds.tone(TONES_HZ["right"], 2.0, RATE) / 2], axis=1)
    path = sounds.write(page.folder / "tones.wav", samples, RATE)
    return page("open_sound", path=str(path), name=path.name)["ok"]


def values(answer, name, rows):
    return np.frombuffer(base64.b64decode(answer[name]), np.float32).reshape(*rows, answer["columns"])


def test_facts_and_waveforms_of_channels(page, tones):
    assert (tones["channel"], tones["channels"], tones["channels_drawn"]) == ("mean", 2, True)
    assert tones["channels_db"]["left"] - tones["channels_db"]["right"] == pytest.approx(6.02, abs=0.01)
    view = page("wave_view", sound=tones["id"], start=0.0, end=2.0, columns=200, channels=True)["ok"]
    mean, each = values(view, "envelope", (3,)), values(view, "channels", (2, 3))
    for channel, peak in enumerate((0.5, 0.25)):
        assert each[channel, 1].max() == pytest.approx(peak, rel=1e-2) and each[channel, 0].min() == pytest.approx(
            -peak, rel=1e-2
        )
    assert mean[1].max() < 0.4, "half the sum of both"
    assert page("wave_view", sound=tones["id"], start=0.0, end=2.0, columns=200)["ok"]["channels"] == ""


@pytest.mark.parametrize(("channel", "peaks_hz"), [("left", [440]), ("2", [2500]), ("side", [440, 2500])])
def test_views_measurements_and_files_of_a_channel(page, tones, channel, peaks_hz):
    opened = page("open_sound", sound=tones["id"], channel=channel)["ok"]
    assert opened["channel"] == channel and opened["digest"] == tones["digest"] and opened["name"] == tones["name"]
    assert page("open_sound", sound=tones["id"], channel=channel)["ok"]["id"] == opened["id"], "it is not decoded twice"
    box = {"sound": opened["id"], "config": CONFIG, "start": 0.5, "end": 1.5}
    assert page("measure", **box)["ok"]["peak_hz"] == pytest.approx(peaks_hz[0], abs=5)
    played, rate = soundfile.read(page.folder / "app" / "playable" / Path(opened["url"]).name, always_2d=True)
    saved_url = page("save_selection", sound=opened["id"], start=0.5, end=1.5)["ok"]["url"]
    saved, _ = soundfile.read(page.folder / "app" / "playable" / Path(saved_url).name, always_2d=True)
    for samples in (played, saved):  # what is drawn is what plays
        assert samples.shape[1] == 1
        spectrum = np.abs(np.fft.rfft(samples[:, 0]))
        loud = np.flatnonzero(spectrum > 0.2 * spectrum.max()) * rate / len(samples)
        assert sorted({min(TONES_HZ.values(), key=lambda hz: abs(hz - one)) for one in loud}) == peaks_hz


def test_channel_that_a_file_has_not(page, tones):
    for channel, reply in {
        "3": "tones.wav has no channel 3; it has mean, left, right, mid, side, 1, 2.",
        "front": "front",
    }.items():
        answer = page("open_sound", sound=tones["id"], channel=channel)
        assert reply in answer["error"]
    mono = sounds.write(page.folder / "mono.wav", sounds.tone(440.0, 1.0, RATE), RATE)
    assert "it has mean, 1." in page("open_sound", path=str(mono), name="mono.wav", channel="right")["error"]


def test_sound_track_is_opened_once(page):
    path = sounds.write_tracks(page.folder / "two.mp4", [sounds.tone(freq_hz, 1.0, RATE) for freq_hz in (440.0, 2_500.0)], RATE)
    first = page("open_sound", path=str(path), name=path.name)["ok"]
    assert (first["channel"], first["tracks"], first["default_track"]) == ("mean", 2, 1) and first["notes"]
    second = page("open_sound", sound=first["id"], channel="2:mean")["ok"]
    assert (second["channel"], second["notes"]) == ("2:mean", [])
    for one, channel in (("2:mean", second), ("1:mean", first)):
        assert page("open_sound", sound=second["id"], channel=one)["ok"]["id"] == channel["id"], "it is not decoded twice"
    labels = json.dumps([["a", 0.2, 0.8, *[None] * 7]])
    saved = page("label_excerpts", sound=second["id"], labels=labels)["ok"]["url"]
    with (
        zipfile.ZipFile(page.folder / "app" / "playable" / Path(saved).name) as archive,
        archive.open("a/two_0.200-0.800.wav") as wav,
    ):
        samples, rate = soundfile.read(wav)
    assert np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples) == pytest.approx(2_500, abs=10)
    box = {"start": 0.2, "end": 0.8, "low_hz": 0, "high_hz": 8_000, "config": CONFIG}
    assert page("measure", sound=second["id"], **box)["ok"]["peak_hz"] == pytest.approx(2_500, abs=10)
    assert "two.mp4 has no sound track 3; it has 2." in page("open_sound", sound=first["id"], channel="3:mean")["error"]


def test_answers_of_channels(services, page):
    crow, rate = load_audio(ROOT / "assets/examples/crow.flac")
    rain, _ = load_audio(ROOT / "assets/examples/rain.flac", rate)
    length = min(len(crow), len(rain))
    path = sounds.write(page.folder / "both.wav", np.stack([crow[:length], rain[:length]], axis=1), rate)
    opened = page("open_sound", path=str(path), name=path.name)["ok"]
    tab = ClassifyTab(services[0])
    first, second = tab.replies({"token": page.token, "sound": opened["id"], "turn": 1})
    assert "channels" not in first and second | {"channels": None} == first | {"channels": None}
    assert [(channel, label) for channel, label, _ in second["channels"]] == [("left", "crow"), ("right", "rain")]
    files = BatchTab(services[0])
    listed = files.server_functions()[0]({"token": page.token, "path": str(path), "name": path.name})["ok"]["id"]
    list(files.replies({"token": page.token, "files": [listed], "hop": 1.0, "turn": 1}))
    (row,) = files.rows(RowsRequest(token=page.token, after=0))["rows"]
    assert row["differ"] == [["left", "crow"], ["right", "rain"]]
    for channel, label in (("left", "crow"), ("right", "rain")):
        alone = page("open_sound", sound=opened["id"], channel=channel)["ok"]
        (reply,) = tab.replies({"token": page.token, "sound": alone["id"], "turn": 2})
        expected = classifier(DEFAULT_CHECKPOINT).predict(*load_audio(path, channel=channel))
        assert reply["verdict"] == label == expected.verdict
        assert dict(reply["top"])[label] == pytest.approx(dict(expected.top)[label], abs=1e-6)
        timeline = TimelineTab(services[0])
        *_, done = timeline.replies({"token": page.token, "sound": alone["id"], "hop": 1.0, "turn": 3})
        assert done["overall"][0] == label
        saved = timeline.server_functions()[-1]({"token": page.token, "sound": alone["id"], "hop": 1.0, "form": "csv"})["ok"]
        assert saved["text"].splitlines()[1].startswith(f"both.wav,{channel},")
