"""What in its picture speaks for a class: heat maps over the exact picture that the network was given.

Two maps are multiplied. Grad-CAM (Selvaraju et al., 2017) of the last block weighs its feature maps by the mean gradient
of the class's logit: it knows one class from another, but has only 4 x 14 cells for a picture of 128 x 431. LayerCAM
(Jiang et al., 2021, equation 6) of an early block weighs each place by its own positive gradient: fine, but much the same
for every class. The product is fine and of the class, as in Guided Grad-CAM. What it is worth is measured by
`training.evaluation.deletion_test`; how the layers were chosen stands in training/NOTES.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from esc.classification.classifier import Classifier, Prediction
from esc.dsp.spectrogram import network_input
from esc.errors import ParameterError

LAYERS = ("layer1", "layer2", "layer3", "layer4")
FINE_LAYER, CLASS_LAYER = "layer1", "layer4"
_FIRST_STRIDE = 4  # cells of the picture to one of the first layer's maps, twice as many after each further layer
_BATCH = 25


@dataclass(frozen=True, eq=False)
class Explanation:
    """What speaks for some classes in one clip.

    Attributes
    ----------
    prediction : Prediction
        What the network says of the clip, with the clip, where it begins in the sound, and the picture.
    probabilities : dict of str to float
        Of each class that was asked for; empty for silence.
    maps : dict of str to float32 array, shape (n_mels, n_frames)
        For each of these classes what speaks for it, cell by cell of the picture: 1 where most does, 0 where nothing
        does. Each map has its own scale; all 0 where nothing in the picture speaks for the class.
    """

    prediction: Prediction
    probabilities: dict[str, float]
    maps: dict[str, np.ndarray]


def explain(
    classifier: Classifier,
    waveform: np.ndarray,
    sample_rate: int,
    start_s: float | None = None,
    labels: Sequence[str] = (),
    likeliest: int = 1,
) -> Explanation:
    """Return what speaks for classes in the clip that begins at a time of a sound.

    Parameters
    ----------
    classifier : Classifier
    waveform : array, shape (n_samples,) or (channels, n_samples)
        As for `Classifier.predict`.
    sample_rate : int
        Hz.
    start_s : float, optional
        As for `Classifier.predict`.
    labels : sequence of str
        Classes to look for, beside
    likeliest : int
        So many of the likeliest ones. 0 where `labels` are all.

    Raises
    ------
    AudioError
        As `Classifier.predict` does.
    ParameterError
        There is no such class, or `start_s` lies outside the sound.
    """
    for label in labels:
        if label not in classifier.class_names:
            raise ParameterError("parameter.class", value=label)
    prediction = classifier.predict(waveform, sample_rate, len(classifier.class_names), start_s)
    chosen = tuple(dict.fromkeys([*labels, *(label for label, _ in prediction.top[:likeliest])]))
    if not prediction.top or not chosen:
        return Explanation(prediction, {}, {})
    spectrograms_db = torch.from_numpy(prediction.spectrogram_db).expand(len(chosen), -1, -1)
    targets = torch.tensor([classifier.class_names.index(label) for label in chosen])
    maps = heat_maps(classifier, spectrograms_db, targets).numpy()
    probabilities = dict(prediction.top)
    return Explanation(
        prediction,
        {label: probabilities[label] for label in chosen},
        dict(zip(chosen, maps, strict=True)),
    )


def heat_maps(classifier: Classifier, spectrograms_db: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return what speaks for a class in each picture, cell by cell.

    Parameters
    ----------
    classifier : Classifier
    spectrograms_db : tensor, shape (clips, n_mels, n_frames)
        dB, as `esc.dsp.spectrogram.mel_db` gives them.
    targets : int64 tensor, shape (clips,)
        The class of each picture, as an index of `classifier.class_names`.

    Returns
    -------
    tensor, float32, shape (clips, n_mels, n_frames), on the CPU
        As `Explanation.maps`.
    """
    parts = []
    for pictures, wanted in zip(spectrograms_db.split(_BATCH), targets.split(_BATCH), strict=True):
        scaled = network_input(pictures.to(classifier.device), classifier.checkpoint.input)[:, None]
        fine, coarse = activations_and_gradients(
            classifier.model, scaled, wanted.to(classifier.device), (FINE_LAYER, CLASS_LAYER)
        )
        shape = pictures.shape[-2:]
        of_class = _to_picture(_share(grad_cam(*coarse)), CLASS_LAYER, shape)
        in_detail = _to_picture(_share(layer_cam(*fine)), FINE_LAYER, shape)
        parts.append(_share(in_detail * of_class).cpu())
    return torch.cat(parts)


def grad_cam(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return Grad-CAM (clips, h, w): channels weighed by their mean gradient, what is negative left out."""
    return (gradients.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1).relu()


def layer_cam(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return LayerCAM (clips, h, w): each place of each channel weighed by its own gradient, where that is positive."""
    return (gradients.relu() * activations).sum(dim=1).relu()


def activations_and_gradients(
    model: nn.Module, scaled: torch.Tensor, targets: torch.Tensor, layers: Sequence[str]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return some layers' maps, each (clips, channels, h, w), and the gradients of each picture's own target logit there.

    The network is run in two halves, so nothing is hooked into it and no weight gets a gradient.

    Parameters
    ----------
    model : Module
        Built by `esc.classification.resnet.build_model`, in evaluation mode.
    scaled : tensor, shape (clips, 1, n_mels, n_frames)
        The network's input.
    targets : int64 tensor, shape (clips,)
    layers : sequence of str
        Of `LAYERS`, in that order.
    """
    first = LAYERS.index(layers[0]) + 1
    with torch.no_grad():
        hidden = model.conv1(scaled.to(memory_format=torch.channels_last))
        hidden = model.maxpool(model.relu(model.bn1(hidden)))
        for name in LAYERS[:first]:
            hidden = getattr(model, name)(hidden)
    with torch.enable_grad():
        hidden = hidden.detach().requires_grad_()
        seen = {layers[0]: hidden}
        for name in LAYERS[first:]:
            hidden = seen[name] = getattr(model, name)(hidden)
        logits = model.fc(model.avgpool(hidden).flatten(1))
        score = logits.gather(1, targets[:, None]).sum()  # each picture has its own logit: their gradients don't mix
        wanted = [seen[name] for name in layers]
        gradients = torch.autograd.grad(score, wanted)
    return [(maps.detach(), gradient) for maps, gradient in zip(wanted, gradients, strict=True)]


def smoothed(scaled: torch.Tensor) -> torch.Tensor:
    """Return pictures (clips, n_mels, n_frames) as coarse as the finer of the two maps is."""
    stride = _stride(FINE_LAYER)
    pooled = functional.avg_pool2d(scaled[:, None], stride + 1, stride, stride // 2, count_include_pad=False)[:, 0]
    return _to_picture(pooled, FINE_LAYER, scaled.shape[-2:])


def cell_size() -> tuple[int, int]:
    """Return how many bands and how many frames of the picture a heat map can tell apart."""
    return (_stride(FINE_LAYER),) * 2


def _share(maps: torch.Tensor) -> torch.Tensor:
    """Return maps (clips, ...) of nothing negative, each over its own maximum; all 0 stays so."""
    most = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(most > 0, maps / most, 0.0)


def _to_picture(cam: torch.Tensor, layer: str, shape: tuple[int, int]) -> torch.Tensor:
    """Interpolate maps (clips, h, w) to a picture's shape: cell i looks at the picture around i times the layer's stride."""
    reach = [(cells - 1) * _stride(layer) + 1 for cells in cam.shape[-2:]]
    fine = functional.interpolate(cam[:, None], reach, mode="bilinear", align_corners=True)
    missing = [max(0, wanted - has) for wanted, has in zip(shape, reach, strict=True)]
    fine = functional.pad(fine, (0, missing[1], 0, missing[0]), mode="replicate")
    return fine[:, 0, : shape[0], : shape[1]]


def _stride(layer: str) -> int:
    return _FIRST_STRIDE * 2 ** LAYERS.index(layer)
