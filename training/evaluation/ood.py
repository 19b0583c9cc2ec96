"""Telling sounds of no known class: which score does it better, measured, and from which score on a sound counts as known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata

from esc.classification.calibration import UNKNOWN_SCORES, unknown_score
from esc.classification.classifier import Classifier
from esc.dsp.spectrogram import mel_db
from training.evaluation.ood_sounds import KINDS, SAMPLE_RATE, synthesise

LEFT_OUT = "left-out classes"
REFUSED = 0.05  # share of known sounds that the threshold may refuse
_A_KIND = 40
_AT_ONCE = 20


@dataclass(frozen=True)
class Separation:
    """How well a score tells the unknown from the known, on sounds that were held out.

    Attributes
    ----------
    score : str
        The better of `UNKNOWN_SCORES`.
    auroc : dict of str to float
        Of each score, over all kinds of unknown sounds together.
    kinds : dict of str to float
        AUROC of the better score for each kind.
    caught, false_alarms : float
        Shares of unknown and of known sounds below the threshold that refuses `REFUSED` of the known.
    """

    score: str
    auroc: dict[str, float]
    kinds: dict[str, float]
    caught: float
    false_alarms: float


def separate(known: np.ndarray, unknown: dict[str, np.ndarray], temperature: float) -> Separation:
    """Return which score separates better, from logits (clips, n_classes) of known sounds and of each kind of unknown ones."""
    together = np.concatenate(list(unknown.values()))
    auroc = {
        name: area_under_roc(scores(known, name, temperature), scores(together, name, temperature)) for name in UNKNOWN_SCORES
    }
    best = max(auroc, key=auroc.get)
    of_known, limit = scores(known, best, temperature), threshold(known, best, temperature)
    return Separation(
        score=best,
        auroc=auroc,
        kinds={kind: area_under_roc(of_known, scores(logits, best, temperature)) for kind, logits in unknown.items()},
        caught=float((scores(together, best, temperature) < limit).mean()),
        false_alarms=float((of_known < limit).mean()),
    )


def threshold(known: np.ndarray, score: str, temperature: float) -> float:
    """Return the score below which `REFUSED` of the known sounds lie."""
    return float(np.quantile(scores(known, score, temperature), REFUSED))


def scores(logits: np.ndarray, score: str, temperature: float) -> np.ndarray:
    """Return how well known each sound is, float32 (clips,), as `esc.classification.calibration` has it."""
    return unknown_score(torch.from_numpy(logits), score, temperature).numpy()


def area_under_roc(known: np.ndarray, unknown: np.ndarray) -> float:
    """Return how often a known sound scores higher than an unknown one, ties counted half: Mann and Whitney's U as a share."""
    ranks = rankdata(np.concatenate([known, unknown]))
    above = ranks[: len(known)].sum() - len(known) * (len(known) + 1) / 2
    return float(above / (len(known) * len(unknown)))


def logits_of_nonsense(classifier: Classifier, count: int = _A_KIND) -> dict[str, np.ndarray]:
    """Return what a network says of synthesised noises, tones and speech: logits (count, n_classes) of each kind."""
    found = {}
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng(number)
        made = (synthesise(kind, classifier.checkpoint.input.clip_seconds, rng) for _ in range(count))
        clips = torch.from_numpy(np.stack([classifier.clip(waveform, SAMPLE_RATE) for waveform in made]))
        parts = [classifier.logits(mel_db(part, classifier.checkpoint.spectrogram)) for part in clips.split(_AT_ONCE)]
        found[kind] = torch.cat(parts).float().cpu().numpy()
    return found
