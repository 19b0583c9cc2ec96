"""Augmentation of whole batches of waveforms on their device, as a plan says: no loop over clips."""

from __future__ import annotations

import torch

from esc.dsp.a_weighting import max_a_weighted_db
from training.augmentation.plan import Plan


def move(waveforms: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return waveforms (batch, n_samples) each turned around in time and resampled to play faster or slower, or a part of it.

    The shift is circular and by whole samples; between two samples the value is interpolated linearly, as in
    between-class learning's own code.
    """
    n_samples = waveforms.shape[1]
    played = plan.speed.double()[:, None] * torch.arange(n_samples, device=waveforms.device, dtype=torch.float64)
    played = torch.remainder(played, (n_samples * plan.stretch.double())[:, None])
    whole = played.floor()
    start = (n_samples * plan.start.double()).long()
    left = (whole.long() + start[:, None]) % n_samples
    right = (left + 1) % n_samples
    return torch.lerp(waveforms.gather(1, left), waveforms.gather(1, right), (played - whole).float())


def mix(waveforms: torch.Tensor, own: torch.Tensor, other: torch.Tensor, ratio: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Return two sounds heard at once, mixed so that `ratio` (len(own),) is the share of the first as it is heard.

    Between-class learning (Tokozume et al., 2018), equation 2: p = 1 / (1 + 10^((G1 - G2) / 20) (1 - r) / r) with the
    A-weighted pressure levels G, then (p x1 + (1 - p) x2) / sqrt(p^2 + (1 - p)^2), which keeps the energy.
    """
    level_db = max_a_weighted_db(waveforms, sample_rate)
    louder = torch.pow(10.0, (level_db[own] - level_db[other]) / 20.0)
    share = (1.0 / (1.0 + louder * (1.0 - ratio) / ratio))[:, None]  # ratio 0 gives 1 / (1 + infinity)
    return (share * waveforms[own] + (1.0 - share) * waveforms[other]) / (share.square() + (1.0 - share).square()).sqrt()


def amplify(waveforms: torch.Tensor, plan: Plan) -> torch.Tensor:
    """Return waveforms louder or softer by the plan's gains."""
    return waveforms * torch.pow(10.0, plan.gain_db / 20.0)[:, None]
