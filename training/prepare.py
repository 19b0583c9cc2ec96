"""Clips -> one array of dB pictures on disk, made once for each spectrogram config by the library's own functions."""

from __future__ import annotations

import hashlib
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from esc.audio import fit_clip, open_audio, resample
from esc.config import InputConfig, SpectrogramConfig
from esc.errors import AudioError, DataError
from esc.spectrogram import mel_db
from training.data import Clip, class_names
from training.disk import check_room, full_disk_named
from training.places import CACHE
from training.progress import progress_bar

_STEPS = 1  # raised whenever `clip_picture` gives other values than before


@dataclass(frozen=True)
class Prepared:
    """The pictures of a data set, in the order of its table.

    Attributes
    ----------
    pictures_db : float32 array, shape (n_clips, n_mels, n_frames)
        Memory-mapped.
    targets, folds : int64 arrays, shape (n_clips,)
    names : tuple of str
        File names as in the table.
    class_names : tuple of str
    """

    pictures_db: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]


def clip_picture(path: Path, spectrogram: SpectrogramConfig, input_config: InputConfig) -> np.ndarray:
    """Return one file's dB picture, float32 (n_mels, n_frames), by the steps that `Classifier` takes too.

    Raises
    ------
    DataError
        The file can't be read or is cut off; names it.
    """
    waveform = resample(*_read_whole(path), spectrogram.sample_rate)
    n_samples = round(input_config.clip_seconds * spectrogram.sample_rate)
    return mel_db(fit_clip(waveform, n_samples), spectrogram).numpy()


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
    folder = cache / _digest(clips, spectrogram, input_config)
    file = folder / "mel_db.npy"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _compute(clips, spectrogram, input_config, file, jobs or os.cpu_count() or 1)
    pictures = np.load(file, mmap_mode="r")
    if len(pictures) != len(clips):
        raise DataError("data.cache", path=file)
    return Prepared(
        pictures_db=pictures,
        targets=np.array([clip.target for clip in clips], dtype=np.int64),
        folds=np.array([clip.fold for clip in clips], dtype=np.int64),
        names=tuple(clip.name for clip in clips),
        class_names=class_names(clips),
    )


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


def _compute(clips: list[Clip], spectrogram: SpectrogramConfig, input_config: InputConfig, file: Path, jobs: int) -> None:
    n_frames = spectrogram.n_frames(round(input_config.clip_seconds * spectrogram.sample_rate))
    shape = (len(clips), spectrogram.n_mels, n_frames)
    check_room(file, 4 * math.prod(shape))
    unfinished = file.with_suffix(f".{os.getpid()}.tmp")
    pool = ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,))
    try:
        with full_disk_named(file), unfinished.open("wb") as pictures, progress_bar() as bar:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(pictures, header)
            task = bar.add_task("mel spectrograms", total=len(clips), said="")
            paths = [clip.path for clip in clips]
            repeated = [spectrogram] * len(clips), [input_config] * len(clips)
            for picture in pool.map(clip_picture, paths, *repeated, chunksize=8):
                pictures.write(picture.astype("<f4", copy=False).tobytes())
                bar.advance(task)
        os.replace(unfinished, file)
    finally:
        pool.shutdown(cancel_futures=True)  # after an error nobody waits for the clips that are left
        unfinished.unlink(missing_ok=True)


def _digest(clips: list[Clip], spectrogram: SpectrogramConfig, input_config: InputConfig) -> str:
    rows = [(clip.path.name, clip.path.stat().st_size, clip.fold, clip.target) for clip in clips]
    text = json.dumps([_STEPS, rows, spectrogram.to_dict(), input_config.clip_seconds])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
