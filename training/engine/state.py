"""Training state: everything that changes during a run, in memory and on disk."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from esc.classification.resnet import ResNet, build_model
from esc.errors import DataError, reason_of
from training.engine.devices import precision, to_device
from training.engine.optim import build_optimizer, build_schedule
from training.engine.regularization import Regularization
from training.recipes import Recipe
from training.runs.disk import check_free_space, write_atomic

_PARTS = ("model", "ema", "optimizer", "scheduler")


@dataclass
class State:
    """Everything that changes during a run.

    `ema` is None for recipes that keep the last weights; `rate` is the learning rate of the last step.
    """

    model: ResNet
    ema: ResNet | None
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    precision: torch.dtype = torch.float32
    regularization: Regularization | None = None
    epoch: int = 0
    seconds: float = 0.0
    rate: float = 0.0

    @property
    def final_model(self) -> ResNet:
        """The network that is evaluated and kept in the end."""
        return self.model if self.ema is None else self.ema

    @torch.no_grad()
    def update_ema(self, decay: float) -> None:
        """Move averaged weights and batch statistics towards the model's; faster while the run is young."""
        if self.ema is None:
            return
        steps = self.scheduler.last_epoch
        decay = min(decay, (1 + steps) / (10 + steps))
        pairs = zip(_tensors(self.ema), _tensors(self.model), strict=True)
        averaged, current = zip(*((a, b) for a, b in pairs if a.is_floating_point()), strict=True)
        torch._foreach_lerp_(averaged, current, 1.0 - decay)

    def save(self, path: Path) -> None:
        """Write the state atomically."""
        parts = {name: getattr(self, name) for name in _PARTS}
        saved = {name: part.state_dict() if part is not None else None for name, part in parts.items()}
        check_free_space(path, 4 * sum(p.nbytes for p in self.model.parameters()))  # weights, average, two moments
        packed = io.BytesIO()  # torch.save on a file hides the system's error for a full disk
        torch.save(saved | {"epoch": self.epoch, "seconds": self.seconds}, packed)
        write_atomic(path, packed.getbuffer())

    def load(self, packed: bytes, path: Path, device: torch.device) -> None:
        """Restore a saved state; DataError, naming `path`, if it is damaged."""
        try:
            saved = torch.load(io.BytesIO(packed), map_location=device, weights_only=True)
            for name in _PARTS:
                if saved[name] is not None:
                    getattr(self, name).load_state_dict(saved[name])
            self.epoch, self.seconds = saved["epoch"], saved["seconds"]
        except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise DataError("run.damaged", path=path, reason=reason_of(error).rstrip(".")) from error


def new_state(recipe: Recipe, model: ResNet, n_classes: int, n_clips: int, device: torch.device) -> State:
    """Return the state before the first step of a run on `n_clips` known clips."""
    ema = None
    if recipe.ema_decay is not None:
        ema = build_model(recipe.architecture, n_classes)
        ema.load_state_dict(model.state_dict())
        ema.requires_grad_(False).eval()
        to_device(ema, device)
    to_device(model, device)
    optimizer = build_optimizer(recipe, model)
    schedule = build_schedule(recipe, optimizer, n_clips // recipe.known_batch)
    dtype = precision(device, recipe.mixed_precision, recipe.n_frames)
    return State(model, ema, optimizer, schedule, dtype, Regularization(model, recipe))


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    """Return weights and buffers; state_dict would build every name anew at each step."""
    return [*model.parameters(), *model.buffers()]
