"""ResNets of torchvision for spectrograms, with adapted first and last layers."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torchvision
from torch import nn
from torchvision.models import ResNet

from esc.errors import check_choice

ARCHITECTURES = ("resnet18", "resnet34", "resnet50")
LAYERS = ("layer1", "layer2", "layer3", "layer4")
CELL_FRAMES = 32  # stride of the last feature map; cell i is centred on frame `CELL_FRAMES` * i


def build_model(architecture: str, n_classes: int, weights: dict[str, torch.Tensor] | None = None) -> ResNet:
    """Return a ResNet from (batch, 1, n_mels, n_frames) to logits (batch, n_classes).

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    n_classes : int
    weights : dict of tensors, optional
        State dict of torchvision's three-channel, 1000-class network (ImageNet). Its first layer is summed over the
        channels, so that responses to grey images stay the same; its last layer is left out.

    Raises
    ------
    ParameterError
        The architecture is unknown.
    """
    check_choice("architecture", architecture, ARCHITECTURES)
    model = getattr(torchvision.models, architecture)(weights=None)
    model.conv1 = nn.Conv2d(1, model.conv1.out_channels, kernel_size=7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    if weights is not None:
        fitted = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
        fitted["conv1.weight"] = fitted["conv1.weight"].sum(dim=1, keepdim=True)
        model.load_state_dict(fitted | {f"fc.{name}": tensor for name, tensor in model.fc.state_dict().items()})
    return model


def embed(model: ResNet, spectrograms: torch.Tensor) -> torch.Tensor:
    """Return embeddings (batch, n_features), the input of the last layer.

    `n_features` is 512 for ResNet18 and 34, and 2048 for ResNet50. `spectrograms` are (batch, 1, n_mels, n_frames).
    """
    below = spectrograms
    for name, layer in model.named_children():
        if name != "fc":
            below = layer(below)
    return below.flatten(1)


class LayerOutputs(NamedTuple):
    """Outputs of one forward pass.

    Attributes
    ----------
    logits : tensor, shape (batch, n_classes)
    pooled : tensor, shape (batch, n_pooled)
        Means, standard deviations and maxima over the spectrogram of each channel of `LAYERS`, layer by layer: 2,880 values
        for ResNet18 and 34, 11,520 for ResNet50. The embedding is among them, see `pooled_embedding`.
    cell_logits : tensor, shape (batch, n_cells, n_classes)
        Class activation maps (Zhou et al., 2016) averaged over frequency: the last layer applied at each time step of the
        last feature map, a cell of `CELL_FRAMES`. Their mean is `logits`.
    """

    logits: torch.Tensor
    pooled: torch.Tensor
    cell_logits: torch.Tensor


def layer_outputs(model: ResNet, spectrograms: torch.Tensor) -> LayerOutputs:
    """Return the `LayerOutputs` for spectrograms (batch, 1, n_mels, n_frames).

    The convolutions run in the precision of their weights, pooling in that of the last layer.
    """
    activations = model.maxpool(model.relu(model.bn1(model.conv1(spectrograms.to(next(model.parameters()).dtype)))))
    pooled = []
    for name in LAYERS:
        activations = getattr(model, name)(activations)
        wide = activations.to(model.fc.weight.dtype)
        mean = wide.mean(dim=(2, 3))
        variance = wide.square().mean(dim=(2, 3)) - mean.square()
        pooled += [mean, variance.clamp_min(0.0).sqrt(), wide.amax(dim=(2, 3))]
    return LayerOutputs(model.fc(pooled[-3]), torch.cat(pooled, dim=1), model.fc(wide.mean(dim=2).transpose(1, 2)))


def mean_activations(model: ResNet, spectrograms: torch.Tensor) -> dict[str, tuple[int, torch.Tensor]]:
    """Return each layer's number of channels and their mean (batch, h, w).

    The layers are "conv1", whose activations are taken after its rectifier, to "layer4". `spectrograms` are
    (batch, 1, n_mels, n_frames).
    """
    activations = model.relu(model.bn1(model.conv1(spectrograms)))
    means = {"conv1": (activations.shape[1], activations.mean(dim=1))}
    activations = model.maxpool(activations)
    for name in LAYERS:
        activations = getattr(model, name)(activations)
        means[name] = activations.shape[1], activations.mean(dim=1)
    return means


def pooled_embedding(pooled: torch.Tensor, n_features: int) -> torch.Tensor:
    """Return the embeddings (batch, n_features) among pooled activations: the means of the last layer."""
    return pooled[:, -3 * n_features : -2 * n_features]
