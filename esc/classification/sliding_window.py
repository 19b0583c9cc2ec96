"""Sliding-window classification of sounds of any length, and segments per class.

Sounds are processed block by block in constant memory. Results are yielded as they arrive, for progress and cancellation.
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
from esc.classification.classifier import SILENCE, UNKNOWN, UNSURE, Classifier
from esc.classification.first_clip import array_blocks
from esc.config import SAMPLE_RATES
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, check_range

HOP_PER_CLIP = 0.5  # default hop, in clips: each moment but the ends is covered by two windows
LEAST_HOP_PER_CLIP = 0.02  # 0.1 s for a clip of 5 s: 50 forward passes per clip of sound
BATCH = 4  # windows per forward pass; more are not faster (two cores: 23 ms per clip singly, 18 ms by 4 or 8)
OPEN_PROBABILITY = 0.5  # a segment reaches it at least once: as likely as all other classes together
KEEP_PROBABILITY = 0.25  # and stays above half of it (hysteresis)


@dataclass(frozen=True, eq=False)
class WindowResult:
    """Classification of one window; a sound shorter than a clip is one window."""

    start_s: float
    end_s: float
    verdict: str  # as `Prediction.verdict`
    probabilities: np.ndarray | None  # float32 (n_classes,), in the order of the targets; None for silence


@dataclass(frozen=True)
class Segment:
    """Interval of a sound assigned to one class."""

    label: str
    start_s: float
    end_s: float
    probability: float  # mean over the segment


def windows(
    classifier: Classifier,
    sound: np.ndarray | Iterable[np.ndarray],
    sample_rate: int,
    hop_seconds: float | None = None,
    workers: int = 1,
) -> Iterator[WindowResult]:
    """Return an iterator over the results of all windows, in order, as they arrive.

    Each window is a clip, classified exactly as by `Classifier.predict`. One begins every `hop_seconds`; the last ends
    with the sound, and a sound shorter than a clip is one window, padded as in training. Closing the iterator stops the
    work. Memory is needed for one block and about `BATCH` windows per worker.

    Parameters
    ----------
    classifier : Classifier
    sound : array, shape (n_samples,) or (channels, n_samples), or an iterable of such arrays
        The whole sound (also as a memory map), or its blocks in order, see `esc.audio.open_audio`. Nominally in
        [-1, 1]; integers are scaled by their full range.
    sample_rate : int
        Hz, of `sound`.
    hop_seconds : float, optional
        `LEAST_HOP_PER_CLIP` to 1 clip, by default `HOP_PER_CLIP`.
    workers : int
        Threads with one batch each. One per core after `torch.set_num_threads(1)` is fastest for a process with no other
        work: torch's own threads synchronise after every layer.

    Raises
    ------
    ParameterError
        `hop_seconds` or `sample_rate` is out of range; raised immediately.
    AudioError
        The sound has fewer than two samples or an invalid shape, or a block can't be read; raised on iteration.
    """
    check_range("sample_rate", sample_rate, *SAMPLE_RATES)
    hop = round(check_hop(hop_seconds, classifier.checkpoint.input.clip_seconds) * classifier.checkpoint.spectrogram.sample_rate)
    blocks = array_blocks(sound) if isinstance(sound, np.ndarray) else sound
    return _windows(classifier, blocks, sample_rate, hop, workers)


def check_hop(hop_seconds: float | None, clip_seconds: float) -> float:
    """Return the hop in seconds, `HOP_PER_CLIP` for None; raise ParameterError if out of range."""
    if hop_seconds is None:
        return HOP_PER_CLIP * clip_seconds
    check_range("hop_seconds", hop_seconds, LEAST_HOP_PER_CLIP * clip_seconds, clip_seconds)
    return hop_seconds


def segments(
    results: Iterable[WindowResult],
    class_names: Sequence[str],
    open_probability: float = OPEN_PROBABILITY,
    keep_probability: float = KEEP_PROBABILITY,
) -> tuple[Segment, ...]:
    """Return the segments of all classes by start; different classes may overlap.

    The probability of a class at a moment is its mean over the windows that contain the moment, with 0 for windows that are
    uncertain or out of distribution. A moment in a silent window is silent. A segment is a run of moments at which
    the class keeps `keep_probability` and once reaches `open_probability` (hysteresis, as in the edge tracking of Canny, 1986).

    Parameters
    ----------
    results : iterable of WindowResult
        In any order, also of a part of the sound.
    class_names : sequence of str
        Index is the target.
    open_probability, keep_probability : float
        0 to 1; the second is at most the first.

    Raises
    ------
    ParameterError
        A probability is out of range.
    """
    check_range("open_probability", open_probability, 0.0, 1.0)
    check_range("keep_probability", keep_probability, 0.0, open_probability)
    edges_s, probabilities = _moments(list(results), len(class_names))
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
    """Yield results in order from threads, each at most one batch ahead."""
    pending: deque[Future[list[WindowResult]]] = deque()
    with ThreadPoolExecutor(workers, "timeline") as pool:
        try:
            for batch, seconds in clip_batches(classifier, blocks, sample_rate, hop):
                pending.append(pool.submit(_classify, classifier, batch, seconds))
                if len(pending) >= workers + (workers > 1):
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            for future in pending:  # the iterator was closed
                future.cancel()


def clip_batches(
    classifier: Classifier, blocks: Iterable[np.ndarray], sample_rate: int, hop: int
) -> Iterator[tuple[list[tuple[int, np.ndarray]], float]]:
    """Yield batches of (first sample, clip), each with the length of the sound so far."""
    rate = classifier.checkpoint.spectrogram.sample_rate
    clip = classifier.checkpoint.clip_samples
    incoming = ResampledBlocks(blocks, sample_rate, rate)
    buffer, buffer_start, next_start = np.zeros(0, np.float32), 0, 0
    batch: list[tuple[int, np.ndarray]] = []
    for block in incoming:
        buffer = np.concatenate([buffer, block])
        end = buffer_start + len(buffer)
        while next_start + clip <= end:
            batch.append((next_start, buffer[next_start - buffer_start :][:clip]))
            next_start += hop
            if len(batch) == BATCH:
                yield batch, incoming.seconds
                batch = []
        used = max(0, min(next_start, end - clip) - buffer_start)  # the last window may begin at end - clip
        buffer, buffer_start = buffer[used:], buffer_start + used
    end = buffer_start + len(buffer)
    if end < MIN_SAMPLES:
        raise AudioError("audio.too_short", name="the sound", samples=end, least=MIN_SAMPLES)
    if end < clip:
        batch = [(0, fit_clip(buffer, clip))]
    elif next_start - hop + clip < end:
        batch.append((end - clip, buffer[-clip:]))
    yield batch, incoming.seconds


def _classify(classifier: Classifier, batch: list[tuple[int, np.ndarray]], seconds: float) -> list[WindowResult]:
    """Return the results of a batch; `seconds` is the length of the sound so far."""
    config = classifier.checkpoint.spectrogram
    silent = [is_silent(clip) for _, clip in batch]
    # one by one: as fast as a batch, and bit-identical to a single clip's
    spectrograms_db = [clip_mel_db(clip, config) for (_, clip), quiet in zip(batch, silent, strict=True) if not quiet]
    results = []
    verdicts = iter(classifier.verdicts(torch.stack(spectrograms_db)) if spectrograms_db else ())
    for (start, clip), quiet in zip(batch, silent, strict=True):
        verdict, probabilities = (SILENCE, None) if quiet else next(verdicts)
        end_s = min((start + len(clip)) / config.sample_rate, seconds)
        results.append(WindowResult(start / config.sample_rate, end_s, verdict, probabilities))
    return results


def _moments(results: list[WindowResult], n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all edges of windows, and the mean probabilities (moments, n_classes) between them."""
    edges_s = np.unique([time for window in results for time in (window.start_s, window.end_s)])
    n_moments = max(0, len(edges_s) - 1)
    sums, counts = np.zeros((n_moments + 1, n_classes)), np.zeros(n_moments + 1)
    silent = np.zeros(n_moments, bool)
    for window in results:
        first, past = np.searchsorted(edges_s, (window.start_s, window.end_s))
        if window.probabilities is None:
            silent[first:past] = True
            continue
        if window.verdict not in (UNKNOWN, UNSURE):
            sums[first] += window.probabilities  # differences; the cumulative sum follows below
            sums[past] -= window.probabilities
        counts[first] += 1
        counts[past] -= 1
    counts = counts.cumsum()[:-1]
    means = sums.cumsum(axis=0)[:-1] / np.maximum(1, counts)[:, None]
    means[silent | (counts == 0)] = 0.0
    return edges_s, means


def _runs(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the slice bounds of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
