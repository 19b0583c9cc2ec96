"""Augmentation of batches of dB spectrograms, on their device and without a loop over clips."""

from __future__ import annotations

import math

import torch

from esc.config import SpectrogramConfig
from esc.dsp.spectrogram import power_to_db
from training.augmentation.plan import Plan


def shift_time(spectrograms_db: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return spectrograms (batch, n_mels, n_frames) shifted circularly in time and resampled.

    A slower spectrogram loses its end, a faster one begins again.
    """
    n_frames = spectrograms_db.shape[2]
    played = torch.remainder(plan.speed[:, None] * torch.arange(n_frames, device=spectrograms_db.device), n_frames)
    position = torch.remainder(n_frames * plan.start[:, None] + played, n_frames)
    whole = position.floor()
    left = whole.long() % n_frames  # rounding may give n_frames itself
    right = (left + 1) % n_frames
    return torch.lerp(_frames(spectrograms_db, left), _frames(spectrograms_db, right), (position - whole)[:, None, :])


def shift_bands(spectrograms_db: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return spectrograms shifted by whole bands; the outermost band is repeated at the edge."""
    batch, n_mels, n_frames = spectrograms_db.shape
    rows = (torch.arange(n_mels, device=spectrograms_db.device) + plan.bands[:, None]).clamp(0, n_mels - 1)
    flat = rows + n_mels * torch.arange(batch, device=spectrograms_db.device)[:, None]
    return spectrograms_db.reshape(-1, n_frames).index_select(0, flat.reshape(-1)).reshape(spectrograms_db.shape)


def mixup(
    spectrograms_db: torch.Tensor, own: torch.Tensor, other: torch.Tensor, ratio: torch.Tensor, config: SpectrogramConfig
) -> torch.Tensor:
    """Return mixtures of spectrograms (mixup); `ratio` (len(own),) is the share of the first.

    Other than in Zhang et al. (2018), not values but powers add, since two recordings have unrelated phases; both are
    normalised to the same mean power first, as in between-class learning (Tokozume et al., 2018).
    """
    power = (spectrograms_db * (math.log(10.0) / 10.0)).exp_()
    power /= power.mean(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    share = ratio[:, None, None]
    return power_to_db(share.square() * power[own] + (1.0 - share).square() * power[other], config)


def tilt(spectrograms_db: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return filtered spectrograms: a few gains in dB along the bands, interpolated."""
    n_mels = spectrograms_db.shape[1]
    curve = torch.nn.functional.interpolate(plan.tilt_db[:, None, :], size=n_mels, mode="linear", align_corners=True)
    return spectrograms_db + curve.transpose(1, 2)


def mask(scaled: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return scaled spectrograms with masks set to 0, their mean (SpecAugment)."""
    _, n_mels, n_frames = scaled.shape
    rows = _inside(plan.freq_masks, n_mels).any(dim=1)[:, :, None]
    columns = _inside(plan.time_masks, n_frames).any(dim=1)[:, None, :]
    return scaled.masked_fill(rows | columns, 0.0)


def _inside(intervals: torch.Tensor, length: int) -> torch.Tensor:
    """Return (batch, count, length): whether an index of the axis lies in the interval."""
    index = torch.arange(length, device=intervals.device)
    return (index >= length * intervals[..., :1]) & (index < length * intervals[..., 1:])


def _frames(spectrograms: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    return spectrograms.gather(2, index[:, None, :].expand(-1, spectrograms.shape[1], -1))
