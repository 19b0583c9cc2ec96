"""The one classifier of the app, loaded once, and the step that may run on a borrowed GPU."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from esc.audio.transcode import Decoded
from esc.audio.waveform import is_silent
from esc.batch.results import SoundResult
from esc.batch.runner import BatchOptions, classify_blocks
from esc.classification.classifier import Classifier, Prediction
from esc.classification.first_clip import Clip, array_blocks
from esc.classification.sliding_window import WindowResult
from esc.errors import EscError
from esc.ui.inference.zero_gpu import device_here, on_gpu, on_gpu_for
from esc.ui.sessions.sound import Sound

GPU_SHARE = 0.01  # of a sound's length at a hop of one clip: what a lent GPU is asked for, beside the time to get going
GPU_SECONDS_AT_MOST = 120.0


def classifier(path: Path) -> Classifier:
    """Return the classifier of a checkpoint's folder; a failure is not kept, so a restored folder works at once."""
    return _loaded(path, device_here())


@lru_cache(maxsize=2)
def _loaded(path: Path, device: str | None) -> Classifier:
    return Classifier.load(path, device)


def warm_up(path: Path) -> threading.Thread:
    """Load the network beside what the server does, so that the first answer is not the slow one."""

    def load() -> None:
        try:
            classifier(path)
        except EscError as error:
            logging.getLogger(__name__).warning("%s", error)  # whoever asks will be told, too

    thread = threading.Thread(target=load, daemon=True, name="warm-up")
    thread.start()
    return thread


def predict(path: Path, waveform: np.ndarray, sample_rate: int) -> Prediction:
    """Return what the checkpoint in `path` says of a waveform's opening, see `Classifier.first_clip`."""
    # a borrowed GPU is reached by another process: no more than the clip crosses the border
    return _hear_clip(path, classifier(path).first_clip(waveform, sample_rate))


@on_gpu
def _hear_clip(path: Path, clip: Clip) -> Prediction:
    return classifier(path).classify_clip(clip)


def embedding(path: Path, waveform: np.ndarray, sample_rate: int) -> np.ndarray | None:
    """Return what the network makes of a waveform's opening, (n_features,); None where the sound is silent."""
    clip = classifier(path).first_clip(waveform, sample_rate)
    return None if is_silent(clip.samples) else _embedding(path, clip.samples)


@on_gpu
def _embedding(path: Path, samples: np.ndarray) -> np.ndarray:
    listener = classifier(path)
    return listener.embedding(samples, listener.checkpoint.spectrogram.sample_rate)


def hear(path: Path, sound: Sound, hop_seconds: float, top_k: int) -> Iterator[WindowResult | SoundResult]:
    """Yield the windows of a sound as they are classified, then its result; see `runner.classify_blocks`."""
    waveform = sound.waveform
    # as above: a long sound is read from its file on the other side of the border
    samples = Path(waveform.filename) if isinstance(waveform, np.memmap) else waveform
    return _hear(path, sound.name, sound.facts, samples, hop_seconds, top_k)


def _gpu_seconds(path: Path, name: str, facts: Decoded, samples: np.ndarray | Path, hop_seconds: float, top_k: int) -> float:
    clips_a_hop = classifier(path).checkpoint.input.clip_seconds / hop_seconds
    return min(GPU_SECONDS_AT_MOST, 15 + GPU_SHARE * facts.seconds * clips_a_hop)


@on_gpu_for(_gpu_seconds)
def _hear(
    path: Path, name: str, facts: Decoded, samples: np.ndarray | Path, hop_seconds: float, top_k: int
) -> Iterator[WindowResult | SoundResult]:
    waveform = np.memmap(samples, np.float32, mode="r") if isinstance(samples, Path) else samples
    task = BatchOptions(path, top_k, timeline=True, hop_seconds=hop_seconds)
    yield from classify_blocks(name, facts, array_blocks(waveform), classifier(path), task)
