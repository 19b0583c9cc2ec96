"""A run from its first weights to its checkpoint: its state stays on disk, the same weights after a kill as without one."""

from __future__ import annotations

import logging
import math
import platform
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from torch import nn

from esc.classification.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from esc.classification.resnet import build_model
from esc.errors import DataError
from training.data.preprocessing import Prepared
from training.engine.batches import Clips, on_device, pictures_of
from training.engine.devices import best_device, device_name, dtype_name
from training.engine.distributed import ALONE, Group
from training.engine.pretrained import FRESH, first_network
from training.engine.state import State, new_state
from training.engine.step import take_epoch
from training.evaluation.metrics import score
from training.evaluation.predictions import FILE as PREDICTIONS
from training.recipes import Recipe
from training.runs import run_dir
from training.runs.disk import full_disk_named
from training.runs.progress import EpochBar

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Run:
    """What stays the same during a run."""

    folder: Path
    recipe: Recipe
    seed: int
    n_classes: int
    clips: Clips
    valid_db: torch.Tensor
    valid_targets: torch.Tensor
    group: Group


def train(
    prepared: Prepared,
    recipe: Recipe,
    train_folds: tuple[int, ...],
    valid_fold: int,
    seed: int,
    run: Path,
    valid_every: int = 1,
    weights: Path | None = None,
    *,
    without: tuple[str, ...] = (),
    group: Group = ALONE,
) -> nn.Module:
    """Train to the recipe's last epoch, resuming what lies in `run`, and return the network that is kept.

    The checkpoint of a run that has ended stays as it is: it may have been calibrated since.

    Parameters
    ----------
    prepared : Prepared
        Made by `training.data.preprocessing.prepare_for`; without the clips of left-out classes.
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
        ImageNet weights for a recipe that wants them; see `training.engine.pretrained.first_network`.
    without : tuple of str
        Classes that were left out of `prepared`, to be noted.
    group : Group
        The processes that train together; only the first of them writes.

    Raises
    ------
    DataError
        Started with other settings, a state or weights that can't be used, a loss that is no number, a full disk.
    CheckpointError
        The run has ended, only its checkpoint is left and that is damaged.
    ParameterError
        The group's processes can't share the recipe's batch.
    """
    group.places(recipe.batch_size, recipe.at_once)  # a batch that can't be shared is told before anything is written
    device = best_device()
    settings = {"recipe": recipe.to_dict(), "train_folds": train_folds, "valid_fold": valid_fold, "seed": seed}
    settings |= {"without": without}
    claimed = group.same(lambda: run_dir.claim(run, settings))
    with run_dir.log_to(run) if group.first else nullcontext():
        if group.same(lambda: run_dir.has_checkpoint(run) and not (run / run_dir.STATE).is_file()):
            log.info("%s has ended, and %s is gone: the network is its checkpoint's", run, run_dir.STATE)
            return group.same(lambda: load_checkpoint(run / run_dir.CHECKPOINT)[0]).to(device)
        valid = on_device(prepared, (valid_fold,), device)
        clips = on_device(prepared, train_folds, device)
        if len(clips) < recipe.batch_size:
            raise DataError("data.few", clips=len(clips), batch=recipe.batch_size)
        about = _Run(run, recipe, seed, len(prepared.class_names), clips, pictures_of(valid, recipe), valid.targets, group)
        state, said = _begin(about, claimed, weights, device)
        if state.epoch == recipe.epochs and group.same(lambda: run_dir.has_checkpoint(run)):
            log.info("%s has ended: nothing is left to train, its checkpoint stays as it is", run)
            return state.kept
        log.info("computing in %s on %s, %d process(es)", dtype_name(state.precision), device_name(device), group.size)
        _epochs(state, about, valid_every)
        made = settings | _made(run, state, device, said, group)
        group.same(lambda: _keep(run, state, prepared, recipe, made))
    return state.kept


def _begin(about: _Run, claimed: dict, weights: Path | None, device: torch.device) -> tuple[State, str]:
    """Return the state that the run goes on from, the same in every process, and where its first weights are from."""
    run, recipe, group = about.folder, about.recipe, about.group
    torch.manual_seed(about.seed)
    resumed = group.same(lambda: (run / run_dir.STATE).is_file())
    if resumed:
        model, said = build_model(recipe.architecture, about.n_classes), claimed.get("initial_weights", FRESH)
        state = new_state(recipe, model, about.n_classes, len(about.clips), device)
        state.load(group.same((run / run_dir.STATE).read_bytes), run / run_dir.STATE, device)
        group.same(lambda: run_dir.forget_later(run, state.epoch))
        log.info("%s: resuming after epoch %d of %d", run, state.epoch, recipe.epochs)
        return state, said
    model, said = group.same(lambda: first_network(recipe, about.n_classes, weights))
    state = new_state(recipe, model, about.n_classes, len(about.clips), device)
    begun = {"initial_weights": said, "device": device_name(device), "precision": dtype_name(state.precision)}
    group.same(lambda: _start(run, claimed | begun))
    return state, said


def _start(run: Path, settings: dict) -> None:
    run_dir.write_settings(run, settings)
    for old in (run_dir.HISTORY, PREDICTIONS):  # of a run that was killed in its first epoch, of a checkpoint that is gone
        (run / old).unlink(missing_ok=True)


def _epochs(state: State, about: _Run, valid_every: int) -> None:
    """Take the epochs that are left, keeping on disk what the next needs."""
    recipe, group = about.recipe, about.group
    notes = _Notes(about.folder, recipe.epochs)
    with EpochBar(recipe.epochs, state.epoch, len(about.clips) // recipe.batch_size, group.first) as bar:
        while state.epoch < recipe.epochs:
            begun = time.perf_counter()
            row = take_epoch(state, about.clips, recipe, about.seed, about.n_classes, bar.step, group)
            if not math.isfinite(row["train_loss"]):
                raise DataError("run.diverged", path=about.folder, epoch=state.epoch)
            if state.epoch % valid_every == 0 or state.epoch == recipe.epochs:
                figures = score(state.kept, about.valid_db, about.valid_targets, recipe.input, group)
                row |= {"valid_loss": figures.loss, "valid_accuracy": figures.accuracy}
            state.seconds += time.perf_counter() - begun
            row["seconds"] = state.seconds
            group.same(lambda row=row: notes.take(state, row))
            bar.epoch_done(row)
            log.info("%s", _in_words(row, recipe.epochs))


class _Notes:
    """What a run puts on disk: each epoch's row, and the state as often as that takes a tenth of the time at most.

    An epoch on a GPU may take less time than its state does to be written. Rows without a state are dropped when the run is
    taken up again.
    """

    def __init__(self, run: Path, epochs: int) -> None:
        self._run, self._epochs, self._due = run, epochs, 0.0

    def take(self, state: State, row: dict) -> None:
        run_dir.append_history(self._run, row)
        begun = time.perf_counter()
        if state.epoch == self._epochs or begun >= self._due:
            state.save(self._run / run_dir.STATE)
            ended = time.perf_counter()
            self._due = ended + 9.0 * (ended - begun)


def _in_words(row: dict, epochs: int) -> str:
    words = f"epoch {row['epoch']} of {epochs}: loss {row['train_loss']:.4f}, accuracy {row['train_accuracy']:.4f}"
    if row["valid_accuracy"] != "":
        words += f", held out: loss {row['valid_loss']:.4f}, accuracy {row['valid_accuracy']:.4f}"
    return words


def _made(run: Path, state: State, device: torch.device, initial_weights: str, group: Group) -> dict:
    """Return how a checkpoint came about."""
    return {
        "run": run.name,
        "data": "ESC-50 (K. J. Piczak, 2015), CC BY-NC 3.0",
        "licence": "CC BY-NC 4.0",
        "initial_weights": initial_weights,
        "epoch": state.epoch,
        "hours": round(state.seconds / 3600, 2),
        "device": device_name(device),
        "precision": dtype_name(state.precision),
        "processes": group.size,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__},
    }


def _keep(run: Path, state: State, prepared: Prepared, recipe: Recipe, provenance: dict) -> None:
    checkpoint = Checkpoint(
        architecture=recipe.architecture,
        class_names=prepared.class_names,
        spectrogram=recipe.spectrogram,
        input=recipe.input,
        provenance=provenance,
    )
    with full_disk_named(run / run_dir.CHECKPOINT):
        save_checkpoint(run / run_dir.CHECKPOINT, state.kept, checkpoint)
