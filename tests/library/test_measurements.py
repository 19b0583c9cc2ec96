"""Figures of a selection against closed forms, NumPy and librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

import sounds
from esc.config import LIBROSA, NOTEBOOK, PRESETS
from esc.dsp.measurements import mean_spectrum, measure_box, measure_waveform, peak_of, samples_between
from esc.dsp.spectrogram import mel_power
from esc.errors import ParameterError

RATE = LIBROSA.sample_rate
HOP_S = LIBROSA.hop_length / RATE


@pytest.fixture(scope="module")
def burst() -> np.ndarray:
    """Four seconds of faint noise with 1 kHz of amplitude 0.5 from 1 s to 2 s."""
    rng = np.random.default_rng(3)
    times_s = np.arange(4 * RATE) / RATE
    loud = (times_s >= 1) & (times_s < 2)
    return (0.5 * np.sin(2 * np.pi * 1000 * times_s) * loud + 1e-4 * rng.standard_normal(len(times_s))).astype(np.float32)


def librosa_power(sound, config):
    stft = librosa.stft(
        sound, n_fft=config.n_fft, win_length=config.win_length, hop_length=config.hop_length, window=config.window
    )
    return np.abs(stft).astype(np.float64) ** 2


def test_a_known_tone_has_its_frequency_level_and_time(burst):
    figures = measure_box(burst, LIBROSA, 0.5, 3.0, 500.0, 2000.0)
    assert figures.peak_hz == pytest.approx(1000.0, abs=0.5)
    # a sine of amplitude a under a Hann window peaks at (a * win_length / 4) ** 2; 0.12 bins off its bin it loses 0.09 dB
    assert figures.peak_db == pytest.approx(20 * np.log10(0.5 * LIBROSA.win_length / 4), abs=0.1)
    assert 1.0 <= figures.peak_s <= 2.0
    assert (figures.n_frames, figures.measured) == (108, 108)  # 22 to 129
    wave = measure_waveform(burst, RATE, 1.2, 1.8)
    assert 20 * np.log10(wave.rms) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert wave.peak == pytest.approx(0.5, abs=1e-3)
    assert wave.n_samples == round(0.6 * RATE)


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_peak_frequency_between_the_bins(config):
    bin_hz = config.sample_rate / config.n_fft
    for share in np.arange(-0.5, 0.51, 0.1):
        freq_hz = (round(0.1 * config.n_fft) + share) * bin_hz
        times_s = np.arange(config.sample_rate) / config.sample_rate
        sound = np.sin(2 * np.pi * freq_hz * times_s).astype(np.float32)
        assert measure_box(sound, config, 0.4, 0.6).peak_hz == pytest.approx(freq_hz, abs=0.03 * bin_hz)


def test_box_is_librosas_mean_and_maximum():
    sound = sounds.busy(3.0, RATE)
    power = librosa_power(sound, LIBROSA)
    freqs_hz = librosa.fft_frequencies(sr=RATE, n_fft=LIBROSA.n_fft)
    times_s = librosa.frames_to_time(np.arange(power.shape[1]), sr=RATE, hop_length=LIBROSA.hop_length)
    for start, end, low, high in (
        (0.0, 3.0, None, None),
        (0.2, 1.1, 800.0, 4000.0),
        (0.5, 0.75, 0.0, 100.0),
        (1.4, 1.6, 5e3, 1e4),
    ):
        rows = (freqs_hz >= (low or 0)) & (freqs_hz <= (high or RATE))
        columns = (times_s >= start) & (times_s <= end)
        box = power[np.ix_(rows, columns)]
        figures = measure_box(sound, LIBROSA, start, end, low, high)
        assert (figures.n_bins, figures.n_frames) == box.shape
        assert figures.mean_db == pytest.approx(10 * np.log10(box.mean()), abs=0.01)
        assert figures.peak_db == pytest.approx(10 * np.log10(box.max()), abs=0.01)
        row, column = np.unravel_index(box.argmax(), box.shape)
        assert figures.peak_s == pytest.approx(times_s[columns][column])
        assert abs(figures.peak_hz - freqs_hz[rows][row]) <= 0.5 * RATE / LIBROSA.n_fft


def test_a_louder_neighbour_outside_the_box_does_not_pull_the_peak_out(burst):
    bin_hz = RATE / LIBROSA.n_fft
    figures = measure_box(burst, LIBROSA, 1.2, 1.8, 94 * bin_hz, 5000.0)  # from just above 1 kHz, which lies at bin 92.9
    assert figures.peak_hz == pytest.approx(94 * bin_hz)


def test_ends_of_the_axis_lie_within_it():
    constant, fastest = np.full(RATE, 0.5, np.float32), np.resize(np.float32([0.5, -0.5]), RATE)
    assert measure_box(constant, LIBROSA, 0.3, 0.6).peak_hz == 0.0
    assert measure_box(fastest, LIBROSA, 0.3, 0.6).peak_hz == RATE / 2


def test_the_smallest_selection_is_one_value(burst):
    power = librosa_power(burst, LIBROSA)
    bin_hz = RATE / LIBROSA.n_fft
    figures = measure_box(burst, LIBROSA, 50.2 * HOP_S, 50.3 * HOP_S, 93.1 * bin_hz, 93.2 * bin_hz)
    assert (figures.n_frames, figures.n_bins) == (1, 1)
    assert figures.mean_db == figures.peak_db == pytest.approx(10 * np.log10(power[93, 50]), abs=0.01)
    assert samples_between(100, 10, 3.0, 3.0) == (30, 31)
    assert samples_between(100, 10, 99.0, 99.0) == (99, 100)


def test_silence_has_no_peak():
    figures = measure_box(np.zeros(RATE, np.float32), LIBROSA, 0.0, 1.0)
    assert (figures.peak_hz, figures.peak_s) == (None, None)
    assert figures.mean_db == figures.peak_db == -100.0
    assert peak_of(np.zeros(LIBROSA.n_freqs), LIBROSA) is None


def test_chunks_leave_no_seam(burst, monkeypatch):
    whole = measure_box(burst, LIBROSA, 0.0, 4.0, 100.0, 5000.0), mean_spectrum(burst, LIBROSA, 0.0, 4.0)
    monkeypatch.setattr("esc.dsp.measurements.CHUNK_VALUES", LIBROSA.n_freqs * 7)
    monkeypatch.setattr("esc.dsp.measurements._BLOCK", 1000)
    assert measure_box(burst, LIBROSA, 0.0, 4.0, 100.0, 5000.0).mean_db == pytest.approx(whole[0].mean_db, abs=1e-6)
    assert measure_box(burst, LIBROSA, 0.0, 4.0, 100.0, 5000.0).peak_hz == pytest.approx(whole[0].peak_hz, abs=1e-3)
    np.testing.assert_allclose(mean_spectrum(burst, LIBROSA, 0.0, 4.0), whole[1], rtol=1e-6)
    expected = np.sqrt(np.mean(burst.astype(np.float64) ** 2))
    assert measure_waveform(burst, RATE, 0.0, 4.0).rms == pytest.approx(expected)


def test_an_hour_is_sampled_and_says_so(monkeypatch):
    class Hour:
        """An hour of 1 kHz at 8 kHz that counts what is read."""

        read = 0

        def __len__(self):
            return 8_000 * 3_600

        def __getitem__(self, part):
            self.read += part.stop - part.start
            return (0.5 * np.sin(np.arange(part.start, part.stop) * (2 * np.pi / 8))).astype(np.float32)

    config = LIBROSA.replace(sample_rate=8_000, fmax=4_000.0, n_fft=512, win_length=512, hop_length=128)
    monkeypatch.setattr("esc.dsp.measurements.MAX_FFT_VALUES", 512 * 1_000)
    hour = Hour()
    figures = measure_box(hour, config, 0.0, 3_600.0)
    assert (figures.n_frames, figures.measured) == (225_001, 1_000)
    assert hour.read <= 1_000 * 512
    assert figures.peak_hz == pytest.approx(1000.0, abs=0.1)
    assert measure_waveform(hour, 8_000, 0.0, 3_600.0).rms == pytest.approx(0.5 / np.sqrt(2), abs=1e-6)


def test_slice_is_one_frame_of_numpys_fft(burst):
    frame = 60
    centre = frame * LIBROSA.hop_length
    segment = burst[centre - LIBROSA.n_fft // 2 : centre + LIBROSA.n_fft // 2]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LIBROSA.n_fft) / LIBROSA.n_fft)
    expected = np.abs(np.fft.rfft(segment * window)) ** 2
    got = mean_spectrum(burst, LIBROSA, (frame + 0.3) * HOP_S, (frame + 0.3) * HOP_S)
    above = expected > 1e-4 * expected.min() + 1e-8 * expected.max()  # below it float32 rounds
    assert above.sum() > 20
    np.testing.assert_allclose(10 * np.log10(got[above]), 10 * np.log10(expected[above]), atol=0.02)
    peak_hz, peak_db = peak_of(got, LIBROSA)
    assert peak_hz == pytest.approx(1000.0, abs=0.5)
    assert peak_db == pytest.approx(10 * np.log10(expected.max()), abs=0.01)


def test_mean_spectra_are_librosas(burst):
    frames = slice(50, 80)
    got = mean_spectrum(burst, NOTEBOOK.replace(sample_rate=RATE, fmax=11_000.0), 0.0, 4.0)
    config = NOTEBOOK.replace(sample_rate=RATE, fmax=11_000.0)
    np.testing.assert_allclose(got, librosa_power(burst, config).mean(axis=1), rtol=1e-3, atol=1e-6)
    mel = librosa.feature.melspectrogram(y=burst, sr=RATE, n_fft=LIBROSA.n_fft, hop_length=LIBROSA.hop_length, n_mels=128)
    got = mean_spectrum(burst, LIBROSA, 50 * HOP_S, 79 * HOP_S, mel_power)
    np.testing.assert_allclose(got, mel[:, frames].mean(axis=1), rtol=1e-3)


BAD = [float("nan"), "1", True, None, float("inf"), 10**400]


@pytest.mark.parametrize(
    ("box", "field"),
    [
        *(((0.0, 1.0, value, 900.0), "low_hz") for value in BAD if value is not None),
        *(((0.0, 1.0, 100.0, value), "high_hz") for value in BAD if value is not None),
        ((0.0, 1.0, -1.0, 100.0), "low_hz"),
        ((0.0, 1.0, 200.0, 100.0), "high_hz"),
        ((0.0, 1.0, RATE / 2 + 1, RATE), "low_hz"),
        ((float("nan"), 1.0), "start_s"),
        ((1.0, 0.5), "start_s"),
        ((0.0, "1"), "end_s"),
    ],
)
def test_impossible_boxes_name_the_field(burst, box, field):
    with pytest.raises(ParameterError) as refused:
        measure_box(burst, LIBROSA, *box)
    assert refused.value.values["field"] == field
