"""Many files: found in folders, heard one by one in this process or in several."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from esc.audio.io import ACCEPTED, open_audio
from esc.batch.result_formats import SoundResult
from esc.classification.classifier import Classifier
from esc.classification.event_summary import silent_intervals, uncertain_intervals
from esc.classification.first_clip import FirstClipSearch
from esc.classification.sliding_window import WindowResult, segments, windows
from esc.errors import AudioError, EscError
from esc.paths import display_path

ENDINGS = (  # what counts as a sound in a folder; a file named by itself may have any ending
    ".wav", ".wave", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".m4a", ".m4b",
    ".aac", ".ac3", ".amr", ".webm", ".mp4", ".mov", ".mka", ".mkv",
)  # fmt: skip
_log = logging.getLogger(__name__)


class Facts(Protocol):
    """What has to be known of a sound beside its samples."""

    sample_rate: int
    seconds: float
    cut_off: bool


@dataclass(frozen=True)
class BatchOptions:
    """How each file is to be heard.

    Attributes
    ----------
    checkpoint : path, optional
        The shipped one where it is left out.
    top_k : int
        How many classes to name for the opening, see `Classifier.first_clip`.
    timeline : bool
        Whether to say what happens when.
    hop_seconds : float, optional
        As for `esc.classification.sliding_window.windows`, and so is
    workers : int
        Threads for one file's timeline.
    """

    checkpoint: Path | None = None
    top_k: int = 5
    timeline: bool = False
    hop_seconds: float | None = None
    workers: int = 1


def sound_files(paths: Sequence[Path]) -> tuple[list[Path], list[AudioError]]:
    """Return the files to hear and what is wrong with folders among `paths`.

    Folders are walked, in the order of names, for files with one of `ENDINGS`; hidden ones are left out. A file that
    was named stays, whatever it is, and comes once.
    """
    files: list[Path] = []
    errors: list[AudioError] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found, refused = _walk(path)
        files += found
        errors += [AudioError("audio.folder", name=display_path(error.filename), reason=error.strerror) for error in refused]
        if not found and not refused:
            errors.append(AudioError("audio.folder", name=display_path(path), reason="no sound files in it"))
    return list(dict.fromkeys(files)), errors


def classify_file(
    path: Path, classifier: Classifier, task: BatchOptions, on_window: Callable[[WindowResult], None] | None = None
) -> SoundResult:
    """Return what is heard in a file, which is read once, block by block: an hour is never in memory as a whole.

    `top` and `verdict` are those of `Classifier.predict`, about the file's opening. `on_window` is called with each
    window of the timeline as it is found.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does.
    """
    name = display_path(path)
    try:
        facts, blocks = open_audio(path, name)
        for heard in classify_blocks(name, facts, blocks, classifier, task):
            if isinstance(heard, SoundResult):
                return heard
            if on_window:
                on_window(heard)
    except OSError as error:  # a folder on the way that may not be entered, a disk that fails
        raise AudioError("audio.unreadable", name=name, reason=error.strerror or str(error), accepted=ACCEPTED) from error


def classify_blocks(
    name: str, facts: Facts, blocks: Iterable[np.ndarray], classifier: Classifier, task: BatchOptions
) -> Iterator[WindowResult | SoundResult]:
    """Yield the windows of a sound's timeline, if the task wants one, as they are found, and at last the whole result.

    Parameters
    ----------
    name : str
        What the result calls the sound.
    facts : Facts
        `esc.audio.AudioFacts` or `esc.audio.transcode.Decoded`; what is known at the end of the blocks is what counts.
    blocks : iterable of array
        The sound, as for `esc.classification.sliding_window.windows`.
    classifier : Classifier
    task : BatchOptions
        `checkpoint` is the classifier's own and not looked at.
    """
    search = classifier.first_clip_search(facts.sample_rate)
    blocks = _shown_to(search, blocks)
    heard = []
    if task.timeline:
        for window in windows(classifier, blocks, facts.sample_rate, task.hop_seconds, task.workers):
            heard.append(window)
            yield window
    else:
        for _ in blocks:  # to the end: how long a sound is, and what is broken in it, is known for sure only there
            pass
    found = segments(heard, classifier.class_names) if task.timeline else None
    prediction = classifier.classify_clip(search.end(), task.top_k)
    yield SoundResult(
        file=name,
        seconds=facts.seconds,
        sample_rate=facts.sample_rate,
        clip_start_s=prediction.start_s,
        clip_seconds=min(classifier.checkpoint.input.clip_seconds, facts.seconds),
        top=prediction.top,
        verdict=prediction.verdict,
        timeline=found,
        silences=silent_intervals(heard),
        uncertain=uncertain_intervals(heard, found or (), classifier.class_names),
        cut_off=facts.cut_off,
    )


def classify_files(
    files: Sequence[Path], task: BatchOptions, jobs: int = 1, on_window: Callable[[WindowResult], None] | None = None
) -> Iterator[SoundResult | AudioError]:
    """Yield for each file, in the order given, what was heard in it or why that could not be.

    Parameters
    ----------
    files : sequence of path
    task : BatchOptions
    jobs : int
        Processes; they share the cores. One works in this process.
    on_window : callable, optional
        As for `hear`; only where `jobs` is 1.

    Raises
    ------
    CheckpointError
        The checkpoint is missing or damaged.
    ParameterError
        The task asks for what is not possible.
    """
    if min(jobs, len(files)) <= 1:
        for path in files:
            yield _heard_or_refused(path, task, on_window)
        return
    pool = _pool(jobs)
    try:
        waiting = [pool.submit(_heard_or_refused, path, task) for path in files]
        for path, future in zip(files, waiting, strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:  # a process was killed, and took with it what the others had not begun
                yield _heard_alone(path, task)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def classify_or_error(
    path: Path, classifier: Classifier, task: BatchOptions, on_window: Callable[[WindowResult], None] | None = None
) -> SoundResult | AudioError:
    """Return what `hear` does of one file, or what is wrong with it, so that the others are still heard."""
    try:
        return classify_file(path, classifier, task, on_window)
    except AudioError as error:
        return error
    except EscError:
        raise
    except Exception as error:  # a decoder stumbled over the file in a way of its own
        _log.debug("hearing %s failed", path, exc_info=True)
        return AudioError("audio.crashed", name=display_path(path), reason=f"{type(error).__name__}: {error}")


def _shown_to(search: FirstClipSearch, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Pass blocks on as they come, once the search for the opening has looked at them."""
    for block in blocks:
        search.take(block)
        yield block


def _walk(folder: Path) -> tuple[list[Path], list[OSError]]:
    """Return the sound files below a folder, by name, and the folders that could not be read."""
    found: list[Path] = []
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        wanted = (name for name in names if not name.startswith(".") and os.path.splitext(name)[1].lower() in ENDINGS)
        found += [Path(parent, name) for name in wanted]
    return sorted(found), refused


def _heard_or_refused(
    path: Path, task: BatchOptions, on_window: Callable[[WindowResult], None] | None = None
) -> SoundResult | AudioError:
    return classify_or_error(path, _classifier(task.checkpoint), task, on_window)


def _heard_alone(path: Path, task: BatchOptions) -> SoundResult | AudioError:
    """Hear one file in a process of its own, which it may bring down."""
    with _pool(1) as pool:
        try:
            return pool.submit(_heard_or_refused, path, task).result()
        except BrokenProcessPool:
            return AudioError("audio.crashed", name=display_path(path), reason="its process ended")


def _pool(jobs: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # a fork of a process in which torch has threads may hang
    return ProcessPoolExecutor(jobs, spawn, _start_worker)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    torch.set_num_threads(1)  # the processes share the cores


@lru_cache(maxsize=1)
def _classifier(checkpoint: Path | None) -> Classifier:
    return Classifier.load(checkpoint)
