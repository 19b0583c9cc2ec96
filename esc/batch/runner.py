"""Classification of files and folders, in this process or in several.

With several, this one does not import torch: the workers do so at once, and need the cores.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pebble import ProcessExpired, ProcessPool

from esc.batch.options import BatchOptions
from esc.errors import AudioError
from esc.paths import display_path

if TYPE_CHECKING:
    from esc.batch.results import FileResult
    from esc.classification.classifier import Classifier
    from esc.classification.predictions import WindowResult

ENDINGS = (  # of sound files in a folder; a file named explicitly may have any ending
    ".wav", ".wave", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".m4a", ".m4b",
    ".aac", ".ac3", ".amr", ".webm", ".mp4", ".mov", ".mka", ".mkv", ".3g2", ".3ga", ".3gp", ".8svx", ".adts", ".ape", ".asf",
    ".avi", ".avr", ".awb", ".bwf", ".dsf", ".eac3", ".flv", ".htk", ".iff", ".ircam", ".latm", ".loas", ".m2ts", ".m4r", ".m4v",
    ".mk3d", ".mp2", ".mp+", ".mpa", ".mpc", ".mpeg", ".mpg", ".mpga", ".mts", ".nist", ".ogv", ".ogx", ".paf", ".pvf", ".ra",
    ".rf64", ".rm", ".sds", ".sf", ".snd", ".sph", ".spx", ".ts", ".tta", ".vob", ".voc", ".weba", ".wma", ".wmv", ".wv", ".xi",
)  # fmt: skip
_log = logging.getLogger(__name__)


def sound_files(paths: Sequence[Path]) -> tuple[list[Path], list[AudioError]]:
    """Return the sound files in `paths`, and errors for unusable folders.

    Folders are searched, in order of names, for files with one of `ENDINGS`, except hidden ones; how many
    others there are is logged. Duplicates are dropped.
    """
    files: list[Path] = []
    errors: list[AudioError] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found, unreadable = _walk(path)
        files += found
        errors += [AudioError("audio.folder", name=display_path(error.filename), reason=error.strerror) for error in unreadable]
        if not found and not unreadable:
            errors.append(AudioError("audio.folder", name=display_path(path), reason="no sound files in it"))
    return list(dict.fromkeys(files)), errors


def classify_files(
    files: Sequence[Path], options: BatchOptions, jobs: int = 1, on_window: Callable[[WindowResult], None] | None = None
) -> Iterator[FileResult]:
    """Yield the result or error of each file, or of its channels, in order.

    Parameters
    ----------
    files : sequence of path
    options : BatchOptions
    jobs : int
        Number of processes; 1 is this one. Several share the cores, and `options.workers` is ignored.
    on_window : callable, optional
        As for `esc.batch.file_classification.classify_file`; only if `jobs` is 1.

    Raises
    ------
    CheckpointError
        The checkpoint is missing or damaged.
    ParameterError
        An option is out of range.
    """
    if min(jobs, len(files)) > 1:
        yield from _classify_in_pool(files, options, jobs)
    elif files:
        from esc.batch.file_classification import classify_channels
        from esc.classification.classifier import Classifier

        classifier = Classifier.load(options.checkpoint)
        for path in files:
            yield from classify_channels(path, classifier, options, on_window)


def _classify_in_pool(files: Sequence[Path], options: BatchOptions, jobs: int) -> Iterator[FileResult]:
    """Yield results from a pool; the file of a killed process is retried once."""
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    processes = min(jobs, len(files))
    pool = ProcessPool(processes, initializer=_start_worker, initargs=[processes], context=spawn)
    try:
        futures = [pool.schedule(_classify_in_worker, args=(path, options, processes)) for path in files]
        for path, future in zip(files, futures, strict=True):
            try:
                yield from future.result()
            except ProcessExpired:
                try:
                    yield from pool.schedule(_classify_in_worker, args=(path, options, processes)).result()
                except ProcessExpired:
                    yield AudioError("audio.crashed", name=display_path(path), reason="its process ended")
    finally:
        pool.stop()
        pool.join()


def _start_worker(processes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    _threads(processes)


def _classify_in_worker(path: Path, options: BatchOptions, processes: int) -> list[FileResult]:
    from esc.batch.file_classification import classify_channels

    options = replace(options, workers=_threads(processes))
    return list(classify_channels(path, _worker_classifier(options.checkpoint), options))


@cache
def _threads(processes: int) -> int:
    """Return a worker's share of the cores, and turn off torch's own threads."""
    import torch

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    return max(1, cores // processes)


@cache
def _worker_classifier(checkpoint: Path | None) -> Classifier:
    from esc.classification.classifier import Classifier

    return Classifier.load(checkpoint)


def _walk(folder: Path) -> tuple[list[Path], list[OSError]]:
    """Return the sound files below a folder, sorted, and errors for unreadable folders."""
    found: list[Path] = []
    left_out = 0
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        visible = [name for name in names if not name.startswith(".")]
        sounds = [Path(parent, name) for name in visible if os.path.splitext(name)[1].lower() in ENDINGS]
        found += sounds
        left_out += len(visible) - len(sounds)
    if left_out:
        _log.warning("note: %d files in %s are left out: their endings are not those of sounds", left_out, display_path(folder))
    return sorted(found), unreadable
