"""Optimizers and learning rate schedules of the recipes."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import lr_scheduler

from training.recipes import Recipe


def build_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, with weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(groups, lr=recipe.learning_rate, fused=True)


def build_schedule(recipe: Recipe, optimizer: torch.optim.Optimizer, steps_per_epoch: int) -> lr_scheduler.LRScheduler:
    """Return the recipe's schedule, to be stepped once after every step of the optimizer.

    "one-cycle" rises over `warm_up` of the steps, at least one, then falls to nearly 0 (Smith and Topin, 2019). "tenfold"
    divides the rate by ten at the start of every tenth epoch, counted from 1: for the first time at the start of epoch 10.
    """
    if recipe.schedule == "tenfold":
        return lr_scheduler.LambdaLR(optimizer, lambda step: 10.0 ** -((step // steps_per_epoch + 1) // 10))
    total_steps = recipe.epochs * steps_per_epoch + 1
    return lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=recipe.learning_rate,
        total_steps=total_steps,
        pct_start=max(recipe.warm_up, min(1.0, 2 / total_steps)),  # which divides by the steps of the rise: pct * total - 1
        cycle_momentum=False,
    )
