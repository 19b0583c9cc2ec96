"""Dropout and stochastic depth, drawn from the run's own generator."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from esc.classification.resnet import Bottleneck, ResNet
from training.recipes import Recipe


class Regularization:
    """Dropout before the last layer and stochastic depth, as forward hooks of a ResNet.

    Random numbers come from the run's generator, so that shared and resumed runs draw the same. Both are off in evaluation
    mode. Stochastic depth (Huang et al., 2016) rises linearly from the first block to `recipe.drop_path` at the last.
    """

    def __init__(self, model: ResNet, recipe: Recipe) -> None:
        self._features = self._branches = torch.empty(0)
        self._dropout = torch.empty(0)
        self._drop_path = torch.empty(0)
        if recipe.dropout:
            self._dropout = torch.full((model.fc.in_features,), recipe.dropout)
            model.fc.register_forward_pre_hook(self._drop_features)
        if recipe.drop_path:
            layers = (model.layer1, model.layer2, model.layer3, model.layer4)
            ends = [block.get_submodule("bn3" if isinstance(block, Bottleneck) else "bn2") for layer in layers for block in layer]
            self._drop_path = recipe.drop_path * torch.arange(1, len(ends) + 1) / len(ends)
            for number, end in enumerate(ends):
                end.register_forward_hook(partial(self._drop_branch, number))

    def draw(self, batch: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Return factors of features and branches for a whole batch, with mean 1."""
        return _factors(self._dropout, batch, rng), _factors(self._drop_path, batch, rng)

    def use(self, drawn: tuple[torch.Tensor, torch.Tensor], index: torch.Tensor, device: torch.device) -> None:
        """Apply the factors of these positions of the batch in the next forward pass."""
        self._features, self._branches = (factors[index].to(device) for factors in drawn)

    def _drop_features(self, layer: nn.Module, given: tuple[torch.Tensor]) -> tuple[torch.Tensor] | None:
        return (given[0] * self._features,) if layer.training else None

    def _drop_branch(self, number: int, layer: nn.Module, _: object, output: torch.Tensor) -> torch.Tensor | None:
        return output * self._branches[:, number, None, None, None].to(output.dtype) if layer.training else None


def _factors(rates: torch.Tensor, batch: int, rng: torch.Generator) -> torch.Tensor:
    """Return 0 at each column's rate, else 1 / (1 - rate): float32 (batch, len(rates))."""
    kept = torch.rand(batch, len(rates), generator=rng) >= rates
    return kept / (1.0 - rates)
