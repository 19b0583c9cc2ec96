"""The training loop: batched tensors in, a checkpoint each epoch, the same weights after a kill as without one."""

from __future__ import annotations

import io
import logging
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from esc.checkpoint import Checkpoint, save_checkpoint
from esc.errors import DataError
from esc.model import build_model
from esc.spectrogram import network_input
from training import augment, runfolder
from training.devices import best_device, device_name, dtype_name, precision
from training.disk import check_room, full_disk_named
from training.evaluate import score
from training.optim import build_optimizer, build_schedule
from training.prepare import Prepared
from training.pretrained import first_network
from training.progress import EpochBar
from training.recipes import Recipe

log = logging.getLogger(__name__)
_PARTS = ("model", "averaged", "optimizer", "scheduler")


@dataclass
class State:
    """All that changes during a run, what `last.pt` holds, and the precision that the network computes in.

    `averaged` is None where a recipe keeps the last weights.
    """

    model: nn.Module
    averaged: nn.Module | None
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    precision: torch.dtype = torch.float32
    epoch: int = 0
    seconds: float = 0.0
    rate: float = 0.0

    @property
    def kept(self) -> nn.Module:
        """The network that is looked at and kept in the end."""
        return self.model if self.averaged is None else self.averaged

    def save(self, path: Path) -> None:
        """Write atomically: a kill in between leaves the epoch before."""
        unfinished = path.with_suffix(".tmp")
        parts = {name: getattr(self, name) for name in _PARTS}
        saved = {name: part.state_dict() if part is not None else None for name, part in parts.items()}
        check_room(path, 4 * sum(p.nbytes for p in self.model.parameters()))  # weights, average, two moments
        packed = io.BytesIO()  # torch hides the system's error for a full disk behind one of its own
        torch.save(saved | {"epoch": self.epoch, "seconds": self.seconds}, packed)
        try:
            with full_disk_named(path):
                unfinished.write_bytes(packed.getbuffer())
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    def load(self, path: Path, device: torch.device) -> None:
        """Take up what `save` wrote."""
        saved = torch.load(path, map_location=device, weights_only=True)
        for name in _PARTS:
            if saved[name] is not None:
                getattr(self, name).load_state_dict(saved[name])
        self.epoch, self.seconds = saved["epoch"], saved["seconds"]


def train(
    prepared: Prepared,
    recipe: Recipe,
    train_folds: tuple[int, ...],
    valid_fold: int,
    seed: int,
    run: Path,
    valid_every: int = 1,
    weights: Path | None = None,
) -> nn.Module:
    """Train to the recipe's last epoch, resuming what lies in `run`, and return the network that is kept.

    Parameters
    ----------
    prepared : Prepared
        Pictures made with `recipe.spectrogram`.
    recipe : Recipe
    train_folds : tuple of int
    valid_fold : int
        Only looked at for the curves: no epoch is chosen by it.
    seed : int
        Of the first weights, the order of the clips and every augmentation.
    run : path
        Folder for config.json, history.csv, log.txt, last.pt and, at the end, checkpoint/.
    valid_every : int
        Epochs between two looks at the validation fold.
    weights : path, optional
        ImageNet weights for a recipe that wants them; see `training.pretrained.first_network`.

    Raises
    ------
    DataError
        The run was started with other settings, the weights don't fit, or the disk is full.
    """
    device = best_device()
    settings = {"recipe": recipe.to_dict(), "train_folds": train_folds, "valid_fold": valid_fold, "seed": seed}
    claimed = runfolder.claim(run, settings)
    with runfolder.log_to(run):
        pictures, targets = _fold_tensors(prepared, train_folds, device)
        if len(pictures) < recipe.batch_size:
            raise DataError("data.few", clips=len(pictures), batch=recipe.batch_size)
        valid = _fold_tensors(prepared, (valid_fold,), device)
        torch.manual_seed(seed)
        resumed = (run / runfolder.STATE).is_file()
        if resumed:
            model, said = build_model(recipe.architecture, len(prepared.class_names)), claimed.get("initial_weights", "fresh")
        else:
            model, said = first_network(recipe, len(prepared.class_names), weights)
            runfolder.write_settings(run, claimed | {"initial_weights": said})
        state = _new_state(recipe, model, len(prepared.class_names), len(pictures), device)
        if resumed:
            state.load(run / runfolder.STATE, device)
            runfolder.forget_later(run, state.epoch)
            log.info("%s: resuming after epoch %d of %d", run, state.epoch, recipe.epochs)
        else:
            (run / runfolder.HISTORY).unlink(missing_ok=True)  # of a run that was killed in its first epoch
        log.info("computing in %s on %s", dtype_name(state.precision), device_name(device))
        _epochs(state, (pictures, targets), valid, recipe, seed, run, valid_every, len(prepared.class_names))
        with full_disk_named(run / runfolder.CHECKPOINT):
            about = _checkpoint(prepared, recipe, settings, state, run, device, said)
            save_checkpoint(run / runfolder.CHECKPOINT, state.kept, about)
    return state.kept


def _epochs(
    state: State,
    training: tuple[torch.Tensor, torch.Tensor],
    valid: tuple[torch.Tensor, torch.Tensor],
    recipe: Recipe,
    seed: int,
    run: Path,
    valid_every: int,
    n_classes: int,
) -> None:
    """Take the epochs that are left, keeping after each one all that the next needs."""
    with EpochBar(recipe.epochs, state.epoch, len(training[0]) // recipe.batch_size) as bar:
        while state.epoch < recipe.epochs:
            begun = time.perf_counter()
            row = _epoch(state, *training, recipe, seed, n_classes, bar.step)
            if state.epoch % valid_every == 0 or state.epoch == recipe.epochs:
                figures = score(state.kept, *valid, recipe.input)
                row |= {"valid_loss": figures.loss, "valid_accuracy": figures.accuracy}
            state.seconds += time.perf_counter() - begun
            row["seconds"] = state.seconds
            runfolder.append_history(run, row)
            state.save(run / runfolder.STATE)
            bar.epoch_done(row)
            log.info("%s", _in_words(row, recipe.epochs))


def _new_state(recipe: Recipe, model: nn.Module, n_classes: int, n_clips: int, device: torch.device) -> State:
    averaged = None
    if recipe.average is not None:
        averaged = build_model(recipe.architecture, n_classes)
        averaged.load_state_dict(model.state_dict())
        averaged.requires_grad_(False).eval()
        averaged.to(device, memory_format=torch.channels_last)
    model.to(device, memory_format=torch.channels_last)
    optimizer = build_optimizer(recipe, model)
    schedule = build_schedule(recipe, optimizer, n_clips // recipe.batch_size)
    return State(model, averaged, optimizer, schedule, precision(device, recipe.mixed_precision))


def _epoch(
    state: State,
    pictures: torch.Tensor,
    targets: torch.Tensor,
    recipe: Recipe,
    seed: int,
    n_classes: int,
    seen: Callable[[torch.Tensor, torch.Tensor, int], None],
) -> dict:
    """Take one pass over the clips and return its figures; all randomness comes from (seed, epoch)."""
    rng = torch.Generator().manual_seed(seed * 100_003 + state.epoch)
    state.model.train()
    order = torch.randperm(len(pictures), generator=rng).to(pictures.device)
    losses, right, clips = [], 0, 0
    for index in order.split(recipe.batch_size):
        if len(index) < recipe.batch_size:
            break  # batch statistics of a handful of clips would hurt; another order comes next epoch
        batch, soft = _network_batch(pictures[index], targets[index], recipe, rng, n_classes)
        loss, logits = _step(state, batch, soft, recipe)
        losses.append(loss)
        right += (logits.argmax(1) == soft.argmax(1)).sum()
        clips += len(index)
        seen(loss, right, clips)
    state.epoch += 1
    return {
        "epoch": state.epoch,
        "learning_rate": state.rate,
        "train_loss": float(torch.stack(losses).mean()),
        "train_accuracy": float(right) / clips,
        "valid_loss": "",
        "valid_accuracy": "",
    }


def _step(state: State, batch: torch.Tensor, soft: torch.Tensor, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor]:
    """Take one step of the optimizer; return the batch's loss and logits. Gradients add up over the sub-batches."""
    state.optimizer.zero_grad(set_to_none=True)
    size = recipe.sub_batch or len(batch)
    losses, logits = [], []
    for part, wanted in zip(batch.split(size), soft.split(size), strict=True):
        with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=state.precision == torch.bfloat16):
            answer = state.model(part)
        answer = answer.float()
        loss = cross_entropy(answer, wanted, label_smoothing=recipe.label_smoothing) * (len(part) / len(batch))
        loss.backward()
        losses.append(loss.detach())
        logits.append(answer.detach())
    state.rate = state.scheduler.get_last_lr()[0]
    state.optimizer.step()
    state.scheduler.step()
    _average(state, recipe.average)
    return torch.stack(losses).sum(), torch.cat(logits)


def _network_batch(
    pictures_db: torch.Tensor, targets: torch.Tensor, recipe: Recipe, rng: torch.Generator, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return dB pictures augmented and scaled, (batch, 1, n_mels, n_frames), and their targets (batch, n_classes)."""
    wanted, soft = recipe.augmentation, one_hot(targets, n_classes).float()
    if wanted is None:
        scaled = network_input(pictures_db, recipe.input)
    else:
        pictures_db = augment.move(pictures_db, wanted, rng)
        pictures_db, soft = augment.mix(pictures_db, soft, wanted, recipe.spectrogram, rng)
        pictures_db = augment.tilt(pictures_db, wanted, rng)
        scaled = augment.mask(network_input(pictures_db, recipe.input), wanted, rng)
    return scaled[:, None].to(memory_format=torch.channels_last), soft


@torch.no_grad()
def _average(state: State, decay: float | None) -> None:
    """Move the averaged weights and batch statistics a step towards the model's; faster while the run is young."""
    if state.averaged is None:
        return
    steps = state.scheduler.last_epoch
    decay = min(decay, (1 + steps) / (10 + steps))
    pairs = zip(state.averaged.state_dict().values(), state.model.state_dict().values(), strict=True)
    averaged, current = zip(*((a, b) for a, b in pairs if a.is_floating_point()), strict=True)
    torch._foreach_lerp_(averaged, current, 1.0 - decay)


def _fold_tensors(prepared: Prepared, folds: tuple[int, ...], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    chosen = np.isin(prepared.folds, folds)
    pictures = torch.from_numpy(np.ascontiguousarray(prepared.pictures_db[chosen])).to(device)
    return pictures, torch.from_numpy(prepared.targets[chosen]).to(device)


def _in_words(row: dict, epochs: int) -> str:
    words = f"epoch {row['epoch']} of {epochs}: loss {row['train_loss']:.4f}, accuracy {row['train_accuracy']:.4f}"
    if row["valid_accuracy"] != "":
        words += f", held out: loss {row['valid_loss']:.4f}, accuracy {row['valid_accuracy']:.4f}"
    return words


def _checkpoint(
    prepared: Prepared, recipe: Recipe, settings: dict, state: State, run: Path, device: torch.device, initial_weights: str
) -> Checkpoint:
    return Checkpoint(
        architecture=recipe.architecture,
        class_names=prepared.class_names,
        spectrogram=recipe.spectrogram,
        input=recipe.input,
        provenance={
            "run": run.name,
            "data": "ESC-50 (K. J. Piczak, 2015), CC BY-NC 3.0",
            "licence": "CC BY-NC 4.0",
            "initial_weights": initial_weights,
            "epoch": state.epoch,
            "hours": round(state.seconds / 3600, 2),
            "device": device_name(device),
            "precision": dtype_name(state.precision),
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__},
            **settings,
        },
    )
