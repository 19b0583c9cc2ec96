"""Features against librosa, whole and in chunks, and on sounds of known values."""

import itertools

import librosa
import numpy as np
import pytest

import sounds
from esc.config import CLICKS, LIBROSA, SpectrogramConfig
from esc.dsp.axes import stft_bounds_hz
from esc.dsp.mel import mel_filters
from esc.dsp.tiles import Tile
from esc.errors import ParameterError
from esc.features import chunks, contours, feature_sample_rate, spectrograms

RATE = LIBROSA.sample_rate
ODD = SpectrogramConfig(
    sample_rate=16_000, n_fft=601, win_length=400, hop_length=160, n_mels=40, fmin=50.0, fmax=8_000.0, window="hamming"
)
MEL, STFT = "mel", "stft"


def quiet(share):
    assert 0 <= share <= 1


@pytest.fixture(scope="module")
def busy():
    return sounds.busy(6.0, RATE)


@pytest.fixture
def short_chunks(monkeypatch):
    """Cut every sound into many chunks."""
    monkeypatch.setattr(chunks, "CHUNK_S", 0.9)


def stft(waveform, config):
    return librosa.stft(
        waveform, n_fft=config.n_fft, hop_length=config.hop_length, win_length=config.win_length, window=config.window
    )


@pytest.mark.parametrize("config", [LIBROSA, CLICKS.replace(hop_length=100), ODD], ids=["librosa", "clicks", "odd"])
def test_centroid_and_bandwidth_equal_librosa(short_chunks, config):
    sound = sounds.busy(3.0, config.sample_rate)
    given = dict(
        y=sound, sr=config.sample_rate, n_fft=config.n_fft, hop_length=config.hop_length, win_length=config.win_length,
        window=config.window,
    )  # fmt: skip
    got = contours.centroid(sound, config, Tile(0.0, 3.0, 100_000), quiet)
    np.testing.assert_allclose(got["centroid_hz"], librosa.feature.spectral_centroid(**given)[0], rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(got["bandwidth_hz"], librosa.feature.spectral_bandwidth(**given)[0], rtol=1e-3, atol=0.1)
    some = contours.centroid(sound, config, Tile(0.5, 2.5, 40), quiet)
    assert len(some["times_s"]) <= 40
    every = np.round(some["times_s"] * config.sample_rate / config.hop_length).astype(int)
    np.testing.assert_allclose(some["centroid_hz"], got["centroid_hz"][every], rtol=1e-3, atol=0.1)


def test_centroid_of_noise():
    noise = np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32)
    got = contours.centroid(noise, LIBROSA, Tile(0.0, 5.0, 1000), quiet)
    assert got["centroid_hz"].mean() == pytest.approx(RATE / 4, rel=0.02)
    assert got["bandwidth_hz"].mean() == pytest.approx(RATE / 2 / np.sqrt(12), rel=0.02)  # of a uniform density


@pytest.mark.parametrize("freq_hz", [100.0, 1_000.0, 4_000.0])
@pytest.mark.parametrize(  # windows so long that the weights hardly change within their lobes
    "config",
    [
        LIBROSA.replace(n_fft=8192, win_length=8192),
        ODD.replace(n_fft=8001, win_length=8000),
        LIBROSA.replace(n_fft=16384, win_length=8192),
    ],
    ids=["librosa", "odd", "padded"],
)
def test_loudness_of_tones(freq_hz, config):
    tone = sounds.tone(freq_hz, 2.0, config.sample_rate, 0.5)
    got = contours.loudness(tone, config, Tile(0.8, 1.2, 1000), quiet)["level_db"]
    assert len(got) > 5
    expected = 20 * np.log10(0.5 / np.sqrt(2)) + librosa.A_weighting(freq_hz, min_db=None)
    np.testing.assert_allclose(got, expected, atol=0.35)
    iec = {100.0: -19.1, 1_000.0: 0.0, 4_000.0: 1.0}[freq_hz]  # the table of IEC 61672-1
    assert got.mean() - 20 * np.log10(0.5 / np.sqrt(2)) == pytest.approx(iec, abs=0.35)


def test_loudness_equals_weighted_rms(busy, short_chunks, monkeypatch):
    monkeypatch.setattr(librosa, "A_weighting", lambda freqs, min_db: np.zeros_like(freqs))
    got = contours.loudness(busy, LIBROSA, Tile(0.0, 6.0, 100_000), quiet)["level_db"]
    padded = np.pad(busy, 1024)
    frames = librosa.util.frame(padded, frame_length=2048, hop_length=512)
    window = librosa.filters.get_window("hann", 2048)[:, None]
    mean = np.sum((frames * window) ** 2, axis=0) / np.sum(window**2)
    np.testing.assert_allclose(got, 10 * np.log10(np.maximum(mean, 1e-10)), atol=0.01)


def test_pitch_of_a_tone_and_of_noise():
    tone = sounds.tone(440.0, 2.0, RATE)
    got = contours.pitch(tone, LIBROSA, Tile(0.0, 2.0, 10), quiet)
    inner = got["f0_hz"][5:-5]
    np.testing.assert_allclose(inner, 440.0, rtol=0.006)  # its candidates are a tenth of a semitone apart
    expected, _, probability = librosa.pyin(tone, fmin=65.40639, fmax=2093.00452, sr=RATE)
    np.testing.assert_array_equal(got["f0_hz"], expected)
    np.testing.assert_array_equal(got["voiced"], probability)
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    assert np.isnan(contours.pitch(noise, LIBROSA, Tile(0.0, 1.0, 10), quiet)["f0_hz"]).mean() > 0.7


def test_pitch_in_chunks(short_chunks):
    times = np.arange(4 * RATE) / RATE
    glide = (0.4 * np.sin(2 * np.pi * (200 * times + 30 * times**2))).astype(np.float32)
    got = contours.pitch(glide, LIBROSA, Tile(1.0, 3.0, 10), quiet)
    np.testing.assert_allclose(got["f0_hz"], 200 + 60 * got["times_s"], rtol=0.01)
    whole, _, _ = librosa.pyin(glide, fmin=65.40639, fmax=2093.00452, sr=RATE)
    frames = np.round(got["times_s"] * RATE / 512).astype(int)
    np.testing.assert_allclose(got["f0_hz"], whole[frames], rtol=0.006)


def test_onsets_equal_librosa_and_find_each_click(busy, short_chunks):
    clicks = np.zeros(5 * RATE, np.float32)
    when = np.arange(0.5, 4.8, 0.5)
    for time_s in when:
        clicks[round(time_s * RATE)] = 0.9
    clicks += 1e-4 * np.random.default_rng(0).standard_normal(len(clicks)).astype(np.float32)
    for sound in (clicks, busy):
        got = contours.onsets(sound, LIBROSA, Tile(1.0, 1.5, 10), quiet)["times_s"]
        expected = librosa.onset.onset_detect(y=sound, sr=RATE, units="time")
        np.testing.assert_array_equal(got, expected)
    got = contours.onsets(clicks, LIBROSA, Tile(0.0, 5.0, 10), quiet)["times_s"]
    np.testing.assert_allclose(got, when, atol=0.06)
    assert len(contours.onsets(np.zeros(RATE, np.float32), LIBROSA, Tile(0.0, 1.0, 10), quiet)["times_s"]) == 0


def decibels(power):
    return 10 * np.log10(np.maximum(power, 1e-10))


@pytest.mark.parametrize("part", [0, 1], ids=["harmonic", "percussive"])
@pytest.mark.parametrize("rows", [MEL, STFT], ids=["mel", "stft"])
def test_harmonic_and_percussive_equal_librosa(busy, short_chunks, part, rows):
    sound = busy[: 4 * RATE]
    separated = librosa.decompose.hpss(np.abs(stft(sound, LIBROSA)))[part] ** 2
    expected = decibels(mel_filters(LIBROSA) @ separated if rows is MEL else separated)
    make = (spectrograms.harmonic, spectrograms.percussive)[part]
    drawn = make(sound, LIBROSA, Tile(0.0, 4.0, 100_000), rows, quiet)
    np.testing.assert_allclose(drawn.values, expected, atol=0.05)
    few = make(sound, LIBROSA, Tile(1.0, 3.0, 20), rows, quiet)
    edges = few.frames[0] + np.arange(21) * (few.frames[1] + 1 - few.frames[0]) // 20
    pooled = np.stack([expected[:, a:b].max(axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    np.testing.assert_allclose(few.values, pooled, atol=0.05)


def test_harmonic_tone_and_percussive_click():
    sound = sounds.tone(1_000.0, 2.0, RATE, 0.3)
    sound[RATE] += 0.9
    kept = {}
    for make in (spectrograms.harmonic, spectrograms.percussive):
        drawn = make(sound, LIBROSA, Tile(0.5, 1.5, 1000), STFT, quiet)
        tone_bin, click = round(1_000 * 2048 / RATE), RATE // 512 - drawn.frames[0]
        kept[make.__name__] = drawn.values[tone_bin, 5], drawn.values[700, click]
    assert kept["harmonic"][0] > kept["percussive"][0] + 20
    assert kept["percussive"][1] > kept["harmonic"][1] + 20


@pytest.mark.parametrize("rows", [MEL, STFT], ids=["mel", "stft"])
def test_pcen_equals_librosa(busy, short_chunks, rows):
    magnitude = np.abs(stft(busy, LIBROSA))
    given = mel_filters(LIBROSA) @ magnitude if rows is MEL else magnitude
    expected = librosa.pcen(given * 2**31, sr=RATE, hop_length=512)
    drawn = spectrograms.pcen(busy, LIBROSA, Tile(0.0, 6.0, 100_000), rows, quiet)
    assert not drawn.decibels
    np.testing.assert_allclose(drawn.values, expected, rtol=1e-3, atol=1e-3)


def test_pcen_context_of_a_later_tile(short_chunks):
    sound = sounds.busy(12.0, RATE)
    expected = librosa.pcen(mel_filters(LIBROSA) @ np.abs(stft(sound, LIBROSA)) * 2**31, sr=RATE, hop_length=512)
    drawn = spectrograms.pcen(sound, LIBROSA, Tile(9.0, 10.0, 1000), MEL, quiet)
    np.testing.assert_allclose(drawn.values, expected[:, drawn.frames[0] : drawn.frames[1] + 1], rtol=0.01, atol=2e-3)


@pytest.mark.parametrize("rate", [22_050, 8_000])
def test_constant_q_equals_librosa(rate, monkeypatch):
    config = LIBROSA.replace(sample_rate=rate, fmax=rate / 2)
    sound = sounds.busy(6.0, rate)
    whole = spectrograms.constant_q(sound, config, Tile(0.0, 6.0, 100_000), MEL, quiet)
    n_bins = whole.values.shape[0] - 2
    expected = decibels(np.abs(librosa.cqt(sound, sr=rate, n_bins=n_bins, bins_per_octave=24)) ** 2)
    np.testing.assert_allclose(whole.values[1:-1], expected, atol=0.02)
    assert 0.85 * rate / 2 < whole.bounds_hz[-2] < rate / 2
    assert np.all(np.diff(whole.bounds_hz) > 0)
    monkeypatch.setattr(chunks, "CHUNK_S", 1.5)
    cut = spectrograms.constant_q(sound, config, Tile(2.0, 5.0, 100_000), MEL, quiet)
    near = expected[:, cut.frames[0] : cut.frames[1] + 1]
    loud = near > near.max() - 60  # resampling begins anew in each chunk
    np.testing.assert_allclose(cut.values[1:-1][loud], near[loud], atol=0.3)


def test_constant_q_of_a_short_sound():
    for seconds in (2.0, 0.3):
        drawn = spectrograms.constant_q(sounds.tone(440.0, seconds, RATE), LIBROSA, Tile(0.0, seconds, 1000), MEL, quiet)
        row = drawn.values[:, drawn.values.shape[1] // 2].argmax()
        assert drawn.bounds_hz[row] < 440 < drawn.bounds_hz[row + 1]


def test_reassigned_energy_of_a_tone(short_chunks):
    sound = sounds.tone(1_003.0, 2.0, RATE)
    drawn = spectrograms.reassigned(sound, LIBROSA, Tile(0.0, 2.0, 100_000), STFT, quiet)
    freqs_hz, times_s, magnitudes = librosa.reassigned_spectrogram(y=sound, sr=RATE, n_fft=2048, hop_length=512)
    known = np.isfinite(freqs_hz) & np.isfinite(times_s)
    power = 10 ** (drawn.values / 10)
    expected = np.histogram2d(
        freqs_hz[known], times_s[known], [stft_bounds_hz(LIBROSA), (np.arange(power.shape[1] + 1) - 0.5) * 512 / RATE],
        weights=magnitudes[known].astype(float) ** 2,
    )[0]  # fmt: skip
    np.testing.assert_allclose(power[:, 3:-3], np.maximum(expected, 1e-10)[:, 3:-3], rtol=0.02, atol=0.1)
    row = power[:, 20].argmax()
    assert stft_bounds_hz(LIBROSA)[row] <= 1_003 <= stft_bounds_hz(LIBROSA)[row + 1]
    assert power[row, 20] > 0.99 * power[:, 20].sum()  # one row, where the STFT has a lobe of four


def test_reassigned_energy_up_to_half_the_rate():
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    drawn = spectrograms.reassigned(noise, LIBROSA, Tile(0.0, 1.0, 100_000), STFT, quiet)
    rows = (10 ** (drawn.values / 10)).mean(axis=1)
    assert rows[-1] > 0.3 * np.median(rows)  # librosa puts what lies beyond half the rate exactly there


def test_reassigned_click():
    click = 1e-3 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    click[round(0.5 * RATE)] = 1.0
    drawn = spectrograms.reassigned(click, LIBROSA, Tile(0.2, 0.8, 1000), MEL, quiet)
    energy = (10 ** (drawn.values / 10)).sum(axis=0)
    times_s = np.arange(drawn.frames[0], drawn.frames[1] + 1) * 512 / RATE
    assert times_s[energy.argmax()] == pytest.approx(0.5, abs=512 / RATE)
    assert energy.max() > 0.9 * energy.sum()


@pytest.mark.parametrize("make", [getattr(spectrograms, name) for name in ("constant_q", "reassigned", "pcen", "harmonic")])
@pytest.mark.parametrize("config", [LIBROSA, ODD], ids=["librosa", "odd"])
def test_features_of_silence_and_very_short_sounds(make, config):
    for n_samples in (50, config.hop_length * 10):
        drawn = make(np.zeros(n_samples, np.float32), config, Tile(0.0, 1.0, 100), MEL, quiet)
        assert np.isfinite(drawn.values).all()
        assert drawn.values.shape[1] == config.n_frames(n_samples) == drawn.frames[1] + 1 - drawn.frames[0]


def test_memory_of_chunks():
    class Hour:
        """An hour that counts what is taken of it at once."""

        most = 0

        def __len__(self):
            return 3_600 * RATE

        def __getitem__(self, part):
            first, last, _ = part.indices(len(self))
            self.most = max(self.most, last - first)
            return np.zeros(last - first, np.float32)

    hour = Hour()
    count = sum(chunk.count for chunk in chunks.iter_chunks(hour, LIBROSA, (0, len(hour) // 512), 1.0, quiet))
    assert count == len(hour) // 512 + 1
    assert hour.most <= 12.1 * RATE


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_a_sound_of_ten_seconds_is_one_chunk(rate):
    config = LIBROSA.replace(sample_rate=rate)
    whole = chunks.iter_chunks(np.zeros(10 * rate, np.float32), config, (0, config.n_frames(10 * rate) - 1), 1.0, quiet)
    assert [chunk.count for chunk in whole] == [config.n_frames(10 * rate)]


def test_progress_of_chunks():
    reported = []
    list(chunks.iter_chunks(np.zeros(35 * RATE, np.float32), LIBROSA, (0, 35 * RATE // 512), 1.0, reported.append))
    assert reported[0] == 0 and reported[-1] == 1
    assert reported == sorted(reported)
    assert len(reported) == 5


def test_feature_sample_rates():
    assert feature_sample_rate("pitch", 44_100) == 22_050
    assert feature_sample_rate("harmonic", 44_100) == 44_100


@pytest.mark.parametrize("make", [spectrograms.reassigned, spectrograms.harmonic, spectrograms.pcen])
@pytest.mark.parametrize("seconds", [8.0, 30.0])
def test_feature_size_limit(make, seconds):
    config = LIBROSA.replace(n_fft=32_768, win_length=2_048, hop_length=16)
    with pytest.raises(ParameterError, match="hop_length, now 16"):
        make(np.zeros(round(seconds * RATE), np.float32), config, Tile(0.0, seconds, 100), MEL, quiet)
