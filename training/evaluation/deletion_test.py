"""Deletion test of the saliency maps of `esc.classification.saliency.maps` (after Petsiuk et al., 2018, "RISE").

Cells of the network's input are covered and the probability of the class is computed again. The cells that a map ranks
highest are compared with two controls of the same area: the same map shifted at random in time and frequency, and the
loudest cells at the map's resolution. The regions that the page outlines are compared with themselves shifted at random.

A covered cell gets the mean of the input, as in SpecAugment: the network knows such inputs from training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from esc.classification.classifier import Classifier
from esc.classification.confidence.scores import calibrated_probabilities
from esc.classification.reduced_precision import FLOAT32
from esc.classification.saliency.maps import FINE_LAYER, heat_maps, smoothed
from esc.classification.saliency.regions import region_cells
from esc.dsp.spectrogram import network_input
from training.data.esc50 import Clip
from training.evaluation.held_out_log import fold_data, log_evaluation
from training.runs.progress import progress_bar

SHARES = (0.1, 0.2, 0.3)
METHOD = f"Grad-CAM of layer4 times LayerCAM of {FINE_LAYER}"
DRAWS = 5
_BATCH = 25


@dataclass(frozen=True, eq=False)
class Deletion:
    """Probabilities of each clip's most likely class."""

    before: np.ndarray  # float32 (clips,); with the whole spectrogram
    marked: np.ndarray  # float32 (shares, clips); with the map's highest cells covered
    random: np.ndarray  # with those of the shifted map, mean of several draws
    loudest: np.ndarray  # with the loudest cells
    outlined: np.ndarray  # float32 (clips,); with the outlined regions covered
    outlined_random: np.ndarray  # with the shifted regions, mean of several draws
    outlined_share: np.ndarray  # of the cells that are outlined
    predicted: np.ndarray  # int64 (clips,); the class

    def figures(self) -> dict:
        """Return the means in the form of `esc.classification.checkpoint_files.metrics`."""
        means = {name: getattr(self, name).mean(axis=1).tolist() for name in ("marked", "random", "loudest")}
        about = {"clips": len(self.before), "method": METHOD, "shares": list(SHARES), "before": float(self.before.mean())}
        outlined = {"share": self.outlined_share, "marked": self.outlined, "random": self.outlined_random}
        return about | means | {"outlined": {name: float(values.mean()) for name, values in outlined.items()}}


def deletion_test(
    classifier: Classifier,
    spectrograms_db: torch.Tensor,
    draws: int = DRAWS,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Deletion:
    """Return the effect of covering parts of dB spectrograms (clips, n_mels, n_frames).

    `draws`: random shifts per spectrogram. `on_progress` receives the number of spectrograms just finished.
    """
    rngs = [torch.Generator().manual_seed(seed + i) for i in range(2)]  # one each, so that neither test moves the other's
    batches = []
    for batch in spectrograms_db.split(_BATCH):
        batches.append(_test_batch(classifier, batch, draws, *rngs))
        on_progress(len(batch))
    columns = (np.concatenate(column, axis=-1) for column in zip(*batches, strict=True))
    return Deletion(*columns)


def _test_batch(
    classifier: Classifier, spectrograms_db: torch.Tensor, draws: int, rng: torch.Generator, region_rng: torch.Generator
) -> tuple[np.ndarray, ...]:
    scaled = network_input(spectrograms_db, classifier.checkpoint.input)
    probabilities = _probabilities(classifier, scaled)
    targets = probabilities.argmax(dim=1)

    def left(inputs: torch.Tensor) -> np.ndarray:
        """Return (clips,): the probability of the target."""
        return _probabilities(classifier, inputs).gather(1, targets[:, None])[:, 0].numpy()

    def covered(maps: torch.Tensor) -> np.ndarray:
        """Return (shares, clips): the probability after covering a map's highest cells."""
        return np.stack([left(cover(scaled, maps, share)) for share in SHARES])

    maps = heat_maps(classifier, spectrograms_db, targets)
    random = np.mean([covered(shift_randomly(maps, rng)) for _ in range(draws)], axis=0)
    cells = torch.from_numpy(np.stack([region_cells(heat) for heat in maps.numpy()]))
    elsewhere = np.mean([left(cover_cells(scaled, shift_randomly(cells, region_rng))) for _ in range(draws)], axis=0)
    outlined = left(cover_cells(scaled, cells)), elsewhere, cells.flatten(1).float().mean(dim=1).numpy()
    return probabilities.amax(dim=1).numpy(), covered(maps), random, covered(smoothed(scaled)), *outlined, targets.numpy()


def run_deletion_test(folder: Path, clips: list[Clip], fold: int, cache: Path, evaluation_log: Path) -> Deletion:
    """Return `deletion_test` of a checkpoint on one fold, logged if held out."""
    classifier = Classifier.load(folder, precision=FLOAT32)
    prepared = fold_data(classifier.checkpoint, clips, fold, cache)
    spectrograms_db = torch.from_numpy(prepared.spectrograms_db)
    with progress_bar() as bar:
        task = bar.add_task("covering", total=len(spectrograms_db), detail="")
        found = deletion_test(classifier, spectrograms_db, on_progress=lambda count: bar.advance(task, count))
    accuracy = float((found.predicted == prepared.targets).mean())
    log_evaluation(evaluation_log, folder, classifier.checkpoint, fold, accuracy)
    return found


def cover(scaled: torch.Tensor, maps: torch.Tensor, share: float) -> torch.Tensor:
    """Return spectrograms (clips, n_mels, n_frames) with the highest cells of `maps` replaced by the mean."""
    count = round(share * maps[0].numel())
    highest = maps.flatten(1).topk(count, dim=1).indices
    means = scaled.flatten(1).mean(dim=1, keepdim=True)
    return scaled.flatten(1).scatter(1, highest, means.expand(-1, count)).view_as(scaled)


def cover_cells(scaled: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Return spectrograms (clips, n_mels, n_frames) with boolean `cells` replaced by the mean."""
    return torch.where(cells, scaled.mean(dim=(1, 2), keepdim=True), scaled)


def shift_randomly(maps: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Return each map (clips, n_mels, n_frames) shifted circularly in time and frequency."""
    shifts = [[int(torch.randint(length, (1,), generator=rng)) for length in one.shape] for one in maps]
    return torch.stack([one.roll(shift, (0, 1)) for one, shift in zip(maps, shifts, strict=True)])


@torch.inference_mode()
def _probabilities(classifier: Classifier, scaled: torch.Tensor) -> torch.Tensor:
    batch = scaled[:, None].to(classifier.device, memory_format=torch.channels_last)
    return calibrated_probabilities(classifier.model(batch), classifier.checkpoint.calibration).cpu()
