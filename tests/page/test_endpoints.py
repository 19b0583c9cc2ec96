"""What programs can ask of the running app: the named endpoints by Gradio's own client, the page's functions by plain HTTP."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import httpx
import librosa
import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import sounds
from chromium import Server
from esc import Classifier, load_audio, mel_db
from esc.classification.intervals import classify_clips, interval_clips
from esc.classification.saliency.maps import explain
from esc.classification.saliency.regions import saliency_regions
from esc.config import LIBROSA, PRESETS, SpectrogramConfig
from esc.ui.api.downloads import Downloads
from esc.ui.page import build_page
from esc.ui.sessions import kept_files
from esc.ui.tabs.batch import BatchTab
from esc.ui.tabs.timeline import TimelineTab

RATE = 22_050
PARAMETERS = ["sound", "preset", "changes", "channel", "full_scale", "time_expansion"]  # of a spectrogram
EXAMPLE = Path(__file__).resolve().parents[2] / "assets" / "examples" / "church_bells.flac"


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory) -> Client:
    """Gradio's client of the running app."""
    client = Client(server.url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    yield client
    client.close()


@pytest.fixture(scope="module")
def wav(tmp_path_factory) -> Path:
    """Two seconds of everything at librosa's own rate."""
    return sounds.write(tmp_path_factory.mktemp("endpoints") / "busy.wav", sounds.busy(2.0, RATE), RATE, "FLOAT")


def said(error: AppError) -> str:
    """Return an error's words, which must not be a trace."""
    text = str(error)
    for trace in ("Traceback", 'File "', ".py", str(EXAMPLE.parents[2]), "site-packages"):
        assert trace not in text
    return text


def test_classify_says_what_the_classifier_says(client: Client, tmp_path: Path):
    waveform, rate = soundfile.read(EXAMPLE, dtype="float32")
    path = sounds.write(tmp_path / "bells.wav", waveform, rate)
    label = client.predict(handle_file(path), api_name="/classify")
    expected = Classifier.load().predict(*load_audio(path)).top
    assert label["label"] == expected[0][0]
    assert [entry["label"] for entry in label["confidences"]] == [name for name, _ in expected]
    np.testing.assert_allclose([entry["confidence"] for entry in label["confidences"]], [p for _, p in expected], atol=1e-4)


def test_explain_says_what_the_library_says(client: Client, tmp_path: Path):
    sound = np.concatenate([sounds.busy(4.0, seed=seed) for seed in range(2)])
    path = sounds.write(tmp_path / "long.wav", sound, 44_100, "FLOAT")
    classifier = Classifier.load()
    said_, result = client.predict(handle_file(path), None, None, api_name="/explain")
    expected = explain(classifier, sound, 44_100)
    assert (said_["label"], said_["start"]) == (expected.prediction.top[0][0], 0.0)
    said_, result = client.predict(handle_file(path), "dog", 2.5, api_name="/explain")
    expected = explain(classifier, sound, 44_100, 2.5, ["dog"])
    assert (said_["label"], said_["start"], said_["verdict"]) == ("dog", 2.5, expected.prediction.verdict)
    assert said_["probability"] == pytest.approx(expected.probabilities["dog"], abs=1e-4)
    with np.load(result) as arrays:
        np.testing.assert_allclose(arrays["map"], expected.maps["dog"], atol=1e-3)
        np.testing.assert_allclose(arrays["picture_db"], expected.prediction.spectrogram_db, atol=1e-3)
        assert list(arrays["picture_db"].shape) == said_["shape"] == [len(said_["freqs_hz"]), len(said_["times_s"])]
        frames = librosa.frames_to_time(
            np.arange(said_["shape"][1]), sr=44_100, hop_length=classifier.checkpoint.spectrogram.hop_length
        )
        np.testing.assert_allclose(arrays["times_s"], 2.5 + frames, atol=1e-6)
    regions = saliency_regions(expected.maps["dog"], 2.5, classifier.checkpoint.spectrogram)
    assert [one["weight"] for one in said_["regions"]] == pytest.approx([one.weight for one in regions], abs=1e-2)


def test_classify_and_explain_an_interval(client: Client, tmp_path: Path):
    """As the page's question about a row: padded, whole or averaged, with the maps of the clip in which it is likeliest."""
    sound = np.concatenate([np.zeros(44_100, np.float32), *(sounds.busy(4.0, seed=seed) for seed in range(3))])
    path, rate, classifier = sounds.write(tmp_path / "long.wav", sound, 44_100, "FLOAT"), 44_100, Classifier.load()
    for start, end, given in ((2.0, 3.5, None), (1.0, 11.0, None), (None, 3.0, (0.0, 3.0)), (3.0, None, (3.0, 8.0))):
        expected = classify_clips(classifier, interval_clips(classifier, sound, rate, *(given or (start, end))))
        label = client.predict(handle_file(path), "mean", start, end, api_name="/classify")
        found = {entry["label"]: entry["confidence"] for entry in label["confidences"]}
        decided = {} if expected.verdict in dict(expected.top) else {expected.verdict: 1.0}
        assert found == pytest.approx(dict(expected.top) | decided, abs=1e-4)
        answer, result = client.predict(handle_file(path), None, start, "mean", end, api_name="/explain")
        assert answer["start"] == pytest.approx(expected.start_s, abs=1e-4)
        assert answer["end"] == pytest.approx(min((given or (start, end))[1], expected.start_s + 5), abs=1e-4)
        with np.load(result) as arrays:
            np.testing.assert_allclose(arrays["picture_db"], expected.spectrogram_db, atol=1e-3)
    for start, end, word in ((3.0, 2.0, "end_s"), (0.0, 99.0, "end_s"), ("soon", 2.0, "start"), (1.0, 1.0, "interval")):
        for arguments in (("mean", start, end, "/classify"), (None, start, "mean", end, "/explain")):
            with pytest.raises(AppError) as refused:
                client.predict(handle_file(path), *arguments[:-1], api_name=arguments[-1])
            assert word in said(refused.value)


def test_explain_silence_and_nonsense(client: Client, tmp_path: Path, wav: Path):
    path = sounds.write(tmp_path / "nothing.wav", np.zeros(RATE, np.float32), RATE)
    answer, result = client.predict(handle_file(path), "dog", None, api_name="/explain")
    assert (answer["label"], answer["probability"], answer["verdict"]) == (None, None, "silence")
    assert answer["times_s"][0] == pytest.approx(-2.0)  # one second in the middle of five
    with np.load(result) as arrays:
        assert not arrays["map"].any()
    for label, start, word in (
        ("unicorn", None, "unicorn"),
        (None, -1.0, "start"),
        (None, 99.0, "start"),
        (None, "soon", "start"),
    ):
        with pytest.raises(AppError) as refused:
            client.predict(handle_file(wav), label, start, api_name="/explain")
        assert word in said(refused.value) or "went wrong" not in said(refused.value)


def test_silence_before_a_sound_is_skipped_by_all(client: Client, tmp_path: Path):
    sound = np.concatenate([np.zeros(8 * 44_100, np.float32), sounds.busy(6.0)])
    path = sounds.write(tmp_path / "late.wav", sound, 44_100, "FLOAT")
    expected = Classifier.load().predict(sound, 44_100)
    label = client.predict(handle_file(path), api_name="/classify")
    assert label["label"] == expected.verdict
    told = {entry["label"]: entry["confidence"] for entry in label["confidences"]}
    decided = {} if expected.verdict in dict(expected.top) else {expected.verdict: 1.0}
    assert told == pytest.approx(dict(expected.top) | decided, abs=1e-4)
    said_, _ = client.predict(handle_file(path), None, None, api_name="/explain")
    assert (said_["verdict"], said_["start"]) == (expected.verdict, expected.start_s) == (expected.verdict, 8.0)
    row = client.predict(handle_file(path), None, api_name="/timeline")
    assert [(one["label"], one["probability"]) for one in row["top"]] == list(expected.top)


def test_classify_knows_silence(client: Client, tmp_path: Path):
    path = sounds.write(tmp_path / "nothing.wav", np.zeros(RATE, np.float32), RATE)
    assert client.predict(handle_file(path), api_name="/classify")["label"] == "silence"


def test_mel_equals_the_library_and_librosa(client: Client, wav: Path):
    meta, matrix = client.predict(handle_file(wav), api_name="/mel")
    waveform, _ = soundfile.read(wav, dtype="float32")
    expected = librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=RATE), top_db=80.0)
    with np.load(matrix) as file:
        assert sorted(file.files) == ["freqs_hz", "mel_db", "times_s"]
        assert file["mel_db"].dtype == np.float32
        np.testing.assert_array_equal(file["mel_db"], mel_db(waveform, LIBROSA).numpy())
        np.testing.assert_allclose(file["mel_db"], expected, atol=3e-3)
        np.testing.assert_allclose(file["times_s"], librosa.times_like(expected, sr=RATE), atol=1e-9)
        np.testing.assert_allclose(file["freqs_hz"], librosa.mel_frequencies(130, fmax=RATE / 2)[1:-1], rtol=1e-6)
        np.testing.assert_allclose(meta["times_s"], file["times_s"])
        np.testing.assert_allclose(meta["freqs_hz"], file["freqs_hz"])
    assert meta["shape"] == list(expected.shape)
    assert SpectrogramConfig.from_dict(meta["config"]) == LIBROSA


def test_stft_and_mfcc_equal_librosa(client: Client, wav: Path):
    waveform, _ = soundfile.read(wav, dtype="float32")
    power = np.abs(librosa.stft(waveform)) ** 2
    meta, matrix = client.predict(handle_file(wav), api_name="/stft")
    with np.load(matrix) as file:
        np.testing.assert_allclose(file["stft_db"], librosa.power_to_db(power, top_db=80.0), atol=1e-2)
        np.testing.assert_allclose(file["freqs_hz"], librosa.fft_frequencies(sr=RATE, n_fft=2048))
    assert meta["shape"] == list(power.shape)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=RATE), top_db=80.0)
    meta, matrix = client.predict(handle_file(wav), changes={"n_mfcc": 13}, api_name="/mfcc")
    with np.load(matrix) as file:
        np.testing.assert_allclose(file["mfcc"], librosa.feature.mfcc(S=mel, n_mfcc=13), atol=3e-3)
    assert meta["shape"][0] == 13


def test_mfcc_is_liftered_and_differentiated_as_librosas(client: Client, wav: Path):
    waveform, _ = soundfile.read(wav, dtype="float32")
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=RATE), top_db=80.0)
    expected = librosa.feature.delta(librosa.feature.mfcc(S=mel, n_mfcc=13, lifter=22), order=2)
    changes = {"n_mfcc": 13, "lifter": 22, "delta": 2}
    meta, matrix = client.predict(handle_file(wav), changes=changes, api_name="/mfcc")
    with np.load(matrix) as file:
        np.testing.assert_allclose(file["mfcc"], expected, atol=3e-3)
    assert meta["cepstrum"] == {"lifter": 22, "delta": 2}
    for wrong, reason in (({"delta": 3}, "delta = 3"), ({"lifter": "x"}, "lifter = x"), ({"liter": 1}, "unknown liter")):
        with pytest.raises(AppError) as refused:
            client.predict(handle_file(wav), changes=wrong, api_name="/mfcc")
        assert reason in said(refused.value)


def test_surface_keeps_the_peaks_on_true_axes(client: Client, tmp_path: Path):
    path = sounds.write(tmp_path / "tone.wav", sounds.tone(1_000.0, 20.0, RATE) * (np.arange(20 * RATE) >= 15 * RATE), RATE)
    meta, matrix = client.predict(handle_file(path), changes={"n_mels": 256, "n_fft": 8192}, columns=100, api_name="/surface")
    with np.load(matrix) as file:
        surface = file["surface_db"]
        np.testing.assert_allclose(meta["times_s"], file["times_s"])
    assert list(surface.shape) == meta["shape"] == [128, 100]
    waveform, _ = soundfile.read(path, dtype="float32")
    config = LIBROSA.replace(n_mels=256, n_fft=8192)
    assert surface.max() == pytest.approx(float(mel_db(waveform, config).max()), abs=0.01)
    row, column = np.unravel_index(surface.argmax(), surface.shape)
    assert meta["freqs_hz"][row] == pytest.approx(1_000, rel=0.03)
    assert 14.9 < meta["times_s"][column] < 20
    assert surface[row, np.array(meta["times_s"]) < 14.5].max() <= surface.max() - config.top_db + 0.01
    for columns in (1, 2.5, "many"):
        with pytest.raises(AppError) as refused:
            client.predict(handle_file(path), columns=columns, api_name="/surface")
        assert f"columns = {columns} is not possible" in said(refused.value)


def test_waveform_is_the_file_and_librosas_at_another_rate(client: Client, wav: Path):
    own, _ = soundfile.read(wav, dtype="float32")
    facts, samples = client.predict(handle_file(wav), sample_rate=None, api_name="/waveform")
    with np.load(samples) as file:
        np.testing.assert_array_equal(file["waveform"], own)
    assert (facts["sample_rate"], facts["channels"], facts["seconds"]) == (RATE, 1, len(own) / RATE)
    assert facts["peak"] == pytest.approx(np.abs(own).max())
    _, samples = client.predict(handle_file(wav), sample_rate=16_000, api_name="/waveform")
    with np.load(samples) as file:
        np.testing.assert_allclose(file["waveform"], librosa.resample(own, orig_sr=RATE, target_sr=16_000), atol=1e-6)
    with pytest.raises(AppError) as refused:
        client.predict(handle_file(wav), sample_rate=100, api_name="/waveform")
    assert "between 1,000 and 768,000" in said(refused.value)


def test_full_scale_of_integers_stored_as_floats(client: Client, wav: Path, tmp_path: Path):
    own, _ = soundfile.read(wav, dtype="float32")
    path = sounds.write(tmp_path / "integers.wav", own * 32_768, RATE, "FLOAT")
    facts, samples = client.predict(handle_file(path), full_scale=32_768, api_name="/waveform")
    with np.load(samples) as file:
        np.testing.assert_array_equal(file["waveform"], own)
    assert facts["peak"] == pytest.approx(np.abs(own).max())
    label = client.predict(handle_file(wav), api_name="/classify")
    assert client.predict(handle_file(path), full_scale=32_768, api_name="/classify") == label
    for wrong in (0.5, "loud", 1e12):
        for endpoint in ("/mel", "/classify"):
            with pytest.raises(AppError) as refused:
                client.predict(handle_file(path), full_scale=wrong, api_name=endpoint)
            assert "full_scale = " in said(refused.value)


def test_time_expansion_of_every_endpoint(client: Client, wav: Path):
    """A bat detector's two seconds at a tenth of the speed: 0.2 s at ten times the rate, as `load_audio` reads them."""
    sound = {"sound": handle_file(wav), "time_expansion": 10}
    facts, samples = client.predict(**sound, api_name="/waveform")
    np.testing.assert_array_equal(np.load(samples)["waveform"], load_audio(wav)[0])
    assert (facts["sample_rate"], facts["seconds"]) == (10 * RATE, pytest.approx(0.2))
    bats = PRESETS["bats"]
    expected = mel_db(load_audio(wav, bats.sample_rate, time_expansion=10.0)[0], bats)
    for name in ("mel", "stft", "mfcc", "surface"):
        meta, matrix = client.predict(**sound, preset="bats", api_name=f"/{name}")
        assert meta["times_s"][-1] == pytest.approx(0.2, abs=0.01)
        if name == "mel":
            np.testing.assert_allclose(np.load(matrix)["mel_db"], expected, atol=1e-2)
    answer = client.predict(**sound, api_name="/classify")
    prediction = Classifier.load().predict(*load_audio(wav, time_expansion=10.0))
    assert answer["label"] == prediction.verdict
    explained, _ = client.predict(**sound, api_name="/explain")
    timeline = client.predict(**sound, api_name="/timeline")
    assert (explained["end"], timeline["seconds"]) == (pytest.approx(0.2), pytest.approx(0.2))
    assert timeline["time_expansion"] == 10.0
    for wrong in (0.5, "slow", 1e3):
        with pytest.raises(AppError) as refused:
            client.predict(handle_file(wav), time_expansion=wrong, api_name="/mel")
        assert "time_expansion = " in said(refused.value)


def test_defaults_of_arguments_left_out_by_plain_http(server: Server, client: Client, wav: Path):
    http = httpx.Client(base_url=f"{server.url}/gradio_api", timeout=60)
    file = {
        "path": http.post("/upload", files={"files": (wav.name, wav.read_bytes())}).json()[0],
        "meta": {"_type": "gradio.FileData"},
    }
    event = http.post("/call/mel", json={"data": [file]}).json()["event_id"]
    answer = http.get(f"/call/mel/{event}").text
    assert "event: complete" in answer
    (line,) = [line for line in answer.splitlines() if line.startswith("data: ")]
    assert json.loads(line.removeprefix("data: "))[0] == client.predict(handle_file(wav), api_name="/mel")[0]


def test_a_sound_too_long_to_hand_out_is_refused(client: Client, tmp_path: Path):
    path = sounds.write(tmp_path / "long.wav", np.zeros(600 * 8_000, np.float32), 8_000)
    with pytest.raises(AppError) as refused:
        client.predict(handle_file(path), 192_000, api_name="/waveform")
    assert "long.wav lasts 10 minutes; at most 9 are accepted" in said(refused.value)


def test_downloads_are_bounded(tmp_path: Path, monkeypatch):
    path = Path(Downloads(tmp_path).save("mel_db", {"mel_db": np.zeros(3)}))
    downloads = Downloads(tmp_path, 3 * path.stat().st_size)
    path.unlink()
    for _ in range(5):
        last = downloads.save("mel_db", {"mel_db": np.zeros(3)})
    assert len(list(tmp_path.iterdir())) == 3
    assert Path(last).exists()
    downloads.delete_old()
    assert Path(last).exists()
    monkeypatch.setattr(kept_files, "KEEP_SECONDS", 0.0)
    downloads.delete_old()
    assert list(tmp_path.iterdir()) == []


def test_downloads_are_not_copied_to_the_upload_folder(client: Client, server: Server, wav: Path):
    """Gradio copies files that are not static paths into its cache, where `Downloads` does not bound them."""
    for _ in range(2):
        client.predict(handle_file(wav), sample_rate=None, api_name="/waveform")
    assert list((server.log.parent / "uploads").rglob("*.npz")) == []


def test_timeline_of_too_many_windows(client: Client, tmp_path: Path):
    path = sounds.write(tmp_path / "long.wav", np.zeros(800 * 8_000, np.float32), 8_000)
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(path), 0.1, api_name="/timeline")
    assert "long.wav has 7,951 windows at a hop of 0.10 s; one call classifies at most 7,200." in said(caught.value)


def test_timelines_of_programs_and_pages_wait_in_queues_of_their_own():
    queues = {fn.api_name: fn.concurrency_id for fn in build_page().fns.values()}
    assert len({queues["timeline"], TimelineTab.queue.name, BatchTab.queue.name}) == 3


def test_mel_honours_preset_and_changes(client: Client, wav: Path):
    changes = {"n_mels": 40, "hop_length": 200, "window": "hamming", "top_db": 60}
    meta, matrix = client.predict(handle_file(wav), preset="speech", changes=changes, api_name="/mel")
    config = PRESETS["speech"].replace(**changes)
    assert SpectrogramConfig.from_dict(meta["config"]) == config
    waveform, _ = load_audio(wav, config.sample_rate)
    with np.load(matrix) as file:
        np.testing.assert_allclose(file["mel_db"], mel_db(waveform, config).numpy(), atol=1e-3)
        assert list(file["mel_db"].shape) == meta["shape"] == [40, config.n_frames(len(waveform))]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"preset": "nonsense"}, "nonsense is not in the list of choices"),  # said by Gradio
        ({"changes": {"n_mels": 100_000}}, "n_mels = 100,000 is not possible: it must lie between 4 and 512"),
        ({"changes": {"n_mels": "many"}}, "n_mels = many is not possible: a whole number is needed"),
        ({"changes": {"win_length": 4096}}, "the window must fit into n_fft = 2,048"),
        ({"changes": {"nonsense": 1}}, "unknown nonsense"),
        ({"changes": [1, 2]}, "changes = [1, 2] is not possible: a JSON object is needed"),
    ],
)
def test_wrong_parameters_are_named(client: Client, wav: Path, arguments, reason):
    with pytest.raises((AppError, ValueError)) as caught:
        client.predict(handle_file(wav), **arguments, api_name="/mel")
    assert reason in said(caught.value)


@pytest.mark.parametrize("endpoint", ["/mel", "/classify"])
def test_broken_files_are_named(client: Client, tmp_path: Path, endpoint):
    broken, empty = tmp_path / "broken.wav", tmp_path / "empty.wav"
    broken.write_bytes(b"no sound " * 100)
    empty.write_bytes(b"")
    for path, reason in ((broken, "broken.wav can't be read as sound"), (empty, "empty.wav is empty (0 bytes)")):
        with pytest.raises(AppError) as caught:
            client.predict(handle_file(path), api_name=endpoint)
        assert reason in said(caught.value)
    with pytest.raises((AppError, ValueError)) as caught:
        client.predict(None, api_name=endpoint)
    assert "No sound is open" in said(caught.value)


def test_the_api_names_its_endpoints_and_explains_them(client: Client):
    api = client.view_api(return_format="dict")
    assert set(api["named_endpoints"]) == {
        "/mel",
        "/stft",
        "/mfcc",
        "/surface",
        "/waveform",
        "/classify",
        "/timeline",
        "/explain",
    }
    assert api["unnamed_endpoints"] == {}
    for endpoint in api["named_endpoints"].values():
        assert len(endpoint["description"]) > 20
    assert [p["parameter_name"] for p in api["named_endpoints"]["/mel"]["parameters"]] == PARAMETERS


def test_no_file_outside_is_served(server: Server):
    for path in ("/etc/passwd", "app.py", "esc/config.py", "../../../etc/passwd", "checkpoints/esc50-resnet18/config.json"):
        for address in (
            f"gradio_api/file={path}",
            f"gradio_api/soundglass/sounds/{path}",
            f"gradio_api/soundglass/examples/{path}",
        ):
            answer = httpx.get(f"{server.url}/{address}")
            assert answer.status_code in (403, 404), address


def test_public_files_are_no_pages_and_props_hold_no_path_of_the_server(server: Server):
    answer = httpx.get(f"{server.url}/gradio_api/soundglass/examples/{EXAMPLE.name}", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"fLaC")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    props = [one["props"] for one in httpx.get(f"{server.url}/config").json()["components"]]
    text = json.dumps(props, ensure_ascii=False)
    assert "soundglass/" in text
    for folder in (EXAMPLE.parents[2], sys.prefix, tempfile.gettempdir()):
        assert str(folder) not in text


class Functions:
    """The page's server functions as anyone with a network cable can call them."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60)
        config = httpx.get(f"{url}/config").json()
        self.ids = {one["props"]["elem_id"]: one["id"] for one in config["components"] if one["props"].get("elem_id")}
        load = next(one["id"] for one in config["dependencies"] if one["targets"][0][1] == "load")
        begun = self.http.post("/run/predict", json={"data": [], "fn_index": load, "session_hash": "hostile"})
        self.token = begun.json()["data"][0]["token"]

    def post(self, component: str, function: str, data: object) -> httpx.Response:
        """Call a function; NaN and infinity travel as Python writes them."""
        body = {"data": data, "component_id": self.ids[component], "fn_name": function, "session_hash": "hostile"}
        return self.http.post("/component_server", content=json.dumps(body), headers={"content-type": "application/json"})

    def ask(self, component: str, function: str, data: object) -> dict:
        """Call a function with this session's token where `data` is a dict without one."""
        answer = self.post(component, function, {"token": self.token} | data if isinstance(data, dict) else data)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def functions(server: Server) -> Functions:
    """The functions, with a session of their own."""
    return Functions(server.url)


@pytest.fixture(scope="module")
def view_request(functions: Functions) -> dict:
    """A request for a picture that is answered."""
    sound = functions.ask("player", "open_sound", {"example": "crow"})["ok"]
    request = {
        "sound": sound["id"],
        "config": LIBROSA.to_dict(),
        "start": 0.0,
        "end": 5.0,
        "columns": 300,
        "time": 1.0,
        "band": 3,
    }
    picture = functions.ask("mel", "mel_view", request)["ok"]
    assert (picture["rows"], picture["columns"]) == (128, 216)
    return request


def refused(answer: dict) -> str:
    """Return the sentence of an answer that must be a refusal without a trace."""
    assert "ok" not in answer and isinstance(answer["error"], str)
    for trace in ("Traceback", 'File "', ".py", "root:"):
        assert trace not in answer["error"]
    return answer["key"]


GATE = ("parameter.range", "parameter.text", "parameter.length")  # what no handler sees
CALLS = [("player", "open_sound"), ("mel", "mel_view"), ("mel", "level")]


@pytest.mark.parametrize(("component", "function"), CALLS)
@pytest.mark.parametrize("request_", [None, 7, "text", [], [{}], True, 1e308, float("nan"), {"token": None}])
def test_requests_of_the_wrong_type(functions: Functions, component, function, request_):
    assert refused(functions.ask(component, function, request_)) in ("page.request", "page.session", *GATE)


@pytest.mark.parametrize(("component", "function"), CALLS)
@pytest.mark.parametrize("token", ["", "wrong", 7, None, [], {}, "x" * 100_000, float("nan")])
def test_wrong_tokens(functions: Functions, view_request: dict, component, function, token):
    request = view_request | {"token": token, "example": "crow"}
    assert refused(functions.ask(component, function, request)) == ("parameter.range" if token != token else "page.session")


@pytest.mark.parametrize(
    "source",
    [
        {}, {"path": "/etc/passwd", "name": "passwd"}, {"path": "app.py", "name": "app.py"}, {"path": 7, "name": "x"},
        {"path": "../../../../etc/passwd", "name": "x.wav"}, {"path": "/proc/self/environ", "name": "x.wav"},
        {"path": str(EXAMPLE), "name": "x.flac"}, {"path": "", "name": ""}, {"path": "/tmp", "name": "x"},
        {"path": ["/etc/passwd"], "name": "x"}, {"path": "/etc/passwd\0.wav", "name": "x.wav"},
        {"path": "x" * 100_000, "name": "x"},
        {"example": "../../app.py"}, {"example": "../examples/crow"}, {"example": "/etc/passwd"}, {"example": ["crow"]},
        {"example": {"crow": 1}}, {"example": None}, {"example": "crow.flac"},
    ],
)  # fmt: skip
def test_no_other_file_is_opened(functions: Functions, source):
    assert refused(functions.ask("player", "open_sound", source)) in ("page.request", *GATE)


def test_an_upload_cannot_point_elsewhere(functions: Functions, server: Server, wav: Path):
    with open(wav, "rb") as file:
        sent = functions.http.post("/upload", files={"files": ("../../../escape.wav", file)}).json()[0]
    folder = server.log.parent / "uploads"
    assert Path(sent).resolve().is_relative_to(folder.resolve())
    assert functions.ask("player", "open_sound", {"path": sent, "name": "x.wav"})["ok"]["sample_rate"] == RATE
    for path in (f"{folder}/../server.log", f"{sent}/../../../server.log", str(Path(sent).parent), f"{folder}/{'x' * 5000}"):
        assert refused(functions.ask("player", "open_sound", {"path": path, "name": "x"})) in ("page.request", *GATE)


WRONG = [None, "1", [], {}, True, float("nan"), float("inf"), -float("inf"), -1, 1e300, 10**30, 10**400]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: str(value)[:12])
def test_impossible_numbers(functions: Functions, view_request: dict, value):
    for field in ("start", "end", "columns", "sound"):
        assert refused(functions.ask("mel", "mel_view", view_request | {field: value})) in ("page.request", "page.gone", *GATE)
    for field in ("time", "band"):
        assert refused(functions.ask("mel", "level", view_request | {field: value})) in ("page.request", *GATE)
    for field in ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "fmax", "top_db", "window", "mel_scale"):
        config = view_request["config"] | {field: value}
        key = refused(functions.ask("mel", "mel_view", view_request | {"config": config}))
        assert key.startswith("parameter."), (field, value)


@pytest.mark.parametrize("config", [None, [], "librosa", 7, {}, {"n_mels": 64}, LIBROSA.to_dict() | {"__class__": 1}])
def test_configs_of_the_wrong_shape(functions: Functions, view_request: dict, config):
    key = refused(functions.ask("mel", "mel_view", view_request | {"config": config}))
    assert key in ("page.request", "parameter.keys")


def test_times_the_wrong_way_round(functions: Functions, view_request: dict):
    refused(functions.ask("mel", "mel_view", view_request | {"start": 4.0, "end": 1.0}))


def test_another_session_sees_nothing_of_mine(functions: Functions, server: Server, view_request: dict):
    other = Functions(server.url)
    assert refused(other.ask("mel", "mel_view", view_request)) == "page.gone"
    assert refused(other.ask("mel", "level", view_request)) == "page.gone"


@pytest.mark.parametrize("function", ["get_config", "postprocess", "open", "__init__", "store", "_sound", "value", ""])
def test_only_server_functions_can_be_called(functions: Functions, function):
    assert functions.post("player", function, {"token": functions.token}).status_code in (404, 422)


def test_channel_of_every_endpoint(client: Client, tmp_path: Path):
    """A crow on the left, rain on the right: as the command line and the page name them."""
    crow, rate = load_audio(EXAMPLE.with_name("crow.flac"))
    rain, _ = load_audio(EXAMPLE.with_name("rain.flac"), rate)
    length = min(len(crow), len(rain))
    path = sounds.write(tmp_path / "both.wav", np.stack([crow[:length], rain[:length]], axis=1), rate)
    for channel, label in (("left", "crow"), ("2", "rain")):
        asked = {"sound": handle_file(path), "channel": channel}
        assert client.predict(**asked, api_name="/classify")["label"] == label
        facts, samples = client.predict(**asked, api_name="/waveform")
        expected = load_audio(path, channel=channel)[0]
        np.testing.assert_array_equal(np.load(samples)["waveform"], expected)
        assert (facts["channel"], facts["channels"]) == (channel, 2)
        assert facts["rms"] == pytest.approx(np.sqrt(np.mean(expected.astype(float) ** 2)), rel=1e-6)
        meta, matrix = client.predict(**asked, api_name="/mel")
        np.testing.assert_allclose(
            np.load(matrix)["mel_db"], mel_db(load_audio(path, LIBROSA.sample_rate, channel)[0], LIBROSA), atol=1e-2
        )
        explained, _ = client.predict(**asked, api_name="/explain")
        timeline = client.predict(**asked, api_name="/timeline")
        assert meta["channel"] == explained["channel"] == timeline["channel"] == channel
        assert explained["label"] == timeline["verdict"] == label
    with pytest.raises(AppError) as refused_channel:
        client.predict(handle_file(path), channel="3", api_name="/classify")
    assert "both.wav has no channel 3; it has mean, left, right, mid, side, 1, 2." in said(refused_channel.value)
    with pytest.raises(AppError) as unknown_channel:
        client.predict(handle_file(path), channel="front", api_name="/stft")
    assert "channel = front" in said(unknown_channel.value)
