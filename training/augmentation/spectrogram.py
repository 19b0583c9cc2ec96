"""Augmentation of whole batches of dB pictures on their device, as a plan says: no loop over clips."""

from __future__ import annotations

import math

import torch

from esc.config import SpectrogramConfig
from esc.dsp.spectrogram import power_to_db
from training.augmentation.plan import Plan


def move(spectrograms_db: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return pictures (batch, n_mels, n_frames) each turned around in time and played faster or slower, or a part of it.

    The shift in time is circular; a picture played slower loses its end, a faster one begins again.
    """
    n_frames = spectrograms_db.shape[2]
    played = plan.speed[:, None] * torch.arange(n_frames, device=spectrograms_db.device)
    played = torch.remainder(played, (n_frames * plan.stretch)[:, None])
    position = torch.remainder(n_frames * plan.start[:, None] + played, n_frames)
    whole = position.floor()
    left = whole.long() % n_frames  # rounding may reach n_frames itself
    right = (left + 1) % n_frames
    return torch.lerp(_frames(spectrograms_db, left), _frames(spectrograms_db, right), (position - whole)[:, None, :])


def shift_bands(spectrograms_db: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return pictures moved up or down by whole bands; the outermost band fills what becomes free."""
    batch, n_mels, n_frames = spectrograms_db.shape
    rows = (torch.arange(n_mels, device=spectrograms_db.device) + plan.bands[:, None]).clamp(0, n_mels - 1)
    flat = rows + n_mels * torch.arange(batch, device=spectrograms_db.device)[:, None]
    return spectrograms_db.reshape(-1, n_frames).index_select(0, flat.reshape(-1)).reshape(spectrograms_db.shape)


def mix(
    spectrograms_db: torch.Tensor, own: torch.Tensor, other: torch.Tensor, ratio: torch.Tensor, config: SpectrogramConfig
) -> torch.Tensor:
    """Return pictures of two sounds heard at once: those in the places `own` and those in the places `other`.

    Powers add, since two recordings have unrelated phases; both are brought to the same mean power first, as in
    between-class learning (Tokozume et al., 2018). `ratio` (len(own),) is the share of the first.
    """
    power = (spectrograms_db * (math.log(10.0) / 10.0)).exp_()
    power /= power.mean(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    share = ratio[:, None, None]
    return power_to_db(share.square() * power[own] + (1.0 - share).square() * power[other], config)


def tilt(spectrograms_db: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return pictures heard through a smooth filter: a few gains in dB along the bands, interpolated."""
    n_mels = spectrograms_db.shape[1]
    curve = torch.nn.functional.interpolate(plan.tilt_db[:, None, :], size=n_mels, mode="linear", align_corners=True)
    return spectrograms_db + curve.transpose(1, 2)


def mask(pictures: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return scaled pictures with bands of time, of frequency (SpecAugment, Park et al., 2019) and boxes set to 0, their mean."""
    _, n_mels, n_frames = pictures.shape
    rows = _inside(plan.freq_masks, n_mels).any(dim=1)[:, :, None]
    columns = _inside(plan.time_masks, n_frames).any(dim=1)[:, None, :]
    hidden = rows | columns
    if plan.boxes.shape[1]:
        in_time, in_freq = _inside(plan.boxes[..., :2], n_frames), _inside(plan.boxes[..., 2:], n_mels)
        hidden = hidden | (in_freq[..., :, None] & in_time[..., None, :]).any(dim=1)
    return pictures.masked_fill(hidden, 0.0)


def _inside(spans: torch.Tensor, length: int) -> torch.Tensor:
    """Return (batch, count, length), True where a place of the axis lies between begin and end."""
    place = torch.arange(length, device=spans.device)
    return (place >= length * spans[..., :1]) & (place < length * spans[..., 1:])


def _frames(pictures: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    return pictures.gather(2, index[:, None, :].expand(-1, pictures.shape[1], -1))
