"""Sliding-window classification of sounds of any length.

Sounds are processed block by block in constant memory. Results are yielded as they arrive, for progress and cancellation.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from esc.audio.resampling import ResampledBlocks
from esc.audio.waveform import MIN_SAMPLES, SILENCE_PEAK, fit_clip, is_silent
from esc.classification.classifier import Classifier
from esc.classification.first_clip import array_blocks
from esc.classification.predictions import MOMENTS_PER_S, SILENCE, Activity, WindowResult
from esc.classification.resnet import CELL_FRAMES
from esc.classification.times import check_hop
from esc.config import SAMPLE_RATES, SpectrogramConfig
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, check_range

BATCH = 4  # windows per forward pass; more are not faster (two cores: 23 ms per clip singly, 18 ms by 4 or 8)


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
    outputs = iter(classifier.clip_outputs(torch.stack(spectrograms_db)) if spectrograms_db else ())
    spectrogram_db = iter(spectrograms_db)
    for (start, clip), quiet in zip(batch, silent, strict=True):
        start_s, end_s = start / config.sample_rate, min((start + len(clip)) / config.sample_rate, seconds)
        if quiet:
            results.append(WindowResult(start_s, end_s, SILENCE, None))
            continue
        verdict, probabilities, activations = next(outputs)
        before_s = max(0.0, math.ceil((len(clip) - round((end_s - start_s) * config.sample_rate)) / 2) / config.sample_rate)
        activity = _activity(start_s - before_s, clip, next(spectrogram_db), activations, config)
        results.append(WindowResult(start_s, end_s, verdict, probabilities, activity))
    return results


def _activity(
    start_s: float, clip: np.ndarray, spectrogram_db: torch.Tensor, activations: np.ndarray, config: SpectrogramConfig
) -> Activity:
    frame_s, moment = config.hop_length / config.sample_rate, config.sample_rate // MOMENTS_PER_S
    parts = clip[: len(clip) // moment * moment].reshape(-1, moment)
    return Activity(
        start_s=start_s,
        probabilities=activations,
        cell_s=CELL_FRAMES * frame_s,
        levels_db=spectrogram_db.mean(dim=0).numpy(),
        frame_s=frame_s,
        silent=np.ptp(parts, axis=1) < 2 * SILENCE_PEAK,
    )
