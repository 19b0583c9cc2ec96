"""One step of the optimizer and one pass over the clips, alone or shared among processes."""

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
    seen: Callable[[torch.Tensor, torch.Tensor, int], None],
    group: Group = ALONE,
) -> dict:
    """Take one pass over the clips and return its figures; all randomness comes from (seed, epoch).

    `seen` is called after each batch with its loss, the number recognised so far in this epoch and that of the clips.
    """
    rng = torch.Generator().manual_seed(seed * 100_003 + state.epoch)
    state.model.train()
    places = group.places(recipe.batch_size, recipe.at_once)
    losses, right, count = [], 0, 0
    for index in torch.randperm(len(clips), generator=rng).split(recipe.batch_size):
        if len(index) < recipe.batch_size:
            break  # batch statistics of a handful of clips would hurt; another order comes next epoch
        plan = draw(recipe.augmentation, len(index), rng) if recipe.augmentation is not None else None
        dropped = state.noise.draw(len(index), rng)
        batch, soft = network_batch(clips, index, places, plan, recipe, n_classes)
        loss, recognised = take_step(state, batch, soft, recipe, group, dropped)
        losses.append(loss)
        right += recognised
        count += len(index)
        seen(loss, right, count)
    state.epoch += 1
    return {
        "epoch": state.epoch,
        "learning_rate": state.rate,
        "train_loss": float(torch.stack(losses).mean()),
        "train_accuracy": float(right) / count,
        "valid_loss": "",
        "valid_accuracy": "",
    }


def take_step(
    state: State,
    batch: torch.Tensor,
    soft: torch.Tensor,
    recipe: Recipe,
    group: Group = ALONE,
    dropped: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take one step of the optimizer; return the whole batch's loss and how many of its clips were recognised.

    Batch statistics are a sub-batch's own, and each sub-batch moves the running ones from where they stood before the
    step; their mean stays. Gradients add up over all sub-batches of all processes. So the step is the same, up to
    rounding, however many processes share it.
    """
    state.optimizer.zero_grad(set_to_none=True)
    running = _Running(state.model) if recipe.at_once < recipe.batch_size else None
    loss, right = torch.zeros(2, device=batch.device).unbind()
    places = group.places(recipe.batch_size, recipe.at_once)
    for part, wanted, where in zip(*(tensor.split(recipe.at_once) for tensor in (batch, soft, places)), strict=True):
        if dropped is not None:
            state.noise.use(dropped, where, batch.device)
        with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=state.precision == torch.bfloat16):
            answer = state.model(part)
        answer = answer.float()
        share = cross_entropy(answer, wanted, label_smoothing=recipe.label_smoothing) * (len(part) / recipe.batch_size)
        share.backward()
        loss += share.detach()
        right += (answer.detach().argmax(1) == wanted.argmax(1)).sum()
        if running is not None:
            running.note()
    sums = running.sums if running is not None else []
    group.add([*(p.grad for p in state.model.parameters()), *sums, loss, right])
    if running is not None:
        running.settle(recipe.batch_size // recipe.at_once)
    state.rate = state.scheduler.get_last_lr()[0]
    state.optimizer.step()
    state.scheduler.step()
    if state.averaged is not None:
        state.average(recipe.average)
    return loss, right


class _Running:
    """The running batch statistics of one step's sub-batches."""

    def __init__(self, model: nn.Module) -> None:
        buffers = list(model.buffers())
        self._moving = [tensor for tensor in buffers if tensor.is_floating_point()]
        self._counts = [tensor for tensor in buffers if not tensor.is_floating_point()]
        self._before = [tensor.clone() for tensor in self._moving]
        self._counted = [tensor + 1 for tensor in self._counts]
        self.sums = [torch.zeros_like(tensor) for tensor in self._moving]

    def note(self) -> None:
        """Add what a sub-batch left, and put back what stood before it."""
        if self._moving:
            torch._foreach_add_(self.sums, self._moving)
            torch._foreach_copy_(self._moving, self._before)

    def settle(self, n_sub_batches: int) -> None:
        """Keep the mean over the sub-batches; a step counts as one batch."""
        for tensor, summed in zip(self._moving, self.sums, strict=True):
            tensor.copy_(summed / n_sub_batches)
        for tensor, counted in zip(self._counts, self._counted, strict=True):
            tensor.copy_(counted)
