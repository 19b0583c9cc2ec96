"""Figures of a network on clips it was not trained on."""

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
class Figures:
    """What was measured on `clips` clips.

    Attributes
    ----------
    accuracy, loss, ece : float
        Share of right first guesses; mean cross-entropy in nats; expected calibration error over 15 equal bins.
    clips : int
    probabilities, logits : float32 arrays, shape (clips, n_classes)
    """

    accuracy: float
    loss: float
    ece: float
    clips: int
    probabilities: np.ndarray
    logits: np.ndarray


@torch.inference_mode()
def score(
    model: nn.Module, spectrograms_db: torch.Tensor, targets: torch.Tensor, input_config: InputConfig, group: Group = ALONE
) -> Figures:
    """Return the figures of a network in evaluation mode for dB pictures (clips, n_mels, n_frames) and their targets.

    Several processes share the clips, so that each is scored once, and all get the figures of all.
    """
    model.eval()
    mine = torch.arange(len(targets), device=spectrograms_db.device).tensor_split(group.size)[group.rank]
    parts = (network_input(spectrograms_db[part], input_config)[:, None] for part in mine.split(_BATCH))
    answers = torch.cat([model(part.to(memory_format=torch.channels_last)).float() for part in parts])
    logits = answers.new_zeros(len(targets), answers.shape[1])
    logits[mine] = answers
    group.add([logits])  # zeros where another process has scored
    return figures_of(logits.cpu().numpy(), targets.cpu().numpy())


def figures_of(logits: np.ndarray, targets: np.ndarray) -> Figures:
    """Return the figures of logits (clips, n_classes) for targets (clips,)."""
    answers = torch.from_numpy(logits)
    probabilities = answers.softmax(dim=1).numpy()
    return Figures(
        accuracy=float((logits.argmax(axis=1) == targets).mean()),
        loss=float(nn.functional.cross_entropy(answers, torch.from_numpy(targets))),
        ece=expected_calibration_error(probabilities, targets),
        clips=len(targets),
        probabilities=probabilities,
        logits=logits,
    )


def expected_calibration_error(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean distance between confidence and accuracy over 15 equal bins (Guo et al., 2017), 0 to 1."""
    counts, confidence, right = calibration_bins(probabilities, targets)
    return float(np.abs(confidence - right).sum() / counts.sum())


def calibration_bins(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per bin of confidence: clips, sum of their confidences, number of right answers; each of shape (15,)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return tuple(np.bincount(bins, weights, minlength=_BINS) for weights in (None, confidence, right))


def confusion_matrix(targets: np.ndarray, guesses: np.ndarray, n_classes: int) -> np.ndarray:
    """Return how many clips of each class (row) were taken for each class (column), int64 (n_classes, n_classes)."""
    return np.bincount(targets * n_classes + guesses, minlength=n_classes**2).reshape(n_classes, n_classes)


def recall_per_class(confusion: np.ndarray) -> np.ndarray:
    """Return the share of each class's clips that were recognised, float64 (n_classes,); NaN where it has none."""
    clips = confusion.sum(axis=1)
    return np.divide(np.diag(confusion), clips, out=np.full(len(clips), np.nan), where=clips > 0)


def most_confused(confusion: np.ndarray, count: int) -> list[tuple[int, int, int]]:
    """Return the `count` commonest mistakes as (true class, guess, clips), commonest first."""
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    pairs = (divmod(int(flat), len(confusion)) for flat in order)
    return [(true, guess, int(mistakes[true, guess])) for true, guess in pairs if mistakes[true, guess]]
