"""Reverberation, noise and band limits of spectrograms, against direct formulas; random recordings of a sound."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import sounds
from esc.config import ESC50
from esc.dsp.mel import mel_edges_hz, mel_freqs_hz
from small_data import QUICK, SMALL
from training.augmentation import acoustics, recordings
from training.augmentation.plan import draw
from training.recipes import RECIPES, Augmentation


def draws(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(rows)


def rt60(seconds: float) -> float:
    """Return the uniform number that gives a reverberation time."""
    low, high = acoustics.RT60_S
    return float(np.log(seconds / low) / np.log(high / low))


def test_room_decays_60_db_in_rt60_and_keeps_the_power():
    impulse = torch.zeros(1, 128, 431)
    impulse[:, 5, 10] = 3.0
    reverberant = acoustics.reverberate(impulse, draws((rt60(0.5), 0.5, 0.0)), ESC50)[0, 5]
    assert float(reverberant.sum()) == pytest.approx(3.0, rel=1e-3)
    frames = round(0.25 * 44_100 / 512)
    fall_db = 10 * torch.log10(reverberant[10 + frames] / reverberant[10])
    assert float(fall_db) == pytest.approx(-60 * frames * 512 / 44_100 / 0.5, abs=0.1)
    assert float(reverberant[:10].max()) < 1e-6, "no echo before the sound"


def test_direct_sound_of_a_room():
    impulse = torch.zeros(1, 4, 431)
    impulse[..., 0] = 1.0
    direct_db = 6.0
    low, high = acoustics.DIRECT_DB
    with_direct = acoustics.reverberate(impulse, draws((rt60(0.3), (direct_db - low) / (high - low), 0.9)), ESC50)[0, 0]
    alone = acoustics.reverberate(impulse, draws((rt60(0.3), 0.5, 0.0)), ESC50)[0, 0]
    ratio = 10 ** (direct_db / 10)
    torch.testing.assert_close(with_direct[1:], alone[1:] / (1 + ratio), rtol=1e-3, atol=1e-7)
    assert float(with_direct.sum()) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("number", [0.0, 0.5, 0.99])
def test_noise_at_its_signal_to_noise_ratio(number):
    power = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(1))
    noisy = acoustics.add_noise(power, draws((number, 0.6, 0.3)), SMALL)
    edges = mel_edges_hz(SMALL)
    widths = torch.from_numpy((edges[2:] - edges[:-2]) / 2)[:, None]  # bands are means over their width
    signal, noise = (float((part[0] * widths).sum()) for part in (power, noisy - power))
    low, high = acoustics.SNR_DB
    assert 10 * np.log10(signal / noise) == pytest.approx(low + number * (high - low), abs=0.01)


def test_band_limit_falls_to_the_floor_above_and_slopes_below():
    low, high = acoustics.HIGH_HZ
    number = float(np.log(4_000 / low) / np.log(high / low))
    power = torch.ones(2, 128, 3)
    steep, sloped = acoustics.limit_band(power, draws((number, 0.0, 0.0, 0.0, 0.0), (number, 0.9, 0.5, 1.0, 0.5)), ESC50)
    freqs_hz = mel_freqs_hz(ESC50)
    steep_db, sloped_db = (10 * torch.log10(part[:, 0]).numpy() for part in (steep, sloped))
    np.testing.assert_allclose(steep_db[freqs_hz < 4_000], 0.0, atol=1e-4)
    np.testing.assert_allclose(steep_db[freqs_hz > 4_300], -120.0, atol=1e-3)
    expected = -30 * np.maximum(0, np.log2(freqs_hz / 4_000)) - 18 * np.maximum(0, np.log2(400 / freqs_hz))
    np.testing.assert_allclose(sloped_db, expected, atol=0.01)


def test_shares_and_seeds_of_acoustics():
    """Each distortion changes its share of the clips; none of them changes nothing; equal draws, equal spectrograms."""
    levels_db = 20 * torch.randn(400, 8, 16, generator=torch.Generator().manual_seed(0)) - 30
    config = SMALL.replace(n_mels=8, n_mfcc=8, top_db=160.0)
    wanted = Augmentation(room_share=0.1, noise_share=0.2, band_share=0.15)
    plan = draw(wanted, 400, torch.Generator().manual_seed(3))
    assert plan.acoustics.shape == (400, acoustics.N_DRAWS)
    distorted = acoustics.distort(levels_db.clone(), plan.acoustics, wanted, config)
    changed = (distorted - levels_db).abs().amax(dim=(1, 2)) > 0.01
    assert float(changed.float().mean()) == pytest.approx(1 - 0.9 * 0.8 * 0.85, abs=0.06)
    assert torch.equal(distorted, acoustics.distort(levels_db.clone(), plan.acoustics, wanted, config))
    plain = draw(QUICK.augmentation, 400, torch.Generator().manual_seed(3))
    assert plain.acoustics.shape == (400, 0)
    assert acoustics.distort(levels_db, plain.acoustics, QUICK.augmentation, config) is levels_db


def test_new_draws_come_last():
    """Published seeds: acoustics and recordings change none of the other draws."""
    plain, more = (
        draw(wanted, 16, torch.Generator().manual_seed(5))
        for wanted in (QUICK.augmentation, dataclasses.replace(QUICK.augmentation, room_share=0.5, recordings=3))
    )
    for field in dataclasses.fields(plain):
        if field.name not in ("version", "acoustics"):
            assert torch.equal(getattr(plain, field.name), getattr(more, field.name)), field.name


def test_versions_and_partners_of_a_robust_batch():
    wanted = RECIPES["robust"].augmentation
    plan = draw(wanted, 2_000, torch.Generator().manual_seed(0), unknown=500)
    assert set(plan.version.tolist()) == set(range(wanted.recordings + 1))
    assert float((plan.version == 0).float().mean()) == pytest.approx(wanted.as_it_is_share, abs=0.04)
    assert sorted(plan.partner[:1_500].tolist()) == list(range(1_500))
    assert sorted(plan.partner[1_500:].tolist()) == list(range(1_500, 2_000)), "sounds of no class are mixed among themselves"


def test_recordings_are_seeded_finite_and_as_long():
    waveform, background = sounds.busy(1.0)[:44_100], sounds.tone(440.0, 1.0, 44_100)
    made = [recordings.record(waveform, 44_100, background, np.random.default_rng(seed)) for seed in range(40)]
    assert {(part.shape, part.dtype) for part in made} == {((44_100,), np.dtype(np.float32))}
    assert all(np.isfinite(part).all() for part in made)
    assert all(not np.array_equal(part, waveform) for part in made), "never the clip as it is"
    assert np.array_equal(made[7], recordings.record(waveform, 44_100, background, np.random.default_rng(7)))
    silent = recordings.record(np.zeros(44_100, np.float32), 44_100, background, np.random.default_rng(7))
    assert np.isfinite(silent).all()
