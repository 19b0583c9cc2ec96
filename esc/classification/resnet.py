"""torchvision's ResNets for pictures of one channel: the first and the last layer fitted, nothing else touched."""

from __future__ import annotations

import torch
import torchvision
from torch import nn

from esc.errors import ParameterError

ARCHITECTURES = ("resnet18", "resnet34", "resnet50")


def build_model(architecture: str, n_classes: int, weights: dict[str, torch.Tensor] | None = None) -> nn.Module:
    """Return a ResNet that maps pictures `(batch, 1, n_mels, n_frames)` to logits `(batch, n_classes)`.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    n_classes : int
    weights : dict of tensors, optional
        A state dict of torchvision's three-channel, 1000-class network (ImageNet). Its first layer is summed over the
        colours, so that a grey picture gives the response that it was trained to give; its last layer is left out.

    Raises
    ------
    ParameterError
        For an unknown architecture.
    """
    if architecture not in ARCHITECTURES:
        raise ParameterError("parameter.choice", field="architecture", value=architecture, choices=", ".join(ARCHITECTURES))
    model = getattr(torchvision.models, architecture)(weights=None)
    model.conv1 = nn.Conv2d(1, model.conv1.out_channels, kernel_size=7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    if weights is not None:
        fitted = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
        fitted["conv1.weight"] = fitted["conv1.weight"].sum(dim=1, keepdim=True)
        model.load_state_dict(fitted | {f"fc.{name}": tensor for name, tensor in model.fc.state_dict().items()})
    return model


def embed(model: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Return what the last layer is given, (batch, n_features): 512 for ResNet18 and 34, 2048 for ResNet50.

    `model` is of `build_model`; `pictures` are (batch, 1, n_mels, n_frames), as for the model itself.
    """
    below = pictures
    for name, layer in model.named_children():
        if name != "fc":
            below = layer(below)
    return below.flatten(1)
