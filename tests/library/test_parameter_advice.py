"""Parameter advice: figures against direct formulas and the transform, each warning against its claim."""

import math

import numpy as np
import pytest
import soxr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.signal import check_NOLA, get_window

from esc.config import CLICKS, LIBROSA, LIMITS, NOTEBOOK, PRESETS, WINDOWS, SpectrogramConfig
from esc.dsp.mel import empty_bands
from esc.dsp.spectrogram import stft_power
from esc.dsp.tiles import Tile
from esc.views.parameter_advice import THIN_DB, advise, click_loss_db, meaning
from esc.views.spectrogram_view import mel_view, stft_view

RATE = LIBROSA.sample_rate


def advice(config, file_rate=None, seconds=5.0, bands=True, view=None):
    return {one.key: one for one in advise(config, file_rate or config.sample_rate, seconds, bands, view)}


def magnitude(samples, config):
    return np.sqrt(stft_power(samples.astype(np.float32), config).numpy())


@pytest.mark.parametrize("window", WINDOWS)
def test_time_resolution_is_the_width_of_a_click(window):
    config = LIBROSA.replace(window=window, win_length=1024, hop_length=16)
    click = np.zeros(8192)
    click[4096] = 1.0
    over_time = magnitude(click, config)[10]
    half = np.count_nonzero(over_time >= 0.5 * over_time.max()) * config.hop_length / RATE
    assert half == pytest.approx(config.resolution_s, abs=1.01 * config.hop_length / RATE)


@pytest.mark.parametrize("window", WINDOWS)
def test_resolution_widths_of_windows(window):
    samples = get_window(window, 100_000, fftbins=True)
    width = np.count_nonzero(samples >= 0.5 * samples.max()) / 100_000
    config = LIBROSA.replace(window=window)
    assert config.resolution_s == pytest.approx(width * 2048 / RATE, rel=1e-3)
    if window == "hann":
        assert config.resolution_s * config.resolution_hz == pytest.approx(1.0)


def test_meaning_of_parameters():
    got = meaning(NOTEBOOK, 7)
    assert got["window_ms"] == pytest.approx(90.0)
    assert got["resolution_ms"] == pytest.approx(45.0)
    assert got["bin_hz"] == 44_100 / 16_384
    assert got["overlap"] == pytest.approx(1 - 308 / 3969)
    assert got["frames"] == 7


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("hop", [64, 128, 200, 256, 300])
def test_click_loss_equals_the_transform(window, hop):
    config = LIBROSA.replace(n_fft=256, win_length=256, hop_length=hop, window=window, n_mels=20)
    loudest = []
    for index in range(2048, 2048 + hop):
        click = np.zeros(4096)
        click[index] = 1.0
        loudest.append(magnitude(click, config)[7].max())
    if min(loudest) < 1e-6:
        assert click_loss_db(config) > 90
    else:
        assert click_loss_db(config) == pytest.approx(20 * np.log10(max(loudest) / min(loudest)), abs=0.1)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("length", "hop"), [(512, 513), (512, 2048), (512, 512), (512, 400), (64, 60), (20, 40), (512, 100)])
def test_gap_fix_closes_gaps(window, length, hop):
    config = LIBROSA.replace(n_fft=512, win_length=length, hop_length=hop, window=window, n_mels=20)
    found = advice(config)
    if hop > length:
        assert found["gaps"].values["share"] == pytest.approx(1 - length / hop)
    if hop <= length and not check_NOLA(window, length, length - hop):
        assert found["thin"].values["loss_db"] is None
    if window == "boxcar" and hop <= length:
        assert not found.keys() & {"gaps", "thin"}
    for key in found.keys() & {"gaps", "thin"}:
        assert found[key].grave
        fixed = config.replace(**found[key].fix)
        assert click_loss_db(fixed) <= THIN_DB
        assert check_NOLA(window, fixed.win_length, max(0, fixed.win_length - fixed.hop_length))
        assert not advice(fixed).keys() & {"gaps", "thin"}


@given(window=st.sampled_from(WINDOWS), length=st.integers(16, 64), hop=st.integers(16, LIMITS["hop_length"][1]))
@example(window="blackman", length=16, hop=13_500)
@example(window="blackmanharris", length=16, hop=12_000)
@settings(max_examples=60, deadline=None)
def test_gap_fix_is_legal_for_extreme_hops(window, length, hop):
    config = LIBROSA.replace(n_fft=512, win_length=length, hop_length=hop, window=window, n_mels=20)
    for key in advice(config).keys() & {"gaps", "thin"}:
        assert not advice(config.replace(**advice(config)[key].fix)).keys() & {"gaps", "thin"}


def test_padding_resolves_no_finer():
    config = LIBROSA.replace(n_fft=8192, win_length=1024)
    found = advice(config)["padding"]
    assert not found.grave
    assert found.values["bin_hz"] == pytest.approx(RATE / 8192)
    apart = 0.6 * config.resolution_hz  # wider than a bin by far, and yet one hump
    assert apart > 4 * found.values["bin_hz"]

    def humps(config):
        times = np.arange(RATE) / RATE - 20 * config.hop_length / RATE  # in step with each other in the middle of frame 20
        pair = np.cos(2 * np.pi * 1000 * times) + np.cos(2 * np.pi * (1000 + apart) * times)
        frame = magnitude(pair, config)[:, 20]
        low, high = (round(hz * config.n_fft / RATE) for hz in (1000 - apart / 2, 1000 + 1.5 * apart))
        part = frame[low : high + 1]
        return np.count_nonzero((part[1:-1] > part[:-2]) & (part[1:-1] > part[2:]) & (part[1:-1] > 0.5 * frame.max()))

    assert humps(config) == 1
    assert humps(config.replace(**found.fix)) == 2
    assert "padding" not in advice(config.replace(**found.fix))


def test_empty_top_fix():
    config = LIBROSA.replace(sample_rate=44_100, fmax=22_050.0)
    found = advice(config, file_rate=16_000)["top"]
    rng = np.random.default_rng(0)
    sound = soxr.resample(rng.standard_normal(32_000).astype(np.float32), 16_000, 44_100)
    levels = mel_view(sound, config, Tile(0.0, 2.0, 500)).levels
    dark = (levels[:, 5:-5].max(axis=1) < 130).mean()
    assert dark == pytest.approx(found.values["share"], abs=0.04)
    fixed = config.replace(**found.fix)
    assert fixed.fmax == 8_000
    assert "top" not in advice(fixed, file_rate=16_000)
    for bands in (True, False):
        high = config.replace(fmin=9_000.0)
        assert "top" not in advice(high.replace(**advice(high, 16_000, bands=bands)["top"].fix), 16_000, bands=bands)
    assert "top" not in advice(LIBROSA.replace(sample_rate=1_000, fmax=500.0), file_rate=500, bands=False)


def test_rate_above_config():
    found = advice(LIBROSA, file_rate=48_000)["rate"]
    assert found.fix == {"sample_rate": 48_000, "fmax": 24_000}
    assert advice(LIBROSA.replace(**found.fix), file_rate=48_000).keys() & {"rate", "top"} == set()
    assert "rate" not in advice(LIBROSA, file_rate=22_050)


def test_empty_bands_fix():
    config = LIBROSA.replace(n_fft=512, win_length=512, n_mels=256)
    found = advice(config)["empty"]
    assert found.values["bands"] == empty_bands(config)
    assert empty_bands(config.replace(**found.fix)) == []
    assert "empty" not in advice(config, bands=False)


@pytest.mark.parametrize(("make", "bands"), [(mel_view, True), (stft_view, False)])
def test_hidden_depth_fix(make, bands):
    rng = np.random.default_rng(1)
    sound = (rng.standard_normal(3 * RATE) * np.logspace(0, -4, 3 * RATE)).astype(np.float32)  # 80 dB from end to end
    config = LIBROSA.replace(top_db=20.0)
    view = make(sound, config, Tile(0.0, 3.0, 1000))
    assert view.hidden == pytest.approx((view.levels == 0).mean(), abs=0.03)
    found = advice(config, seconds=3.0, bands=bands, view=view)["deep"]
    deeper = config.replace(**found.fix)
    fixed = make(sound, deeper, Tile(0.0, 3.0, 1000))
    assert fixed.hidden <= 0.1
    assert "deep" not in advice(deeper, seconds=3.0, bands=bands, view=fixed)
    assert "deep" not in advice(LIBROSA.replace(top_db=80.0), view=make(sound, LIBROSA, Tile(0.0, 3.0, 1000)), bands=bands)


def test_silence_has_no_hidden_values():
    view = mel_view(np.zeros(RATE, np.float32), LIBROSA, Tile(0.0, 1.0, 100))
    assert (view.hidden, view.depth_db) == (0.0, 0.0)
    assert "deep" not in advice(LIBROSA, view=view)


def test_long_window_fix():
    found = advice(NOTEBOOK, seconds=0.05)["long"]
    assert found.values == {"window_ms": pytest.approx(90.0), "sound_ms": pytest.approx(50.0)}
    assert "long" not in advice(NOTEBOOK.replace(**found.fix), seconds=0.05)
    assert "long" not in advice(SpectrogramConfig.replace(CLICKS, win_length=16), seconds=0.0001)  # nothing shorter exists


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_presets_have_no_grave_advice(config):
    assert not any(one.grave for one in advice(config).values())


def test_advice_order_and_legal_fixes():
    rng = np.random.default_rng(2)
    for _ in range(300):
        n_fft = int(2 ** rng.integers(6, 15))
        config = LIBROSA.replace(
            sample_rate=int(rng.integers(8_000, 96_000)), n_fft=n_fft, win_length=int(rng.integers(16, n_fft + 1)),
            hop_length=int(rng.integers(16, 8_000)), window=str(rng.choice(WINDOWS)), n_mels=int(rng.integers(20, 300)),
            fmin=float(rng.integers(0, 2_000)), fmax=float(rng.integers(2_001, 4_000)),
        )  # fmt: skip
        bands = bool(rng.integers(2))
        found = advise(config, int(rng.integers(4_000, 192_000)), float(rng.uniform(0.01, 10)), bands)
        assert [one.grave for one in found] == sorted((one.grave for one in found), reverse=True)
        for one in found:
            config.replace(**one.fix)
            assert math.isfinite(sum(value for value in one.fix.values()))
