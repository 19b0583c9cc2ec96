"""Plots of clips and of runs, against scikit-learn and by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import sklearn.calibration
import sklearn.metrics

import sounds
from esc.config import LIBROSA, NOTEBOOK, PRESETS
from esc.dsp.mel import mel_freqs_hz
from esc.dsp.mfcc import mfcc
from esc.dsp.spectrogram import mel_db, stft_db
from esc.errors import AudioError, DataError
from esc.plotting.runs import plot_confusion, plot_curves, plot_recall, plot_reliability
from esc.plotting.sounds import plot_mel, plot_mel_surface, plot_mfcc, plot_stft, plot_waveform
from small_data import SMALL
from training.cli.data import Preset
from training.data.plot_clip import find_clip, plot_clip
from training.evaluation.metrics import calibration_bins, confusion_matrix, most_confused, recall_per_class

# plots of sounds


@pytest.mark.parametrize("preset", ["librosa", "notebook", "clicks"])
def test_axes_have_units(sweep, preset):
    config = PRESETS[preset].replace(sample_rate=44_100)
    levels_db = mel_db(sweep, config).numpy()
    drawn = {
        "amplitude, 1 = full scale": plot_waveform(sweep, 44_100),
        "frequency, kHz": plot_stft(stft_db(sweep, config).numpy(), config),
        "frequency, Hz (mel scale)": plot_mel(levels_db, config),
        "frequency, Hz": plot_mel_surface(levels_db, config),
        "coefficient": plot_mfcc(mfcc(sweep, config).numpy(), config),
    }
    for label, figure in drawn.items():
        axes = figure.axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("time, s", label)
        assert axes.get_title()
        assert axes.get_xlim()[1] == pytest.approx(1.0, abs=0.08)


def test_image_shows_the_matrix(sweep):
    levels_db = stft_db(sweep, LIBROSA.replace(sample_rate=44_100)).numpy()
    image = plot_stft(levels_db, LIBROSA.replace(sample_rate=44_100)).axes[0].images[0]
    np.testing.assert_array_equal(image.get_array(), levels_db)
    left, right, bottom, top = image.get_extent()
    centres_s = left + (np.arange(levels_db.shape[1]) + 0.5) * (right - left) / levels_db.shape[1]
    np.testing.assert_allclose(centres_s, np.arange(levels_db.shape[1]) * 512 / 44_100, atol=1e-9)
    centres_khz = bottom + (np.arange(1_025) + 0.5) * (top - bottom) / 1_025
    np.testing.assert_allclose(centres_khz, np.arange(1_025) * 44.1 / 2_048, atol=1e-9)


@pytest.mark.parametrize("config", [LIBROSA, NOTEBOOK, SMALL])
def test_mel_ticks(config):
    axes = plot_mel(np.zeros((config.n_mels, 9), np.float32), config).axes[0]
    for position, tick in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        wanted_hz = float(tick.get_text().replace(",", ""))
        assert np.interp(position, np.arange(config.n_mels), mel_freqs_hz(config)) == pytest.approx(wanted_hz, rel=0.01)


def test_surface_keeps_its_peak():
    levels_db = np.full((256, 2_000), -60.0, np.float32)
    levels_db[77, 1_234] = 3.0
    surface = plot_mel_surface(levels_db, NOTEBOOK).axes[0]
    assert surface.get_zlim()[1] > 2.9


@pytest.mark.parametrize("n_samples", [2, 100, 4_001, 100_000])
def test_waveform_of_any_length(n_samples):
    waveform = np.zeros(n_samples, np.float32)
    waveform[-1] = 0.5
    low, high = plot_waveform(waveform, 8_000).axes[0].dataLim.intervaly
    assert (low, high) == (0.0, 0.5)


def test_plots_of_a_file_and_a_clip(data, tmp_path):
    path = sounds.write(tmp_path / "a.wav", sounds.tone(440.0, 1.0, 48_000), 48_000)
    files = plot_clip(path, SMALL, tmp_path / "out")
    assert [file.name for file in files] == ["1-waveform.png", "2-stft.png", "3-mel.png", "4-mel-3d.png", "5-mfcc.png"]
    for file in files:
        header = file.read_bytes()[:24]
        assert header.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", header[16:])
        assert width > 700
        assert height > 300
    assert find_clip("1-1000-A-0.wav", data) == find_clip("1-1000-A-0", data) == data / "audio" / "1-1000-A-0.wav"
    assert find_clip(str(path), None) == path
    with pytest.raises(DataError, match=r"neither a file none\.wav here nor a clip"):
        find_clip("none.wav", data)
    with pytest.raises(AudioError, match="There is no file"):
        plot_clip(find_clip(str(tmp_path / "none.wav"), data), SMALL, tmp_path)


def test_look_command(data, tmp_path, run_command):
    assert tuple(Preset) == tuple(PRESETS)
    code, output, _ = run_command("look", "1-1000-A-0.wav", "--data", data, "--output", tmp_path, "--preset", "clicks")
    assert code == 0
    assert output.splitlines() == [f"wrote {file}" for file in sorted(tmp_path.glob("*.png"))]


# figures of a run


def test_confusion_and_recall_equal_scikit_learns(rng):
    targets, predicted = rng.integers(0, 7, 300), rng.integers(0, 7, 300)
    confusion = confusion_matrix(targets, predicted, 7)
    np.testing.assert_array_equal(confusion, sklearn.metrics.confusion_matrix(targets, predicted))
    np.testing.assert_allclose(recall_per_class(confusion), sklearn.metrics.recall_score(targets, predicted, average=None))
    assert np.trace(confusion) / 300 == sklearn.metrics.accuracy_score(targets, predicted)
    assert np.isnan(recall_per_class(confusion_matrix(targets, predicted, 8))[7])


def test_reliability_equals_scikit_learns(rng):
    probabilities = rng.dirichlet([0.3, 0.3, 0.3], 400)
    targets = rng.integers(0, 3, 400)
    counts, confidence, right = calibration_bins(probabilities, targets)
    hit = probabilities.argmax(1) == targets
    share, mean = sklearn.calibration.calibration_curve(hit, probabilities.max(1), n_bins=15)
    filled = counts > 0
    np.testing.assert_allclose(right[filled] / counts[filled], share)
    np.testing.assert_allclose(confidence[filled] / counts[filled], mean)


def test_the_commonest_mistakes_come_first():
    confusion = np.array([[5, 2, 0], [0, 1, 3], [1, 0, 9]])
    assert most_confused(confusion, 5) == [(1, 2, 3), (0, 1, 2), (2, 0, 1)]
    assert most_confused(confusion, 1) == [(1, 2, 3)]
    assert most_confused(np.eye(3, dtype=int), 5) == []


def test_pictures_of_a_run():
    history = [
        {"epoch": e, "train_loss": 3 / e, "train_accuracy": 0.1 * e, "valid_loss": v, "valid_accuracy": v and 0.5}
        for e, v in ((1.0, None), (2.0, 2.0), (3.0, None), (4.0, 1.5))
    ]
    loss, accuracy = plot_curves(history).axes
    assert [list(line.get_xdata()) for line in loss.lines] == [[1, 2, 3, 4], [2, 4]]
    assert accuracy.get_ylim()[0] == 0
    loss, accuracy = plot_curves(history, mark=(0.8, "the original")).axes
    assert [len(axes.lines) for axes in (loss, accuracy)] == [2, 3]
    assert list(accuracy.lines[-1].get_ydata()) == [0.8, 0.8]
    assert plot_curves(history[:1]).axes
    drawn = plot_confusion(np.array([[3, 1], [0, 4]]), ("a", "b_c")).axes[0]
    assert {text.get_text() for text in drawn.texts} == {"3", "1", "4"}
    assert [label.get_text() for label in drawn.get_xticklabels()] == ["a", "b c"]
    bars = plot_recall(np.array([0.9, 0.2, np.nan]), ("a", "b", "c")).axes[0]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["a", "b", "c"]
    assert plot_reliability(np.array([0, 2]), np.array([0, 1.8]), np.array([0, 1])).axes[0].patches[0].get_height() == 0.5
