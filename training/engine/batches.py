"""Clips in device memory, and batches of network input made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import one_hot

from esc.dsp.spectrogram import network_input
from training.augmentation import spectrogram
from training.augmentation.plan import Plan
from training.data.preprocessing import Prepared
from training.recipes import Recipe


@dataclass(frozen=True)
class Clips:
    """Clips in memory."""

    spectrograms_db: torch.Tensor  # float32 (clips, n_mels, n_frames)
    targets: torch.Tensor  # int64 (clips,)

    def __len__(self) -> int:
        return len(self.targets)

    def one_hot(self, index: torch.Tensor, n_classes: int) -> torch.Tensor:
        """Return the targets of some clips, float32 (clips, n_classes)."""
        return one_hot(self.targets[index], n_classes).float()


def on_device(prepared: Prepared, folds: tuple[int, ...], device: torch.device) -> Clips:
    """Return the clips of some folds in a device's memory."""
    chosen = np.flatnonzero(np.isin(prepared.folds, folds))
    return Clips(*(torch.from_numpy(part[chosen]).to(device) for part in (prepared.spectrograms_db, prepared.targets)))


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
        scaled, soft = network_input(clips.spectrograms_db[chosen], recipe.input), clips.one_hot(chosen, n_classes)
    else:
        mixed, soft = _mixed(clips, index, part, plan, recipe, n_classes)
        own = plan.part(part, device)
        mixed = spectrogram.tilt(spectrogram.shift_bands(mixed, own), own)
        scaled = spectrogram.mask(network_input(mixed, recipe.input), own)
    return scaled[:, None].to(memory_format=torch.channels_last), soft


def _mixed(
    clips: Clips, index: torch.Tensor, part: torch.Tensor, plan: Plan, recipe: Recipe, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return dB spectrograms (n, n_mels, n_frames) of mixed clips, and their targets."""
    needed, found = torch.unique(torch.cat([part, plan.partner[part]]), return_inverse=True)
    device = clips.targets.device
    own, other = found.to(device).chunk(2)
    chosen, ratio = index[needed].to(device), plan.ratio[part].to(device)
    soft = clips.one_hot(chosen, n_classes)
    shifted_db = spectrogram.shift_time(clips.spectrograms_db[chosen], plan.part(needed, device))
    mixed_db = spectrogram.mix(shifted_db, own, other, ratio, recipe.spectrogram)
    return mixed_db, ratio[:, None] * soft[own] + (1.0 - ratio[:, None]) * soft[other]
