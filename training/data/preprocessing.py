"""Clips prepared as one memory-mapped array of dB spectrograms."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import torch

from esc.audio.io import open_audio
from esc.audio.resampling import resample
from esc.audio.waveform import fit_clip
from esc.config import InputConfig, SpectrogramConfig
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, DataError
from esc.paths import atomic_write, sha256_of
from training.augmentation.recordings import record
from training.data.esc50 import Clip, class_names
from training.recipes import Recipe
from training.runs.disk import check_free_space, disk_full_error
from training.runs.paths import CACHE
from training.runs.progress import progress_bar

_RECORDING_VERSION = 2  # to be raised whenever `clip_recording` returns other values than before
_VERSION = 3  # to be raised whenever `clip_spectrogram` returns other values than before
_MAX_SOCKET_FOLDER = 70  # bytes of the temporary folder: the path of a socket in it may have 107
_FILES_PER_PROCESS = 100  # fewer are done sooner than a process has started


@dataclass(frozen=True)
class Prepared:
    """Clips in the order of their table."""

    targets: np.ndarray  # int64 (n_clips,)
    folds: np.ndarray  # int64 (n_clips,)
    names: tuple[str, ...]  # file names as in the table
    class_names: tuple[str, ...]
    spectrograms_db: np.ndarray  # float32 (n_clips, n_mels, n_frames); memory-mapped
    recordings: tuple[np.ndarray, ...] = ()  # float16, the same shape: distorted versions of the clips; memory-mapped


def clip_spectrogram(path: Path, spectrogram: SpectrogramConfig, input_config: InputConfig) -> np.ndarray:
    """Return one file's dB spectrogram, float32 (n_mels, n_frames), computed as `Classifier` does."""
    return clip_mel_db(load_clip(path, spectrogram.sample_rate, input_config.clip_seconds), spectrogram).numpy()


def clip_recording(
    path: Path, background: Path, number: int, spectrogram: SpectrogramConfig, input_config: InputConfig
) -> np.ndarray:
    """Return the dB spectrogram of a random recording, seeded by name and number."""
    rate = spectrogram.sample_rate
    waveform, other = (load_clip(one, rate, input_config.clip_seconds) for one in (path, background))
    rng = np.random.default_rng([number, crc32(path.name.encode())])
    return clip_mel_db(record(waveform, rate, other, rng), spectrogram).numpy()


def prepare(
    clips: list[Clip], spectrogram: SpectrogramConfig, input_config: InputConfig, cache: Path = CACHE, jobs: int | None = None
) -> Prepared:
    """Return the spectrograms of all clips, computed unless they are cached.

    The cache is keyed by a digest of the clips (contents, labels) and of both configs, and appears only when complete.

    Raises
    ------
    DataError
        A clip is damaged, or the disk is full.
    """
    file = cache / _digest(clips, [spectrogram.to_dict(), input_config.clip_seconds]) / "mel_db.npy"
    if not file.is_file():
        n_frames = spectrogram.n_frames(round(input_config.clip_seconds * spectrogram.sample_rate))
        spectrograms = map_files(clip_spectrogram, [(clip.path, spectrogram, input_config) for clip in clips], jobs)
        _write_array(file, "<f4", (len(clips), spectrogram.n_mels, n_frames), spectrograms)
    return Prepared(
        targets=np.array([clip.target for clip in clips], dtype=np.int64),
        folds=np.array([clip.fold for clip in clips], dtype=np.int64),
        names=tuple(clip.name for clip in clips),
        class_names=class_names(clips),
        spectrograms_db=_memory_mapped(file, len(clips)),
    )


def prepare_for(recipe: Recipe, clips: list[Clip], cache: Path = CACHE, jobs: int | None = None) -> Prepared:
    """Return a recipe's training data: spectrograms of the clips, and of recordings of them."""
    prepared = prepare(clips, recipe.spectrogram, recipe.input, cache, jobs)
    if not recipe.recordings:
        return prepared
    settings = ["recordings", _RECORDING_VERSION, recipe.spectrogram.to_dict(), recipe.input.clip_seconds]
    folder, made = cache / _digest(clips, settings), []
    for number in range(1, recipe.recordings + 1):
        file = folder / f"recording-{number}.npy"
        if not file.is_file():
            background = background_files(clips, np.random.default_rng(number))
            tasks = [(clip.path, background[clip.path], number, recipe.spectrogram, recipe.input) for clip in clips]
            _write_array(file, "<f2", prepared.spectrograms_db.shape, map_files(clip_recording, tasks, jobs))
        made.append(_memory_mapped(file, len(clips)))
    return dataclasses.replace(prepared, recordings=tuple(made))


def background_files(clips: list[Clip], rng: np.random.Generator) -> dict[Path, Path]:
    """Return for each clip's file another one of the same fold.

    It is of another class, if the fold has one.
    """
    found = {}
    for clip in clips:
        fold = [other for other in clips if other.fold == clip.fold and other.path != clip.path] or [clip]
        others = [other.path for other in fold if other.target != clip.target] or [other.path for other in fold]
        found[clip.path] = others[rng.integers(len(others))]
    return found


def map_files(function: Callable, tasks: list[tuple], jobs: int | None = None) -> Generator:
    """Yield `function(*task)` of each task, in order, with a progress bar.

    A task is a file and its settings. `jobs` defaults to the usable cores, but no more than the files keep busy; 1 starts no
    process.
    """
    jobs = jobs or min(_usable_cores(), 1 + len(tasks) // _FILES_PER_PROCESS)
    with progress_bar() as bar:
        number = bar.add_task("clips", total=len(tasks), detail="")
        if jobs == 1:
            for task in tasks:
                yield function(*task)
                bar.advance(number)
            return
        pool = ProcessPoolExecutor(jobs, _worker_context(), torch.set_num_threads, (1,))
        try:
            for made in pool.map(function, *zip(*tasks, strict=True), chunksize=8):
                yield made
                bar.advance(number)
        finally:
            pool.shutdown(cancel_futures=True)  # the remaining files are not needed after an error


def _worker_context() -> multiprocessing.context.BaseContext:
    """Return how workers start: on Linux as forks of a process that has imported torch.

    A fork of this process may hang, since torch has threads in it.
    """
    forks = sys.platform == "linux" and len(os.fsencode(tempfile.gettempdir())) <= _MAX_SOCKET_FOLDER
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload([__name__])
    return context


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_mapped(file: Path, n_clips: int) -> np.ndarray:
    """Return an array on disk; changes in memory never reach the file."""
    try:
        values = np.load(file, mmap_mode="c")
    except (OSError, ValueError) as error:  # truncated by another program
        raise DataError("data.cache", path=file) from error
    if len(values) != n_clips:
        raise DataError("data.cache", path=file)
    return values


def load_clip(path: Path, sample_rate: int, clip_seconds: float) -> np.ndarray:
    """Return a file's waveform, resampled and fitted; damaged files raise DataError."""
    try:
        facts, blocks = open_audio(path)
        waveform = np.concatenate(list(blocks))
    except AudioError as error:
        reason = error.values.get("reason", str(error).rstrip("."))
        raise DataError("data.damaged", path=path, reason=reason) from error
    if facts.cut_off or facts.damaged:
        raise DataError("data.damaged", path=path, reason=f"only {facts.seconds:.2f} s of it can be read")
    return fit_clip(resample(waveform, facts.sample_rate, sample_rate), round(clip_seconds * sample_rate))


def _write_array(file: Path, dtype: str, shape: tuple[int, ...], rows: Generator) -> None:
    """Write rows to an array on disk, which appears when complete, and close `rows`."""
    check_free_space(file, np.dtype(dtype).itemsize * math.prod(shape))
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(rows), disk_full_error(file), atomic_write(file) as unfinished, unfinished.open("wb") as values:
        np.lib.format.write_array_header_1_0(values, {"descr": dtype, "fortran_order": False, "shape": shape})
        for row in rows:
            values.write(row.astype(dtype, copy=False).tobytes())


def _digest(clips: list[Clip], settings: list) -> str:
    rows = [(sha256_of(clip.path), clip.fold, clip.target) for clip in clips]
    return hashlib.sha256(json.dumps([_VERSION, rows, *settings]).encode()).hexdigest()[:16]
