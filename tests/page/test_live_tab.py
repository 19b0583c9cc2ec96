"""The live tab's server functions: PCM classified like a file, and refused where wrong.

And the tab's FFT and sample buffer, run by the Node that Playwright brings.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright._impl._driver import compute_driver_executable

import sounds
from esc import Classifier, load_audio
from esc.example_sounds import example_sounds
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.tabs import live
from esc.ui.tabs.base import Services
from esc.ui.tabs.live import LiveTab
from test_endpoints import GATE, WRONG, Functions, functions, refused  # noqa: F401, a fixture

RATE = 48_000
ASSETS = Path(__file__).resolve().parents[2] / "assets" / "js"


def pcm(waveform: np.ndarray) -> str:
    """Return what the page sends of a waveform."""
    return base64.b64encode(np.rint(waveform.clip(-1, 1) * 32767).astype("<i2").tobytes()).decode()


@pytest.fixture(scope="module")
def siren() -> np.ndarray:
    """The first clip of an example, as a microphone at 48 kHz hears it."""
    return load_audio(example_sounds()["siren"], sample_rate=RATE)[0][: 5 * RATE]


def test_live_prediction_equals_that_of_a_file(functions, siren, tmp_path):  # noqa: F811
    assert functions.ask("live", "live_begin", {})["ok"] == {"clip_seconds": 5.0}
    answer = functions.ask("live", "live_classify", {"rate": RATE, "samples": pcm(siren)})["ok"]
    file = tmp_path / "same.wav"
    soundfile.write(file, np.frombuffer(base64.b64decode(pcm(siren)), "<i2"), RATE, "PCM_16")
    expected = Classifier.load().predict(*load_audio(file))
    assert answer["verdict"] == expected.verdict == "siren"
    assert [label for label, _ in answer["top"]] == [label for label, _ in expected.top]
    np.testing.assert_allclose([p for _, p in answer["top"]], [p for _, p in expected.top], atol=1e-5)
    assert (answer["count"], answer["clip_seconds"], answer["limit_db"]) == (50, 5.0, -80)
    assert answer["calibrated"] == (Classifier.load().checkpoint.calibration is not None)


def test_the_first_second_and_silence(functions, siren):  # noqa: F811
    first = functions.ask("live", "live_classify", {"rate": RATE, "samples": pcm(siren[:RATE])})["ok"]
    assert len(first["top"]) == 5
    quiet = functions.ask("live", "live_classify", {"rate": 96_000, "samples": pcm(np.zeros(5 * 96_000))})["ok"]
    assert (quiet["verdict"], quiet["top"]) == ("silence", [])


@pytest.mark.parametrize("value", WRONG, ids=lambda value: str(value)[:12])
def test_impossible_requests(functions, siren, value):  # noqa: F811
    good = {"rate": RATE, "samples": pcm(siren[:RATE])}
    assert refused(functions.ask("live", "live_classify", good | {"rate": value})) in ("page.request", "audio.rate", *GATE)
    assert refused(functions.ask("live", "live_classify", good | {"samples": value})) in ("page.request", *GATE)
    assert refused(functions.ask("live", "live_classify", good | {"token": value})) in ("page.session", *GATE)
    assert refused(functions.ask("live", "live_begin", {"token": value})) in ("page.session", *GATE)


@pytest.mark.parametrize(
    "samples",
    ["", "AAA=", "AAAA", "not base64!", "ÄÖÜß" * 8, pcm(np.zeros(1)), pcm(np.zeros(5 * RATE + 1)), "A" * 10_000_000],
    ids=["empty", "one sample", "odd", "no base64", "letters", "too few", "too many", "huge"],
)
def test_samples_that_are_none(functions, samples):  # noqa: F811
    assert refused(functions.ask("live", "live_classify", {"rate": RATE, "samples": samples})) == "page.request"


def live_tab(folder: Path, checkpoint: Path = DEFAULT_CHECKPOINT) -> LiveTab:
    return LiveTab(Services.create(folder, folder, checkpoint))


def asked(tab: LiveTab, language: str, **request) -> dict:
    """Return the answer to a request of a new session."""
    _, classify = tab.server_functions()
    return classify({"token": tab.store.new_session(language).token} | request)


def test_impossible_rate_is_named_in_both_languages(tmp_path):
    tab = live_tab(tmp_path)
    assert "400 Hz; accepted are 1,000 to 768,000 Hz" in asked(tab, "en", rate=400, samples="AAAAAAAA")["error"]
    assert asked(tab, "ru", rate=400, samples="AAAAAAAA")["error"].startswith("Частота дискретизации микрофона: 400 Гц")


def test_missing_checkpoint_disables_this_tab_alone(tmp_path):
    answer = asked(live_tab(tmp_path, tmp_path / "none"), "en", rate=RATE, samples="AAAAAAAA")
    assert answer["key"] == "checkpoint.missing" and "Train one" in answer["error"]


def test_busy_server_recovers(tmp_path, siren, monkeypatch):
    monkeypatch.setattr(live, "WAIT_SECONDS", 0.01)
    tab = live_tab(tmp_path)
    question = {"rate": RATE, "samples": pcm(siren)}
    with tab.services.turns.turn("another"):
        assert asked(tab, "en", **question)["key"] == "page.busy"
    monkeypatch.undo()
    for _ in range(2):  # after a prediction and after an error the turn is over
        assert "ok" in asked(tab, "en", **question)
        assert asked(tab, "en", **question | {"samples": "?"})["key"] == "page.request"


def in_node(module: str, code: str) -> object:
    """Return what the body of an async JavaScript function over the names of one of our modules returns."""
    whole = f"""import({json.dumps((ASSETS / module).as_uri())})
        .then(async ({{ Spectrum, PcmBuffer }}) => {{ {code} }}).then((found) => console.log(JSON.stringify(found)))"""
    node = Path(compute_driver_executable()[0])
    ended = subprocess.run([node, "--input-type=module", "-e", whole], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ended.stdout)


def test_fft_against_numpy(rng):
    waveform = 0.3 * rng.standard_normal(2048) + sounds.tone(1000.0, 2048 / RATE, RATE, 0.5)
    found = in_node("lib/fft.js", f"return [...new Spectrum(2048).levels({json.dumps(waveform.tolist())})]")
    window = np.hanning(2049)[:-1]
    expected = 20 * np.log10(np.abs(np.fft.rfft(waveform * window)) * 2 / window.sum())
    np.testing.assert_allclose(found, expected, atol=1e-3)
    on_a_bin = np.sin(2 * np.pi * 64 * np.arange(2048) / 2048)
    full = in_node("lib/fft.js", f"return new Spectrum(2048).levels({json.dumps(on_a_bin.tolist())})[64]")
    assert full == pytest.approx(0.0, abs=1e-4), "a sine of full scale is 0 dBFS"


def test_pcm_buffer_bounds():
    code = """
        const buffer = new PcmBuffer(100, 3);
        const short = [...buffer.last(10)];
        for (let i = 0; i < 77; i++) buffer.add(Float32Array.from({ length: 13 }, (_, k) => (13 * i + k) / 32767));
        const loud = new PcmBuffer(9, 1);
        loud.add([2, -2]);
        return { short, received: buffer.received, blocks: buffer.blocks.length, length: buffer.length,
                 five: [...buffer.last(5)], all: [...buffer.last(1e9)], loud: [...loud.last(2)] };
    """
    found = in_node("lib/pcm_buffer.js", code)
    assert found["received"] == 1001 and found["blocks"] <= 4 and 300 <= found["length"] <= 400
    assert found["short"] == [] and found["five"] == [996, 997, 998, 999, 1000]
    assert found["all"] == list(range(1001 - found["length"], 1001))
    assert found["loud"] == [32767, -32768]


def test_pcm_buffer_wav_file():
    code = """
        const buffer = new PcmBuffer(8000, 2);
        buffer.add(Float32Array.from({ length: 24000 }, (_, i) => Math.sin(i / 5)));
        const file = buffer.file('live');
        return [file.name, Buffer.from(await file.arrayBuffer()).toString('base64')];
    """
    name, content = in_node("lib/pcm_buffer.js", code)
    assert name.startswith("live-") and name.endswith(".wav")
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    assert rate == 8000 and len(samples) == 16_000
    np.testing.assert_allclose(samples, np.sin(np.arange(8000, 24_000) / 5), atol=1e-4)
