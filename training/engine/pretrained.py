"""Initial weights of a network: fresh, or trained on ImageNet."""

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
from esc.errors import DataError, reason_of
from training.recipes import Recipe

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
        model.get_submodule("conv1").apply(_reset)
    log.info("initial weights: %s", origin)
    return model, origin


def _reset(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        layer.reset_parameters()


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
