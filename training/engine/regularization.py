"""Dropout and stochastic depth drawn from the run's own generator, so that a shared or resumed run draws the same."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from training.recipes import Recipe


class Noise:
    """Hooks in a ResNet that silence features before its last layer and whole residual branches while it is trained.

    Both are off where the recipe has neither, and whenever the network is in evaluation mode. Stochastic depth
    (Huang et al., 2016) rises linearly from the first block to `recipe.drop_path` at the last.

    Parameters
    ----------
    model : Module
        Built by `esc.classification.resnet.build_model`.
    recipe : Recipe
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self._features = self._branches = None
        self._dropout = recipe.dropout
        self._rates = torch.empty(0)
        if recipe.dropout:
            self._n_features = model.fc.in_features
            model.fc.register_forward_pre_hook(self._drop_features)
        if recipe.drop_path:
            ends = [getattr(block, "bn3", block.bn2) for layer in _layers(model) for block in layer]
            self._rates = recipe.drop_path * torch.arange(1, len(ends) + 1) / len(ends)
            for number, end in enumerate(ends):
                end.register_forward_hook(partial(self._drop_branch, number))

    def draw(self, batch: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what is kept of a whole batch, scaled so that the mean stays: of features and of branches."""
        n_features = self._n_features if self._dropout else 0
        features = _kept(torch.full((n_features,), self._dropout), batch, rng)
        return features, _kept(self._rates, batch, rng)

    def use(self, drawn: tuple[torch.Tensor, torch.Tensor], places: torch.Tensor, device: torch.device) -> None:
        """Let what comes next through the network be these places of the batch."""
        self._features, self._branches = (part[places].to(device) for part in drawn)

    def _drop_features(self, layer: nn.Module, given: tuple[torch.Tensor]) -> tuple[torch.Tensor] | None:
        return (given[0] * self._features,) if layer.training else None

    def _drop_branch(self, number: int, layer: nn.Module, _: object, answer: torch.Tensor) -> torch.Tensor | None:
        return answer * self._branches[:, number, None, None, None].to(answer.dtype) if layer.training else None


def _layers(model: nn.Module) -> list[nn.Module]:
    return [model.layer1, model.layer2, model.layer3, model.layer4]


def _kept(rates: torch.Tensor, batch: int, rng: torch.Generator) -> torch.Tensor:
    """Return 0 with each column's rate, else 1 / (1 - rate): float32 (batch, len(rates))."""
    kept = torch.rand(batch, len(rates), generator=rng) >= rates
    return kept / (1.0 - rates)
