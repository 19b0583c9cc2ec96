"""Selection figures, slices and saved selections as the page asks the server for them: right, and refused where wrong."""

from __future__ import annotations

import base64
import io

import httpx
import numpy as np
import pytest
import soundfile

from chromium import Server
from esc.config import LIBROSA
from test_endpoints import GATE, WRONG, Functions, functions, refused  # noqa: F401, a fixture

RATE = LIBROSA.sample_rate
NAMES = ("measure", "spectrum", "save_selection")


@pytest.fixture(scope="module")
def stereo(tmp_path_factory) -> tuple[str, np.ndarray]:
    """A stereo AIFF, of which browsers get a copy: 1 kHz of amplitude 0.5 from 1 s to 2 s on both channels."""
    times_s = np.arange(4 * RATE) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 1000 * times_s) * ((times_s >= 1) & (times_s < 2))
    samples = np.stack([tone, 0.5 * tone], axis=1)
    path = tmp_path_factory.mktemp("stereo") / "tone.aiff"
    soundfile.write(path, samples, RATE, "PCM_24")
    return path, soundfile.read(path, dtype="float32")[0]


@pytest.fixture(scope="module")
def request_(functions: Functions, stereo) -> dict:  # noqa: F811, the fixture
    """A request that all three functions answer."""
    with open(stereo[0], "rb") as file:
        sent = functions.http.post("/upload", files={"files": ("tone.aiff", file)}).json()[0]
    sound = functions.ask("player", "open_sound", {"path": sent, "name": "tone.aiff"})["ok"]
    box = {"start": 1.2, "end": 1.8, "low_hz": 500.0, "high_hz": 2000.0}
    return {"sound": sound["id"], "config": LIBROSA.to_dict(), "view": "stft"} | box


def levels(answer: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(answer["levels"]), np.float32)


def test_figures_of_a_known_tone(functions, request_):  # noqa: F811
    figures = functions.ask("mel", "measure", request_)["ok"]
    assert figures["peak_hz"] == pytest.approx(1000.0, abs=0.5)
    # the mean of the channels has 0.75 of the amplitude 0.5
    assert figures["peak_db"] == pytest.approx(20 * np.log10(0.375 * LIBROSA.win_length / 4), abs=0.1)
    assert figures["rms_dbfs"] == pytest.approx(20 * np.log10(0.375 / np.sqrt(2)), abs=0.02)
    assert figures["amplitude"] == pytest.approx(0.375, abs=1e-3)
    assert figures["n_frames"] == figures["measured"]
    silent = functions.ask("mel", "measure", request_ | {"start": 3.0, "end": 3.5})["ok"]
    assert (silent["peak_hz"], silent["rms_dbfs"], silent["amplitude"]) == (None, None, 0.0)


def test_slices_are_numpys(functions, request_, stereo):  # noqa: F811
    mono = stereo[1].mean(axis=1)
    answer = functions.ask("mel", "spectrum", request_ | {"start": 1.5, "end": 1.5, "low_hz": None, "high_hz": None})["ok"]
    centre = round(1.5 * RATE / LIBROSA.hop_length) * LIBROSA.hop_length
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LIBROSA.n_fft) / LIBROSA.n_fft)
    power = np.abs(np.fft.rfft(mono[centre - 1024 : centre + 1024] * window)) ** 2
    around = slice(85, 101)  # the tone lies at bin 92.9
    np.testing.assert_allclose(levels(answer)[around], 10 * np.log10(power[around]), atol=0.02)
    assert answer["rows"] == LIBROSA.n_freqs
    assert answer["peak"] == [pytest.approx(1000.0, abs=0.5), pytest.approx(10 * np.log10(power.max()), abs=0.02)]
    mel = functions.ask("mel", "spectrum", request_ | {"view": "mel"})["ok"]
    assert (mel["rows"], mel["peak"]) == (LIBROSA.n_mels, None)


def test_a_saved_selection_is_the_files_own(functions, request_, stereo, server: Server):  # noqa: F811
    saved = functions.ask("mel", "save_selection", request_)["ok"]
    assert (saved["channels"], saved["subtype"], saved["n_samples"]) == (2, "PCM_24", round(0.6 * RATE))
    answer = httpx.get(f"{server.url}/{saved['url']}")
    assert answer.status_code == 200
    with soundfile.SoundFile(io.BytesIO(answer.content)) as wav:
        np.testing.assert_array_equal(wav.read(dtype="float32"), stereo[1][round(1.2 * RATE) : round(1.8 * RATE)])


@pytest.mark.parametrize("function", NAMES)
def test_bad_requests(functions, server: Server, request_, function):  # noqa: F811
    for wrong in (None, 7, "text", [], True, float("nan"), {"token": "wrong"}):
        assert refused(functions.ask("mel", function, wrong)) in ("page.request", "page.session", *GATE)
    for value in WRONG:
        fields = ("start", "end", "low_hz", "high_hz", "sound")
        for field in fields if value is not None else ("start", "end", "sound"):
            key = refused(functions.ask("mel", function, request_ | {field: value}))
            assert key in ("page.request", "page.gone", *GATE), (field, value)
    assert refused(functions.ask("mel", function, request_ | {"start": 1.8, "end": 1.2})) == "page.request"
    assert refused(functions.ask("mel", function, request_ | {"low_hz": None})) == "page.request"
    assert refused(Functions(server.url).ask("mel", function, request_)) == "page.gone"


def test_bad_frequencies_and_views(functions, request_):  # noqa: F811
    above = request_ | {"low_hz": RATE / 2 + 1, "high_hz": 20_000.0}
    assert refused(functions.ask("mel", "measure", above)) == "parameter.range"
    assert refused(functions.ask("mel", "measure", request_ | {"low_hz": 2000.0, "high_hz": 500.0})) == "parameter.range"
    for view in (None, 7, "wave", ["stft"], {}):
        assert refused(functions.ask("mel", "spectrum", request_ | {"view": view})) == "page.request"
    for name in ("measure", "spectrum"):
        assert refused(functions.ask("mel", name, request_ | {"config": []})) == "page.request"
