"""What a screen is sent, against librosa's spectrogram of the whole sound."""

import tracemalloc

import librosa
import numpy as np
import pytest

from esc.config import CLICKS, LIBROSA, NOTEBOOK, SpectrogramConfig
from esc.dsp.frames import FRAMES_A_COLUMN
from esc.dsp.tiles import Tile
from esc.errors import ParameterError
from esc.views.spectrogram_view import level_at, mel_view, peak_level_db

ODD = SpectrogramConfig(  # frames that neither overlap nor have an even length
    sample_rate=8_000, n_fft=255, win_length=101, hop_length=400, n_mels=20, fmin=50.0, fmax=4_000.0, top_db=60.0
)
HOP_S = LIBROSA.hop_length / LIBROSA.sample_rate


def sound_of(seconds, sample_rate):
    """Return noise that swells and dies away, with a click."""
    n_samples = int(seconds * sample_rate)
    sound = np.random.default_rng(0).standard_normal(n_samples) * np.sin(np.linspace(0.01, 9, n_samples)) ** 4 * 0.1
    sound[n_samples // 3] += 0.9
    return sound.astype(np.float32)


def librosa_db(sound, config):
    power = librosa.feature.melspectrogram(
        y=sound, sr=config.sample_rate, n_fft=config.n_fft, win_length=config.win_length, window=config.window,
        hop_length=config.hop_length, n_mels=config.n_mels, fmin=config.fmin, fmax=config.fmax, pad_mode="constant",
        htk=config.mel_scale == "htk",
    )  # fmt: skip
    return librosa.power_to_db(power, ref=config.db_ref, top_db=None)


def assert_shows(view, expected_db):
    """Hold a view to dB values, within half a quantisation step."""
    shown = view.low_db + view.levels / 255.0 * (view.high_db - view.low_db)
    expected = np.clip(expected_db, view.low_db, view.high_db)
    np.testing.assert_allclose(shown, expected, atol=(view.high_db - view.low_db) / 510 + 2e-3)


@pytest.mark.parametrize("config", [LIBROSA, NOTEBOOK, CLICKS, ODD], ids=["librosa", "notebook", "clicks", "odd"])
def test_whole_sound_equals_librosa(config):
    sound = sound_of(2.01, config.sample_rate)
    expected = librosa_db(sound, config)
    view = mel_view(sound, config, Tile(0.0, 2.01, 4_000))
    assert view.levels.shape == expected.shape
    assert view.levels.dtype == np.uint8
    assert view.high_db == pytest.approx(expected.max(), abs=1e-3)
    assert view.high_db - view.low_db == pytest.approx(config.top_db)
    assert_shows(view, expected)


def test_tile_equals_part_of_the_whole():
    sound = sound_of(4.0, 22_050)
    expected = librosa_db(sound, LIBROSA)
    view = mel_view(sound, LIBROSA, Tile(10 * HOP_S, 50 * HOP_S, 500), high_db=float(expected.max()))
    assert view.n_frames == view.levels.shape[1] == 41
    assert (view.start_s, view.end_s) == (pytest.approx(9.5 * HOP_S), pytest.approx(50.5 * HOP_S))
    assert_shows(view, expected[:, 10:51])


def test_columns_show_the_maximum_of_their_frames():
    sound = sound_of(10.0, 22_050)
    expected = librosa_db(sound, LIBROSA)  # 431 frames
    view = mel_view(sound, LIBROSA, Tile(0.0, 10.0, 100))
    edges = np.arange(101) * 431 // 100
    pooled = np.stack([expected[:, edges[c] : edges[c + 1]].max(axis=1) for c in range(100)], axis=1)
    assert view.n_frames == 431
    assert_shows(view, pooled)


def test_chunks_leave_no_seam(monkeypatch):
    sound = sound_of(10.0, 22_050)
    whole = mel_view(sound, LIBROSA, Tile(0.0, 10.0, 100))
    monkeypatch.setattr("esc.dsp.frames.CHUNK_VALUES", LIBROSA.n_freqs * 3)  # 4.31 frames a column: seams within columns, too
    np.testing.assert_array_equal(mel_view(sound, LIBROSA, Tile(0.0, 10.0, 100)).levels, whole.levels)


def test_sampled_overview_shows_true_frames_of_each_column(monkeypatch):
    monkeypatch.setattr("esc.views.spectrogram_view.OVERVIEW_COLUMNS", 10)
    sound = sound_of(10.0, 22_050)
    expected = librosa_db(sound, LIBROSA)
    view = mel_view(sound, LIBROSA, Tile(0.0, 10.0, 10))  # 431 frames, 80 of them computed
    taken = ((2 * np.arange(80) + 1) * 431 / 160).astype(int)
    assert_shows(view, expected[:, taken].reshape(-1, 10, 8).max(axis=2))
    narrow = mel_view(sound, LIBROSA, Tile(0.0, 10.0, 5))  # the same 80: a screen's width changes no level
    assert_shows(narrow, expected[:, taken].reshape(-1, 5, 16).max(axis=2))
    assert narrow.high_db == view.high_db == peak_level_db(sound, LIBROSA)


def test_an_hour_is_read_only_within_the_tile():
    class Counting:
        """An hour at 8 kHz that counts what is read."""

        read = 0

        def __len__(self):
            return 8_000 * 3_600

        def __getitem__(self, part):
            self.read += part.stop - part.start
            return np.sin(np.arange(part.start, part.stop) * (2 * np.pi * 0.125)).astype(np.float32)

    config = SpectrogramConfig(sample_rate=8_000, n_fft=512, win_length=512, hop_length=128, n_mels=40, fmin=0.0, fmax=4_000.0)
    hour = Counting()
    view = mel_view(hour, config, Tile(0.0, 3_600.0, 1_000))
    assert view.levels.shape == (40, 1_000)
    assert view.n_frames == 225_001
    assert hour.read <= 1_000 * FRAMES_A_COLUMN * 512
    assert (view.levels.argmax(axis=0) == view.levels[:, 500].argmax()).all()
    hour.read = 0
    assert mel_view(hour, config, Tile(1_800.0, 1_801.0, 1_000)).n_frames == 63
    assert hour.read < 8_000 + 2 * 512


def test_memory_for_the_most_frames_a_sound_can_have():
    class TwoHours:
        """Silence at 192 kHz."""

        def __len__(self):
            return 192_000 * 7_200

        def __getitem__(self, part):
            return np.zeros(part.stop - part.start, np.float32)

    config = LIBROSA.replace(sample_rate=192_000, n_fft=32, win_length=32, hop_length=16, n_mels=4, n_mfcc=4)
    tracemalloc.start()
    view = mel_view(TwoHours(), config, Tile(0.0, 7_200.0, 100), high_db=0.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert view.n_frames == 86_400_001
    assert peak < 100e6


def test_memory_mapped_sound(tmp_path):
    sound = sound_of(3.0, 22_050)
    sound.tofile(tmp_path / "a.f32")
    mapped = np.memmap(tmp_path / "a.f32", np.float32, mode="r")
    for columns in (10, 1_000):
        expected = mel_view(sound, LIBROSA, Tile(0.5, 2.0, columns)).levels
        np.testing.assert_array_equal(mel_view(mapped, LIBROSA, Tile(0.5, 2.0, columns)).levels, expected)


def test_at_least_one_frame_within_the_sound():
    sound = sound_of(1.0, 22_050)
    between = mel_view(sound, LIBROSA, Tile(3.2 * HOP_S, 3.3 * HOP_S, 100))
    assert (between.n_frames, between.start_s) == (1, pytest.approx(2.5 * HOP_S))
    assert mel_view(sound, LIBROSA, Tile(50.0, 60.0, 100)).end_s == pytest.approx(43.5 * HOP_S)
    assert mel_view(sound, LIBROSA, Tile(-5.0, float("inf"), 100)).n_frames == 44
    assert mel_view(sound[:2], LIBROSA, Tile(0.0, 1.0, 1)).levels.shape == (128, 1)


@pytest.mark.parametrize("high_db", [None, -20.0])
def test_silence_is_level_0(high_db):
    view = mel_view(np.zeros(22_050, np.float32), LIBROSA, Tile(0.0, 1.0, 20), high_db=high_db)
    assert (view.levels == 0).all()
    assert np.isfinite([view.low_db, view.high_db]).all()


def test_peak_is_the_whole_sounds():
    sound = sound_of(4.0, 22_050)
    assert peak_level_db(sound, LIBROSA) == pytest.approx(librosa_db(sound, LIBROSA).max(), abs=1e-3)


def test_level_at_is_exact():
    sound = sound_of(4.0, 22_050)
    expected = librosa_db(sound, LIBROSA)
    high_db = float(expected.max())
    for frame, band in ((0, 0), (57, 31), (172, 127)):
        exact = max(expected[band, frame], high_db - 80.0)
        assert level_at(sound, LIBROSA, (frame + 0.4) * HOP_S, band, high_db) == pytest.approx(exact, abs=2e-3)
    assert level_at(sound, LIBROSA, 99.0, 5, high_db=300.0) == 220.0
    assert level_at(sound, LIBROSA, -1.0, np.int64(3), high_db) == level_at(sound, LIBROSA, 0.0, 3, high_db)


@pytest.mark.parametrize(
    ("start_s", "end_s", "columns", "field"),
    [
        (float("nan"), 1.0, 10, "start_s"), (0.0, "1", 10, "end_s"), (0.8, 0.2, 10, "start_s"),
        (0.0, 1.0, 0, "columns"), (0.0, 1.0, 10**9, "columns"), (0.0, 1.0, 2.5, "columns"), (0.0, 1.0, True, "columns"),
    ],
)  # fmt: skip
def test_impossible_requests_name_the_field(start_s, end_s, columns, field):
    with pytest.raises(ParameterError) as refused:
        mel_view(np.zeros(22_050, np.float32), LIBROSA, Tile(start_s, end_s, columns))
    assert refused.value.values["field"] == field


@pytest.mark.parametrize("band", [-1, 128, 1.0, True])
def test_impossible_band(band):
    with pytest.raises(ParameterError):
        level_at(np.zeros(22_050, np.float32), LIBROSA, 0.0, band, 0.0)
