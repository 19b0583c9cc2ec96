"""Classification of one file, block by block."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from esc.audio.channels import EACH, MEAN, channel_numbers
from esc.audio.io import ACCEPTED, AudioFacts, open_audio
from esc.audio.transcode import Decoded
from esc.batch.options import BatchOptions
from esc.batch.results import FileResult, SoundResult
from esc.classification.classifier import Classifier
from esc.classification.first_clip import FirstClipSearch
from esc.classification.intervals import IntervalSearch, classify_clips
from esc.classification.predictions import WindowResult
from esc.classification.timeline.event_summary import silent_intervals, uncertain_intervals
from esc.classification.timeline.segments import segments
from esc.classification.timeline.sliding_window import windows
from esc.errors import AudioError, EscError, ParameterError, reason_of
from esc.paths import display_path

_log = logging.getLogger(__name__)


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
        The sound, as for `esc.classification.timeline.sliding_window.windows`.
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


def classify_channels(
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


def _searched(search: FirstClipSearch | IntervalSearch, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the blocks after the search for clips has taken them."""
    for block in blocks:
        search.take(block)
        yield block
