"""The one classifier of the app, loaded once, and the step that may run on a borrowed GPU."""

from __future__ import annotations

import logging
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np

from esc.classifier import Classifier, Prediction
from esc.errors import EscError
from esc.ui.gpu import on_gpu


@lru_cache(maxsize=2)
def classifier(path: Path) -> Classifier:
    """Return the classifier of a checkpoint's folder; a failure is not kept, so a restored folder works at once."""
    return Classifier.load(path)


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


@on_gpu
def predict(path: Path, waveform: np.ndarray, sample_rate: int, top_k: int = 5) -> Prediction:
    """Return what the checkpoint in `path` says of a waveform's first clip."""
    return classifier(path).predict(waveform, sample_rate, top_k)
