"""Worker process for features: `python -m esc.features.worker`, tasks on stdin, replies on stdout.

librosa holds the GIL while it compiles on its first use; in a process this blocks no one, and cancelling kills it.
Both ends are trusted and use pickle: the worker replies to each `FeatureTask` with any number of
("progress", share), then ("done", result, None) or ("done", None, EscError). It ends with its stdin.
"""

from __future__ import annotations

import os
import pickle
import secrets
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.audio.sandbox import limit_memory
from esc.config import SpectrogramConfig
from esc.dsp.tiles import Tile, quantised
from esc.errors import EscError, PageError
from esc.features import CONTOURS, SPECTROGRAMS, contours, spectrograms
from esc.features.chunks import OnProgress


@dataclass(frozen=True)
class FeatureTask:
    """One feature to compute."""

    feature: str  # one of `FEATURES`
    config: SpectrogramConfig
    samples: np.ndarray | Path  # float32 waveform at `feature_sample_rate`, or a file of raw float32
    tile: Tile
    source: str  # "mel" or "stft": the spectrogram whose rows a variant has
    high_db: float | None  # dB of the brightest level; None: the feature's own maximum
    exact: bool = False  # an image has its "values", too


def compute(task: FeatureTask, on_progress: OnProgress) -> dict:
    """Return a feature: float arrays by name, or an image.

    An image has "levels" (uint8, rows x columns), "low", "high" (the values of 0 and 255), "decibels", "bounds_hz",
    "start_s", "end_s"; if `exact` "values" (float32), not below "low".
    """
    samples = task.samples if isinstance(task.samples, np.ndarray) else np.memmap(task.samples, np.float32, mode="r")
    if task.feature in CONTOURS:
        return getattr(contours, task.feature)(samples, task.config, task.tile, on_progress)
    if task.feature not in SPECTROGRAMS:
        raise ValueError(f"no feature {task.feature}")
    image = getattr(spectrograms, task.feature)(samples, task.config, task.tile, task.source, on_progress)
    high = float(image.values.max()) if task.high_db is None else task.high_db
    low = high - task.config.top_db if image.decibels else 0.0
    hop_s, (first, last) = task.config.hop_length / task.config.sample_rate, image.frames
    values = {"values": np.maximum(image.values, low).astype(np.float32)} if task.exact else {}
    return values | {
        "levels": quantised(image.values, low, high),
        "low": low,
        "high": high,
        "decibels": image.decibels,
        "bounds_hz": image.bounds_hz,
        "start_s": (first - 0.5) * hop_s,
        "end_s": (last + 0.5) * hop_s,
    }


def name_compiled_uniquely() -> None:
    """Prevent this process from overwriting another's compiled code.

    Processes share Numba's cache, and two that compile other signatures of a function at the same time give both the same file
    name (`IndexDataCacheFile.save`): from then on librosa would run the wrong code, which may crash.
    """
    from numba.core.caching import IndexDataCacheFile

    if numbered := getattr(IndexDataCacheFile, "_data_name", None):  # private: another version may have none
        IndexDataCacheFile._data_name = lambda cache, _: numbered(cache, secrets.randbits(63))  # type: ignore[method-assign]


def main() -> None:
    """Compute tasks until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends this process
    name_compiled_uniquely()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # keeps prints of libraries out of the replies

    def send(*message: object) -> None:
        pickle.dump(message, replies)
        replies.flush()

    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            send("done", compute(task, lambda share: send("progress", share)), None)
        except EscError as error:
            send("done", None, error)
        except Exception:  # the next task may succeed
            print(f"feature {task.feature} failed:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            send("done", None, PageError("page.failed"))


if __name__ == "__main__":
    # as __main__ this module would have another FeatureTask than the pickled one
    from esc.features import worker

    limit_memory()
    worker.main()
