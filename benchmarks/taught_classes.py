"""Accuracy of classes taught from few examples to a network that was trained without them.

python -m benchmarks.taught_classes CHECKPOINT [--classes NAME,NAME] [--examples 10] [--draws 5]

The classes are those of ESC-50 that were left out of the network (`training train --leave-out-classes`). In each draw some clips
of each are taught, and all others are classified. The clips of all other classes measure what is refused.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from esc.audio.io import load_audio
from esc.classification.classifier import Classifier
from esc.classification.confidence.scores import calibrated_probabilities, known_and_sure
from esc.classification.teaching.backbone import Backbone
from esc.classification.teaching.teach import Example, teach
from training.data.esc50 import Clip, read_clips
from training.evaluation.ood import auroc

UNKNOWN_PER_CLASS = 4


def main() -> None:
    """Print accuracy, refused shares and times of each draw, and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, default=os.environ.get("ESC50_DIR"), help="Folder of ESC-50.")
    parser.add_argument("--classes", help="Comma-separated; by default those left out of the checkpoint.")
    parser.add_argument("--examples", type=int, default=10, help="Taught clips of each class.")
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args()
    if given.data is None:
        parser.error("--data or ESC50_DIR has to name the folder of ESC-50")
    backbone = Backbone(Classifier.load(given.checkpoint))
    left_out = backbone.classifier.checkpoint.provenance.get("left_out_classes", ())
    classes = given.classes.split(",") if given.classes else list(left_out)
    if not classes:
        parser.error("no class was left out of this checkpoint: name some by --classes")
    if not set(classes) <= set(left_out):
        print("note: the network was trained on some of these classes: this is no measure of teaching")
    clips = [clip for clip in read_clips(Path(given.data)) if clip.category in classes]
    others = _others(read_clips(Path(given.data)), classes)
    began = time.monotonic()
    features = {clip.name: _features(backbone, clip) for clip in clips}
    seconds = (time.monotonic() - began) / len(clips)
    print(f"{len(classes)} classes: {', '.join(classes)}; {seconds:.3f} s a clip for its embedding")
    unknown = np.concatenate([_features(backbone, clip) for clip in others])
    rows = [_draw(backbone, clips, features, unknown, (given.examples, draw)) for draw in range(given.draws)]
    mean = [float(np.mean(column)) for column in zip(*rows, strict=True)]
    print(
        f"mean of {given.draws} draws: accuracy {mean[0]:.3f} (cross-validated {mean[1]:.3f}), own refused {mean[2]:.3f}, ",
        end="",
    )
    print(f"others refused {mean[3]:.3f}, AUROC {mean[4]:.3f}, {mean[5]:.1f} s to teach from embeddings")


def _draw(
    backbone: Backbone, clips: list[Clip], features: dict[str, np.ndarray], unknown: np.ndarray, how: tuple[int, int]
) -> tuple[float, ...]:
    """Return accuracy, cross-validated accuracy, refused shares, AUROC and seconds of a draw."""
    (n_examples, seed), examples, tested = how, [], []
    for label in sorted({clip.category for clip in clips}):
        names = [clip for clip in clips if clip.category == label]
        order = np.random.default_rng([seed, len(examples)]).permutation(len(names))
        examples += [Example(names[row].name, label, features[names[row].name], names[row].source) for row in order[:n_examples]]
        taught_sources = {one.recording for one in examples}
        tested += [names[row] for row in order[n_examples:] if names[row].source not in taught_sources]
    began = time.monotonic()
    taught = teach(backbone, examples)
    seconds = time.monotonic() - began
    own = [_judge(backbone, taught, features[clip.name]) for clip in tested]
    right = [taught.checkpoint.class_names[probabilities.mean(axis=0).argmax()] for probabilities, *_ in own]
    accuracy = float(np.mean([guess == clip.category for guess, clip in zip(right, tested, strict=True)]))
    _, known, scores = _judge(backbone, taught, unknown)
    own_scores = np.concatenate([one[2] for one in own])
    refused = float(np.mean(~np.concatenate([one[1] for one in own])))
    row = (accuracy, taught.figures["accuracy"], refused, float(np.mean(~known)), auroc(own_scores, scores), seconds)
    print(f"draw {seed + 1}: accuracy {accuracy:.3f} on {len(tested)} clips, AUROC {row[4]:.3f}")
    return row


def _judge(backbone: Backbone, taught, pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities, known and scores of windows."""
    with torch.inference_mode():
        logits = taught.model.fc(torch.from_numpy(backbone.embeddings(pooled)))
        scores = taught.detector(logits, torch.from_numpy(pooled))
        probabilities = calibrated_probabilities(logits, taught.checkpoint.calibration)
        known, _ = known_and_sure(probabilities, scores, taught.checkpoint.calibration)
    return probabilities.numpy(), known.numpy(), scores.numpy()


def _features(backbone: Backbone, clip: Clip) -> np.ndarray:
    waveform, rate = load_audio(clip.path)
    found = list(backbone.windows([waveform], rate))
    return np.concatenate(found) if found else backbone.unknown[:0]


def _others(clips: list[Clip], classes: list[str]) -> list[Clip]:
    """Return some clips of each other class, of the fold that the network was not trained on."""
    found: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.category not in classes and clip.fold == 5:
            found.setdefault(clip.category, []).append(clip)
    return [clip for several in found.values() for clip in several[:UNKNOWN_PER_CLASS]]


if __name__ == "__main__":
    main()
