"""The deletion test: does a heat map of `esc.classification.saliency` mark what the network needs?

Cells of the network's input are covered and the probability of the class is read again (after Petsiuk et al., 2018,
"RISE"). What the map marks most is held against two controls that cover as much: the same shapes elsewhere (the map
turned around in time and in frequency by chance), and the loudest places at the map's own resolution, which a network
can be expected to need without any map.

A covered cell gets the mean of the input. That is what SpecAugment covers with in training, so the network knows such
pictures and does not merely stumble over an edge that it never saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from esc.classification.calibration import calibrated_probabilities
from esc.classification.classifier import Classifier
from esc.classification.saliency import FINE_LAYER, heat_maps, smoothed
from esc.dsp.spectrogram import network_input
from training.data.esc50 import Clip, check_folds, without_classes
from training.data.preprocessing import prepare
from training.evaluation.held_out_log import record_held_out
from training.runs.progress import progress_bar

SHARES = (0.1, 0.2, 0.3)
METHOD = f"Grad-CAM of layer4 times LayerCAM of {FINE_LAYER}"
DRAWS = 5
_BATCH = 25


@dataclass(frozen=True, eq=False)
class Deletion:
    """Probabilities of each clip's own likeliest class.

    Attributes
    ----------
    before : float32 array, shape (clips,)
        With the picture as it is.
    marked, random, loudest : float32 arrays, shape (shares, clips)
        With a share of the picture covered: what the map marks most, as much elsewhere (mean of several draws), the
        loudest places.
    guesses : int64 array, shape (clips,)
        That class.
    """

    before: np.ndarray
    marked: np.ndarray
    random: np.ndarray
    loudest: np.ndarray
    guesses: np.ndarray

    def figures(self) -> dict:
        """Return the means, as `esc.classification.metrics_file` keeps them."""
        means = {name: getattr(self, name).mean(axis=1).tolist() for name in ("marked", "random", "loudest")}
        about = {"clips": len(self.before), "method": METHOD, "shares": list(SHARES), "before": float(self.before.mean())}
        return about | means


def deletion_test(
    classifier: Classifier,
    spectrograms_db: torch.Tensor,
    draws: int = DRAWS,
    seed: int = 0,
    done: Callable[[int], None] = lambda count: None,
) -> Deletion:
    """Return what covering parts of dB pictures (clips, n_mels, n_frames) does to the likeliest class of each.

    `draws`: how often "elsewhere" is chosen anew for each picture. `done` is told how many pictures more are done.
    """
    rng, parts = torch.Generator().manual_seed(seed), []
    for part in spectrograms_db.split(_BATCH):
        parts.append(_tested(classifier, part, draws, rng))
        done(len(part))
    columns = (np.concatenate(column, axis=-1) for column in zip(*parts, strict=True))
    return Deletion(*columns)


def _tested(classifier: Classifier, spectrograms_db: torch.Tensor, draws: int, rng: torch.Generator) -> tuple[np.ndarray, ...]:
    scaled = network_input(spectrograms_db, classifier.checkpoint.input)
    probabilities = _probabilities(classifier, scaled)
    targets = probabilities.argmax(dim=1)

    def left(maps: torch.Tensor) -> np.ndarray:
        """Return (shares, clips): the probability that is left when a map's highest cells are covered."""
        covered = (cover(scaled, maps, share) for share in SHARES)
        return torch.stack([_probabilities(classifier, part).gather(1, targets[:, None])[:, 0] for part in covered]).numpy()

    maps = heat_maps(classifier, spectrograms_db, targets)
    random = np.mean([left(turned(maps, rng)) for _ in range(draws)], axis=0)
    return probabilities.amax(dim=1).numpy(), left(maps), random, left(smoothed(scaled)), targets.numpy()


def maps_tested(folder: Path, clips: list[Clip], fold: int, cache: Path, readings: Path) -> Deletion:
    """Return `deletion_test` of a checkpoint's folder on all clips of one fold, with a progress bar.

    Classes that its training left out are left out here too. Where the fold was held out, the log `readings` gets a row.

    Raises
    ------
    DataError, CheckpointError
        As `training.evaluation.held_out_log.read_fold` does.
    """
    check_folds(clips, (fold,))
    classifier = Classifier.load(folder)
    clips = without_classes(clips, tuple(classifier.checkpoint.provenance.get("without", ())))
    prepared = prepare(clips, classifier.checkpoint.spectrogram, classifier.checkpoint.input, cache)
    chosen = np.flatnonzero(prepared.folds == fold)
    with progress_bar() as bar:
        task = bar.add_task("covering", total=len(chosen), said="")
        found = deletion_test(
            classifier, torch.from_numpy(prepared.spectrograms_db[chosen]), done=lambda count: bar.advance(task, count)
        )
    accuracy = float((found.guesses == prepared.targets[chosen]).mean())
    record_held_out(readings, folder, classifier.checkpoint, fold, accuracy)
    return found


def cover(scaled: torch.Tensor, maps: torch.Tensor, share: float) -> torch.Tensor:
    """Return pictures (clips, n_mels, n_frames) whose cells with the highest values in `maps` are their means."""
    count = round(share * maps[0].numel())
    highest = maps.flatten(1).topk(count, dim=1).indices
    means = scaled.flatten(1).mean(dim=1, keepdim=True)
    return scaled.flatten(1).scatter(1, highest, means.expand(-1, count)).view_as(scaled)


def turned(maps: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Return each map (clips, n_mels, n_frames) turned around in time and frequency by chance: same shapes elsewhere."""
    shifts = [[int(torch.randint(length, (1,), generator=rng)) for length in one.shape] for one in maps]
    return torch.stack([one.roll(shift, (0, 1)) for one, shift in zip(maps, shifts, strict=True)])


@torch.inference_mode()
def _probabilities(classifier: Classifier, scaled: torch.Tensor) -> torch.Tensor:
    given = scaled[:, None].to(classifier.device, memory_format=torch.channels_last)
    return calibrated_probabilities(classifier.model(given), classifier.checkpoint.calibration).cpu()
