"""Constant offsets: removed from each clip, by training and prediction alike, so that they change no verdict."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

import sounds
from esc.audio.io import load_audio
from esc.classification.classifier import Classifier
from esc.classification.timeline.sliding_window import windows
from esc.config import ESC50
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError
from esc.example_sounds import example_sounds
from training.data.preprocessing import clip_spectrogram


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.mark.parametrize("offset", [0.0, 0.1, -0.5])
def test_spectrogram_is_librosas_without_the_offset(rng, offset):
    clip = (0.1 * rng.standard_normal(44_100) + offset).astype(np.float32)
    clip[20_000:22_000] += 0.3  # an event does not count
    constant = np.sort(clip[: 50 * 882].reshape(50, 882).mean(axis=1, dtype=np.float64))[24]
    power = librosa.feature.melspectrogram(
        y=clip - constant, sr=44_100, n_fft=2_048, hop_length=512, n_mels=128, fmin=20.0, fmax=20_000.0, pad_mode="constant"
    )
    theirs = librosa.power_to_db(power, ref=1.0, top_db=80.0)
    assert constant == pytest.approx(offset, abs=0.01)
    np.testing.assert_allclose(clip_mel_db(clip, ESC50).numpy(), theirs, atol=2e-3)


def test_whole_numbers_are_refused():
    with pytest.raises(AudioError):
        clip_mel_db(np.zeros(5_000, np.int16), ESC50)


@pytest.mark.parametrize("sample_rate", [44_100, 16_000])
@pytest.mark.parametrize("example", ["rain", "siren", "clock_tick", "wind"])
def test_offset_changes_no_verdict(classifier, example, sample_rate):
    waveform, _ = load_audio(example_sounds()[example], sample_rate)
    shifted = waveform + np.float32(0.5)
    plain, offset = (classifier.predict(one, sample_rate, top_k=50) for one in (waveform, shifted))
    assert offset.verdict == plain.verdict
    expected = dict(plain.top)
    assert max(abs(probability - expected[label]) for label, probability in offset.top) < 0.01
    verdicts = [[window.verdict for window in windows(classifier, one, sample_rate)] for one in (waveform, shifted)]
    assert verdicts[0] == verdicts[1]


def test_training_removes_it_too(tmp_path, classifier):
    path = sounds.write(tmp_path / "a.wav", 0.2 * sounds.busy(5.0) + np.float32(0.4), 44_100, "FLOAT")
    made = clip_spectrogram(path, classifier.checkpoint.spectrogram, classifier.checkpoint.input)
    np.testing.assert_array_equal(made, classifier.predict(*load_audio(path)).spectrogram_db)
