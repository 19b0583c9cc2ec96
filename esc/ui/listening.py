"""The one classifier of the app, loaded once, and the step that may run on a borrowed GPU."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from esc.classifier import Classifier, Prediction

try:
    import spaces  # only Hugging Face's ZeroGPU machines have it
except ImportError:

    def on_gpu(function):
        """Leave a function as it is: no GPU is lent here."""
        return function
else:
    on_gpu = spaces.GPU(duration=15)


@lru_cache(maxsize=2)
def classifier(path: Path) -> Classifier:
    """Return the classifier of a checkpoint's folder; a failure is not kept, so a restored folder works at once."""
    return Classifier.load(path)


@on_gpu
def predict(path: Path, waveform: np.ndarray, sample_rate: int, top_k: int = 5) -> Prediction:
    """Return what the checkpoint in `path` says of a waveform's first clip."""
    return classifier(path).predict(waveform, sample_rate, top_k)
