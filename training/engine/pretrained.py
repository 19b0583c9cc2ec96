"""Initial weights of a network: fresh, trained on ImageNet, or of a checkpoint."""

from __future__ import annotations

import hashlib
import logging
import pickle
import socket
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from esc.classification.checkpoint import load_checkpoint
from esc.classification.checkpoint_files.archive import checkpoint_folder
from esc.classification.checkpoint_files.config import TRAINED_ON, Checkpoint
from esc.classification.resnet import ResNet, build_model
from esc.errors import DataError, reason_of
from training.recipes import Recipe
from training.runs.run_dir import ESC_50, RunConfig, is_esc50, seen_folds

log = logging.getLogger(__name__)
FRESH = "fresh"
_TIMEOUT_S = 20.0


def initial_model(recipe: Recipe, n_classes: int, file: Path | None = None) -> tuple[ResNet, str]:
    """Return a network with the recipe's initial weights, and a description of their origin.

    `file`: state dict of torchvision's three-channel network (.pth, .pt or .safetensors) for a recipe with ImageNet weights;
    by default torchvision downloads it.

    Raises
    ------
    DataError
        The file is missing, damaged or of another architecture; the download failed.
    """
    weights, origin = _imagenet(recipe.architecture, file) if recipe.initial_weights == "imagenet" else (None, FRESH)
    try:
        model = build_model(recipe.architecture, n_classes, weights)
    except (KeyError, AttributeError, RuntimeError, IndexError) as error:  # layers of another architecture
        raise DataError("weights.unreadable", path=file or origin, reason=f"not a torchvision {recipe.architecture}") from error
    if recipe.first_layer == "fresh":
        model.conv1.reset_parameters()
    log.info("initial weights: %s", origin)
    return model, origin


def checkpoint_model(config: RunConfig, class_names: tuple[str, ...], folder: Path | None) -> tuple[ResNet, dict[str, Any]]:
    """Return the network of a checkpoint to fine-tune, and its origin as settings.

    Its last layer is a fresh one where its classes are others.

    Raises
    ------
    DataError, CheckpointError
        There is no checkpoint, it has another architecture or input, or it may have been trained on the validation fold or
        on classes that are left out.
    """
    if folder is None:
        raise DataError("weights.checkpoint", path="--weights", reason="this recipe starts from a checkpoint")
    model, checkpoint = load_checkpoint(folder)
    recipe, made = config.recipe, checkpoint.provenance
    if checkpoint.architecture != recipe.architecture:
        raise DataError("weights.checkpoint", path=folder, reason="it has another architecture")
    if (checkpoint.spectrogram, checkpoint.input) != (recipe.spectrogram, recipe.input):
        raise DataError("weights.checkpoint", path=folder, reason="it has another input than this recipe")
    if _has_seen(checkpoint, config, class_names):
        raise DataError(
            "weights.checkpoint", path=folder, reason=f"it was trained on fold {config.valid_fold}, which is held out"
        )
    seen_classes = {*checkpoint.class_names, *made.get("seen_classes", ())}
    if known := [name for name in config.left_out_classes if name in seen_classes]:
        raise DataError("weights.left_out", path=folder, classes=", ".join(known))
    origin = f"fine-tuned from {made.get('run', folder.name)}"
    earlier = dict.fromkeys([made.get("data", ESC_50.name), *_earlier_data(made)])
    if others := [name for name in earlier if not _is_same_name(name, config.origin.name)]:
        origin += TRAINED_ON + "; ".join(others)
    if checkpoint.class_names != class_names:
        model.fc = nn.Linear(model.fc.in_features, len(class_names))
    log.info("initial weights: %s", origin)
    folds = seen_folds(made) if _is_same_data(checkpoint, config, class_names) else ()
    below: dict[str, Any] = {"seen_folds": sorted(folds), "seen_classes": sorted(seen_classes.difference(class_names))}
    below |= {"initial_licence": made.get("licence")}
    return model, {"initial_weights": origin} | {name: value for name, value in below.items() if value}


def fingerprint(recipe: Recipe, weights: Path | None) -> str | None:
    """Return the SHA-256 of the files of initial weights; None without any."""
    if weights is None or recipe.initial_weights == "fresh":
        return None
    is_file = recipe.initial_weights == "imagenet"
    files = [weights] if is_file else sorted(checkpoint_folder(weights).glob("*.safetensors"))
    digest = hashlib.sha256()
    try:
        for file in files:
            digest.update(file.read_bytes())
    except OSError:  # reported where the weights are read; a resumed run does without them
        return None
    return digest.hexdigest() if files else None


def _has_seen(checkpoint: Checkpoint, config: RunConfig, class_names: tuple[str, ...]) -> bool:
    """Return whether a checkpoint may have been trained on a run's validation fold.

    Folds of other data are not those of the run. Of the data below a fine-tuned network only the names are known.
    """
    if any(_is_same_name(name, config.origin.name) for name in _earlier_data(checkpoint.provenance)):
        return True
    folds = seen_folds(checkpoint.provenance)
    return _is_same_data(checkpoint, config, class_names) and (config.valid_fold in folds or not folds)


def _is_same_data(checkpoint: Checkpoint, config: RunConfig, class_names: tuple[str, ...]) -> bool:
    """Return whether a checkpoint's data count as those of a run.

    They do if the names of the data sets are equal, or all names of classes: a renamed or trimmed copy. Data that share only
    some classes, such as own sounds of a dog, are others; so is a copy with fewer classes under another name.
    """
    made = checkpoint.provenance
    if _is_same_name(made.get("data", ESC_50.name), config.origin.name):
        return True
    return {*class_names, *config.left_out_classes} == {*checkpoint.class_names, *made.get("left_out_classes", ())}


def _is_same_name(one: str, other: str) -> bool:
    """Return whether two names are of one data set; parts of ESC-50 have its folds."""
    return one == other or (is_esc50(one) and is_esc50(other))


def _earlier_data(made: dict[str, Any]) -> list[str]:
    """Return names of other data below a checkpoint's own training."""
    _, found, names = str(made.get("initial_weights", "")).partition(TRAINED_ON)
    return names.split("; ") if found else []


def _imagenet(architecture: str, file: Path | None) -> tuple[dict[str, torch.Tensor], str]:
    if file is not None:
        return _read(file), f"ImageNet, from {file.name}"
    import torchvision  # here alone, since it takes longer to import than all of ours

    weights = torchvision.models.get_model_weights(architecture)["IMAGENET1K_V1"]  # what `pretrained=True` meant
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        return weights.get_state_dict(progress=False, check_hash=True), f"ImageNet, torchvision's {weights}"
    except (OSError, RuntimeError) as error:  # no network, or a wrong hash
        raise DataError("weights.unreachable", reason=error) from error
    finally:
        socket.setdefaulttimeout(previous)


def _read(file: Path) -> dict[str, torch.Tensor]:
    if not file.is_file():
        raise DataError("weights.unreadable", path=file, reason="no such file")
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        raise DataError("weights.unreadable", path=file, reason=reason_of(error).rstrip(".")) from error
