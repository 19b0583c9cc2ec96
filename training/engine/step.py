"""One optimizer step and one epoch, in one process or shared among several."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from training.augmentation.plan import draw
from training.engine.batches import Clips, network_batch
from training.engine.distributed import ALONE, Group
from training.engine.state import State
from training.recipes import Recipe


def take_epoch(
    state: State,
    clips: Clips,
    recipe: Recipe,
    seed: int,
    n_classes: int,
    on_batch: Callable[[torch.Tensor, torch.Tensor, int], None],
    group: Group = ALONE,
) -> dict:
    """Train for one epoch, seeded by (seed, epoch), and return its history row.

    `on_batch` receives each batch's loss, the number of correct clips so far in this epoch, and the number of clips.
    """
    rng = torch.Generator().manual_seed(seed * 100_003 + state.epoch)
    state.model.train()
    part = group.indices(recipe.batch_size, recipe.forward_batch)
    losses: list[torch.Tensor] = []
    correct, count = torch.zeros((), device=clips.targets.device), 0
    for index in torch.randperm(clips.n_known, generator=rng).split(recipe.known_batch):
        if len(index) < recipe.known_batch:
            break  # statistics of a small batch would hurt; the order differs in the next epoch
        if recipe.unknown_batch:
            unknown = torch.randperm(clips.n_unknown, generator=rng)[: recipe.unknown_batch]
            index = torch.cat([index, clips.n_known + unknown])
        plan = None
        if recipe.augmentation is not None:
            plan = draw(recipe.augmentation, len(index), rng, recipe.unknown_batch)
        dropped = state.regularization.draw(len(index), rng) if state.regularization is not None else None
        batch, soft = network_batch(clips, index, part, plan, recipe, n_classes)
        loss, recognised = take_step(state, batch, soft, recipe, group, dropped)
        losses.append(loss)
        correct = correct + recognised
        count += recipe.known_batch
        on_batch(loss, correct, count)
    state.epoch += 1
    return {
        "epoch": state.epoch,
        "learning_rate": state.rate,
        "train_loss": float(torch.stack(losses).mean()),
        "train_accuracy": float(correct) / count,
        "valid_loss": None,
        "valid_accuracy": None,
    }


def take_step(
    state: State,
    batch: torch.Tensor,
    soft: torch.Tensor,
    recipe: Recipe,
    group: Group = ALONE,
    dropped: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take one optimizer step; return the whole batch's loss and its number of correct clips.

    Batch statistics are per sub-batch, and each sub-batch updates the running ones from their values before the step;
    the mean is kept. Gradients add up over all sub-batches of all processes. So the step is the same, up to rounding,
    for any number of processes.
    """
    state.optimizer.zero_grad(set_to_none=True)
    running = _RunningStatistics(state.model) if recipe.forward_batch < recipe.batch_size else None
    loss, correct = torch.zeros(2, device=batch.device).unbind()
    indices = group.indices(recipe.batch_size, recipe.forward_batch)
    for part, wanted, index in zip(*(tensor.split(recipe.forward_batch) for tensor in (batch, soft, indices)), strict=True):
        if dropped is not None and state.regularization is not None:
            state.regularization.use(dropped, index, batch.device)
        with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=state.precision == torch.bfloat16):
            output = state.model(part)
        logits = output.float()
        share = cross_entropy(logits, wanted, label_smoothing=recipe.label_smoothing) * (len(part) / recipe.batch_size)
        share.backward()
        loss += share.detach()
        known = wanted.amax(1) > wanted.amin(1)  # not of uniform targets
        correct += (known & (logits.detach().argmax(1) == wanted.argmax(1))).sum()
        if running is not None:
            running.collect()
    sums = running.sums if running is not None else []
    group.all_reduce([*(p.grad for p in state.model.parameters() if p.grad is not None), *sums, loss, correct])
    if running is not None:
        running.keep_mean(recipe.batch_size // recipe.forward_batch)
    state.rate = float(state.scheduler.get_last_lr()[0])
    state.optimizer.step()
    state.scheduler.step()
    if recipe.ema_decay is not None:
        state.update_ema(recipe.ema_decay)
    return loss, correct


class _RunningStatistics:
    """Running batch statistics of one step's sub-batches."""

    def __init__(self, model: nn.Module) -> None:
        buffers = list(model.buffers())
        self._moving = [tensor for tensor in buffers if tensor.is_floating_point()]
        self._counts = [tensor for tensor in buffers if not tensor.is_floating_point()]
        self._before = [tensor.clone() for tensor in self._moving]
        self._counted = [tensor + 1 for tensor in self._counts]
        self.sums = [torch.zeros_like(tensor) for tensor in self._moving]

    def collect(self) -> None:
        """Add a sub-batch's statistics to the sums and restore those before it."""
        if self._moving:
            torch._foreach_add_(self.sums, self._moving)
            torch._foreach_copy_(self._moving, self._before)

    def keep_mean(self, n_sub_batches: int) -> None:
        """Keep the mean over the sub-batches; a step counts as one batch."""
        for tensor, summed in zip(self._moving, self.sums, strict=True):
            tensor.copy_(summed / n_sub_batches)
        for tensor, counted in zip(self._counts, self._counted, strict=True):
            tensor.copy_(counted)
