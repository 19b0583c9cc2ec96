"""The clips of some folds in the device's memory, and batches of them as the network is given them."""

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

_AT_ONCE = 50  # sounds turned into pictures


@dataclass(frozen=True)
class Clips:
    """Clips in memory: as dB pictures, or as sounds that become pictures batch by batch.

    Attributes
    ----------
    values : tensor
        float32 pictures (clips, n_mels, n_frames), or int16 sounds (clips, n_samples). On a CPU sounds stay on the disk,
        which the system keeps in memory as far as there is room.
    scales : float32 tensor (clips,), optional
        What full scale of a sound stands for; None for pictures.
    rows : int64 tensor (n,)
        Which of them are meant.
    targets : int64 tensor (n,)
    """

    values: torch.Tensor
    scales: torch.Tensor | None
    rows: torch.Tensor
    targets: torch.Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: torch.Tensor) -> torch.Tensor:
        """Return some clips, float32: pictures or waveforms."""
        rows = self.rows[index]
        values = self.values[rows]
        return values if self.scales is None else values.float() * self.scales[rows, None]


def on_device(prepared: Prepared, folds: tuple[int, ...], device: torch.device) -> Clips:
    """Return the clips of some folds in a device's memory."""
    chosen = np.flatnonzero(np.isin(prepared.folds, folds))
    targets = torch.from_numpy(prepared.targets[chosen]).to(device)
    if prepared.sounds is None:
        pictures = torch.from_numpy(np.ascontiguousarray(prepared.spectrograms_db[chosen])).to(device)
        return Clips(pictures, None, torch.arange(len(chosen), device=device), targets)
    sounds, scales = torch.from_numpy(prepared.sounds), torch.from_numpy(prepared.scales)
    if device.type == "cpu":
        return Clips(sounds, scales, torch.from_numpy(chosen), targets)
    rows = torch.arange(len(chosen), device=device)
    return Clips(sounds[chosen].to(device), scales[chosen].to(device), rows, targets)


def pictures_of(clips: Clips, recipe: Recipe) -> torch.Tensor:
    """Return the dB pictures (n, n_mels, n_frames) of clips as they are."""
    if clips.scales is None:
        return clips.take(torch.arange(len(clips), device=clips.rows.device))
    parts = torch.arange(len(clips), device=clips.rows.device).split(_AT_ONCE)
    return torch.cat([mel_db(clips.take(part), recipe.spectrogram) for part in parts])


def network_batch(
    clips: Clips, index: torch.Tensor, places: torch.Tensor, plan: Plan | None, recipe: Recipe, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return this process's part of a batch, augmented and scaled, and its targets.

    Parameters
    ----------
    clips : Clips
    index : int64 tensor, shape (batch_size,)
        The whole batch.
    places : int64 tensor, shape (part,)
        Those of its places that are wanted.
    plan : Plan, optional
        For the whole batch; None shows the clips as they are.
    recipe : Recipe
    n_classes : int

    Returns
    -------
    float32 tensor, shape (part, 1, n_mels, n_frames)
    float32 tensor, shape (part, n_classes)
    """
    device = clips.rows.device
    if plan is None:
        values, soft = clips.take(index[places].to(device)), _soft(clips, index[places], n_classes)
        scaled = network_input(values if clips.scales is None else mel_db(values, recipe.spectrogram), recipe.input)
    else:
        mixed, soft = _mixed(clips, index, places, plan, recipe, n_classes)
        own = plan.part(places, device)
        mixed = spectrogram.tilt(spectrogram.shift_bands(mixed, own), own)
        scaled = spectrogram.mask(network_input(mixed, recipe.input), own)
    return scaled[:, None].to(memory_format=torch.channels_last), soft


def _mixed(
    clips: Clips, index: torch.Tensor, places: torch.Tensor, plan: Plan, recipe: Recipe, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return dB pictures (part, n_mels, n_frames) of moved clips mixed with their partners, and their targets."""
    needed, found = torch.unique(torch.cat([places, plan.partner[places]]), return_inverse=True)
    device = clips.rows.device
    own, other = found.to(device).chunk(2)
    moved, ratio = plan.part(needed, device), plan.ratio[places].to(device)
    values, soft = clips.take(index[needed].to(device)), _soft(clips, index[needed], n_classes)
    if clips.scales is None:
        spectrograms_db = spectrogram.mix(spectrogram.move(values, moved), own, other, ratio, recipe.spectrogram)
    else:
        waveforms = waveform.move(values, moved)
        mixed = waveform.mix(waveforms, own, other, ratio, recipe.spectrogram.sample_rate)
        spectrograms_db = mel_db(waveform.amplify(mixed, plan.part(places, device)), recipe.spectrogram)
    return spectrograms_db, ratio[:, None] * soft[own] + (1.0 - ratio[:, None]) * soft[other]


def _soft(clips: Clips, index: torch.Tensor, n_classes: int) -> torch.Tensor:
    return one_hot(clips.targets[index.to(clips.targets.device)], n_classes).float()
