"""Batches of network input."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from esc.dsp.spectrogram import network_input
from small_data import HALF_A_SECOND, HELD_OUT, QUICK, TRAINING_FOLDS
from training.augmentation.plan import draw
from training.engine.batches import network_batch, on_device

CPU = torch.device("cpu")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_part_of_a_batch(prepared):
    clips = on_device(prepared, TRAINING_FOLDS, CPU)
    index = torch.randperm(80, generator=seeded(1))[:16]
    plan = draw(dataclasses.replace(QUICK.augmentation, mix_share=1.0), 16, seeded(2))
    whole, soft = network_batch(clips, index, torch.arange(16), plan, QUICK, 4)
    assert whole.shape == (16, 1, 32, 32)
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(16))
    for part in (torch.arange(8), torch.arange(8, 16)):
        images, wanted = network_batch(clips, index, part, plan, QUICK, 4)
        torch.testing.assert_close(images, whole[part], atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(wanted, soft[part])


def test_batch_without_augmentation(prepared):
    index = torch.tensor([3, 70, 12])
    clips = on_device(prepared, TRAINING_FOLDS, CPU)
    batch, soft = network_batch(clips, index, torch.arange(3), None, QUICK, 4)
    chosen = np.flatnonzero(prepared.folds != HELD_OUT)[index]
    expected = network_input(torch.from_numpy(prepared.spectrograms_db[chosen]), HALF_A_SECOND)
    torch.testing.assert_close(batch[:, 0], expected)
    assert soft.argmax(1).tolist() == prepared.targets[chosen].tolist()
