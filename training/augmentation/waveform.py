"""Augmentation of batches of waveforms, on their device and without a loop over clips."""

from __future__ import annotations

import torch

from esc.dsp.a_weighting import max_a_weighted_db
from training.augmentation.plan import Plan


def shift_time(waveforms: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return waveforms (batch, n_samples) shifted circularly by whole samples, resampled and looped.

    Interpolation is linear, as in the code of between-class learning.
    """
    n_samples = waveforms.shape[1]
    played = plan.speed.double()[:, None] * torch.arange(n_samples, device=waveforms.device, dtype=torch.float64)
    played = torch.remainder(played, (n_samples * plan.segment.double())[:, None])
    whole = played.floor()
    start = (n_samples * plan.start.double()).long()
    left = (whole.long() + start[:, None]) % n_samples
    right = (left + 1) % n_samples
    return torch.lerp(waveforms.gather(1, left), waveforms.gather(1, right), (played - whole).float())


def mix(waveforms: torch.Tensor, own: torch.Tensor, other: torch.Tensor, ratio: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Return mixtures of waveforms; `ratio` (len(own),) is the perceived share of the first.

    Between-class learning (Tokozume et al., 2018), equation 2: p = 1 / (1 + 10^((G1 - G2) / 20) (1 - r) / r) with the
    A-weighted pressure levels G, then (p x1 + (1 - p) x2) / sqrt(p^2 + (1 - p)^2), which keeps the energy.
    """
    level_db = max_a_weighted_db(waveforms, sample_rate)
    louder = torch.pow(10.0, (level_db[own] - level_db[other]) / 20.0)
    share = (1.0 / (1.0 + louder * (1.0 - ratio) / ratio))[:, None]  # ratio 0 gives 1 / (1 + infinity)
    return (share * waveforms[own] + (1.0 - share) * waveforms[other]) / (share.square() + (1.0 - share).square()).sqrt()


def amplify(waveforms: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return waveforms with the plan's gains applied."""
    return waveforms * torch.pow(10.0, plan.gain_db / 20.0)[:, None]
