"""Comparisons as the page asks the server for them: known differences and delays, and refusals of what is impossible."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

import sounds
from esc.config import LIBROSA
from esc.dsp.mfcc import PLAIN
from esc.ui.sessions.sound_store import SOUNDS_A_SESSION
from test_endpoints import GATE, Functions, functions, refused  # noqa: F401, a fixture

RATE = LIBROSA.sample_rate


def opened(functions: Functions, path: Path) -> str:  # noqa: F811, the fixture
    with open(path, "rb") as file:
        sent = functions.http.post("/upload", files={"files": (path.name, file)}).json()[0]
    return functions.ask("player", "open_sound", {"path": sent, "name": path.name})["ok"]["id"]


@pytest.fixture(scope="module")
def request_(functions: Functions, tmp_path_factory) -> dict:  # noqa: F811, the fixture
    """Noise as A, and the same 6 dB softer from sample 4000 on as B, which begins there."""
    noise = (0.2 * np.random.default_rng(1).standard_normal(2 * RATE)).astype(np.float32)
    folder, softer = tmp_path_factory.mktemp("two"), np.float32(10 ** (-6 / 20))
    a, b = (
        sounds.write(folder / name, one, RATE, "FLOAT") for name, one in (("a.wav", noise), ("b.wav", softer * noise[4_000:]))
    )
    config = LIBROSA.to_dict()
    return {
        "sound": opened(functions, a), "other": opened(functions, b), "view": "mel", "config": config, "other_config": config,
        "cepstrum": PLAIN.to_dict(), "other_cepstrum": PLAIN.to_dict(), "offset": 4_000 / RATE, "range_db": 24.0,
        "start": 0.5, "end": 1.5, "columns": 200,
    }  # fmt: skip


def levels(answer: dict, part: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(answer[part]), np.uint8).reshape(answer["rows"], answer["columns"])


@pytest.mark.parametrize("view", ["mel", "stft"])
def test_difference_of_6_db(functions, request_, view):  # noqa: F811
    answer = functions.ask("compare", "compare_view", request_ | {"view": view})["ok"]
    assert (answer["mean"], answer["rms"]) == (pytest.approx(6.0, abs=0.001), pytest.approx(6.0, abs=0.001))
    assert np.unique(levels(answer, "difference")).tolist() == [round(128 + 6 / 24 * 127)]
    assert (answer["difference_high"], answer["rows"]) == (24.0, 128 if view == "mel" else 1025)
    step = (answer["high_db"] - answer["low_db"]) / 255
    offset = (levels(answer, "a").astype(int) - levels(answer, "b")) * step
    np.testing.assert_allclose(offset, 6.0, atol=step)


def test_sound_with_itself_and_other_settings(functions, request_):  # noqa: F811
    itself = request_ | {"other": request_["sound"], "offset": 0.0, "view": "mfcc"}
    answer = functions.ask("compare", "compare_view", itself)["ok"]
    assert (answer["mean"], answer["rms"]) == (0.0, 0.0)
    assert set(levels(answer, "difference").flat) == {128}
    finer = LIBROSA.replace(hop_length=128, n_fft=512, win_length=512, n_mels=40).to_dict()
    answer = functions.ask("compare", "compare_view", itself | {"view": "mel", "other_config": finer, "columns": 1000})["ok"]
    assert (answer["rows"], answer["columns"]) == (pytest.approx(128, abs=2), pytest.approx(RATE / 128, abs=2))


def test_maximum_of_both_is_0_db(functions, request_):  # noqa: F811
    both = {name: request_[name] | {"db_ref": "max"} for name in ("config", "other_config")}
    answer = functions.ask("compare", "compare_view", request_ | both)["ok"]
    assert answer["high_db"] == 0.0
    assert answer["mean"] == pytest.approx(6.0, abs=0.001)


def test_before_and_after_b_there_is_nothing(functions, request_):  # noqa: F811
    answer = functions.ask("compare", "compare_view", request_ | {"offset": 1.0, "start": 0.0, "end": 2.0})["ok"]
    nothing = (levels(answer, "b") == 0).all(axis=0)
    assert np.flatnonzero(~nothing)[0] == pytest.approx(1.0 * RATE / LIBROSA.hop_length, abs=1)
    assert (levels(answer, "a") > 0).all()
    assert np.array_equal(levels(answer, "difference") == 0, levels(answer, "b") == 0)
    alone = functions.ask("compare", "compare_view", request_ | {"offset": 1.9, "start": 0.0, "end": 0.5})["ok"]
    assert (alone["mean"], alone["rms"]) == (None, None)


def test_alignment_and_loudness(functions, request_):  # noqa: F811
    found = functions.ask("compare", "compare_align", request_ | {"sample_rate": RATE})["ok"]
    assert found["offset"] == pytest.approx(4_000 / RATE, abs=1e-6)
    assert found["correlation"] == pytest.approx(1.0, abs=1e-3)
    a, b = (functions.ask("compare", "compare_loudness", {"sound": request_[name]})["ok"]["lufs"] for name in ("sound", "other"))
    assert a - b == pytest.approx(6.0, abs=0.2)


@pytest.mark.parametrize(
    "change",
    [
        {"offset": 2.5}, {"offset": -1e9}, {"offset": "0"}, {"offset": None}, {"other": "x"}, {"other": None}, {"view": "wave"},
        {"range_db": 0.0}, {"range_db": float("nan")}, {"other_config": {}}, {"other_config": {"n_fft": 7}},
        {"other_cepstrum": 1},
        {"other_config": LIBROSA.replace(fmin=5_000.0).to_dict(), "config": LIBROSA.replace(fmax=4_000.0).to_dict()},
    ],
    ids=lambda change: str(change)[:40],
)  # fmt: skip
def test_impossible_comparisons_are_refused(functions, request_, change):  # noqa: F811
    key = refused(functions.ask("compare", "compare_view", request_ | change))
    assert key in ("page.request", "page.gone", "parameter.offset", "parameter.keys", "parameter.no_common_band", *GATE)
    if "other" in change:
        assert refused(functions.ask("compare", "compare_align", request_ | change | {"sample_rate": RATE})) in (
            "page.request",
            "page.gone",
        )


def test_silence_cannot_be_aligned(functions, request_, tmp_path):  # noqa: F811
    silence = opened(functions, sounds.write(tmp_path / "silence.wav", np.zeros(RATE, np.float32), RATE))
    assert (
        refused(functions.ask("compare", "compare_align", request_ | {"other": silence, "sample_rate": RATE})) == "audio.silent"
    )
    assert functions.ask("compare", "compare_loudness", {"sound": silence})["ok"]["lufs"] is None
    answer = functions.ask("compare", "compare_view", request_ | {"other": silence, "sound": silence, "offset": 0.0})["ok"]
    assert (answer["mean"], answer["rms"]) == (0.0, 0.0)


def test_compared_sounds_outlive_others(functions, request_):  # noqa: F811
    for _ in range(SOUNDS_A_SESSION + 1):
        functions.ask("player", "open_sound", {"example": "crow"})
        assert "ok" in functions.ask("compare", "compare_view", request_)
