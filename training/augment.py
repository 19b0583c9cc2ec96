"""Augmentation of whole batches of dB pictures on their device: no loop over clips."""

from __future__ import annotations

import torch

from esc.config import SpectrogramConfig
from esc.spectrogram import power_to_db
from training.recipes import Augmentation


def move(pictures_db: torch.Tensor, augmentation: Augmentation, rng: torch.Generator) -> torch.Tensor:
    """Return pictures (batch, n_mels, n_frames) each turned around in time, played faster or slower, moved in pitch.

    The shift in time is circular; a picture played slower loses its end, a faster one begins again.
    """
    batch, n_mels, n_frames = pictures_db.shape
    speed = 1.0 + augmentation.speed * (2.0 * _uniform(rng, batch, 1) - 1.0)
    start = n_frames * _uniform(rng, batch, 1)
    position = (start + speed * torch.arange(n_frames)) % n_frames
    left = position.floor().long() % n_frames
    weight = (position - position.floor())[:, None, :].to(pictures_db.device)
    right = (left + 1) % n_frames
    pictures_db = torch.lerp(_frames(pictures_db, left), _frames(pictures_db, right), weight)
    bands = torch.randint(-augmentation.shift_bands, augmentation.shift_bands + 1, (batch, 1), generator=rng)
    rows = (torch.arange(n_mels) + bands).clamp(0, n_mels - 1).to(pictures_db.device)
    return pictures_db.gather(1, rows[:, :, None].expand(-1, -1, n_frames))


def mix(
    pictures_db: torch.Tensor, targets: torch.Tensor, augmentation: Augmentation, config: SpectrogramConfig, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures of two sounds heard at once, and targets (batch, n_classes) mixed in the same ratio.

    Powers add, since two recordings have unrelated phases; both are brought to the same mean power first, as in
    between-class learning (Tokozume et al., 2018).
    """
    batch = len(pictures_db)
    ratio = _beta(rng, batch, augmentation.mix_alpha)
    ratio = torch.where(_uniform(rng, batch) < augmentation.mix_share, ratio, 1.0).to(pictures_db.device)
    partner = torch.randperm(batch, generator=rng).to(pictures_db.device)
    power = torch.pow(10.0, pictures_db / 10.0)
    power = power / power.mean(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    share = ratio[:, None, None]
    power = share.square() * power + (1.0 - share).square() * power[partner]
    mixed_targets = ratio[:, None] * targets + (1.0 - ratio[:, None]) * targets[partner]
    return power_to_db(power, config), mixed_targets


def tilt(pictures_db: torch.Tensor, augmentation: Augmentation, rng: torch.Generator) -> torch.Tensor:
    """Return pictures heard through a smooth random filter: four gains in dB along the bands, interpolated."""
    gains_db = augmentation.tilt_db * torch.randn(len(pictures_db), 1, 4, generator=rng)
    curve = torch.nn.functional.interpolate(gains_db, size=pictures_db.shape[1], mode="linear", align_corners=True)
    return pictures_db + curve.transpose(1, 2).to(pictures_db.device)


def mask(pictures: torch.Tensor, augmentation: Augmentation, rng: torch.Generator) -> torch.Tensor:
    """Return scaled pictures with bands of time and of frequency set to 0, their mean (SpecAugment, Park et al., 2019)."""
    batch, n_mels, n_frames = pictures.shape
    rows = _masks(rng, batch, n_mels, augmentation.freq_masks, augmentation.freq_mask_share)
    columns = _masks(rng, batch, n_frames, augmentation.time_masks, augmentation.time_mask_share)
    hidden = rows[:, :, None] | columns[:, None, :]
    return pictures.masked_fill(hidden.to(pictures.device), 0.0)


def _masks(rng: torch.Generator, batch: int, length: int, count: int, share: float) -> torch.Tensor:
    """Return (batch, length), True inside any of `count` random stretches."""
    width = share * length * _uniform(rng, batch, count, 1)
    start = (length - width) * _uniform(rng, batch, count, 1)
    place = torch.arange(length)
    return ((place >= start) & (place < start + width)).any(dim=1)


def _frames(pictures: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    return pictures.gather(2, index.to(pictures.device)[:, None, :].expand(-1, pictures.shape[1], -1))


def _uniform(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=rng)


def _beta(rng: torch.Generator, batch: int, alpha: float) -> torch.Tensor:
    """Draw from Beta(alpha, alpha) by Johnk's method on uniform numbers: torch's own takes no generator."""
    log_u = torch.rand(batch, 64, 2, generator=rng, dtype=torch.float64).clamp_min(1e-300).log() / alpha
    log_sum = torch.logsumexp(log_u, dim=2)
    accepted = (log_sum <= 0).int()
    first = accepted.argmax(dim=1, keepdim=True)  # 64 tries miss with a chance below 1e-9 for alpha up to 1
    drawn = (log_u[..., 0] - log_sum).gather(1, first).squeeze(1).exp()
    return torch.where(accepted.any(dim=1), drawn, 1.0).float()
