"""Initial weights of a network: fresh, trained on ImageNet, or of a checkpoint."""

from __future__ import annotations

import logging
import pickle
import socket
from pathlib import Path

import safetensors.torch
import torch
import torchvision
from safetensors import SafetensorError
from torch import nn

from esc.classification.checkpoint import load_checkpoint
from esc.classification.resnet import build_model
from esc.errors import DataError, reason_of
from training.recipes import Recipe
from training.runs.run_dir import RunConfig

log = logging.getLogger(__name__)
FRESH = "fresh"
_TIMEOUT_S = 20.0


def initial_model(recipe: Recipe, n_classes: int, file: Path | None = None) -> tuple[nn.Module, str]:
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


def checkpoint_model(config: RunConfig, class_names: tuple[str, ...], folder: Path | None) -> tuple[nn.Module, str]:
    """Return the network of a checkpoint to be fine-tuned, and a description of its origin.

    Raises
    ------
    DataError, CheckpointError
        There is no checkpoint, it has another input or other classes, or it was trained on the run's validation fold.
    """
    if folder is None:
        raise DataError("weights.checkpoint", path="--weights", reason="this recipe starts from a checkpoint")
    model, checkpoint = load_checkpoint(folder)
    recipe, seen = config.recipe, checkpoint.provenance.get("train_folds", ())
    if (checkpoint.architecture, checkpoint.class_names) != (recipe.architecture, class_names):
        raise DataError("weights.checkpoint", path=folder, reason="it has another architecture or other classes")
    if (checkpoint.spectrogram, checkpoint.input) != (recipe.spectrogram, recipe.input):
        raise DataError("weights.checkpoint", path=folder, reason="it has another input than this recipe")
    if config.valid_fold in seen or not seen:
        raise DataError(
            "weights.checkpoint", path=folder, reason=f"it was trained on fold {config.valid_fold}, which is held out"
        )
    origin = f"fine-tuned from {checkpoint.provenance.get('run', folder.name)}"
    log.info("initial weights: %s", origin)
    return model, origin


def _imagenet(architecture: str, file: Path | None) -> tuple[dict[str, torch.Tensor], str]:
    if file is not None:
        return _read(file), f"ImageNet, from {file.name}"
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
