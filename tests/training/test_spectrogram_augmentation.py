"""Augmentation of spectrograms against formulas and by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.stats
import torch

from esc.errors import ParameterError
from small_data import QUICK, SMALL
from training.augmentation import spectrogram
from training.augmentation.plan import Plan, beta, draw
from training.recipes import Augmentation


@pytest.fixture
def spectrograms(rng) -> torch.Tensor:
    return torch.from_numpy((15 * rng.standard_normal((6, 12, 40)) - 40).astype(np.float32))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def planned(wanted: Augmentation, batch: int, seed: int = 0) -> Plan:
    return draw(wanted, batch, seeded(seed))


def test_time_shift_is_circular(spectrograms):
    """At normal speed each row is shifted circularly, and interpolated between two frames."""
    moved = spectrogram.shift_time(spectrograms, planned(Augmentation(), 6))
    assert moved.shape == spectrograms.shape
    torch.testing.assert_close(moved.mean(dim=2), spectrograms.mean(dim=2), atol=1e-3, rtol=0)
    for before, after in zip(spectrograms.numpy(), moved.numpy(), strict=True):
        assert _shift_of(before, after) is not None


def _shift_of(before: np.ndarray, after: np.ndarray) -> float | None:
    """Return the circular shift of `after` in frames, or None if it is none."""
    n_frames = before.shape[1]
    for whole in range(n_frames):
        left, right = np.roll(before, -whole, axis=1), np.roll(before, -whole - 1, axis=1)
        part = np.sum((after - left) * (right - left)) / np.sum((right - left) ** 2)
        if -1e-3 <= part <= 1 + 1e-3 and np.abs(left + part * (right - left) - after).max() < 1e-2:
            return whole + part
    return None


def test_time_shifts_differ(spectrograms):
    moved = spectrogram.shift_time(spectrograms, planned(Augmentation(), 6))
    shifts = [_shift_of(before, after) for before, after in zip(spectrograms.numpy(), moved.numpy(), strict=True)]
    assert len({round(shift, 2) for shift in shifts}) == len(shifts)
    assert max(shifts) - min(shifts) > 10


def test_band_shift(spectrograms):
    constant = spectrograms[:, :, :1].expand(-1, -1, 40)  # constant in time
    shifts = set()
    for seed in range(8):
        moved = spectrogram.shift_bands(constant, planned(Augmentation(shift_bands=2), 6, seed))
        for before, after in zip(constant[:, :, 0], moved[:, :, 7], strict=True):
            fits = [
                bands
                for bands in range(-2, 3)
                if torch.allclose(before[(torch.arange(12) + bands).clamp(0, 11)], after, atol=1e-4)
            ]
            assert len(fits) == 1
            shifts |= set(fits)
    assert shifts == {-2, -1, 0, 1, 2}


def test_speed_limits():
    ramp = torch.arange(1_000.0).expand(64, 1, -1)
    moved = spectrogram.shift_time(ramp, planned(Augmentation(speed=0.1), 64))
    steps = moved.diff(dim=2).median(dim=2).values
    assert 0.9 - 1e-3 <= float(steps.min()) < 0.93
    assert 1.07 < float(steps.max()) <= 1.1 + 1e-3


def test_mixup_ratio_of_powers(spectrograms):
    own, other, ratio = torch.tensor([0, 1, 5, 2]), torch.tensor([3, 1, 0, 4]), torch.tensor([0.3, 0.6, 1.0, 0.0])
    mixed = spectrogram.mixup(spectrograms, own, other, ratio, SMALL.replace(top_db=160.0))
    power = 10 ** (spectrograms.double() / 10)
    power = power / power.mean(dim=(1, 2), keepdim=True)
    for index, share in enumerate(ratio.double()):
        expected = share**2 * power[own[index]] + (1 - share) ** 2 * power[other[index]]
        torch.testing.assert_close(mixed[index].double(), 10 * expected.log10(), atol=2e-3, rtol=0)


def test_mix_share():
    plan = planned(Augmentation(mix_share=0.7, mix_alpha=1.0), 2_000)
    assert sorted(plan.partner.tolist()) == list(range(2_000))
    assert float((plan.ratio < 1).float().mean()) == pytest.approx(0.7, abs=0.04)
    even = plan.ratio[plan.ratio < 1].numpy()
    assert scipy.stats.kstest(even, scipy.stats.uniform.cdf).pvalue > 0.01  # alpha 1: uniform
    assert set(planned(Augmentation(), 50).ratio.tolist()) == {1.0}


@pytest.mark.parametrize("alpha", [0.3, 0.4, 1.0])
def test_ratio_distribution(alpha):
    drawn = beta(seeded(3), 4_000, alpha).numpy()
    assert scipy.stats.kstest(drawn, scipy.stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_tilt_is_constant_in_time(spectrograms):
    tilted = spectrogram.tilt(spectrograms, planned(Augmentation(tilt_db=3.0), 6))
    gain_db = tilted - spectrograms
    torch.testing.assert_close(gain_db, gain_db[:, :, :1].expand_as(gain_db), atol=1e-4, rtol=0)
    assert float(gain_db.abs().max()) > 1.0
    assert torch.equal(spectrogram.tilt(spectrograms, planned(Augmentation(), 6)), spectrograms)


def test_mask_widths():
    ones = torch.ones(50, 40, 100)
    wanted = Augmentation(time_masks=1, freq_masks=1, time_mask_share=0.2, freq_mask_share=0.25)
    masked = spectrogram.mask(ones, planned(wanted, 50))
    assert set(masked.unique().tolist()) == {0.0, 1.0}
    hidden_frames = (masked == 0).all(dim=1).sum(dim=1)
    hidden_bands = (masked == 0).all(dim=2).sum(dim=1)
    assert 10 < int(hidden_frames.max()) <= 20
    assert 5 < int(hidden_bands.max()) <= 10
    assert torch.equal(spectrogram.mask(ones, planned(Augmentation(), 50)), ones)


@pytest.mark.parametrize("seed", [1, 2])
def test_augmentation_depends_on_the_seed_only(spectrograms, seed):
    wanted = dataclasses.replace(QUICK.augmentation, mix_share=1.0)
    once, again, other = (spectrogram.shift_time(spectrograms, planned(wanted, 6, number)) for number in (seed, seed, seed + 1))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_part_of_a_plan():
    plan = planned(QUICK.augmentation, 8)
    part = plan.part(torch.tensor([5, 2]))
    for field in dataclasses.fields(Plan):
        assert torch.equal(getattr(part, field.name), getattr(plan, field.name)[[5, 2]]), field.name


@pytest.mark.parametrize(
    "wrong", [{"mix_share": 1.1}, {"mix_alpha": 2.0}, {"speed": -0.1}, {"time_masks": 99}, {"tilt_db": 99.0}]
)
def test_invalid_augmentation(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        Augmentation(**wrong)
