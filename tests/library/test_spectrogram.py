"""The spectrograms against librosa, against formulas and against literal values."""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sounds
from esc.config import LIBROSA, MEL_SCALES, NOTEBOOK, PRESETS, WINDOWS, InputConfig, SpectrogramConfig
from esc.dsp import axes, mel, mfcc, spectrogram
from esc.dsp.windows import periodic_window

MEL_TOLERANCE = 3e-3  # dB, and the unit of an MFCC
STFT_TOLERANCE = 1e-2  # dB
SILENCE_DB = -100.0  # 10 log10(1e-10)

_VARIANTS = {
    "odd n_fft": {"n_fft": 2_047, "win_length": 2_047},
    "prime n_fft": {"n_fft": 1_009, "win_length": 1_009, "n_mels": 40},
    "odd window in an even n_fft": {"win_length": 1_001},
    "even window in an odd n_fft": {"n_fft": 2_049, "win_length": 1_000},
    "odd window in an odd n_fft": {"n_fft": 2_049, "win_length": 777},
    "tiny window": {"n_fft": 512, "win_length": 16, "n_mels": 20},
    "hop does not divide": {"hop_length": 441},
    "prime hop": {"hop_length": 509},
    "hop beyond the window": {"n_fft": 1_024, "win_length": 512, "hop_length": 2_000, "n_mels": 64},
    "shortest hop": {"n_fft": 256, "win_length": 256, "hop_length": 16, "n_mels": 16, "n_mfcc": 13},
    "largest n_fft": {"n_fft": 32_768, "win_length": 32_768},
    "smallest n_fft": {"n_fft": 32, "win_length": 32, "hop_length": 16, "n_mels": 4, "n_mfcc": 4},
    "much padding": {"n_fft": 16_384, "win_length": 512},
    **{f"window {name}": {"window": name} for name in WINDOWS},
    **{f"short window {name}": {"window": name, "win_length": 1_024, "n_fft": 4_096} for name in WINDOWS},
    "htk": {"mel_scale": "htk"},
    "htk in few bins": {"mel_scale": "htk", "n_fft": 512, "win_length": 400, "n_mels": 40},
    "htk, high fmin": {"mel_scale": "htk", "fmin": 4_000.0, "n_mels": 64},
    "0 dB at 0.001": {"db_ref": 1e-3},
    "0 dB at 1000": {"db_ref": 1e3},
    "0 dB at the maximum": {"db_ref": "max"},
    "0 dB at full scale": {"db_ref": "full_scale", "window": "hamming", "win_length": 1_024},
    "20 dB": {"top_db": 20.0},
    "63.5 dB": {"top_db": 63.5},
    "10 dB": {"top_db": 10.0},
    "120 dB": {"top_db": 120.0},
    "160 dB": {"top_db": 160.0},
    "4 bands": {"n_mels": 4, "n_mfcc": 4},
    "5 bands, 1 coefficient": {"n_mels": 5, "n_mfcc": 1},
    "256 bands, some empty": {"n_mels": 256, "n_mfcc": 128},
    "high fmin": {"fmin": 5_000.0, "n_mels": 32},
    "narrow band": {"fmin": 900.0, "fmax": 1_100.0, "n_mels": 8, "n_mfcc": 8, "n_fft": 8_192},
    "low fmax": {"fmax": 1_000.0, "n_mels": 20},
    "8 kHz": {"sample_rate": 8_000, "fmax": 4_000.0, "n_fft": 256, "win_length": 200, "hop_length": 80, "n_mels": 26},
    "48 kHz": {"sample_rate": 48_000, "fmax": 24_000.0},
    "96 kHz": {"sample_rate": 96_000, "fmax": 48_000.0, "n_fft": 4_096},
    "192 kHz": {"sample_rate": 192_000, "fmax": 90_000.0, "n_fft": 8_192, "hop_length": 1_000},
}
CONFIGS = {f"preset {name}": config for name, config in PRESETS.items()} | {
    name: LIBROSA.replace(**changes) for name, changes in _VARIANTS.items()
}


def librosa_stft_power(waveform: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    stft = librosa.stft(
        waveform,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.win_length,
        window=config.window,
        pad_mode="constant",
    )
    return np.abs(stft) ** 2


def librosa_mel_filters(config: SpectrogramConfig) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty filters
        return librosa.filters.mel(
            sr=config.sample_rate,
            n_fft=config.n_fft,
            n_mels=config.n_mels,
            fmin=config.fmin,
            fmax=config.fmax,
            htk=config.mel_scale == "htk",
        )


def librosa_db(power: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    full_scale = lambda _: (scipy.signal.get_window(config.window, config.win_length).sum() / 2) ** 2  # noqa: E731
    ref = {"max": np.max, "full_scale": full_scale}.get(config.db_ref, config.db_ref)
    return librosa.power_to_db(power, ref=ref, top_db=config.top_db)


def test_there_are_many_configs():
    assert len(CONFIGS) >= 40


@pytest.mark.parametrize("name", CONFIGS)
def test_equals_librosa(name):
    config = CONFIGS[name]
    waveform = sounds.busy(max(1.0, 8 * config.n_fft / config.sample_rate), config.sample_rate)
    power = librosa_stft_power(waveform, config)
    stft_db = librosa_db(power, config)
    mel_db = librosa_db(librosa_mel_filters(config) @ power, config)
    assert np.ptp(mel_db) >= min(config.top_db, 80.0) - 1e-3, "the signal must fill the whole range"

    _assert_close_over_80_db(spectrogram.stft_db(waveform, config), stft_db, STFT_TOLERANCE)
    _assert_close_over_80_db(spectrogram.mel_db(waveform, config), mel_db, MEL_TOLERANCE)
    ours, theirs = mfcc.mfcc(waveform, config), librosa.feature.mfcc(S=mel_db, n_mfcc=config.n_mfcc)
    assert ours.shape == theirs.shape
    if config.top_db <= 80.0:  # a coefficient mixes all bands: those below the promised range would spoil it
        np.testing.assert_allclose(ours.numpy(), theirs, atol=MEL_TOLERANCE, rtol=0)


def _assert_close_over_80_db(ours: torch.Tensor, theirs: np.ndarray, tolerance_db: float) -> None:
    assert ours.dtype == torch.float32
    assert ours.shape == theirs.shape
    promised = theirs >= theirs.max() - 80.0
    assert np.abs(ours.numpy() - theirs)[promised].max() <= tolerance_db


@pytest.mark.parametrize("name", PRESETS)
def test_mel_db_equals_librosas_own_chain(name):
    """The functions that a user of librosa would call, with their keyword names."""
    config = PRESETS[name]
    waveform = sounds.busy(0.7, config.sample_rate, seed=3)
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        win_length=config.win_length,
        hop_length=config.hop_length,
        window=config.window,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        htk=config.mel_scale == "htk",
        pad_mode="constant",
    )
    theirs = librosa.power_to_db(power, top_db=config.top_db)
    np.testing.assert_allclose(spectrogram.mel_db(waveform, config).numpy(), theirs, atol=MEL_TOLERANCE, rtol=0)


@pytest.mark.parametrize("win_length", [2_048, 1_000, 401])
def test_a_sine_peaks_at_a_quarter_of_the_window_squared(win_length):
    config = LIBROSA.replace(win_length=win_length)
    bin_number = 100
    waveform = sounds.tone(bin_number * config.sample_rate / config.n_fft, 1.0, config.sample_rate, amplitude=1.0)
    power = spectrogram.stft_power(waveform, config).numpy()
    middle = power[:, power.shape[1] // 2]
    assert middle.argmax() == bin_number
    assert middle[bin_number] == pytest.approx((win_length / 4) ** 2, rel=1e-4)


def test_one_frame_equals_a_direct_fourier_sum():
    config = LIBROSA.replace(n_fft=64, win_length=64, hop_length=16, n_mels=8, n_mfcc=4)
    waveform = sounds.busy(0.05, config.sample_rate)
    frame = 10
    n = np.arange(64)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / 64)
    segment = waveform[frame * 16 - 32 : frame * 16 + 32].astype(np.float64) * hann
    direct = [abs(np.sum(segment * np.exp(-2j * np.pi * k * n / 64))) ** 2 for k in range(33)]
    np.testing.assert_allclose(spectrogram.stft_power(waveform, config)[:, frame].numpy(), direct, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(2, 1), (511, 1), (512, 2), (22_050, 44), (110_250, 216)])
def test_frame_count(n_samples, n_frames):
    assert spectrogram.mel_db(np.ones(n_samples, np.float32), LIBROSA).shape == (128, n_frames)
    assert LIBROSA.n_frames(n_samples) == n_frames


def test_known_mels():
    # O'Shaughnessy: 1000 mel are 1000 Hz; Slaney: 15 mel at 1 kHz, 27 steps for each factor of 6.4
    assert mel.hz_to_mel(1_000.0, "htk") == pytest.approx(999.9855, abs=1e-3)
    assert mel.hz_to_mel(1_000.0, "slaney") == pytest.approx(15.0)
    assert mel.hz_to_mel(6_400.0, "slaney") == pytest.approx(42.0)
    assert mel.hz_to_mel(200.0, "slaney") == pytest.approx(3.0)


@pytest.mark.parametrize("mel_scale", MEL_SCALES)
def test_mel_scale_equals_librosa_and_turns_back(mel_scale):
    freqs_hz = np.concatenate([[0.0, 999.999, 1_000.0], np.geomspace(1.0, 96_000.0, 200)])
    mels = mel.hz_to_mel(freqs_hz, mel_scale)
    np.testing.assert_allclose(mels, librosa.hz_to_mel(freqs_hz, htk=mel_scale == "htk"), rtol=1e-12)
    np.testing.assert_allclose(mel.mel_to_hz(mels, mel_scale), freqs_hz, rtol=1e-9, atol=1e-9)


def test_mel_filters_are_computed_once_for_all_hops_windows_and_ranges():
    others = LIBROSA.replace(hop_length=100, win_length=500, window="hamming", top_db=60.0, db_ref=2.0, n_mfcc=13)
    assert mel.mel_filters(others) is mel.mel_filters(LIBROSA)


@pytest.mark.parametrize("name", CONFIGS)
def test_mel_filters_and_axes_equal_librosa(name):
    config = CONFIGS[name]
    theirs = librosa_mel_filters(config)
    np.testing.assert_allclose(mel.mel_filters(config), theirs, atol=1e-6 * theirs.max(), rtol=1e-5)
    mel_freqs_hz = librosa.mel_frequencies(config.n_mels + 2, fmin=config.fmin, fmax=config.fmax, htk=config.mel_scale == "htk")
    np.testing.assert_allclose(mel.mel_freqs_hz(config), mel_freqs_hz[1:-1], rtol=1e-9)
    np.testing.assert_allclose(
        axes.stft_freqs_hz(config), librosa.fft_frequencies(sr=config.sample_rate, n_fft=config.n_fft), rtol=1e-12
    )
    np.testing.assert_allclose(
        axes.frame_times_s(9, config),
        librosa.frames_to_time(np.arange(9), sr=config.sample_rate, hop_length=config.hop_length),
        rtol=1e-12,
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_empty_bands_are_those_that_librosa_warns_of(name):
    config = CONFIGS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        filters = librosa.filters.mel(
            sr=config.sample_rate,
            n_fft=config.n_fft,
            n_mels=config.n_mels,
            fmin=config.fmin,
            fmax=config.fmax,
            htk=config.mel_scale == "htk",
        )
    assert mel.empty_bands(config) == np.flatnonzero(filters.sum(axis=1) == 0).tolist()
    warned = any("Empty filters detected" in str(warning.message) for warning in caught)
    assert bool(mel.empty_bands(config)) == warned
    assert mel.empty_bands(mel.fix_empty_bands(config)) == []


def test_empty_bands_and_their_fix():
    config = LIBROSA.replace(n_fft=512, win_length=512, n_mels=256, n_mfcc=128)
    assert len(mel.empty_bands(config)) > 5
    fixed = mel.fix_empty_bands(config)
    assert mel.empty_bands(fixed) == []
    assert fixed.n_fft == 512
    assert fixed.n_mfcc <= fixed.n_mels < 256
    assert mel.empty_bands(fixed.replace(n_mels=fixed.n_mels + 1)), "no more bands were taken than needed"
    assert mel.fix_empty_bands(LIBROSA) == LIBROSA


def test_fix_of_a_narrow_band_by_longer_transforms():
    config = LIBROSA.replace(fmin=1_001.0, fmax=1_025.0)
    assert mel.empty_bands(mel.fix_empty_bands(config)) == []


@pytest.mark.parametrize("function", [spectrogram.stft_db, spectrogram.mel_db, mfcc.mfcc])
def test_batch_equals_single_clips(function):
    loud, quiet = sounds.busy(0.5, 22_050, seed=1), 1e-3 * sounds.busy(0.5, 22_050, seed=2)
    silent = np.zeros_like(loud)
    batch = function(np.stack([loud, quiet, silent]), LIBROSA)
    for row, waveform in zip(batch, (loud, quiet, silent), strict=True):
        torch.testing.assert_close(row, function(waveform, LIBROSA), atol=1e-4, rtol=0)
    stacked = function(np.stack([[loud, quiet], [silent, loud]]), LIBROSA)
    assert stacked.shape == (2, 2, *batch.shape[1:])
    torch.testing.assert_close(stacked[0, 1], batch[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", PRESETS)
def test_silence_is_flat_and_finite(name):
    config = PRESETS[name]
    silence = np.zeros(config.sample_rate // 2, np.float32)
    assert torch.equal(spectrogram.mel_db(silence, config), torch.full_like(spectrogram.mel_db(silence, config), SILENCE_DB))
    assert spectrogram.stft_db(silence, config).unique().tolist() == [SILENCE_DB]
    assert mfcc.mfcc(silence, config).isfinite().all()
    for scaling in ("clip", "notebook"):
        scaled = spectrogram.network_input(spectrogram.mel_db(silence, config), InputConfig(scaling=scaling))
        assert scaled.abs().max() == 0.0


def test_frames_without_centring():
    """A frame computed from a segment of a longer sound equals the same frame of the whole."""
    waveform = sounds.busy(1.0, 22_050)
    whole = spectrogram.mel_power(waveform, LIBROSA)
    first, n_frames, hop, half = 10, 5, LIBROSA.hop_length, LIBROSA.n_fft // 2
    segment = waveform[first * hop - half : (first + n_frames - 1) * hop + half]
    torch.testing.assert_close(spectrogram.mel_power(segment, LIBROSA, center=False), whole[:, first : first + n_frames])


def test_network_input_by_numpy(rng):
    db = (20 * rng.standard_normal((3, 8, 9)) - 40).astype(np.float32)
    standard = (db - db.mean(axis=(1, 2), keepdims=True)) / (db.std(axis=(1, 2), keepdims=True) + 1e-6)
    low, high = standard.min(axis=(1, 2), keepdims=True), standard.max(axis=(1, 2), keepdims=True)
    to_range = 255 * (standard - low) / (high - low)

    def scaled(config: InputConfig) -> np.ndarray:
        return spectrogram.network_input(torch.from_numpy(db), config).numpy()

    np.testing.assert_allclose(scaled(InputConfig(scaling="clip")), standard, atol=1e-5)
    np.testing.assert_allclose(scaled(InputConfig(scaling="dataset", mean_db=-40.0, std_db=20.0)), (db + 40) / 20, atol=1e-5)
    notebook = scaled(InputConfig(scaling="notebook"))
    assert notebook.min() == 0
    assert notebook.max() >= 254
    assert np.array_equal(notebook, np.trunc(notebook))
    assert np.abs(notebook - to_range).max() < 1 + 1e-3


def test_float64_and_tensors_are_taken():
    waveform = sounds.busy(0.2, 22_050)
    expected = spectrogram.mel_db(waveform, LIBROSA)
    assert torch.equal(spectrogram.mel_db(waveform.astype(np.float64), LIBROSA), expected)
    assert torch.equal(spectrogram.mel_db(torch.from_numpy(waveform), LIBROSA), expected)


@st.composite
def legal_configs(draw) -> SpectrogramConfig:
    sample_rate = draw(st.sampled_from([8_000, 11_025, 22_050, 44_100, 96_000]))
    n_fft = draw(st.integers(32, 4_096))
    n_mels = draw(st.integers(4, 160))
    fmin = draw(st.floats(0.0, sample_rate / 2 - 1, allow_subnormal=False))
    return SpectrogramConfig(
        sample_rate=sample_rate,
        n_fft=n_fft,
        win_length=draw(st.integers(16, n_fft)),
        hop_length=draw(st.integers(16, 4_096)),
        window=draw(st.sampled_from(WINDOWS)),
        n_mels=n_mels,
        fmin=fmin,
        fmax=draw(st.floats(max(1.0, fmin + 0.5), sample_rate / 2)),
        mel_scale=draw(st.sampled_from(MEL_SCALES)),
        db_ref=draw(st.floats(1e-8, 1e8)),
        top_db=draw(st.floats(10.0, 160.0)),
        n_mfcc=draw(st.integers(1, min(128, n_mels))),
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(config=legal_configs(), n_samples=st.integers(2, 6_000), gain=st.sampled_from([0.0, 1e-6, 1.0, 1e3]))
def test_any_legal_config_gives_finite_spectrograms(config, n_samples, gain):
    waveform = gain * np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32)
    n_frames = 1 + (n_samples - config.n_fft % 2) // config.hop_length  # as librosa counts for an odd n_fft
    for image, n_rows in (
        (spectrogram.stft_db(waveform, config), 1 + config.n_fft // 2),
        (spectrogram.mel_db(waveform, config), config.n_mels),
        (mfcc.mfcc(waveform, config), config.n_mfcc),
    ):
        assert image.shape == (n_rows, n_frames)
        assert image.isfinite().all()
    assert np.ptp(spectrogram.mel_db(waveform, config).numpy()) <= config.top_db + 1e-3


@settings(max_examples=30, deadline=None, derandomize=True)
@given(config=legal_configs())
def test_fix_of_empty_bands_of_any_config(config):
    fixed = mel.fix_empty_bands(config)
    assert mel.empty_bands(fixed) == [] or (fixed.n_mels == 4 and 2 * fixed.n_fft > 32_768)
    if not mel.empty_bands(config):
        assert fixed == config


def test_notebook_spectrogram_shape():
    five_seconds = np.zeros(5 * 44_100, np.float32)
    assert spectrogram.mel_db(five_seconds, NOTEBOOK).shape == (256, 716)


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_equal_scipys(name):
    for length in (1, 2, 7, 64, 2048, 4411):
        assert periodic_window(name, length) == pytest.approx(scipy.signal.get_window(name, length), abs=1e-15)
