"""The optimizers and schedules that a recipe can name."""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import nn
from torch.optim import lr_scheduler

from training.recipes import Recipe


def build_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; weight decay goes to matrices only, never to biases and batch norms."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(groups, lr=recipe.learning_rate, fused=True)


def build_schedule(recipe: Recipe, optimizer: torch.optim.Optimizer, steps_an_epoch: int) -> lr_scheduler.LRScheduler:
    """Return the recipe's schedule, to be stepped once after every step of the optimizer."""
    return _SCHEDULES[recipe.schedule](recipe, optimizer, steps_an_epoch)


def _one_cycle(recipe: Recipe, optimizer: torch.optim.Optimizer, steps_an_epoch: int) -> lr_scheduler.LRScheduler:
    """Rise to the rate over `warm_up` of the steps, then fall to nearly nothing (Smith and Topin, 2019)."""
    return lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=recipe.learning_rate,
        total_steps=recipe.epochs * steps_an_epoch + 1,
        pct_start=recipe.warm_up,
        cycle_momentum=False,
    )


def _tenfold(recipe: Recipe, optimizer: torch.optim.Optimizer, steps_an_epoch: int) -> lr_scheduler.LRScheduler:
    """Divide the rate by ten at the start of every tenth epoch, counted from 1: first at that of epoch 10."""

    def share(step: int) -> float:
        epoch = step // steps_an_epoch + 1
        return 10.0 ** -(epoch // 10)

    return lr_scheduler.LambdaLR(optimizer, share)


_SCHEDULES = MappingProxyType({"one-cycle": _one_cycle, "tenfold": _tenfold})
