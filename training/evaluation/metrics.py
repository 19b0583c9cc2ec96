"""Accuracy, loss, calibration error and confusions of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from esc.config import InputConfig
from esc.dsp.spectrogram import network_input
from training.engine.distributed import ALONE, Group

_BATCH = 50
_BINS = 15


@dataclass(frozen=True)
class Metrics:
    """Metrics on `clips` clips."""

    accuracy: float
    loss: float  # mean cross-entropy in nats
    ece: float  # expected calibration error over 15 equal bins
    clips: int
    probabilities: np.ndarray  # float32 (clips, n_classes)
    logits: np.ndarray  # float32 (clips, n_classes)


@torch.inference_mode()
def evaluate(
    model: nn.Module, spectrograms_db: torch.Tensor, targets: torch.Tensor, config: InputConfig, group: Group = ALONE
) -> Metrics:
    """Return a network's metrics for dB spectrograms (clips, n_mels, n_frames) and their targets.

    The processes of a group share the clips, and all get the metrics of all clips.
    """
    model.eval()
    mine = torch.arange(len(targets), device=spectrograms_db.device).tensor_split(group.size)[group.rank]
    batches = (network_input(spectrograms_db[part], config)[:, None] for part in mine.split(_BATCH))
    outputs = torch.cat([model(batch.to(memory_format=torch.channels_last)).float() for batch in batches])
    logits = outputs.new_zeros(len(targets), outputs.shape[1])
    logits[mine] = outputs
    group.all_reduce([logits])  # zeros where another process has the clip
    return compute_metrics(logits.cpu().numpy(), targets.cpu().numpy())


def compute_metrics(logits: np.ndarray, targets: np.ndarray) -> Metrics:
    """Return the metrics of logits (clips, n_classes) for targets (clips,)."""
    outputs = torch.from_numpy(logits)
    probabilities = outputs.softmax(dim=1).numpy()
    return Metrics(
        accuracy=float((logits.argmax(axis=1) == targets).mean()),
        loss=float(nn.functional.cross_entropy(outputs, torch.from_numpy(targets))),
        ece=expected_calibration_error(probabilities, targets),
        clips=len(targets),
        probabilities=probabilities,
        logits=logits,
    )


def expected_calibration_error(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the expected calibration error over 15 equal bins (Guo et al., 2017)."""
    counts, confidence, correct = calibration_bins(probabilities, targets)
    return float(np.abs(confidence - correct).sum() / counts.sum())


def calibration_bins(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return clips, summed confidences and correct clips of each bin, shapes (15,)."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == targets
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    counts, confidences, corrects = (np.bincount(bins, weights, minlength=_BINS) for weights in (None, confidence, correct))
    return counts, confidences, corrects


def confusion_matrix(targets: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the number of clips per true (row) and predicted class (column), int64 (n_classes, n_classes)."""
    return np.bincount(targets * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def recall_per_class(confusion: np.ndarray) -> np.ndarray:
    """Return the recall of each class, float64 (n_classes,); NaN for a class without clips."""
    clips = confusion.sum(axis=1)
    return np.divide(np.diag(confusion), clips, out=np.full(len(clips), np.nan), where=clips > 0)


def most_confused(confusion: np.ndarray, count: int) -> list[tuple[int, int, int]]:
    """Return the most frequent mistakes as (true class, predicted class, clips)."""
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    pairs = (divmod(int(flat), len(confusion)) for flat in order)
    return [(true, predicted, int(mistakes[true, predicted])) for true, predicted in pairs if mistakes[true, predicted]]
