"""Out-of-distribution detection: compares scores by AUROC and sets the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata

from esc.classification.calibration import UNKNOWN_SCORES, UnknownScore, unknown_score
from esc.classification.classifier import Classifier
from esc.dsp.spectrogram import clip_mel_db
from training.evaluation.ood_sounds import KINDS, SAMPLE_RATE, synthesise

LEFT_OUT = "left-out classes"
REFUSED = 0.05  # share of known sounds below the threshold
_SOUNDS_PER_KIND = 40
_BATCH = 20


@dataclass(frozen=True)
class OodSample:
    """Logits (clips, n_classes) of known sounds and of each kind of unknown ones."""

    known: np.ndarray
    unknown: dict[str, np.ndarray]

    def aurocs(self, score: str, temperature: float) -> dict[str, float]:
        """Return a score's AUROC for each kind of unknown sounds."""
        known = scores(self.known, score, temperature)
        return {kind: auroc(known, scores(logits, score, temperature)) for kind, logits in self.unknown.items()}

    def mean_auroc(self, score: str, temperature: float) -> float:
        """Return the mean over the kinds: each counts the same, however many sounds it has."""
        return float(np.mean(list(self.aurocs(score, temperature).values())))


@dataclass(frozen=True)
class OodMetrics:
    """Out-of-distribution metrics on sounds that had no part in the choice of the score."""

    score: UnknownScore  # the chosen one of `UNKNOWN_SCORES`
    auroc: dict[str, float]  # mean over the kinds, for each score
    kinds: dict[str, float]  # AUROC of the chosen score for each kind
    caught: float  # share of unknown sounds, mean over the kinds, below the threshold
    false_alarms: float  # share of known sounds below it
    selection_clips: int  # number of sounds by which the score was chosen


def evaluate_ood(selection: OodSample, test: OodSample, temperature: float) -> OodMetrics:
    """Choose the better score on `selection`, and return its metrics on `test`."""
    best = max(UNKNOWN_SCORES, key=lambda score: selection.mean_auroc(score, temperature))
    limit = threshold(test.known, best, temperature)
    below = [(scores(logits, best, temperature) < limit).mean() for logits in test.unknown.values()]
    return OodMetrics(
        score=best,
        auroc={score: test.mean_auroc(score, temperature) for score in UNKNOWN_SCORES},
        kinds=test.aurocs(best, temperature),
        caught=float(np.mean(below)),
        false_alarms=float((scores(test.known, best, temperature) < limit).mean()),
        selection_clips=len(selection.known) + sum(map(len, selection.unknown.values())),
    )


def threshold(known: np.ndarray, score: str, temperature: float) -> float:
    """Return the score below which `REFUSED` of the known sounds lie."""
    return float(np.quantile(scores(known, score, temperature), REFUSED))


def scores(logits: np.ndarray, score: str, temperature: float) -> np.ndarray:
    """Return how certainly each sound is a known one, float32 (clips,); see `esc.classification.calibration`."""
    return unknown_score(torch.from_numpy(logits), score, temperature).numpy()


def auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """Return the area under the ROC curve, ties counted half (Mann-Whitney U)."""
    ranks = rankdata(np.concatenate([known, unknown]))
    above = ranks[: len(known)].sum() - len(known) * (len(known) + 1) / 2
    return float(above / (len(known) * len(unknown)))


def synthetic_logits(classifier: Classifier, count: int = _SOUNDS_PER_KIND) -> dict[str, np.ndarray]:
    """Return logits (count, n_classes) for each kind of synthetic sounds."""
    found = {}
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng(number)
        sounds = (synthesise(kind, classifier.checkpoint.input.clip_seconds, rng) for _ in range(count))
        clips = torch.from_numpy(np.stack([classifier.clip(waveform, SAMPLE_RATE) for waveform in sounds]))
        batches = [classifier.logits(clip_mel_db(batch, classifier.checkpoint.spectrogram)) for batch in clips.split(_BATCH)]
        found[kind] = torch.cat(batches).float().cpu().numpy()
    return found
