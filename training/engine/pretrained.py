"""The first weights of a network: fresh, or learnt on ImageNet, fetched by torchvision or read from a file."""

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

from esc.classification.resnet import build_model
from esc.errors import DataError
from training.recipes import Recipe

log = logging.getLogger(__name__)
FRESH = "fresh"
_PATIENCE_S = 20.0


def first_network(recipe: Recipe, n_classes: int, file: Path | None = None) -> tuple[nn.Module, str]:
    """Return a network with the recipe's first weights, and where they are from in words.

    Parameters
    ----------
    recipe : Recipe
        Its `architecture`, `initial_weights` and `first_layer` are followed.
    n_classes : int
    file : path, optional
        A state dict of torchvision's three-channel network (.pth, .pt or .safetensors), where the recipe wants
        ImageNet's. Left out, torchvision fetches one; where that fails, the weights are fresh and the log says so.

    Raises
    ------
    DataError
        The file is missing, damaged or of another architecture.
    """
    weights, said = _imagenet(recipe.architecture, file) if recipe.initial_weights == "imagenet" else (None, FRESH)
    try:
        model = build_model(recipe.architecture, n_classes, weights)
    except (KeyError, AttributeError, RuntimeError, IndexError) as error:  # other layers than the architecture's
        reason = f"not a torchvision {recipe.architecture}"
        raise DataError("weights.unreadable", path=file or said, reason=reason) from error
    if recipe.first_layer == "fresh":
        model.conv1.reset_parameters()
    log.info("first weights: %s", said)
    return model, said


def _imagenet(architecture: str, file: Path | None) -> tuple[dict[str, torch.Tensor] | None, str]:
    if file is not None:
        return _read(file), f"ImageNet, from {file.name}"
    choice = torchvision.models.get_model_weights(architecture).IMAGENET1K_V1  # what `pretrained=True` meant
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE_S)
    try:
        return choice.get_state_dict(progress=False, check_hash=True), f"ImageNet, torchvision's {choice}"
    except (OSError, RuntimeError) as error:  # no network; a hash that does not fit
        log.warning("ImageNet weights could not be fetched (%s): the network starts fresh. --weights takes a file.", error)
        return None, f"{FRESH} (ImageNet weights could not be fetched)"
    finally:
        socket.setdefaulttimeout(before)


def _read(file: Path) -> dict[str, torch.Tensor]:
    if not file.is_file():
        raise DataError("weights.unreadable", path=file, reason="no such file")
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise DataError("weights.unreadable", path=file, reason=reason) from error
