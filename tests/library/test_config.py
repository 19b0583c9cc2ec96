"""Configs: limits, errors and JSON round trips."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from esc.config import LIBROSA, LIMITS, NOTEBOOK, PRESETS, WINDOWS, InputConfig, SpectrogramConfig
from esc.dsp.mel import empty_bands
from esc.errors import ParameterError

WHOLE = ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "n_mfcc")
REAL = ("fmin", "fmax", "top_db", "db_ref")


def test_limits_cover_all_numbers():
    assert set(LIMITS) == set(WHOLE + REAL)


@pytest.mark.parametrize("field", WHOLE + REAL)
@pytest.mark.parametrize("beyond", ["below", "above", "negative", "nan", "inf", "-inf"])
def test_range_error(field, beyond):
    low, high = LIMITS[field]
    step = 1 if field in WHOLE else 1e-9
    value = {
        "below": low - step,
        "above": high + 1,
        "negative": -5,
        "nan": math.nan,
        "inf": math.inf,
        "-inf": -math.inf,
    }[beyond]
    with pytest.raises(ParameterError) as caught:
        LIBROSA.replace(**{field: value})
    assert caught.value.key == "parameter.range"
    assert caught.value.values == {"field": field, "value": value, "low": low, "high": high} or math.isnan(value)
    for said in (field, str(value), str(low), str(high)):
        assert said in str(caught.value)


@pytest.mark.parametrize("field", WHOLE + REAL)
@pytest.mark.parametrize("value", ["1024", "", True, False, None, [512], {"n": 1}, 3 + 4j], ids=repr)
def test_type_error(field, value):
    with pytest.raises(ParameterError) as caught:
        LIBROSA.replace(**{field: value})
    assert caught.value.key == "parameter.type"
    assert caught.value.values["field"] == field
    assert str(value) in str(caught.value)


@pytest.mark.parametrize("field", WHOLE)
def test_fractions_of_samples(field):
    value = getattr(LIBROSA, field) + 0.5
    with pytest.raises(ParameterError, match=f"{field} = {value}.*whole number") as caught:
        LIBROSA.replace(**{field: value})
    assert caught.value.key == "parameter.type"


@pytest.mark.parametrize("field", ["window", "mel_scale"])
@pytest.mark.parametrize("value", ["Hann", "kaiser", "", None, 3])
def test_choice_error(field, value):
    with pytest.raises(ParameterError) as caught:
        LIBROSA.replace(**{field: value})
    assert caught.value.key == "parameter.choice"
    assert field in str(caught.value)
    assert ("hann" if field == "window" else "slaney, htk") in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"win_length": 2_049}, "parameter.window", ("win_length = 2049", "n_fft = 2048")),
        ({"n_fft": 1_024}, "parameter.window", ("win_length = 2048", "n_fft = 1024")),
        ({"fmin": 3_000.0, "fmax": 2_000.0}, "parameter.band", ("3000", "2000")),
        ({"fmin": 2_000.0, "fmax": 2_000.0}, "parameter.band", ("2000",)),
        ({"fmax": 11_025.5}, "parameter.nyquist", ("11025.5", "22050", "11025.0")),
        ({"sample_rate": 16_000}, "parameter.nyquist", ("11025.0", "16000", "8000.0")),
        ({"n_mels": 16}, "parameter.mfcc", ("n_mfcc = 20", "n_mels = 16")),
    ],
)
def test_inconsistent_parameters(changes, key, said):
    with pytest.raises(ParameterError) as caught:
        LIBROSA.replace(**changes)
    assert caught.value.key == key
    for words in said:
        assert words in str(caught.value)


def test_limits_are_inclusive():
    for field in ("hop_length", "top_db", "db_ref"):
        for value in LIMITS[field]:
            assert getattr(LIBROSA.replace(**{field: value}), field) == value
    assert LIBROSA.replace(n_fft=32_768, win_length=16).win_length == 16
    assert LIBROSA.replace(fmax=11_025.0).fmax == 11_025.0


def test_numpy_numbers_become_plain():
    config = LIBROSA.replace(n_fft=np.int64(4_096), fmin=np.float32(20.0), hop_length=256.0, fmax=8_000)
    assert [type(value) for value in (config.n_fft, config.fmin, config.hop_length, config.fmax)] == [int, float, int, float]
    assert config == LIBROSA.replace(n_fft=4_096, fmin=20.0, hop_length=256, fmax=8_000.0)
    assert hash(config) == hash(LIBROSA.replace(n_fft=4_096, fmin=20.0, hop_length=256, fmax=8_000.0))


def test_frozen_and_keyword_only():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LIBROSA.n_fft = 512
    with pytest.raises(TypeError):
        SpectrogramConfig(22_050, 2_048, 2_048, 512)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_without_empty_bands(name):
    config = PRESETS[name]
    assert SpectrogramConfig(**dataclasses.asdict(config)) == config
    assert empty_bands(config) == []


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name):
    config = PRESETS[name]
    assert SpectrogramConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    chosen = InputConfig(clip_seconds=2.5, scaling="dataset", mean_db=-41.5, std_db=17.25)
    assert InputConfig.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen


def test_from_dict_keys():
    values = LIBROSA.to_dict()
    del values["hop_length"]
    values |= {"hop": 512, "sr": 22_050}
    with pytest.raises(ParameterError) as caught:
        SpectrogramConfig.from_dict(values)
    assert caught.value.values == {"unknown": "hop, sr", "missing": "hop_length"}
    with pytest.raises(ParameterError) as caught:
        InputConfig.from_dict(InputConfig().to_dict() | {"length": 3})
    assert caught.value.values == {"unknown": "length", "missing": "none"}


def test_preset_values():
    assert (LIBROSA.sample_rate, LIBROSA.n_fft, LIBROSA.hop_length, LIBROSA.n_mels) == (22_050, 2_048, 512, 128)
    assert NOTEBOOK.to_dict() == {
        "sample_rate": 44_100,
        "n_fft": 16_384,
        "win_length": 3_969,
        "hop_length": 308,
        "window": "hann",
        "n_mels": 256,
        "fmin": 20.0,
        "fmax": 17_000.0,
        "mel_scale": "slaney",
        "db_ref": 1.0,
        "top_db": 80.0,
        "n_mfcc": 20,
    }


def test_presets_are_immutable():
    with pytest.raises(TypeError):
        PRESETS["mine"] = LIBROSA


@pytest.mark.parametrize("window", WINDOWS)
def test_resolution_separates_two_tones(window):
    """-6 dB width: the response to a tone falls to half its amplitude half of that width away."""
    from scipy.signal import get_window

    config = LIBROSA.replace(window=window)
    samples = get_window(window, config.win_length, fftbins=True)
    phase = np.exp(-2j * np.pi * (config.resolution_hz / 2) / config.sample_rate * np.arange(len(samples)))
    assert abs(np.sum(samples * phase)) / samples.sum() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"clip_seconds": 0.0}, "parameter.range"),
        ({"clip_seconds": 61}, "parameter.range"),
        ({"clip_seconds": math.nan}, "parameter.range"),
        ({"clip_seconds": "5"}, "parameter.range"),
        ({"clip_seconds": True}, "parameter.range"),
        ({"mean_db": -401.0}, "parameter.range"),
        ({"std_db": 0.0}, "parameter.range"),
        ({"scaling": "Clip"}, "parameter.choice"),
    ],
)
def test_input_config_limits(changes, key):
    with pytest.raises(ParameterError) as caught:
        InputConfig(**changes)
    assert caught.value.key == key
    field, value = next(iter(changes.items()))
    assert caught.value.values["field"] == field
    assert str(value) in str(caught.value)
