"""Clips in device memory, and batches of network input made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import one_hot

from esc.dsp.spectrogram import mel_db, network_input
from training.augmentation import spectrogram, waveform
from training.augmentation.plan import Plan
from training.data.preprocessing import Prepared
from training.recipes import Recipe

_CHUNK = 50  # waveforms converted to spectrograms at once


@dataclass(frozen=True)
class Clips:
    """Clips in memory, as dB spectrograms or as waveforms."""

    # float32 spectrograms (clips, n_mels, n_frames), or int16 waveforms (clips, n_samples), memory-mapped on a CPU
    values: torch.Tensor
    scales: torch.Tensor | None  # float32 (clips,); full scale of each waveform; None for spectrograms
    rows: torch.Tensor  # int64 (n,); the selected rows of `values`
    targets: torch.Tensor  # int64 (n,)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: torch.Tensor) -> torch.Tensor:
        """Return some clips as float32 spectrograms or waveforms."""
        rows = self.rows[index]
        values = self.values[rows]
        return values if self.scales is None else values.float() * self.scales[rows, None]

    def one_hot(self, index: torch.Tensor, n_classes: int) -> torch.Tensor:
        """Return the targets of some clips, float32 (clips, n_classes)."""
        return one_hot(self.targets[index.to(self.targets.device)], n_classes).float()


def on_device(prepared: Prepared, folds: tuple[int, ...], device: torch.device) -> Clips:
    """Return the clips of some folds in a device's memory."""
    chosen = np.flatnonzero(np.isin(prepared.folds, folds))
    targets, rows = torch.from_numpy(prepared.targets[chosen]).to(device), torch.arange(len(chosen), device=device)
    if prepared.waveforms is None or prepared.scales is None:
        return Clips(torch.from_numpy(prepared.spectrograms_of(chosen)).to(device), None, rows, targets)
    waveforms, scales = torch.from_numpy(prepared.waveforms), torch.from_numpy(prepared.scales)
    if device.type == "cpu":
        return Clips(waveforms, scales, torch.from_numpy(chosen), targets)
    return Clips(waveforms[chosen].to(device), scales[chosen].to(device), rows, targets)


def spectrograms_of(clips: Clips, recipe: Recipe) -> torch.Tensor:
    """Return the dB spectrograms (n, n_mels, n_frames) of clips without augmentation."""
    index = torch.arange(len(clips), device=clips.rows.device)
    if clips.scales is None:
        return clips.take(index)
    return torch.cat([mel_db(clips.take(chunk), recipe.spectrogram) for chunk in index.split(_CHUNK)])


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
    device = clips.rows.device
    if plan is None:
        values, soft = clips.take(index[part].to(device)), clips.one_hot(index[part], n_classes)
        scaled = network_input(values if clips.scales is None else mel_db(values, recipe.spectrogram), recipe.input)
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
    device = clips.rows.device
    own, other = found.to(device).chunk(2)
    shifts, ratio = plan.part(needed, device), plan.ratio[part].to(device)
    values, soft = clips.take(index[needed].to(device)), clips.one_hot(index[needed], n_classes)
    if clips.scales is None:
        mixed_db = spectrogram.mix(spectrogram.shift_time(values, shifts), own, other, ratio, recipe.spectrogram)
    else:
        mixed = waveform.mix(waveform.shift_time(values, shifts), own, other, ratio, recipe.spectrogram.sample_rate)
        mixed_db = mel_db(waveform.amplify(mixed, plan.part(part, device)), recipe.spectrogram)
    return mixed_db, ratio[:, None] * soft[own] + (1.0 - ratio[:, None]) * soft[other]
