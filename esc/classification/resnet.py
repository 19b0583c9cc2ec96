"""ResNet for spectrograms.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016. Its parameters are those of torchvision's, whose
import alone takes 0.7 s and 140 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn

from esc.errors import check_choice

LAYERS = ("layer1", "layer2", "layer3", "layer4")
CELL_FRAMES = 32  # stride of the last feature map; cell i is centred on frame `CELL_FRAMES` * i


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _convolution(channels, channels, 3)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, channels, height / stride, width / stride)."""
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        residual += x if self.downsample is None else self.downsample(x)
        return self.relu(residual)


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, and a shortcut.

    The stride is the middle one's, as in torchvision ("ResNet V1.5").
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _convolution(channels, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = _convolution(channels, self.expansion * channels, 1)
        self.bn3 = nn.BatchNorm2d(self.expansion * channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, 4 * channels, height / stride, width / stride)."""
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        residual += x if self.downsample is None else self.downsample(x)
        return self.relu(residual)


_BLOCKS: dict[str, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}
ARCHITECTURES = tuple(_BLOCKS)


class ResNet(nn.Module):
    """ResNet from (batch, 1, n_mels, n_frames) to logits (batch, n_classes).

    The names and shapes of its parameters are those of torchvision's, but for the single channel of the first layer.

    Attributes
    ----------
    fc : Linear
        The last layer, from the embedding to the logits.
    """

    def __init__(self, architecture: str, n_classes: int) -> None:
        super().__init__()
        block, depths = _BLOCKS[architecture]
        self.conv1 = _convolution(1, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = nn.Sequential(*_stage(block, 64, 64, depths[0], 1))
        self.layer2 = nn.Sequential(*_stage(block, 64 * block.expansion, 128, depths[1], 2))
        self.layer3 = nn.Sequential(*_stage(block, 128 * block.expansion, 256, depths[2], 2))
        self.layer4 = nn.Sequential(*_stage(block, 256 * block.expansion, 512, depths[3], 2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, n_classes)
        for module in self.modules():
            # on the meta device weights come from a checkpoint, and torch would import its compiler
            if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, n_classes)."""
        return self.fc(embed(self, x))


def _convolution(in_channels: int, channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, channels, size, stride, padding=size // 2, bias=False)


def _stage(
    block: type[BasicBlock | Bottleneck], in_channels: int, channels: int, depth: int, stride: int
) -> Iterator[BasicBlock | Bottleneck]:
    """Return the blocks of a layer.

    The first one has the stride and, where shapes differ, a projection as its shortcut.
    """
    width = block.expansion * channels
    fits = stride == 1 and in_channels == width
    downsample = None if fits else nn.Sequential(_convolution(in_channels, width, 1, stride), nn.BatchNorm2d(width))
    yield block(in_channels, channels, stride, downsample)
    for _ in range(1, depth):
        yield block(width, channels, 1, None)


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
    model = ResNet(architecture, n_classes)
    if weights is not None:
        fitted = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
        fitted["conv1.weight"] = fitted["conv1.weight"].sum(dim=1, keepdim=True)
        model.load_state_dict(fitted | {f"fc.{name}": tensor for name, tensor in model.fc.state_dict().items()})
    return model


def embed(model: ResNet, spectrograms: torch.Tensor) -> torch.Tensor:
    """Return embeddings (batch, n_features), the input of the last layer.

    `n_features` is 512 for ResNet18 and 34, and 2048 for ResNet50. `spectrograms` are (batch, 1, n_mels, n_frames).
    """
    activations = model.maxpool(model.relu(model.bn1(model.conv1(spectrograms))))
    for name in LAYERS:
        activations = getattr(model, name)(activations)
    return model.avgpool(activations).flatten(1)


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
