"""What the page's functions for layers and coefficients answer, to it and to anyone with a network cable."""

import base64
import time

import librosa
import numpy as np
import pytest
import soundfile

from test_endpoints import EXAMPLE, GATE, Functions, functions, refused, view_request  # noqa: F401, fixtures

PATIENCE_S = 120.0


def feature_of(functions: Functions, request: dict) -> dict:  # noqa: F811
    answer = functions.ask("mel", "feature_start", request)["ok"]
    end = time.monotonic() + PATIENCE_S
    while "feature" not in answer:
        assert time.monotonic() < end, answer
        time.sleep(0.05)
        answer = functions.ask("mel", "feature_state", {"job": answer["job"]})["ok"]
    return answer["feature"]


def array(text: str, dtype=np.float32) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.fixture
def feature_request(view_request) -> dict:  # noqa: F811
    return view_request | {"view": "mel", "feature": "centroid", "columns": 1000}


@pytest.mark.slow
def test_layers_of_the_page_are_librosas(functions, feature_request):  # noqa: F811
    samples, rate = soundfile.read(EXAMPLE.parent / "crow.flac", dtype="float32")
    waveform = librosa.resample(samples, orig_sr=rate, target_sr=22_050)
    layer = feature_of(functions, feature_request)
    expected = librosa.feature.spectral_centroid(y=waveform, sr=22_050)[0]
    np.testing.assert_allclose(array(layer["centroid_hz"]), expected, rtol=0.02, atol=1.0)
    np.testing.assert_allclose(array(layer["times_s"]), librosa.times_like(expected, sr=22_050), atol=1e-5)
    assert functions.ask("mel", "feature_start", feature_request)["ok"] == {"feature": layer}  # kept
    onsets = feature_of(functions, feature_request | {"feature": "onsets"})
    np.testing.assert_allclose(
        array(onsets["times_s"]), librosa.onset.onset_detect(y=waveform, sr=22_050, units="time"), atol=0.03
    )
    moved = feature_request | {"feature": "onsets", "start": 1.0, "end": 2.0, "columns": 7}
    assert functions.ask("mel", "feature_start", moved)["ok"] == {"feature": onsets}  # the whole sound's, wherever one looks
    picture = functions.ask("mel", "mel_view", feature_request)["ok"]
    for view, rows in (("mel", 128), ("stft", 1025)):
        drawn = feature_of(functions, feature_request | {"feature": "percussive", "view": view})
        levels = array(drawn["levels"], np.uint8)
        assert (drawn["rows"], drawn["columns"], levels.size) == (rows, 216, rows * 216)
        assert len(drawn["bounds_hz"]) == rows + 1
        assert drawn["high_db"] - drawn["low_db"] == pytest.approx(80)
    drawn = feature_of(functions, feature_request | {"feature": "percussive"})
    assert drawn["high_db"] == picture["high_db"]  # comparable with what it is a part of
    assert (drawn["start"], drawn["end"]) == (pytest.approx(picture["start"]), pytest.approx(picture["end"]))


@pytest.mark.parametrize("function", ["feature_start", "feature_state", "feature_cancel"])
@pytest.mark.parametrize("request_", [None, 7, "text", [], {"token": None}, {}, {"job": 7}, {"job": "x" * 1000}, {"job": ["a"]}])
def test_requests_of_the_wrong_type(functions, function, request_):  # noqa: F811
    key = refused(functions.ask("mel", function, request_))
    assert key in ("page.request", "page.session", "page.gone")


def test_impossible_layers(functions, feature_request):  # noqa: F811
    wrong = [{"feature": value} for value in ("main", "", None, 7, ["pitch"], {"a": 1}, "centroid\0", "__init__")] + [
        {"view": "wave"},
        {"view": None},
        {"start": 4.0, "end": 1.0},
        {"columns": 0},
        {"end": float("nan")},
        {"sound": "x"},
    ]
    for change in wrong:
        key = refused(functions.ask("mel", "feature_start", feature_request | change))
        assert key in ("page.request", "page.gone", *GATE), change
    config = feature_request["config"] | {"hop_length": 0}
    assert refused(functions.ask("mel", "feature_start", feature_request | {"config": config})).startswith("parameter.")


def test_a_job_is_its_sessions_alone(functions, server, feature_request):  # noqa: F811
    other = Functions(server.url)
    begun = functions.ask("mel", "feature_start", feature_request | {"feature": "pitch", "start": 0.1})["ok"]
    for function in ("feature_state", "feature_cancel"):
        assert refused(other.ask("mel", function, {"job": begun["job"]})) == "page.request"
    assert refused(other.ask("mel", "feature_start", feature_request)) == "page.gone"
    assert functions.ask("mel", "feature_cancel", {"job": begun["job"]})["ok"]["state"] in ("cancelled", "done")


@pytest.mark.parametrize(
    "cepstrum",
    [
        None, [], 7, {}, {"lifter": 1}, {"lifter": -1, "delta": 0}, {"lifter": 0, "delta": 3}, {"lifter": "x", "delta": 1},
        {"lifter": float("nan"), "delta": 0}, {"lifter": 0, "delta": 0, "more": 1},
    ],
)  # fmt: skip
def test_impossible_shapes_of_the_cepstrum(functions, view_request, cepstrum):  # noqa: F811
    for component, function in (("mfcc", "mfcc_view"), ("mfcc", "level")):
        request = view_request | {"cepstrum": cepstrum, "view": "mfcc"}
        assert refused(functions.ask(component, function, request)) in ("page.request", "parameter.keys", *GATE)
