"""Preparation of clips: spectrograms, cache, workers, damaged clips."""

from __future__ import annotations

import dataclasses
import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import sounds
from esc.audio.io import load_audio
from esc.audio.waveform import fit_clip
from esc.config import ESC50, InputConfig
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import DataError
from small_data import A_FOLD, CLASSES, HALF_A_SECOND, QUICK, RATE, SMALL, make_data
from training.data.esc50 import read_clips
from training.data.preprocessing import background_files, clip_recording, clip_spectrogram, map_files, prepare, prepare_for


def test_spectrogram_equals_the_librarys(data):
    for clip in read_clips(data)[:: 3 * A_FOLD]:
        waveform, sample_rate = load_audio(clip.path, SMALL.sample_rate)
        assert sample_rate == RATE
        expected = clip_mel_db(fit_clip(waveform, 4_000), SMALL)
        assert torch.equal(torch.from_numpy(clip_spectrogram(clip.path, SMALL, HALF_A_SECOND)), expected)


def test_resampling_and_padding(tmp_path):
    path = sounds.write(tmp_path / "a.wav", sounds.tone(1_000.0, 2.0, 48_000), 48_000)
    spectrogram = clip_spectrogram(path, ESC50, InputConfig())
    assert spectrogram.shape == (128, 431)
    assert spectrogram.dtype == np.float32


def test_prepared_spectrograms(clips, prepared):
    assert prepared.names == tuple(clip.name for clip in clips)
    assert prepared.targets.tolist() == [clip.target for clip in clips]
    assert prepared.folds.tolist() == [clip.fold for clip in clips]
    assert prepared.class_names == CLASSES
    for index in (0, 37, 99):
        assert np.array_equal(prepared.spectrograms_db[index], clip_spectrogram(clips[index].path, SMALL, HALF_A_SECOND))


def test_cache_keys(clips, tmp_path):
    clips = clips[:6]
    prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    (file,) = tmp_path.rglob("*.npy")
    before = file.stat().st_mtime_ns
    prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert file.stat().st_mtime_ns == before
    prepare(clips, SMALL.replace(top_db=60.0), HALF_A_SECOND, tmp_path, jobs=1)
    prepare(clips, SMALL, InputConfig(clip_seconds=0.4), tmp_path, jobs=1)
    prepare(clips[:5], SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert len(list(tmp_path.rglob("*.npy"))) == 4
    assert not list(tmp_path.rglob("*.tmp"))


def test_truncated_cache(clips, tmp_path):
    clips = clips[:6]
    prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DataError) as caught:
        prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert caught.value.key == "data.cache"
    file.unlink()
    assert len(prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1).names) == 6, "the fix that the message proposes"


@pytest.mark.parametrize("damage", ["noise", "empty", "cut"])
def test_damaged_clip(tmp_path, damage):
    clips = read_clips(make_data(tmp_path))
    path = clips[7].path
    whole = path.read_bytes()
    path.write_bytes({"noise": b"no sound at all" * 99, "empty": b"", "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(DataError) as caught:
        prepare(clips, SMALL, HALF_A_SECOND, tmp_path / "cache", jobs=1)
    assert (caught.value.key, caught.value.values["path"]) == ("data.damaged", str(path))
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_disk_full_while_preparing(clips, tmp_path, monkeypatch):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the system's own error, met while writing
    try:
        with pytest.raises(DataError) as caught:
            prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.key == "disk.full"
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    monkeypatch.setattr("training.runs.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(DataError, match=r"needs 0 MB and the disk has 0 MB left") as caught:
        prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert caught.value.key == "disk.room"


def test_cache_key_is_the_content(tmp_path):
    """A clip replaced by another of the same size and name is prepared anew."""
    clips = read_clips(make_data(tmp_path))[:2]
    before = np.array(prepare(clips, SMALL, HALF_A_SECOND, tmp_path / "cache", jobs=1).spectrograms_db)
    one = clips[0].path.read_bytes()
    clips[0].path.write_bytes(one[:44] + one[:43:-1])
    after = prepare(clips, SMALL, HALF_A_SECOND, tmp_path / "cache", jobs=1).spectrograms_db
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


def parent_and_threads(_):
    return os.getppid(), torch.get_num_threads()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are spawned")
def test_workers_are_forks_of_another_process(clips):
    """A fork of a process in which torch has threads may hang."""
    tasks = [(clip.path,) for clip in clips[:3]]
    (first, *_), again = (list(map_files(parent_and_threads, tasks, jobs=2)) for _ in range(2))
    assert first[0] != os.getpid()
    assert again == [first] * 3, "the process is not started again"
    assert first[1] == 1


@pytest.mark.slow
def test_parallel_preparation_equals_serial(clips, prepared, tmp_path):
    parallel = prepare(clips[:20], SMALL, HALF_A_SECOND, tmp_path, jobs=2)
    assert np.array_equal(parallel.spectrograms_db, prepared.spectrograms_db[:20])


@pytest.mark.slow
def test_workers_with_a_long_temporary_folder(tmp_path, monkeypatch):
    """As of a cluster's job: a fork server's socket in it would have a path that is too long."""
    folder = tmp_path / "scratch" / ("job" * 30)
    folder.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert list(map_files(str, 2 * [(1,)], jobs=2)) == ["1", "1"]


def test_default_number_of_workers_is_the_usable_cores(monkeypatch):
    asked = []
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    monkeypatch.setattr(
        "training.data.preprocessing.ProcessPoolExecutor", lambda jobs, *_: asked.append(jobs) or ThreadPoolExecutor()
    )
    list(map_files(str, 300 * [(1,)]))
    assert asked == [3]
    list(map_files(str, 3 * [(1,)]))
    assert asked == [3], "three files are done sooner than a process has started"


def test_prepared_recordings(clips, cache):
    """Seeded by name and number, cached, and other than the clips."""
    recipe = dataclasses.replace(QUICK, augmentation=dataclasses.replace(QUICK.augmentation, recordings=2))
    some = clips[::5]
    prepared = prepare_for(recipe, some, cache, jobs=1)
    assert [(part.shape, part.dtype) for part in prepared.recordings] == [(prepared.spectrograms_db.shape, np.float16)] * 2
    background = background_files(some, np.random.default_rng(2))[some[7].path]
    again = clip_recording(some[7].path, background, 2, SMALL, HALF_A_SECOND)
    assert np.array_equal(prepared.recordings[1][7], again.astype(np.float16))
    changes = [np.abs(part.astype(np.float32) - prepared.spectrograms_db).mean(axis=(1, 2)) for part in prepared.recordings]
    assert min(map(np.min, changes)) > 0.05 and not np.array_equal(*prepared.recordings)
    files = {file: file.stat().st_mtime_ns for file in cache.rglob("recording-*.npy")}
    prepare_for(recipe, some, cache, jobs=1)
    assert files == {file: file.stat().st_mtime_ns for file in cache.rglob("recording-*.npy")}
    assert prepare_for(QUICK, some, cache, jobs=1).recordings == ()


def test_background_is_of_the_same_fold_and_another_class(clips):
    """No clip of a held-out fold is part of a recording that is trained on."""
    by_path = {clip.path: clip for clip in clips}
    chosen = background_files(clips, np.random.default_rng(1))
    assert set(chosen) == set(by_path)
    pairs = [(by_path[path], by_path[other]) for path, other in chosen.items()]
    assert all(clip.fold == other.fold and clip.target != other.target for clip, other in pairs)
    assert background_files(clips, np.random.default_rng(1)) == chosen != background_files(clips, np.random.default_rng(2))
