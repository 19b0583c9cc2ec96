"""All that changes during a run, on disk and in memory."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from esc.classification.resnet import build_model
from esc.errors import DataError
from training.engine.devices import precision
from training.engine.optim import build_optimizer, build_schedule
from training.engine.regularization import Noise
from training.recipes import Recipe
from training.runs.disk import check_room, write_whole

_PARTS = ("model", "averaged", "optimizer", "scheduler")


@dataclass
class State:
    """All that changes during a run, what `last.pt` holds, and how the network is computed.

    `averaged` is None where a recipe keeps the last weights.
    """

    model: nn.Module
    averaged: nn.Module | None
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    precision: torch.dtype = torch.float32
    noise: Noise | None = None
    epoch: int = 0
    seconds: float = 0.0
    rate: float = 0.0

    @property
    def kept(self) -> nn.Module:
        """The network that is looked at and kept in the end."""
        return self.model if self.averaged is None else self.averaged

    @torch.no_grad()
    def average(self, decay: float) -> None:
        """Move the averaged weights and batch statistics a step towards the model's; faster while the run is young."""
        steps = self.scheduler.last_epoch
        decay = min(decay, (1 + steps) / (10 + steps))
        pairs = zip(_tensors(self.averaged), _tensors(self.model), strict=True)
        averaged, current = zip(*((a, b) for a, b in pairs if a.is_floating_point()), strict=True)
        torch._foreach_lerp_(averaged, current, 1.0 - decay)

    def save(self, path: Path) -> None:
        """Write atomically: a kill in between leaves the state that was there."""
        parts = {name: getattr(self, name) for name in _PARTS}
        saved = {name: part.state_dict() if part is not None else None for name, part in parts.items()}
        check_room(path, 4 * sum(p.nbytes for p in self.model.parameters()))  # weights, average, two moments
        packed = io.BytesIO()  # torch hides the system's error for a full disk behind one of its own
        torch.save(saved | {"epoch": self.epoch, "seconds": self.seconds}, packed)
        write_whole(path, packed.getbuffer())

    def load(self, packed: bytes, path: Path, device: torch.device) -> None:
        """Take up what `save` wrote; `path` is only named.

        Raises
        ------
        DataError
            It is damaged, or of another network.
        """
        try:
            saved = torch.load(io.BytesIO(packed), map_location=device, weights_only=True)
            for name in _PARTS:
                if saved[name] is not None:
                    getattr(self, name).load_state_dict(saved[name])
            self.epoch, self.seconds = saved["epoch"], saved["seconds"]
        except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
            raise DataError("run.damaged", path=path, reason=reason) from error


def new_state(recipe: Recipe, model: nn.Module, n_classes: int, n_clips: int, device: torch.device) -> State:
    """Return the state before the first step of a run on `n_clips` clips."""
    averaged = None
    if recipe.average is not None:
        averaged = build_model(recipe.architecture, n_classes)
        averaged.load_state_dict(model.state_dict())
        averaged.requires_grad_(False).eval()
        averaged.to(device, memory_format=torch.channels_last)
    model.to(device, memory_format=torch.channels_last)
    optimizer = build_optimizer(recipe, model)
    schedule = build_schedule(recipe, optimizer, n_clips // recipe.batch_size)
    kind = precision(device, recipe.mixed_precision, recipe.n_frames)
    return State(model, averaged, optimizer, schedule, kind, Noise(model, recipe))


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    """Return a network's weights and buffers; its state_dict would name each of them anew at every step."""
    return [*model.parameters(), *model.buffers()]
