"""Surface views keep the heights of a one-frame click and a pure tone."""

import numpy as np
import pytest

from esc.config import LIBROSA
from esc.dsp.axes import stft_freqs_hz
from esc.dsp.spectrogram import mel_db, stft_db
from esc.dsp.tiles import Tile
from esc.views.spectrogram_view import mel_view, stft_view
from esc.views.surface_view import MAX_ROWS, pool_rows, row_freqs_hz, rows_between

RATE = LIBROSA.sample_rate


def heights_db(view):
    return view.low_db + view.levels / 255 * (view.high_db - view.low_db)


@pytest.mark.parametrize(("source", "make", "whole"), [("mel", mel_view, mel_db), ("stft", stft_view, stft_db)])
def test_surface_keeps_click_and_tone_heights(source, make, whole):
    times = np.arange(60 * RATE) / RATE  # 2,584 frames share 320 columns
    waveform = (0.1 * np.sin(2 * np.pi * 1000 * times)).astype(np.float32)
    waveform[40 * RATE] = 1.0
    exact_db = whole(waveform, LIBROSA).numpy()
    landscape, freqs_hz = pool_rows(make(waveform, LIBROSA, Tile(0.0, 60.0, 320)), row_freqs_hz(source, LIBROSA), 100)
    drawn_db = heights_db(landscape)
    assert drawn_db.shape == (len(freqs_hz), 320) and len(freqs_hz) <= 100
    step_db = LIBROSA.top_db / 255
    assert drawn_db.max() == pytest.approx(exact_db.max(), abs=step_db)
    ridge = int(np.abs(freqs_hz - 1000).argmin())
    ridge = max(range(ridge - 1, ridge + 2), key=lambda row: drawn_db[row, 10:200].mean())
    assert drawn_db[ridge, 10:200].min() == pytest.approx(exact_db[:, 100:1500].max(axis=0).min(), abs=step_db)
    column = int(40 / 60 * 320)
    click_db = exact_db[-40:, 1715:1735].max()  # far above the tone, where the click is alone
    assert drawn_db[-3:, column - 1 : column + 2].max() == pytest.approx(click_db, abs=step_db)


def test_few_rows_stay_as_they_are():
    waveform = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    drawn = mel_view(waveform, LIBROSA, Tile(0.0, 1.0, 320))
    landscape, freqs_hz = pool_rows(drawn, row_freqs_hz("mel", LIBROSA))
    np.testing.assert_array_equal(landscape.levels, drawn.levels)
    assert len(freqs_hz) == LIBROSA.n_mels <= MAX_ROWS


def test_rows_of_the_stft_lie_where_their_bins_are():
    freqs_hz = row_freqs_hz("stft", LIBROSA)
    np.testing.assert_allclose(freqs_hz[1:-1], stft_freqs_hz(LIBROSA)[1:-1])
    shared, middles_hz = pool_rows(stft_view(np.ones(RATE, np.float32) * 0.1, LIBROSA, Tile(0.0, 1.0, 50)), freqs_hz)
    assert len(middles_hz) == shared.levels.shape[0] <= MAX_ROWS
    assert (np.diff(middles_hz) > 0).all() and middles_hz[0] < 100 and middles_hz[-1] > 10_900


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "count"), [(500.0, 2000.0, None), (0.0, 11_025.0, 1025), (700.0, 701.0, 2), (2e4, 3e4, 2)]
)
def test_rows_between_frequencies(low_hz, high_hz, count):
    freqs_hz = row_freqs_hz("stft", LIBROSA)
    drawn = stft_view(np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32), LIBROSA, Tile(0.0, 1.0, 20))
    part, part_hz = rows_between(drawn, freqs_hz, low_hz, high_hz)
    if count is None:
        assert ((freqs_hz >= low_hz) & (freqs_hz <= high_hz)).sum() == len(part_hz)
        assert part_hz[0] >= low_hz and part_hz[-1] <= high_hz
    else:
        assert len(part_hz) == count
    np.testing.assert_array_equal(part.levels, drawn.levels[np.isin(freqs_hz, part_hz)])
