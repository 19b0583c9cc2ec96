"""The training loop: batched tensors in, a checkpoint each epoch, the same weights after a kill as without one."""

from __future__ import annotations

import csv
import json
import logging
import os
import platform
import time
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
from training import augment
from training.evaluate import score
from training.prepare import Prepared
from training.progress import progress_bar
from training.recipes import Recipe

log = logging.getLogger(__name__)
RUNS = Path("runs")


@dataclass
class State:
    """All that changes during a run; what `last.pt` holds."""

    model: nn.Module
    averaged: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write atomically: a kill in between leaves the epoch before."""
        unfinished = path.with_suffix(".tmp")
        torch.save(
            {
                "model": self.model.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "epoch": self.epoch,
                "seconds": self.seconds,
            },
            unfinished,
        )
        os.replace(unfinished, path)

    def load(self, path: Path, device: torch.device) -> None:
        """Take up what `save` wrote."""
        saved = torch.load(path, map_location=device, weights_only=True)
        for name in ("model", "averaged", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(saved[name])
        self.epoch, self.seconds = saved["epoch"], saved["seconds"]


def train(
    prepared: Prepared, recipe: Recipe, train_folds: tuple[int, ...], valid_fold: int, seed: int, run: Path, valid_every: int = 1
) -> nn.Module:
    """Train to the recipe's last epoch, resuming what lies in `run`, and return the averaged network.

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
        Folder for config.json, history.csv, last.pt and, at the end, checkpoint/.
    valid_every : int
        Epochs between two looks at the validation fold.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    settings = {"recipe": recipe.to_dict(), "train_folds": train_folds, "valid_fold": valid_fold, "seed": seed}
    _claim(run, settings)
    pictures, targets = _fold_tensors(prepared, train_folds, device)
    valid_pictures, valid_targets = _fold_tensors(prepared, (valid_fold,), device)
    torch.manual_seed(seed)
    state = _new_state(recipe, len(prepared.class_names), len(pictures), device)
    if (run / "last.pt").is_file():
        state.load(run / "last.pt", device)
        _forget_later(run / "history.csv", state.epoch)
        log.info("resuming after epoch %d", state.epoch)
    with progress_bar() as bar:
        task = bar.add_task("epochs", total=recipe.epochs, completed=state.epoch, said="")
        while state.epoch < recipe.epochs:
            begun = time.perf_counter()
            row = _epoch(state, pictures, targets, recipe, seed, len(prepared.class_names))
            if state.epoch % valid_every == 0 or state.epoch == recipe.epochs:
                figures = score(state.averaged, valid_pictures, valid_targets, recipe.input)
                row |= {"valid_loss": figures.loss, "valid_accuracy": figures.accuracy}
            state.seconds += time.perf_counter() - begun
            row["seconds"] = state.seconds
            _append(run / "history.csv", row)
            state.save(run / "last.pt")
            bar.update(task, advance=1, said=_in_words(row))
    save_checkpoint(run / "checkpoint", state.averaged, _checkpoint(prepared, recipe, settings, state, run, device))
    return state.averaged


def _new_state(recipe: Recipe, n_classes: int, n_clips: int, device: torch.device) -> State:
    model, averaged = (build_model(recipe.architecture, n_classes) for _ in range(2))
    averaged.load_state_dict(model.state_dict())
    averaged.requires_grad_(False).eval()
    for network in (model, averaged):
        network.to(device, memory_format=torch.channels_last)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=recipe.learning_rate,
        total_steps=recipe.epochs * (n_clips // recipe.batch_size) + 1,
        pct_start=recipe.warm_up,
        cycle_momentum=False,
    )
    return State(model, averaged, optimizer, scheduler)


def _epoch(state: State, pictures: torch.Tensor, targets: torch.Tensor, recipe: Recipe, seed: int, n_classes: int) -> dict:
    """Take one pass over the clips and return its figures; all randomness comes from (seed, epoch)."""
    rng = torch.Generator().manual_seed(seed * 100_003 + state.epoch)
    state.model.train()
    order = torch.randperm(len(pictures), generator=rng).to(pictures.device)
    losses, right, seen = [], 0, 0
    for index in order.split(recipe.batch_size):
        if len(index) < recipe.batch_size:
            break  # batch statistics of a handful of clips would hurt; another order comes next epoch
        batch, soft = _augmented(pictures[index], targets[index], recipe, rng, n_classes)
        with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=batch.is_cuda):
            logits = state.model(batch)
            loss = cross_entropy(logits, soft, label_smoothing=recipe.label_smoothing)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()
        state.scheduler.step()
        _average(state, recipe.average)
        losses.append(loss.detach())
        right += (logits.argmax(1) == soft.argmax(1)).sum()
        seen += len(index)
    state.epoch += 1
    rate = state.scheduler.get_last_lr()[0]
    return {
        "epoch": state.epoch,
        "learning_rate": rate,
        "train_loss": float(torch.stack(losses).mean()),
        "train_accuracy": float(right) / seen,
        "valid_loss": "",
        "valid_accuracy": "",
    }


def _augmented(
    pictures_db: torch.Tensor, targets: torch.Tensor, recipe: Recipe, rng: torch.Generator, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    wanted = recipe.augmentation
    pictures_db = augment.move(pictures_db, wanted, rng)
    pictures_db, soft = augment.mix(pictures_db, one_hot(targets, n_classes).float(), wanted, recipe.spectrogram, rng)
    pictures_db = augment.tilt(pictures_db, wanted, rng)
    scaled = augment.mask(network_input(pictures_db, recipe.input), wanted, rng)
    return scaled[:, None].to(memory_format=torch.channels_last), soft


@torch.no_grad()
def _average(state: State, decay: float) -> None:
    """Move the averaged weights and batch statistics a step towards the model's; faster while the run is young."""
    steps = state.scheduler.last_epoch
    decay = min(decay, (1 + steps) / (10 + steps))
    pairs = zip(state.averaged.state_dict().values(), state.model.state_dict().values(), strict=True)
    averaged, current = zip(*((a, b) for a, b in pairs if a.is_floating_point()), strict=True)
    torch._foreach_lerp_(averaged, current, 1.0 - decay)


def _fold_tensors(prepared: Prepared, folds: tuple[int, ...], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    chosen = np.isin(prepared.folds, folds)
    pictures = torch.from_numpy(np.ascontiguousarray(prepared.pictures_db[chosen])).to(device)
    return pictures, torch.from_numpy(prepared.targets[chosen]).to(device)


def _claim(run: Path, settings: dict) -> None:
    """Write the run's settings, or make sure that a run to be resumed was started with the same."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / "config.json"
    text = json.dumps(settings, indent=1)
    if path.is_file() and (run / "last.pt").is_file():
        before, now = json.loads(path.read_text()), json.loads(text)
        different = [key for key in now if before.get(key) != now[key]]
        if different:
            raise DataError("run.mismatch", path=run, differences=", ".join(different))
    path.write_text(text + "\n")


def _append(path: Path, row: dict) -> None:
    fresh = not path.is_file()
    with path.open("a", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def _forget_later(path: Path, epoch: int) -> None:
    """Drop the row that a kill has left behind without its weights: its epoch is taken again."""
    header, *rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([header, *(row for row in rows if int(row.split(",")[0]) <= epoch)]))


def _in_words(row: dict) -> str:
    words = f"loss {row['train_loss']:.3f}"
    if row["valid_accuracy"] != "":
        words += f"  valid accuracy {row['valid_accuracy']:.3f}"
    return words


def _checkpoint(prepared: Prepared, recipe: Recipe, settings: dict, state: State, run: Path, device: torch.device) -> Checkpoint:
    return Checkpoint(
        architecture=recipe.architecture,
        class_names=prepared.class_names,
        spectrogram=recipe.spectrogram,
        input=recipe.input,
        provenance={
            "run": run.name,
            "data": "ESC-50 (K. J. Piczak, 2015), CC BY-NC 3.0",
            "licence": "CC BY-NC 4.0",
            "initial_weights": "fresh",
            "epoch": state.epoch,
            "hours": round(state.seconds / 3600, 2),
            "device": torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads",
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__},
            **settings,
        },
    )
