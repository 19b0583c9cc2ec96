"""Classification of files and folders, in this process or in several."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from pebble import ProcessExpired, ProcessPool

from esc.audio.channels import EACH, MEAN, channel_numbers
from esc.audio.io import ACCEPTED, AudioFacts, open_audio
from esc.audio.transcode import Decoded
from esc.batch.results import FileResult, SoundResult
from esc.classification.classifier import Classifier
from esc.classification.event_summary import silent_intervals, uncertain_intervals
from esc.classification.first_clip import FirstClipSearch
from esc.classification.intervals import IntervalSearch, classify_clips
from esc.classification.segments import segments
from esc.classification.sliding_window import WindowResult, windows
from esc.errors import AudioError, EscError, ParameterError, reason_of
from esc.paths import display_path

ENDINGS = (  # of sound files in a folder; a file named explicitly may have any ending
    ".wav", ".wave", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".m4a", ".m4b",
    ".aac", ".ac3", ".amr", ".webm", ".mp4", ".mov", ".mka", ".mkv", ".3g2", ".3ga", ".3gp", ".8svx", ".adts", ".ape", ".asf",
    ".avi", ".avr", ".awb", ".bwf", ".dsf", ".eac3", ".flv", ".htk", ".iff", ".ircam", ".latm", ".loas", ".m2ts", ".m4r", ".m4v",
    ".mk3d", ".mp2", ".mp+", ".mpa", ".mpc", ".mpeg", ".mpg", ".mpga", ".mts", ".nist", ".ogv", ".ogx", ".paf", ".pvf", ".ra",
    ".rf64", ".rm", ".sds", ".sf", ".snd", ".sph", ".spx", ".ts", ".tta", ".vob", ".voc", ".weba", ".wma", ".wmv", ".wv", ".xi",
)  # fmt: skip
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchOptions:
    """Options for the classification of each file."""

    checkpoint: Path | None = None  # by default the shipped one
    top_k: int = 5  # number of classes to name for the first clip
    timeline: bool = False  # whether to classify the whole sound
    hop_seconds: float | None = None  # as for `esc.classification.sliding_window.windows`
    workers: int = 1  # threads for the timeline of one file
    channel: str = MEAN  # as for `esc.audio.open_audio`; EACH: only for `classify_files`, a result per channel
    full_scale: float = 1.0  # as for `esc.audio.open_audio`
    start_s: float | None = None  # of an interval in place of the first clip, see `esc.classification.intervals.interval_from`
    end_s: float | None = None
    time_expansion: float = 1.0  # as for `esc.audio.open_audio`


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


def classify_file(
    path: Path, classifier: Classifier, options: BatchOptions, on_window: Callable[[WindowResult], None] | None = None
) -> SoundResult:
    """Return the result for a file, which is read block by block.

    `top` and `verdict` equal those of `Classifier.predict`, or of `classify_clips` for an interval. `on_window` is called with
    each window of the timeline.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does.
    """
    name = display_path(path)
    try:
        facts, blocks = open_audio(path, name, options.channel, options.full_scale, options.time_expansion)
        for result in classify_blocks(name, facts, blocks, classifier, options):
            if on_window and isinstance(result, WindowResult):
                on_window(result)
    except OSError as error:  # no permission for a folder on the way, a disk that fails
        raise AudioError("audio.unreadable", name=name, reason=reason_of(error), accepted=ACCEPTED) from error
    assert isinstance(result, SoundResult)
    return result


def classify_blocks(
    name: str, facts: AudioFacts | Decoded, blocks: Iterable[np.ndarray], classifier: Classifier, options: BatchOptions
) -> Iterator[WindowResult | SoundResult]:
    """Yield the windows of a sound's timeline, if requested, and finally its result.

    Parameters
    ----------
    name : str
        Name of the sound in the result.
    facts : AudioFacts or Decoded
        Final once all blocks are read.
    blocks : iterable of array
        The sound, as for `esc.classification.sliding_window.windows`.
    classifier : Classifier
    options : BatchOptions
        Its `checkpoint` is ignored in favour of the classifier's.
    """
    search: FirstClipSearch | IntervalSearch = classifier.first_clip_search(facts.sample_rate)
    if options.start_s is not None or options.end_s is not None:
        search = IntervalSearch(classifier, facts.sample_rate, options.start_s, options.end_s, name)
    blocks = _searched(search, blocks)
    found: list[WindowResult] = []
    if options.timeline:
        for window in windows(classifier, blocks, facts.sample_rate, options.hop_seconds, options.workers):
            found.append(window)
            yield window
    else:
        for _ in blocks:  # only at the end are length and defects of a file known
            pass
    timeline = segments(found, classifier.class_names) if options.timeline else None
    try:
        interval, clips = search.end() if isinstance(search, IntervalSearch) else (None, (search.end(),))
    except (AudioError, ParameterError) as error:
        file_s = facts.seconds * facts.time_expansion
        raise AudioError("audio.refused", name=name, reason=str(error).rstrip("."), seconds=file_s) from error
    prediction = classify_clips(classifier, clips, options.top_k)
    yield SoundResult(
        file=name,
        seconds=facts.seconds,
        sample_rate=facts.sample_rate,
        clip_start_s=interval[0] if interval else prediction.start_s,
        clip_seconds=interval[1] - interval[0] if interval else min(classifier.checkpoint.input.clip_seconds, facts.seconds),
        interval=interval,
        top=prediction.top,
        verdict=prediction.verdict,
        timeline=timeline,
        silences=silent_intervals(found, timeline or ()),
        uncertain=uncertain_intervals(found, timeline or (), classifier.class_names),
        notes=facts.notes,
        channel=options.channel,
        time_expansion=facts.time_expansion,
    )


def classify_files(
    files: Sequence[Path], options: BatchOptions, jobs: int = 1, on_window: Callable[[WindowResult], None] | None = None
) -> Iterator[FileResult]:
    """Yield the result or error of each file, or of its channels, in order.

    Parameters
    ----------
    files : sequence of path
    options : BatchOptions
    jobs : int
        Number of processes; 1 is this one.
    on_window : callable, optional
        As for `classify_file`; only if `jobs` is 1.

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
        classifier = Classifier.load(options.checkpoint)
        for path in files:
            yield from _classify_channels(path, classifier, options, on_window)


def _classify_channels(
    path: Path, classifier: Classifier, options: BatchOptions, on_window: Callable[[WindowResult], None] | None = None
) -> Iterator[FileResult]:
    """Yield the result or error of a file, with EACH of its channels."""
    channels: tuple[str, ...] = (options.channel,)
    if options.channel == EACH:
        try:
            facts, blocks = open_audio(path)
            next(blocks, None)  # a generator that never began would not close the file
            blocks.close()  # type: ignore[attr-defined]
            channels = channel_numbers(facts.channels)
        except (AudioError, OSError):
            channels = (MEAN,)  # classifying it reports the error
    for channel in channels:
        result = classify_or_error(path, classifier, replace(options, channel=channel), on_window)
        if isinstance(result, AudioError) and result.key == "audio.channel":
            result = AudioError(result.key, **result.values | {"choices": f"{result.values['choices']}, {EACH}"})
        yield result


def classify_or_error(
    path: Path, classifier: Classifier, options: BatchOptions, on_window: Callable[[WindowResult], None] | None = None
) -> FileResult:
    """Return the result of `classify_file`, or its AudioError."""
    try:
        return classify_file(path, classifier, options, on_window)
    except AudioError as error:
        return error
    except EscError:
        raise
    except Exception as error:  # raised by a decoder on a damaged file
        _log.debug("classifying %s failed", path, exc_info=True)
        return AudioError("audio.crashed", name=display_path(path), reason=f"{type(error).__name__}: {error}")


def _classify_in_pool(files: Sequence[Path], options: BatchOptions, jobs: int) -> Iterator[FileResult]:
    """Yield results from a pool; the file of a killed process is retried once."""
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    pool = ProcessPool(min(jobs, len(files)), initializer=_start_worker, context=spawn)
    try:
        futures = [pool.schedule(_classify_in_worker, args=(path, options)) for path in files]
        for path, future in zip(files, futures, strict=True):
            try:
                yield from future.result()
            except ProcessExpired:
                try:
                    yield from pool.schedule(_classify_in_worker, args=(path, options)).result()
                except ProcessExpired:
                    yield AudioError("audio.crashed", name=display_path(path), reason="its process ended")
    finally:
        pool.stop()
        pool.join()


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    torch.set_num_threads(1)  # the processes share the cores


def _classify_in_worker(path: Path, options: BatchOptions) -> list[FileResult]:
    return list(_classify_channels(path, _worker_classifier(options.checkpoint), options))


@cache
def _worker_classifier(checkpoint: Path | None) -> Classifier:
    return Classifier.load(checkpoint)


def _searched(search: FirstClipSearch | IntervalSearch, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Pass on blocks that the search for clips has taken."""
    for block in blocks:
        search.take(block)
        yield block


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
