"""Random draws for the augmentation of one batch.

All randomness of a step comes from one CPU generator, in a fixed order. A batch is therefore the same on every device,
after every interruption, and for any number of processes: each draws the whole plan and applies its own part.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from training.augmentation.acoustics import N_DRAWS
from training.recipes import Augmentation

TILT_POINTS = 4
_BETA_TRIALS = 64


@dataclass(frozen=True)
class Plan:
    """Augmentation parameters of a batch; the first axis of each tensor counts its clips."""

    start: torch.Tensor  # float32 (batch,); where in the clip playback begins, as a share of its length
    speed: torch.Tensor  # float32 (batch,); playback speed; 1 leaves it unchanged
    bands: torch.Tensor  # int64 (batch,); shift along the mel axis
    tilt_db: torch.Tensor  # float32 (batch, TILT_POINTS); gains of a smooth filter, from the lowest to the highest band
    ratio: torch.Tensor  # float32 (batch,); share of the clip in the mixture with its partner
    partner: torch.Tensor  # int64 (batch,); batch index of the clip that is mixed in
    time_masks: torch.Tensor  # float32 (batch, count, 2); begin and end of the masks, as a share of the axis
    freq_masks: torch.Tensor  # float32 (batch, count, 2)
    version: torch.Tensor  # int64 (batch,); number of the recording, 0 for the clip as it is
    acoustics: torch.Tensor  # float32 (batch, count); see `augmentation.acoustics`

    def part(self, index: torch.Tensor, device: torch.device | None = None) -> Plan:
        """Return the plan of some clips of the batch, on a device."""
        return Plan(**{field.name: getattr(self, field.name)[index].to(device) for field in fields(self)})


def draw(augmentation: Augmentation, batch: int, rng: torch.Generator, unknown: int = 0) -> Plan:
    """Return a plan for a batch, whose last `unknown` clips are mixed among themselves."""
    mixed = _uniform(rng, batch) < augmentation.mix_share
    start, speed, _ = (_uniform(rng, batch) for _ in range(3))  # unused draws keep the numbers of published seeds
    bands = torch.randint(-augmentation.shift_bands, augmentation.shift_bands + 1, (batch,), generator=rng)
    _uniform(rng, batch)
    return Plan(
        start=start,
        speed=1.0 + augmentation.speed * (2.0 * speed - 1.0),
        bands=bands,
        tilt_db=augmentation.tilt_db * torch.randn(batch, TILT_POINTS, generator=rng),
        ratio=torch.where(mixed, beta(rng, batch, augmentation.mix_alpha), 1.0),
        partner=torch.cat([torch.randperm(batch - unknown, generator=rng), batch - 1 - torch.randperm(unknown, generator=rng)]),
        time_masks=_intervals(rng, batch, augmentation.time_masks, augmentation.time_mask_share),
        freq_masks=_intervals(rng, batch, augmentation.freq_masks, augmentation.freq_mask_share),
        version=_versions(rng, batch, augmentation),
        acoustics=_uniform(rng, batch, N_DRAWS if augmentation.has_acoustics else 0),
    )


def _versions(rng: torch.Generator, batch: int, augmentation: Augmentation) -> torch.Tensor:
    if not augmentation.recordings:
        return torch.zeros(batch, dtype=torch.long)
    recorded = torch.randint(1, augmentation.recordings + 1, (batch,), generator=rng)
    return torch.where(_uniform(rng, batch) < augmentation.as_it_is_share, 0, recorded)


def beta(rng: torch.Generator, batch: int, alpha: float) -> torch.Tensor:
    """Return draws from Beta(alpha, alpha) by Johnk's method.

    torch's own sampler takes no generator. NumPy's would need a second one, and published seeds would give other runs.
    """
    log_u = torch.rand(batch, _BETA_TRIALS, 2, generator=rng, dtype=torch.float64).clamp_min(1e-300).log() / alpha
    log_sum = torch.logsumexp(log_u, dim=2)
    accepted = (log_sum <= 0).int()
    first = accepted.argmax(dim=1, keepdim=True)  # all trials fail with a probability below 1e-9 for alpha up to 1
    drawn = (log_u[..., 0] - log_sum).gather(1, first).squeeze(1).exp()
    return torch.where(accepted.any(dim=1), drawn, 1.0).float()


def _intervals(rng: torch.Generator, batch: int, count: int, share: float) -> torch.Tensor:
    """Return begin and end of intervals up to `share` of the axis, (batch, count, 2)."""
    width = share * _uniform(rng, batch, count)
    begin = (1.0 - width) * _uniform(rng, batch, count)
    return torch.stack([begin, begin + width], dim=2)


def _uniform(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=rng)
