"""The app's classifier, loaded once, and the functions that may run on a borrowed GPU."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from esc.audio.transcode import Decoded
from esc.audio.waveform import is_silent
from esc.batch.file_classification import classify_blocks
from esc.batch.options import BatchOptions
from esc.batch.results import SoundResult
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.classifier import Classifier
from esc.classification.first_clip import Clip, array_blocks
from esc.classification.intervals import classify_clips, interval_clips
from esc.classification.predictions import Prediction, WindowResult
from esc.classification.saliency.maps import Explanation
from esc.classification.saliency.maps import explain as explain_waveform
from esc.classification.similarity import fingerprint
from esc.classification.timeline.sliding_window import BATCH
from esc.classification.times import Interval
from esc.config import LIBROSA
from esc.dsp.spectrogram import mel_db
from esc.errors import EscError
from esc.ui.inference.shared_passes import SharedPasses
from esc.ui.inference.zero_gpu import GPU_LENT, device_here, on_gpu, on_gpu_for
from esc.ui.sessions.fair_turns import FairTurns, Turn
from esc.ui.sessions.sound import Sound

Activations = dict[str, tuple[int, np.ndarray]]  # see `Classifier.mean_activations`
LIKELIEST = 5  # classes whose saliency maps are computed in any case
MAX_GPU_SECONDS = 120.0
_GPU_START_SECONDS = 15.0
_GPU_SHARE = 0.01  # GPU time per second of sound at a hop of one clip
_SAME_LENGTH_S = 0.005
_loading = threading.Lock()


def classifier(path: Path) -> Classifier:
    """Return the classifier of a checkpoint folder; failures are not cached."""
    device = device_here()
    # lru_cache alone would let two first callers load two networks; a fork, on a lent GPU, may have inherited a lock that is held
    with _loading if device != "cuda" else nullcontext():
        return _load(path, device)


@lru_cache(maxsize=6)  # the app's and a few taught ones, of some 70 MB each
def _load(path: Path, device: str | None) -> Classifier:
    return Classifier.load(path, device)


def loaded_digest(path: Path) -> str | None:
    """Return the fingerprint of the loaded checkpoint; None while there is none."""
    return _digest(path, device_here()) if _load.cache_info().currsize else None


@lru_cache(maxsize=2)
def _digest(path: Path, device: str | None) -> str:
    return fingerprint(_load(path, device))


def warm_up(path: Path) -> threading.Thread:
    """Load the network and the transform in a background thread, before the first answers."""

    def load() -> None:
        try:
            classifier(path)
            mel_db(np.zeros(LIBROSA.n_fft, np.float32), LIBROSA)  # as the first view does
        except EscError as error:
            logging.getLogger(__name__).warning("%s", error)  # each request raises it again

    thread = threading.Thread(target=load, daemon=True, name="warm-up")
    thread.start()
    return thread


def _held(turn: Turn) -> AbstractContextManager[object]:
    """Return a turn to wait for; a lent GPU has its own queue."""
    return nullcontext() if GPU_LENT else turn


# A borrowed GPU is reached by another process, so each of these functions sends no more than some clips, or a file's path.


def _clips(path: Path, waveform: np.ndarray, sample_rate: int, interval: Interval | None) -> tuple[Clip, ...]:
    """Return a waveform's first clip, see `Classifier.first_clip`, or the clips of an interval."""
    network = classifier(path)
    return (
        (network.first_clip(waveform, sample_rate),)
        if interval is None
        else interval_clips(network, waveform, sample_rate, *interval)
    )


def predict(path: Path, waveform: np.ndarray, sample_rate: int, turn: Turn, interval: Interval | None = None) -> Prediction:
    """Return the prediction for a waveform's first clip, or for an interval."""
    clips = _clips(path, waveform, sample_rate, interval)
    if len(clips) == 1 and not GPU_LENT:
        return _shared_passes(path).result(clips[0], turn)
    with _held(turn):
        return _predict(path, clips)


@lru_cache(maxsize=6)
def _shared_passes(path: Path) -> SharedPasses[Clip, Prediction]:
    return SharedPasses(lambda clips: classifier(path).classify_each(clips), BATCH)


@on_gpu
def _predict(path: Path, clips: tuple[Clip, ...]) -> Prediction:
    return classify_clips(classifier(path), clips)


def embedding(
    path: Path, waveform: np.ndarray, sample_rate: int, turn: Turn, interval: Interval | None = None
) -> np.ndarray | None:
    """Return the mean embedding of the clips of `predict`, (n_features,); None if all are silent."""
    clips = [clip.samples for clip in _clips(path, waveform, sample_rate, interval) if not is_silent(clip.samples)]
    if not clips:
        return None
    with _held(turn):
        return _embedding(path, clips)


@on_gpu
def _embedding(path: Path, clips: Sequence[np.ndarray]) -> np.ndarray:
    network = classifier(path)
    rate = network.checkpoint.spectrogram.sample_rate
    return np.mean([network.embedding(samples, rate) for samples in clips], axis=0)


def explain(
    path: Path,
    waveform: np.ndarray,
    sample_rate: int,
    start_s: float | None,
    labels: Sequence[str],
    turn: Turn,
    end_s: float | None = None,
) -> Explanation:
    """Return saliency maps of the `LIKELIEST` classes and of `labels`, see `esc.classification.saliency.maps.explain`.

    The clip begins at `start_s`; None: it is the first clip, as in `predict`.
    What ends at `end_s`, before the clip would, is padded.
    """
    network = classifier(path)
    if start_s is not None and end_s is not None:
        clip = interval_clips(
            network, waveform, sample_rate, start_s, min(end_s, start_s + network.checkpoint.input.clip_seconds)
        )[0]
    elif start_s is None:
        clip = network.first_clip(waveform, sample_rate)
    else:
        begin_s = network.clip_start(waveform.shape[-1], sample_rate, start_s)
        clip = Clip(begin_s, network.clip(waveform, sample_rate, begin_s))
    with _held(turn):
        found = _explain(path, clip.samples, tuple(labels))
    return replace(found, prediction=replace(found.prediction, start_s=clip.start_s))


@on_gpu
def _explain(path: Path, clip: np.ndarray, labels: tuple[str, ...]) -> Explanation:
    network = classifier(path)
    return explain_waveform(network, clip, network.checkpoint.spectrogram.sample_rate, labels=labels, likeliest=LIKELIEST)


def activations(path: Path, waveform: np.ndarray, sample_rate: int, turn: Turn) -> tuple[Prediction, Activations]:
    """Return the prediction for a waveform's first clip, and the mean activations of each layer."""
    clip = classifier(path).first_clip(waveform, sample_rate)
    with _held(turn):
        return _activations(path, clip)


@on_gpu
def _activations(path: Path, clip: Clip) -> tuple[Prediction, Activations]:
    network = classifier(path)
    prediction = network.classify_clip(clip)
    return prediction, network.mean_activations(prediction.spectrogram_db)


def classify_sound(
    path: Path, sound: Sound, hop_seconds: float, top_k: int, turns: FairTurns, owner: Hashable
) -> Iterator[WindowResult | SoundResult]:
    """Yield the windows of a sound, classified in turns, then its result."""
    waveform = sound.waveform
    samples = Path(str(waveform.filename)) if isinstance(waveform, np.memmap) else waveform
    results = _classify_sound(path, sound.name, sound.facts, samples, hop_seconds, top_k)
    return results if GPU_LENT else turns.share(results, BATCH, owner)


def _gpu_seconds(path: Path, name: str, facts: Decoded, samples: np.ndarray | Path, hop_seconds: float, top_k: int) -> float:
    windows_per_clip = classifier(path).checkpoint.input.clip_seconds / hop_seconds
    return min(MAX_GPU_SECONDS, _GPU_START_SECONDS + _GPU_SHARE * facts.seconds * windows_per_clip)


@on_gpu_for(_gpu_seconds)
def _classify_sound(
    path: Path, name: str, facts: Decoded, samples: np.ndarray | Path, hop_seconds: float, top_k: int
) -> Iterator[WindowResult | SoundResult]:
    waveform = np.memmap(samples, np.float32, mode="r") if isinstance(samples, Path) else samples
    options = BatchOptions(path, top_k, timeline=True, hop_seconds=hop_seconds, channel=facts.channel)
    yield from classify_blocks(name, facts, array_blocks(waveform), classifier(path), options)


def clip_fit(meta: Checkpoint, seconds: float) -> str:
    """Return how a sound of that length fills a clip: "whole", "padded" or "cut"."""
    missing = meta.input.clip_seconds - seconds
    return "whole" if abs(missing) < _SAME_LENGTH_S else "padded" if missing > 0 else "cut"


def clip_offset_s(meta: Checkpoint, n_samples: int, sample_rate: int) -> float:
    """Return the seconds mirrored before the start of a sound shorter than a clip."""
    rate = meta.spectrogram.sample_rate
    missing = round(meta.input.clip_seconds * rate) - math.ceil(n_samples * rate / sample_rate)
    return max(0, -(-missing // 2)) / rate
