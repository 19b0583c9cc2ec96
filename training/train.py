"""A training run from initial weights to checkpoint, resumable to the last bit."""

from __future__ import annotations

import logging
import math
import platform
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from esc.classification.checkpoint import save_checkpoint
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.resnet import ResNet, build_model
from esc.errors import DataError
from training.data.esc50 import UNKNOWN_FOLD
from training.data.preprocessing import Prepared
from training.engine.batches import on_device
from training.engine.devices import best_device, device_name, dtype_name
from training.engine.distributed import ALONE, Group
from training.engine.pretrained import checkpoint_model, fingerprint, initial_model
from training.engine.state import new_state
from training.engine.step import take_epoch
from training.evaluation.held_out_log import record
from training.evaluation.metrics import evaluate
from training.evaluation.predictions import FILE as PREDICTIONS
from training.runs import run_dir
from training.runs.disk import disk_full_error, write_json
from training.runs.progress import EpochBar, describe_epoch
from training.runs.run_dir import RunConfig

log = logging.getLogger(__name__)
NEVER = 0


@dataclass(frozen=True)
class Validation:
    """When the validation fold is evaluated during training."""

    every: int = NEVER  # epochs between two evaluations, of which the last epoch is one
    log: Path | None = None  # gets a row for each evaluation: for a fold that is held out for the final figure

    def is_due(self, epoch: int, epochs: int) -> bool:
        """Return whether the fold is evaluated after an epoch."""
        return self.every != NEVER and (epoch % self.every == 0 or epoch == epochs)


NO_VALIDATION = Validation()


def train(
    prepared: Prepared,
    config: RunConfig,
    run: Path,
    validation: Validation = NO_VALIDATION,
    weights: Path | None = None,
    group: Group = ALONE,
) -> Path:
    """Train or resume a run, and return the folder of its checkpoint.

    `run` gets config.json, history.csv, log.txt, last.pt and, at the end, checkpoint/. The checkpoint of a finished run is
    never changed: it may have been calibrated. `weights`: a file or folder, see `training.engine.pretrained`.

    Raises
    ------
    DataError
        The run has other settings or initial weights, state or weights can't be used, the loss is not finite, the disk is full.
    ParameterError
        The group's processes can't share the recipe's batch.
    """
    group.indices(config.recipe.batch_size, config.recipe.forward_batch)  # check before anything is written
    settings = group.broadcast(lambda: run_dir.claim(run, replace(config, weights=fingerprint(config.recipe, weights))))
    with run_dir.log_to(run) if group.is_main else nullcontext():
        if group.broadcast(lambda: run_dir.has_checkpoint(run)):
            log.info("%s has ended: its checkpoint stays as it is", run)
            return run / run_dir.CHECKPOINT
        current = _Run(prepared, config, run, validation, group)
        current.initialise(settings, weights)
        current.take_epochs()
        group.broadcast(current.keep)
    return run / run_dir.CHECKPOINT


class _Run:
    """A run in progress."""

    def __init__(self, prepared: Prepared, config: RunConfig, folder: Path, validation: Validation, group: Group) -> None:
        self.folder, self.config, self.validation, self.group = folder, config, validation, group
        self.class_names, self.device, self.next_save = prepared.class_names, best_device(), 0.0
        self.clips = on_device(prepared, (UNKNOWN_FOLD, *config.train_folds), self.device)
        self.valid = on_device(replace(prepared, recordings=()), (config.valid_fold,), self.device)
        recipe, clips = config.recipe, self.clips
        for count, batch in ((clips.n_known, recipe.known_batch), (clips.n_unknown, recipe.unknown_batch)):
            if count < batch:
                raise DataError("data.few", clips=count, batch=batch)

    def initialise(self, settings: dict, weights: Path | None) -> None:
        """Load the saved state, or make a new one; the same in every process."""
        recipe, group, n_classes = self.config.recipe, self.group, len(self.class_names)
        state_file = self.folder / run_dir.STATE
        torch.manual_seed(self.config.seed)
        if group.broadcast(state_file.is_file):
            self.settings = settings
            model = build_model(recipe.architecture, n_classes)
            self.state = new_state(recipe, model, n_classes, self.clips.n_known, self.device)
            self.state.load(group.broadcast(state_file.read_bytes), state_file, self.device)
            group.broadcast(lambda: run_dir.truncate_history(self.folder, self.state.epoch))
            log.info("%s: resuming after epoch %d of %d", self.folder, self.state.epoch, recipe.epochs)
        else:
            model, origin = group.broadcast(partial(self._initial_model, weights))
            self.state = new_state(recipe, model, n_classes, self.clips.n_known, self.device)
            dtype = dtype_name(self.state.precision)
            self.settings = settings | origin | {"device": device_name(self.device), "precision": dtype}
            self.settings |= {"unknown_clips": self.clips.n_unknown} if self.clips.n_unknown else {}
            group.broadcast(self._start_files)

    def _initial_model(self, weights: Path | None) -> tuple[ResNet, dict[str, Any]]:
        if self.config.recipe.initial_weights == "checkpoint":
            return checkpoint_model(self.config, self.class_names, weights)
        model, origin = initial_model(self.config.recipe, len(self.class_names), weights)
        return model, {"initial_weights": origin}

    def _start_files(self) -> None:
        write_json(self.folder / run_dir.SETTINGS, self.settings)
        for old in (run_dir.HISTORY, PREDICTIONS):  # left by a run killed in its first epoch or a deleted checkpoint
            (self.folder / old).unlink(missing_ok=True)

    def take_epochs(self) -> None:
        """Train for the remaining epochs."""
        state, recipe, group = self.state, self.config.recipe, self.group
        log.info("%s on %s, %d process(es)", dtype_name(state.precision), device_name(self.device), group.size)
        with EpochBar(recipe.epochs, state.epoch, self.clips.n_known // recipe.known_batch, group.is_main) as bar:
            while state.epoch < recipe.epochs:
                begun = time.perf_counter()
                row = take_epoch(state, self.clips, recipe, self.config.seed, len(self.class_names), bar.on_batch, group)
                if not math.isfinite(row["train_loss"]):
                    raise DataError("run.diverged", path=self.folder, epoch=state.epoch)
                if self.validation.is_due(state.epoch, recipe.epochs):
                    row |= self._validate()
                state.seconds += time.perf_counter() - begun
                row["seconds"] = state.seconds
                group.broadcast(partial(self.note, row))
                bar.on_epoch(row)
                log.info("epoch %d of %d: %s", state.epoch, recipe.epochs, describe_epoch(row))

    def _validate(self) -> dict:
        valid, config = self.valid, self.config.recipe.input
        spectrograms_db = valid.spectrograms_db(torch.arange(len(valid), device=self.device))
        metrics = evaluate(self.state.final_model, spectrograms_db, valid.targets, config, self.group)
        if self.validation.log is not None and self.group.is_main:
            record(self.validation.log, self.folder.name, self.config.valid_fold, metrics.accuracy)
        return {"valid_loss": metrics.loss, "valid_accuracy": metrics.accuracy}

    def note(self, row: dict) -> None:
        """Append an epoch's row, and save the state unless that takes too long.

        Saving takes at most a tenth of the time: on a GPU it may take longer than an epoch. Rows without a state are dropped
        when the run is resumed.
        """
        run_dir.append_history(self.folder, row)
        begun = time.perf_counter()
        if self.state.epoch == self.config.recipe.epochs or begun >= self.next_save:
            self.state.save(self.folder / run_dir.STATE)
            ended = time.perf_counter()
            self.next_save = ended + 9.0 * (ended - begun)

    def keep(self) -> None:
        """Write the checkpoint."""
        recipe = self.config.recipe
        provenance = {name: value for name, value in self.settings.items() if name != "data_folder"}  # of this machine alone
        licences = provenance.get("licence"), provenance.pop("initial_licence", None)  # weights and data: both apply
        provenance |= {
            "licence": "; ".join(dict.fromkeys(filter(None, licences))) or None,
            "run": self.folder.name,
            "epoch": self.state.epoch,
            "hours": round(self.state.seconds / 3600, 2),
            "device": device_name(self.device),
            "precision": dtype_name(self.state.precision),
            "processes": self.group.size,
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        }
        checkpoint = Checkpoint(
            architecture=recipe.architecture,
            class_names=self.class_names,
            spectrogram=recipe.spectrogram,
            input=recipe.input,
            provenance=provenance,
        )
        folder = self.folder / run_dir.CHECKPOINT
        with disk_full_error(folder):
            save_checkpoint(folder, self.state.final_model, checkpoint)
