"""Fit of the out-of-distribution detector on known and unknown training sounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from esc.classification.classifier import Classifier
from esc.classification.confidence.ood_detector import OodDetector
from esc.classification.confidence.ood_fit import fit_distance, fit_regression, make_detector, with_part_std
from esc.classification.resnet import layer_outputs, pooled_embedding
from esc.dsp.spectrogram import network_input
from training.data.esc50 import Clip, without_classes
from training.data.preprocessing import background_files, clip_recording, map_files, prepare
from training.engine.devices import precision
from training.evaluation.ood_sounds import RECORDED, recorded_sounds, synthetic_sounds

_BATCH = 25
_RECORDING = 101  # number of the random recordings; those for training have lower ones
_RECORDED_EVERY = 2  # training clips, of which one is also fitted as a random recording


@dataclass(frozen=True)
class Features:
    """Logits (clips, n_classes) and pooled activations (clips, n_pooled) of clips, float32."""

    logits: np.ndarray
    pooled: np.ndarray

    def __len__(self) -> int:
        return len(self.logits)

    def __getitem__(self, rows: np.ndarray) -> Features:
        return Features(self.logits[rows], self.pooled[rows])

    def tensors(self, detector: OodDetector) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and pooled activations on the detector's device."""
        device = detector.part_std.device
        return torch.from_numpy(self.logits).to(device), torch.from_numpy(self.pooled).to(device)


@dataclass(frozen=True)
class DetectorData:
    """Features to fit a detector, and of the clips that were held out."""

    known: Features  # of training clips: all of them, then random recordings of some
    known_targets: np.ndarray
    unknown: Features
    unknown_counts: dict[str, int]  # by kind
    held_out: Features
    held_out_targets: np.ndarray
    held_out_names: tuple[str, ...]

    @classmethod
    def of(cls, classifier: Classifier, unknown_folder: Path | None, clips: list[Clip], cache: Path) -> DetectorData:
        """Return the features of training and held-out clips, and of unknown sounds."""
        meta = classifier.checkpoint
        clips = without_classes(clips, tuple(meta.provenance.get("left_out_classes", ())))
        prepared = prepare(clips, meta.spectrogram, meta.input, cache)
        held_out_rows = np.flatnonzero(prepared.folds == meta.provenance["valid_fold"])
        train_rows = np.flatnonzero(np.isin(prepared.folds, meta.provenance["train_folds"]))
        recorded_rows = train_rows[::_RECORDED_EVERY]
        background = background_files(clips, np.random.default_rng(_RECORDING))
        paths = [clips[row].path for row in recorded_rows]
        recorded = map_files(
            clip_recording, [(path, background[path], _RECORDING, meta.spectrogram, meta.input) for path in paths]
        )
        unknown = synthetic_sounds(classifier, seed=0)
        if unknown_folder is not None:
            unknown[RECORDED] = recorded_sounds(unknown_folder, classifier)
        return cls(
            known=extract(classifier, chain((prepared.spectrograms_db[row] for row in train_rows), recorded), exact=False),
            known_targets=prepared.targets[np.concatenate([train_rows, recorded_rows])],
            unknown=extract(classifier, chain.from_iterable(one.spectrograms_db for one in unknown.values()), exact=False),
            unknown_counts={kind: len(one.labels) for kind, one in unknown.items()},
            held_out=extract(classifier, (prepared.spectrograms_db[row] for row in held_out_rows)),
            held_out_targets=prepared.targets[held_out_rows],
            held_out_names=tuple(prepared.names[row] for row in held_out_rows),
        )

    def fit(self) -> OodDetector:
        """Return the detector fitted on these features."""
        return fit_detector(self.known, self.known_targets, self.unknown, self.held_out)


@torch.inference_mode()
def extract(classifier: Classifier, spectrograms_db: Iterable[np.ndarray], exact: bool = True) -> Features:
    """Return the features of spectrograms (n_mels, n_frames) in dB.

    Those for fitting may be inexact: computed in bfloat16 where the hardware supports it, in half the time.
    """
    meta = classifier.checkpoint
    logits: list[np.ndarray] = []
    pooled: list[np.ndarray] = []
    dtype = precision(classifier.device, not exact, meta.spectrogram.n_frames(meta.clip_samples))
    for batch in _batches(spectrograms_db):
        scaled = network_input(torch.from_numpy(batch).to(classifier.device), meta.input)[:, None]
        with torch.autocast(classifier.device.type, dtype, enabled=dtype != torch.float32):
            outputs = layer_outputs(classifier.model, scaled.to(memory_format=torch.channels_last))
        for values, part in zip((logits, pooled), outputs[:2], strict=True):
            values.append(part.float().cpu().numpy())
    return Features(np.concatenate(logits), np.concatenate(pooled))


def fit_detector(known: Features, targets: np.ndarray, unknown: Features, held_out: Features) -> OodDetector:
    """Return a detector.

    Parameters
    ----------
    known : Features
        Of training clips, plain and distorted.
    targets : int64 array, shape (clips,)
        Of `known`.
    unknown : Features
        Of unknown sounds.
    held_out : Features
        Of known sounds that the network was not trained on: these standardise the parts of the score.
    """
    n_features = known.pooled.shape[1] * 8 // 45  # the last layer has 8 of 15 channels, each pooled in three ways
    embeddings = pooled_embedding(torch.from_numpy(known.pooled), n_features).double().numpy()
    detector = make_detector(fit_distance(embeddings, targets) | fit_regression(known.pooled, unknown.pooled))
    return standardised(detector, held_out)


@torch.inference_mode()
def standardised(detector: OodDetector, held_out: Features) -> OodDetector:
    """Return a detector whose parts have a standard deviation of 1 on held-out known sounds."""
    return with_part_std(detector, detector.parts(*held_out.tensors(detector)))


@torch.inference_mode()
def scores(detector: OodDetector, features: Features) -> np.ndarray:
    """Return the detector's scores, float32 (clips,)."""
    return detector(*features.tensors(detector)).cpu().numpy()


def _batches(spectrograms_db: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    batch: list[np.ndarray] = []
    for spectrogram_db in spectrograms_db:
        batch.append(spectrogram_db)
        if len(batch) == _BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
