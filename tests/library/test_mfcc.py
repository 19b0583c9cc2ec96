"""Liftering and deltas against librosa, whole and in part: a screen's edges are not the sound's."""

import librosa
import numpy as np
import pytest

import sounds
from esc.config import LIBROSA, SPEECH
from esc.dsp.mfcc import DELTA_WIDTH, CepstrumConfig, liftered, mfcc, shaped
from esc.dsp.spectrogram import mel_db
from esc.dsp.tiles import Tile
from esc.errors import ParameterError
from esc.views.mfcc_view import mfcc_at, mfcc_view
from esc.views.spectrogram_view import peak_level_db

SHAPES = [CepstrumConfig(lifter=lifter, delta=delta) for lifter in (0, 22, 6.5) for delta in (0, 1, 2)]
HOP_S = LIBROSA.hop_length / LIBROSA.sample_rate


def librosa_mfcc(waveform, config, cepstrum):
    coefficients = librosa.feature.mfcc(
        S=mel_db(waveform, config).numpy(), n_mfcc=config.n_mfcc, lifter=cepstrum.lifter
    )  # fmt: skip
    return librosa.feature.delta(coefficients, order=cepstrum.delta) if cepstrum.delta else coefficients


@pytest.fixture(scope="module")
def busy():
    return sounds.busy(3.0, LIBROSA.sample_rate)


@pytest.mark.parametrize("cepstrum", SHAPES, ids=str)
@pytest.mark.parametrize("config", [LIBROSA, SPEECH], ids=["librosa", "speech"])
def test_mfcc_equals_librosa(busy, config, cepstrum):
    values = shaped(mfcc(busy, config).numpy(), cepstrum)
    np.testing.assert_allclose(values, librosa_mfcc(busy, config, cepstrum), atol=2e-3)


@pytest.mark.parametrize("cepstrum", SHAPES, ids=str)
@pytest.mark.parametrize(("first", "last"), [(0, 129), (0, 3), (40, 70), (41, 41), (125, 129), (2, 127)])
def test_mfcc_tile_equals_part_of_the_whole(busy, cepstrum, first, last):
    whole = librosa_mfcc(busy, LIBROSA, cepstrum)[1:]
    span = (float(whole.min()), float(whole.max()))
    high_db = peak_level_db(busy, LIBROSA)
    view = mfcc_view(busy, LIBROSA, Tile(first * HOP_S, last * HOP_S, 500), high_db, span, cepstrum)
    shown = view.low_db + view.levels / 255.0 * (view.high_db - view.low_db)
    assert view.n_frames == last - first + 1
    np.testing.assert_allclose(shown, whole[:, first : last + 1], atol=(span[1] - span[0]) / 510 + 2e-3)
    exact = mfcc_at(busy, LIBROSA, last * HOP_S, high_db, cepstrum)
    np.testing.assert_allclose(exact, librosa_mfcc(busy, LIBROSA, cepstrum)[:, last], atol=2e-3)


def test_sampled_delta(busy):
    cepstrum = CepstrumConfig(delta=1)
    whole = librosa_mfcc(busy, LIBROSA, cepstrum)[1:]
    view = mfcc_view(busy, LIBROSA, Tile(0.0, 3.0, 10), peak_level_db(busy, LIBROSA), (-20.0, 20.0), cepstrum)  # 130 frames
    taken = (2 * np.arange(10) + 1) * 130 // 20
    shown = -20.0 + view.levels / 255.0 * 40.0
    np.testing.assert_allclose(shown, whole[:, taken].clip(-20, 20), atol=40 / 510 + 2e-3)


def test_lifter_weights():
    weights = liftered(np.ones((13, 1)), 22)[:, 0]
    np.testing.assert_allclose(weights, 1 + 11 * np.sin(np.pi * np.arange(1, 14) / 22))
    assert weights.max() == pytest.approx(12.0)  # at n = 10, half of the lifter less one


@pytest.mark.parametrize("columns", [0, -1, 2.5, 10**9])
def test_impossible_columns(busy, columns):
    with pytest.raises(ParameterError) as refused:
        mfcc_view(busy, LIBROSA, Tile(0.0, 1.0, columns), 0.0)
    assert refused.value.values["field"] == "columns"


def test_delta_of_a_short_sound(busy):
    few = busy[: (DELTA_WIDTH - 2) * LIBROSA.hop_length]
    assert shaped(mfcc(few, LIBROSA).numpy(), CepstrumConfig(lifter=22)).shape == (20, DELTA_WIDTH - 1)
    with pytest.raises(ParameterError) as refused:
        mfcc_view(few, LIBROSA, Tile(0.0, 1.0, 10), 0.0, cepstrum=CepstrumConfig(delta=2))
    assert refused.value.key == "parameter.delta"
    with pytest.raises(ParameterError, match="9 frames, and this sound has 8"):
        shaped(mfcc(few, LIBROSA).numpy(), CepstrumConfig(delta=1))


@pytest.mark.parametrize(
    "values",
    [{"lifter": -1}, {"lifter": 257}, {"lifter": float("nan")}, {"lifter": "22"}, {"lifter": True}, {"delta": 3}, {"delta": -1},
     {"delta": 1.0}, {"delta": None}, {"lifter": 10**400}, {"delta": 10**400}],
)  # fmt: skip
def test_cepstrum_limits(values):
    with pytest.raises(ParameterError) as refused:
        CepstrumConfig(**values)
    assert refused.value.values["field"] == next(iter(values))


def test_cepstrum_json():
    cepstrum = CepstrumConfig(lifter=22.0, delta=2)
    assert CepstrumConfig.from_dict(cepstrum.to_dict()) == cepstrum
    for wrong in ({}, {"lifter": 1}, {"lifter": 1, "delta": 0, "n_mfcc": 3}):
        with pytest.raises(ParameterError):
            CepstrumConfig.from_dict(wrong)
