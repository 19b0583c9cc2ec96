"""What happens when: a sound of any length -> overlapping windows heard by the network -> segments per class.

The sound is worked through in stretches, so that memory does not grow with its length, and what is found comes piece
by piece, so that a caller can show progress or stop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from esc.audio.resampling import ResampledBlocks
from esc.audio.waveform import MIN_SAMPLES, fit_clip, is_silent
from esc.classification.classifier import SILENCE, UNKNOWN, Classifier
from esc.classification.first_clip import array_blocks
from esc.config import SAMPLE_RATES
from esc.dsp.spectrogram import mel_db
from esc.errors import AudioError, ParameterError

HOP_PER_CLIP = 0.5  # the hop where none is given, in clips: everything but the ends is heard twice
LEAST_HOP_PER_CLIP = 0.02  # 0.1 s for a clip of 5 s: 50 forward passes for each clip of sound
BATCH = 4  # windows through the network at once; more is no faster (two cores: 23 ms a clip one by one, 18 in 4s and in 8s)
OPEN_PROBABILITY = 0.5  # a segment needs one moment at which its class is at least as likely as all others together
KEEP_PROBABILITY = 0.25  # and lasts while it stays above half of that, so that it does not flicker at the threshold


@dataclass(frozen=True, eq=False)
class WindowResult:
    """What the network said of one window.

    Attributes
    ----------
    start_s, end_s : float
        Seconds from the start of the sound, inside it; a sound shorter than a clip is one window from 0 to its end.
    verdict : str
        The likeliest class's label, `UNKNOWN`, or `SILENCE`, which is decided before the network is asked.
    probabilities : float32 array, shape (n_classes,), or None
        In the order of the targets, summing to 1; None for silence.
    """

    start_s: float
    end_s: float
    verdict: str
    probabilities: np.ndarray | None


@dataclass(frozen=True)
class Segment:
    """A stretch of sound in which one class was heard.

    Attributes
    ----------
    label : str
        The class.
    start_s, end_s : float
        Seconds from the start of the sound, inside it.
    probability : float
        The class's mean probability over the segment, 0 to 1.
    """

    label: str
    start_s: float
    end_s: float
    probability: float


def timeline(
    classifier: Classifier,
    sound: np.ndarray | Iterable[np.ndarray],
    sample_rate: int,
    hop_seconds: float | None = None,
    open_probability: float = OPEN_PROBABILITY,
    keep_probability: float = KEEP_PROBABILITY,
) -> tuple[Segment, ...]:
    """Return what happens when in a whole sound: `segments` of its `windows`."""
    heard = windows(classifier, sound, sample_rate, hop_seconds)
    return segments(heard, classifier.class_names, open_probability, keep_probability)


def windows(
    classifier: Classifier,
    sound: np.ndarray | Iterable[np.ndarray],
    sample_rate: int,
    hop_seconds: float | None = None,
    workers: int = 1,
) -> Iterator[WindowResult]:
    """Return an iterator over what the network says of each window, in the order of time, as it is found.

    Windows have the length of the checkpoint's clip. Each is heard exactly as `Classifier.predict` hears a clip. One
    begins every `hop_seconds`; the last is moved back so that it ends with the sound, and a sound shorter than a clip
    is one window, padded as in training. Closing the iterator stops the work; what is held at any time is about
    `BATCH` windows a worker and one block.

    Parameters
    ----------
    classifier : Classifier
    sound : array, shape (n_samples,) or (channels, n_samples), or an iterable of such arrays
        The whole sound (a memory map is read in stretches), or its blocks one after the other, as
        `esc.audio.open_audio` gives them. Nominally in [-1, 1]; whole numbers are scaled by their width.
    sample_rate : int
        Hz, of `sound`.
    hop_seconds : float, optional
        `LEAST_HOP_PER_CLIP` to 1 clip; `HOP_PER_CLIP` clips where it is left out.
    workers : int
        Threads that hear a batch each. For a process that does nothing else, one a core after `torch.set_num_threads(1)`
        is best: torch's own threads wait for each other after every layer, which on a busy machine is most of the time.

    Raises
    ------
    ParameterError
        `hop_seconds` or `sample_rate` is out of range; raised at once.
    AudioError
        The sound has fewer than two samples or another shape, or a block of it can't be read; raised when it is met.
    """
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high:
        raise ParameterError("parameter.range", field="sample_rate", value=sample_rate, low=low, high=high)
    hop = round(check_hop(hop_seconds, classifier.checkpoint.input.clip_seconds) * classifier.checkpoint.spectrogram.sample_rate)
    blocks = array_blocks(sound) if isinstance(sound, np.ndarray) else sound
    return _windows(classifier, blocks, sample_rate, hop, workers)


def check_hop(hop_seconds: float | None, clip_seconds: float) -> float:
    """Return the hop in seconds, the default where it is None; raise ParameterError where it is out of range."""
    if hop_seconds is None:
        return HOP_PER_CLIP * clip_seconds
    low = LEAST_HOP_PER_CLIP * clip_seconds
    if not low <= hop_seconds <= clip_seconds:  # also catches NaN
        raise ParameterError("parameter.range", field="hop_seconds", value=hop_seconds, low=low, high=clip_seconds)
    return hop_seconds


def segments(
    heard: Iterable[WindowResult],
    class_names: Sequence[str],
    open_probability: float = OPEN_PROBABILITY,
    keep_probability: float = KEEP_PROBABILITY,
) -> tuple[Segment, ...]:
    """Return the stretches in which a class was heard, by start; those of different classes may overlap.

    Probabilities are smoothed over neighbouring windows: at each moment they are the mean over the windows that hold
    it, where a window with none of the known classes counts as 0 for each of them. Where one of the windows is silent,
    so is the moment. A class's segment is a run of moments at which it keeps `keep_probability` and at one of which it
    reaches `open_probability` (hysteresis, as in Schmitt's trigger and in the edge tracking of Canny, 1986).

    Parameters
    ----------
    heard : iterable of WindowResult
        In any order; those found so far will do.
    class_names : sequence of str
        Index is the target.
    open_probability, keep_probability : float
        0 to 1, the second at most the first.

    Raises
    ------
    ParameterError
        A probability is out of range.
    """
    for field, value, low, high in (
        ("open_probability", open_probability, 0.0, 1.0),
        ("keep_probability", keep_probability, 0.0, open_probability),
    ):
        if not low <= value <= high:
            raise ParameterError("parameter.range", field=field, value=value, low=low, high=high)
    edges_s, probabilities = _moments(list(heard), len(class_names))
    lengths_s = np.diff(edges_s)
    found = []
    for target, label in enumerate(class_names):
        likely = probabilities[:, target]
        for first, past in _runs(likely >= max(keep_probability, np.finfo(np.float32).tiny)):
            if likely[first:past].max() >= open_probability:
                mean = float(np.average(likely[first:past], weights=lengths_s[first:past]))
                found.append(Segment(label, float(edges_s[first]), float(edges_s[past]), mean))
    return tuple(sorted(found, key=lambda segment: (segment.start_s, segment.end_s, segment.label)))


def _windows(
    classifier: Classifier, blocks: Iterable[np.ndarray], sample_rate: int, hop: int, workers: int
) -> Iterator[WindowResult]:
    """Have batches heard by threads, at most one batch ahead of each, and yield in order."""
    waiting: deque[Future[list[WindowResult]]] = deque()
    with ThreadPoolExecutor(workers, "timeline") as pool:
        try:
            for batch, seconds in _batches(classifier, blocks, sample_rate, hop):
                waiting.append(pool.submit(_heard, classifier, batch, seconds))
                if len(waiting) >= workers + (workers > 1):
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:  # the caller has closed the iterator
                future.cancel()


def _batches(
    classifier: Classifier, blocks: Iterable[np.ndarray], sample_rate: int, hop: int
) -> Iterator[tuple[list[tuple[int, np.ndarray]], float]]:
    """Yield batches of (first sample, clip), each with the seconds of sound that have come so far.

    Clips are cut out of a buffer that holds only what later ones still need.
    """
    rate = classifier.checkpoint.spectrogram.sample_rate
    clip = round(classifier.checkpoint.input.clip_seconds * rate)
    incoming = ResampledBlocks(blocks, sample_rate, rate)
    buffer, buffer_start, next_start = np.zeros(0, np.float32), 0, 0
    batch: list[tuple[int, np.ndarray]] = []
    for stretch in incoming:
        buffer = np.concatenate([buffer, stretch])
        end = buffer_start + len(buffer)
        while next_start + clip <= end:
            batch.append((next_start, buffer[next_start - buffer_start :][:clip]))
            next_start += hop
            if len(batch) == BATCH:
                yield batch, incoming.seconds
                batch = []
        needless = max(0, min(next_start, end - clip) - buffer_start)  # the last window may begin at end - clip
        buffer, buffer_start = buffer[needless:], buffer_start + needless
    end = buffer_start + len(buffer)
    if end < MIN_SAMPLES:
        raise AudioError("audio.too_short", name="the sound", samples=end, least=MIN_SAMPLES)
    if end < clip:
        batch = [(0, fit_clip(buffer, clip))]
    elif next_start - hop + clip < end:
        batch.append((end - clip, buffer[-clip:]))
    yield batch, incoming.seconds


def _heard(classifier: Classifier, batch: list[tuple[int, np.ndarray]], seconds: float) -> list[WindowResult]:
    """Ask the network about those clips of a batch that are not silent; `seconds`: how long the sound is so far."""
    config = classifier.checkpoint.spectrogram
    silent = [is_silent(clip) for _, clip in batch]
    # picture by picture: that is as fast as a batch, and equal to a single clip's to the last bit
    spectrograms_db = [mel_db(clip, config) for (_, clip), quiet in zip(batch, silent, strict=True) if not quiet]
    results = []
    answers = iter(classifier.verdicts(torch.stack(spectrograms_db)) if spectrograms_db else ())
    for (start, clip), quiet in zip(batch, silent, strict=True):
        verdict, probabilities = (SILENCE, None) if quiet else next(answers)
        end_s = min((start + len(clip)) / config.sample_rate, seconds)
        results.append(WindowResult(start / config.sample_rate, end_s, verdict, probabilities))
    return results


def _moments(heard: list[WindowResult], n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the times at which any window begins or ends, and the mean probabilities between them (moments, n_classes)."""
    edges_s = np.unique([time for window in heard for time in (window.start_s, window.end_s)])
    n_moments = max(0, len(edges_s) - 1)
    sums, asked = np.zeros((n_moments + 1, n_classes)), np.zeros(n_moments + 1)
    silent = np.zeros(n_moments, bool)
    for window in heard:
        first, past = np.searchsorted(edges_s, (window.start_s, window.end_s))
        if window.probabilities is None:
            silent[first:past] = True
            continue
        if window.verdict != UNKNOWN:
            sums[first] += window.probabilities  # differences now, levels by one cumulative sum at the end
            sums[past] -= window.probabilities
        asked[first] += 1
        asked[past] -= 1
    means = sums.cumsum(axis=0)[:-1] / np.maximum(1, asked.cumsum()[:-1])[:, None]
    means[silent | (asked.cumsum()[:-1] == 0)] = 0.0
    return edges_s, means


def _runs(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield (first, past) of each run of True."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True)
