"""Excerpts of sound files: every channel and sample unchanged."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

import sounds
from esc.audio.excerpt import Excerpt, write_excerpt, write_excerpt_in_worker
from esc.audio.facts import Reading
from esc.audio.io import load_audio
from esc.errors import AudioError

RATE = 22_050


@pytest.mark.parametrize(
    ("ending", "subtype", "kept"),
    [
        ("wav", "PCM_16", "PCM_16"), ("wav", "PCM_24", "PCM_24"), ("wav", "PCM_U8", "PCM_U8"), ("wav", "FLOAT", "FLOAT"),
        ("flac", "PCM_24", "PCM_24"), ("flac", "PCM_S8", "PCM_U8"), ("aiff", "PCM_16", "PCM_16"), ("ogg", "VORBIS", "FLOAT"),
    ],
)  # fmt: skip
def test_excerpt_samples_are_unchanged(tmp_path, ending, subtype, kept):
    source = tmp_path / f"a.{ending}"
    stereo = np.stack([sounds.busy(15.0, RATE), -sounds.busy(15.0, RATE, seed=1)], axis=1).clip(-1, 1)
    stereo[150_000] = -1.0  # the lowest whole number there is
    soundfile.write(source, stereo, RATE, subtype)
    held, _ = soundfile.read(source, dtype="float32")
    first, stop = 140_123, 291_017  # across the blocks that are read at a time
    assert write_excerpt(source, tmp_path / "b.wav", first, stop) == Excerpt(stop - first, 2, kept)
    got, rate = soundfile.read(tmp_path / "b.wav", dtype="float32")
    assert (rate, soundfile.info(tmp_path / "b.wav").subtype) == (RATE, kept)
    np.testing.assert_allclose(got, held[first:stop], rtol=0, atol=1e-6 if subtype == "VORBIS" else 0)


def test_excerpt_by_ffmpeg(tmp_path):
    source = sounds.write_av(tmp_path / "a.m4a", sounds.in_channels(sounds.tone(1000.0, 2.0), 2), 44_100, "aac")
    assert write_excerpt_in_worker(source, tmp_path / "b.wav", 40_000, 60_000, "a.m4a", 60).channels == 2
    whole, _ = soundfile.read(tmp_path / "b.wav")
    write_excerpt_in_worker(source, tmp_path / "c.wav", 40_000, 60_000, "a.m4a", 60, Reading("mean", 4.0))
    np.testing.assert_array_equal(soundfile.read(tmp_path / "c.wav")[0], whole / 4)
    got, _ = soundfile.read(tmp_path / "b.wav", dtype="float32")
    mono, _ = load_audio(source)
    np.testing.assert_allclose(got.mean(axis=1), mono[40_000:60_000], atol=1e-6)


def test_excerpt_size_limit(tmp_path, monkeypatch):
    source = sounds.write(tmp_path / "a.wav", sounds.tone(), 44_100, "PCM_16")
    monkeypatch.setattr("esc.audio.excerpt.MAX_EXCERPT_BYTES", 1000)
    with pytest.raises(AudioError, match="0 MB can be saved") as refused:
        write_excerpt(source, tmp_path / "b.wav", 0, 501)
    assert refused.value.key == "audio.excerpt_too_big"
    assert not (tmp_path / "b.wav").exists()
    assert write_excerpt(source, tmp_path / "b.wav", 0, 500).n_samples == 500


def test_excerpt_worker_error(tmp_path):
    with pytest.raises(AudioError) as refused:
        write_excerpt_in_worker(tmp_path / "none.wav", tmp_path / "b.wav", 0, 10, "mine.wav", 60)
    assert (refused.value.key, refused.value.values["name"]) == ("audio.missing", "mine.wav")
