"""Clips -> one array on disk, made once by the library's own functions: dB pictures, or the sounds themselves."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from esc.audio.io import open_audio
from esc.audio.waveform import fit_clip, resample
from esc.config import InputConfig, SpectrogramConfig
from esc.dsp.spectrogram import mel_db
from esc.errors import AudioError, DataError
from training.data.esc50 import Clip, class_names
from training.recipes import Recipe
from training.runs.disk import check_room, full_disk_named
from training.runs.paths import CACHE
from training.runs.progress import progress_bar

_STEPS = 1  # raised whenever `clip_picture` or `clip_sound` gives other values than before
_FULL = 32_767


@dataclass(frozen=True)
class Prepared:
    """The clips of a data set in the order of its table, either as pictures or as sounds.

    Attributes
    ----------
    spectrograms_db : float32 array, shape (n_clips, n_mels, n_frames), optional
        Memory-mapped; None where sounds were prepared.
    targets, folds : int64 arrays, shape (n_clips,)
    names : tuple of str
        File names as in the table.
    class_names : tuple of str
    sounds : int16 array, shape (n_clips, n_samples), optional
        Memory-mapped; each clip fills the whole range.
    scales : float32 array, shape (n_clips,), optional
        By which a sound is multiplied to be what it was.
    """

    spectrograms_db: np.ndarray | None
    targets: np.ndarray
    folds: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    sounds: np.ndarray | None = None
    scales: np.ndarray | None = None


def clip_picture(path: Path, spectrogram: SpectrogramConfig, input_config: InputConfig) -> np.ndarray:
    """Return one file's dB picture, float32 (n_mels, n_frames), by the steps that `Classifier` takes too.

    Raises
    ------
    DataError
        The file can't be read or is cut off; names it.
    """
    return mel_db(_clip_waveform(path, spectrogram.sample_rate, input_config.clip_seconds), spectrogram).numpy()


def clip_sound(path: Path, sample_rate: int, clip_seconds: float) -> tuple[np.ndarray, np.float32]:
    """Return one file's clip as int16 (n_samples,) that fill their range, and the scale that gives float32 back.

    The quietest clip keeps 98 dB below its peak, more than any picture shows.
    """
    waveform = _clip_waveform(path, sample_rate, clip_seconds)
    scale = np.float32(max(float(np.abs(waveform).max()), np.finfo(np.float32).tiny * _FULL) / _FULL)
    return np.round(waveform / scale).astype(np.int16), scale


def prepare(
    clips: list[Clip], spectrogram: SpectrogramConfig, input_config: InputConfig, cache: Path = CACHE, jobs: int | None = None
) -> Prepared:
    """Return the pictures of all clips, computed where the cache does not hold them yet.

    The cache's name is a digest of the clips (names, sizes, labels) and of both configs, so that it can't be mistaken
    for another; it appears under that name only when it is whole.

    Raises
    ------
    DataError
        A clip is damaged, or the disk is full.
    """
    file = cache / _digest(clips, [spectrogram.to_dict(), input_config.clip_seconds]) / "mel_db.npy"
    if not file.is_file():
        n_frames = spectrogram.n_frames(round(input_config.clip_seconds * spectrogram.sample_rate))
        with (
            _written(file, "<f4", (len(clips), spectrogram.n_mels, n_frames)) as write,
            closing(_each(clips, "mel spectrograms", jobs, clip_picture, spectrogram, input_config)) as pictures,
        ):
            for picture in pictures:
                write(picture)
    return _prepared(clips, spectrograms_db=_mapped(file, len(clips)))


def prepare_sounds(
    clips: list[Clip], sample_rate: int, clip_seconds: float, cache: Path = CACHE, jobs: int | None = None
) -> Prepared:
    """Return the sounds of all clips at one rate (Hz), read where the cache does not hold them yet; as `prepare`."""
    folder = cache / _digest(clips, [sample_rate, clip_seconds])
    file, scales = folder / "sounds.npy", folder / "scales.npy"
    if not file.is_file() or not scales.is_file():
        kept: list[np.float32] = []
        with (
            _written(file, "<i2", (len(clips), round(clip_seconds * sample_rate))) as write,
            closing(_each(clips, "sounds", jobs, clip_sound, sample_rate, clip_seconds)) as sounds,
        ):
            for sound, scale in sounds:
                write(sound)
                kept.append(scale)
            with _written(scales, "<f4", (len(clips),)) as write_scales:  # there before the sounds are
                write_scales(np.array(kept))
    return _prepared(clips, sounds=_mapped(file, len(clips)), scales=np.load(scales))


def prepare_for(recipe: Recipe, clips: list[Clip], cache: Path = CACHE) -> Prepared:
    """Return what a recipe trains on: pictures or sounds."""
    if recipe.source == "sounds":
        return prepare_sounds(clips, recipe.spectrogram.sample_rate, recipe.input.clip_seconds, cache)
    return prepare(clips, recipe.spectrogram, recipe.input, cache)


def _prepared(clips: list[Clip], spectrograms_db: np.ndarray | None = None, **sounds: np.ndarray) -> Prepared:
    return Prepared(
        spectrograms_db=spectrograms_db,
        targets=np.array([clip.target for clip in clips], dtype=np.int64),
        folds=np.array([clip.fold for clip in clips], dtype=np.int64),
        names=tuple(clip.name for clip in clips),
        class_names=class_names(clips),
        **sounds,
    )


def _mapped(file: Path, n_clips: int) -> np.ndarray:
    """Return an array that stays on the disk; what is written to it in memory never reaches the file."""
    try:
        values = np.load(file, mmap_mode="c")
    except (OSError, ValueError) as error:  # cut off by something other than this program
        raise DataError("data.cache", path=file) from error
    if len(values) != n_clips:
        raise DataError("data.cache", path=file)
    return values


def _clip_waveform(path: Path, sample_rate: int, clip_seconds: float) -> np.ndarray:
    return fit_clip(resample(*_read_whole(path), sample_rate), round(clip_seconds * sample_rate))


def _read_whole(path: Path) -> tuple[np.ndarray, int]:
    """Return a file's waveform and rate; where the app shows what a damaged file still holds, training refuses it."""
    try:
        facts, blocks = open_audio(path)
        waveform = np.concatenate(list(blocks))
    except AudioError as error:
        reason = error.values.get("reason", str(error).rstrip("."))
        raise DataError("data.damaged", path=path, reason=reason) from error
    if facts.cut_off:
        raise DataError("data.damaged", path=path, reason=f"it breaks off after {facts.seconds:.2f} s")
    return waveform, facts.sample_rate


@contextmanager
def _written(file: Path, dtype: str, shape: tuple[int, ...]) -> Iterator[Callable[[np.ndarray], object]]:
    """Give a function that appends rows to an array on disk, which appears under its name when all are written."""
    check_room(file, np.dtype(dtype).itemsize * math.prod(shape))
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}.tmp")
    try:
        with full_disk_named(file), unfinished.open("wb") as values:
            np.lib.format.write_array_header_1_0(values, {"descr": dtype, "fortran_order": False, "shape": shape})
            yield lambda rows: values.write(rows.astype(dtype, copy=False).tobytes())
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def _each(clips: list[Clip], said: str, jobs: int | None, work: Callable, *settings: object) -> Iterator:
    """Yield what `work` makes of each clip, in order, by as many processes as there are cores."""
    pool = ProcessPoolExecutor(jobs or os.cpu_count() or 1, initializer=torch.set_num_threads, initargs=(1,))
    try:
        with progress_bar() as bar:
            task = bar.add_task(said, total=len(clips), said="")
            repeated = ([setting] * len(clips) for setting in settings)
            for made in pool.map(work, [clip.path for clip in clips], *repeated, chunksize=8):
                yield made
                bar.advance(task)
    finally:
        pool.shutdown(cancel_futures=True)  # after an error nobody waits for the clips that are left


def _digest(clips: list[Clip], settings: list) -> str:
    rows = [(clip.path.name, clip.path.stat().st_size, clip.fold, clip.target) for clip in clips]
    text = json.dumps([_STEPS, rows, *settings])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
