"""The process that computes layers: `python -m esc.features.worker`, tasks in by stdin, what becomes of them out by stdout.

librosa compiles on its first use and holds Python's lock meanwhile; here that stops nobody, and work that is no longer
wanted ends with its process. Both ends are this program's own and speak pickle: the parent sends `FeatureTask`s, the worker
answers each with any number of ("progress", share), then ("done", result), ("refused", key, values) or
("failed", trace). It ends when its stdin does.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.audio.sandbox import limit_memory
from esc.config import SpectrogramConfig
from esc.errors import EscError
from esc.features import FEATURES, SPECTROGRAMS, contours, spectrograms
from esc.features.chunks import OnProgress


@dataclass(frozen=True)
class FeatureTask:
    """One layer to compute.

    Attributes
    ----------
    feature : str
        One of `FEATURES`.
    config : SpectrogramConfig
        The picture's.
    samples : float32 array or Path
        The waveform at the layer's rate (`feature_sample_rate`), or the file of raw float32 in which it is mapped.
    start_s, end_s : float
        The stretch that is shown.
    columns : int
        Most values over time.
    rows : spectrograms.Rows
        The picture's rows.
    high_db : float or None
        What the brightest colour stands for, where the layer is to be compared with its picture.
    """

    feature: str
    config: SpectrogramConfig
    samples: np.ndarray | Path
    start_s: float
    end_s: float
    columns: int
    rows: spectrograms.Rows
    high_db: float | None


def compute(task: FeatureTask, on_progress: OnProgress) -> dict:
    """Return a layer: of lines and times their arrays by name, of pictures 8-bit levels with their range and edges.

    Returns
    -------
    dict
        Float arrays by name, or "levels" (uint8, rows x columns), "low", "high" (what 0 and 255 stand for),
        "decibels", "bounds_hz", "start_s", "end_s".
    """
    samples = task.samples if isinstance(task.samples, np.ndarray) else np.memmap(task.samples, np.float32, mode="r")
    if task.feature not in FEATURES:
        raise ValueError(f"no layer {task.feature}")
    if task.feature not in SPECTROGRAMS:
        return getattr(contours, task.feature)(samples, task.config, task.start_s, task.end_s, task.columns, on_progress)
    drawn = getattr(spectrograms, task.feature)(
        samples, task.config, task.rows, task.start_s, task.end_s, task.columns, on_progress
    )
    values = drawn.values
    high = float(values.max()) if task.high_db is None else task.high_db
    low = high - task.config.top_db if drawn.decibels else 0.0
    share = (values - low) / max(high - low, 1e-9)
    hop_s = task.config.hop_length / task.config.sample_rate
    return {
        "levels": np.rint(np.clip(share, 0.0, 1.0) * 255).astype(np.uint8),
        "low": low,
        "high": high,
        "decibels": drawn.decibels,
        "bounds_hz": drawn.bounds_hz,
        "start_s": (drawn.first - 0.5) * hop_s,
        "end_s": (drawn.last + 0.5) * hop_s,
    }


def main() -> None:
    """Compute what comes in until no more comes."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not get among the answers

    def send(*message: object) -> None:
        pickle.dump(message, answers)
        answers.flush()

    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            send("done", compute(task, lambda share: send("progress", share)))
        except EscError as error:
            send("refused", error.key, error.values)
        except Exception:  # whatever it was, the next task may be fine
            send("failed", traceback.format_exc())


if __name__ == "__main__":
    # run as a program this module is __main__, and would not be the one that the tasks' classes come from
    from esc.features import worker

    limit_memory()
    worker.main()
