"""Clips in device memory, and batches of network input made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import one_hot

from esc.dsp.spectrogram import network_input
from training.augmentation import acoustics, spectrogram
from training.augmentation.plan import Plan
from training.data.esc50 import UNKNOWN
from training.data.preprocessing import Prepared
from training.recipes import Recipe


@dataclass(frozen=True)
class Clips:
    """Clips in a device's memory; on a CPU their spectrograms stay on the disk, memory-mapped.

    Sounds of no class come last.
    """

    versions: tuple[torch.Tensor, ...]  # dB spectrograms (n, n_mels, n_frames) as they are, float32; recordings, float16
    rows: torch.Tensor  # int64 (clips,); the clips' rows in each version
    targets: torch.Tensor  # int64 (clips,)
    n_unknown: int

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def n_known(self) -> int:
        """Number of clips of the classes."""
        return len(self) - self.n_unknown

    def spectrograms_db(self, index: torch.Tensor, version: torch.Tensor | None = None) -> torch.Tensor:
        """Return some clips' dB spectrograms, float32 (clips, n_mels, n_frames)."""
        if version is None or len(self.versions) == 1:
            return self.versions[0][self.rows[index]]
        pairs = zip(version.tolist(), self.rows[index].tolist(), strict=True)
        return torch.stack([self.versions[number][row].float() for number, row in pairs])

    def soft_targets(self, index: torch.Tensor, n_classes: int) -> torch.Tensor:
        """Return one-hot targets, uniform for sounds of no class: float32 (clips, n_classes)."""
        targets = self.targets[index]
        known = one_hot(targets.clamp_min(0), n_classes).float()
        return torch.where(targets[:, None] == UNKNOWN, 1.0 / n_classes, known)


def on_device(prepared: Prepared, folds: tuple[int, ...], device: torch.device) -> Clips:
    """Return the clips of some folds on a device."""
    chosen = np.flatnonzero(np.isin(prepared.folds, folds))
    versions, rows = (prepared.spectrograms_db, *prepared.recordings), torch.from_numpy(chosen)
    if device.type != "cpu":
        versions, rows = tuple(part[chosen] for part in versions), torch.arange(len(chosen), device=device)
    targets = prepared.targets[chosen]
    found = tuple(torch.from_numpy(part).to(device) for part in versions)
    return Clips(found, rows, torch.from_numpy(targets).to(device), int((targets == UNKNOWN).sum()))


def network_batch(
    clips: Clips, index: torch.Tensor, part: torch.Tensor, plan: Plan | None, recipe: Recipe, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return this process's part of a batch, augmented and scaled, and its targets.

    Parameters
    ----------
    clips : Clips
    index : int64 tensor, shape (batch_size,)
        The whole batch.
    part : int64 tensor, shape (n,)
        The wanted positions in the batch.
    plan : Plan, optional
        For the whole batch; None disables augmentation.

    Returns
    -------
    float32 tensors, shapes (n, 1, n_mels, n_frames) and (n, n_classes)
    """
    device = clips.targets.device
    if plan is None:
        chosen = index[part].to(device)
        scaled, soft = network_input(clips.spectrograms_db(chosen), recipe.input), clips.soft_targets(chosen, n_classes)
    else:
        mixed, soft = _mixed(clips, index, part, plan, recipe, n_classes)
        own = plan.part(part, device)
        mixed = spectrogram.shift_bands(mixed, own)
        if recipe.augmentation is not None:
            mixed = acoustics.distort(mixed, own.acoustics, recipe.augmentation, recipe.spectrogram)
        scaled = spectrogram.mask(network_input(spectrogram.tilt(mixed, own), recipe.input), own)
    return scaled[:, None].to(memory_format=torch.channels_last), soft


def _mixed(
    clips: Clips, index: torch.Tensor, part: torch.Tensor, plan: Plan, recipe: Recipe, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return dB spectrograms (n, n_mels, n_frames) of mixed clips, and their targets."""
    needed, found = torch.unique(torch.cat([part, plan.partner[part]]), return_inverse=True)
    device = clips.targets.device
    own, other = found.to(device).chunk(2)
    chosen, ratio = index[needed].to(device), plan.ratio[part].to(device)
    moved, soft = plan.part(needed, device), clips.soft_targets(chosen, n_classes)
    shifted_db = spectrogram.shift_time(clips.spectrograms_db(chosen, moved.version), moved)
    mixed_db = spectrogram.mixup(shifted_db, own, other, ratio, recipe.spectrogram)
    return mixed_db, ratio[:, None] * soft[own] + (1.0 - ratio[:, None]) * soft[other]
