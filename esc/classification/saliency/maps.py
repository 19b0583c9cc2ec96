"""Saliency maps over the spectrogram of a clip: Grad-CAM times LayerCAM.

Grad-CAM (Selvaraju et al., 2017) of the last block weights its feature maps by the mean gradient of the class's logit. It
is class-specific, but has only 4 x 14 cells for a spectrogram of 128 x 431. LayerCAM (Jiang et al., 2021, equation 6) of an
early block weights each cell by its positive gradient: fine, but similar for all classes. The product is fine and
class-specific, as in Guided Grad-CAM. `training.evaluation.deletion_test` measures its quality; training/NOTES.md explains
the choice of layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from esc.classification.classifier import Classifier
from esc.classification.predictions import Prediction
from esc.classification.resnet import LAYERS, ResNet
from esc.dsp.spectrogram import network_input
from esc.errors import ParameterError

FINE_LAYER, CLASS_LAYER = "layer1", "layer4"
_FIRST_STRIDE = 4  # of the first layer; doubled by each further layer
_BATCH = 25


@dataclass(frozen=True, eq=False)
class Explanation:
    """Saliency of some classes in one clip."""

    prediction: Prediction
    probabilities: dict[str, float]  # of each requested class; empty for silence
    maps: dict[str, np.ndarray]  # float32 (n_mels, n_frames) by class, each with maximum 1, or all 0


def explain(
    classifier: Classifier,
    waveform: np.ndarray,
    sample_rate: int,
    start_s: float | None = None,
    labels: Sequence[str] = (),
    likeliest: int = 1,
) -> Explanation:
    """Return the saliency of classes in a clip of a sound.

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
        Classes to explain.
    likeliest : int
        Number of likeliest classes to explain as well.

    Raises
    ------
    AudioError
        As `Classifier.predict` does.
    ParameterError
        A class is unknown, or `start_s` is outside the sound.
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
    """Return saliency maps of one class per spectrogram.

    Parameters
    ----------
    classifier : Classifier
    spectrograms_db : tensor, shape (clips, n_mels, n_frames)
        dB, as `esc.dsp.spectrogram.mel_db` gives them.
    targets : int64 tensor, shape (clips,)
        Class of each spectrogram, as an index of `classifier.class_names`.

    Returns
    -------
    tensor, float32, shape (clips, n_mels, n_frames), on the CPU
        As `Explanation.maps`.
    """
    parts = []
    for levels_db, classes in zip(spectrograms_db.split(_BATCH), targets.split(_BATCH), strict=True):
        scaled = network_input(levels_db.to(classifier.device), classifier.checkpoint.input)[:, None]
        layers = (FINE_LAYER, CLASS_LAYER)
        fine, coarse = activations_and_gradients(classifier.model, scaled, classes.to(classifier.device), layers)
        class_map = _upsample(_normalised(grad_cam(*coarse)), CLASS_LAYER, levels_db.shape[-2:])
        fine_map = _upsample(_normalised(layer_cam(*fine)), FINE_LAYER, levels_db.shape[-2:])
        parts.append(_normalised(fine_map * class_map).cpu())
    return torch.cat(parts)


def grad_cam(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return Grad-CAM (clips, h, w): channels weighted by their mean gradient, rectified."""
    return (gradients.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1).relu()


def layer_cam(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return LayerCAM (clips, h, w): channels weighted by their positive gradients."""
    return (gradients.relu() * activations).sum(dim=1).relu()


def activations_and_gradients(
    model: ResNet, scaled: torch.Tensor, targets: torch.Tensor, layers: Sequence[str]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return (activations, gradients) of some layers, each (clips, channels, h, w).

    The gradients are of each clip's target logit. The network is run in two parts, without hooks or weight gradients.

    Parameters
    ----------
    model : Module
        Built by `esc.classification.resnet.build_model`, in evaluation mode.
    scaled : tensor, shape (clips, 1, n_mels, n_frames)
        The network's input.
    targets : int64 tensor, shape (clips,)
    layers : sequence of str
        Some of `LAYERS`, in order.
    """
    split = LAYERS.index(layers[0]) + 1
    with torch.no_grad():
        hidden = model.conv1(scaled.to(memory_format=torch.channels_last))
        hidden = model.maxpool(model.relu(model.bn1(hidden)))
        for name in LAYERS[:split]:
            hidden = getattr(model, name)(hidden)
    with torch.enable_grad():
        hidden = hidden.detach().requires_grad_()
        outputs = {layers[0]: hidden}
        for name in LAYERS[split:]:
            hidden = outputs[name] = getattr(model, name)(hidden)
        logits = model.fc(model.avgpool(hidden).flatten(1))
        score = logits.gather(1, targets[:, None]).sum()  # the gradients of different clips don't mix
        activations = [outputs[name] for name in layers]
        gradients = torch.autograd.grad(score, activations)
    return [(maps.detach(), gradient) for maps, gradient in zip(activations, gradients, strict=True)]


def smoothed(scaled: torch.Tensor) -> torch.Tensor:
    """Return spectrograms (clips, n_mels, n_frames) at the resolution of the fine map."""
    stride = _stride(FINE_LAYER)
    pooled = functional.avg_pool2d(scaled[:, None], stride + 1, stride, stride // 2, count_include_pad=False)[:, 0]
    return _upsample(pooled, FINE_LAYER, scaled.shape[-2:])


def cell_size() -> tuple[int, int]:
    """Return the resolution of the maps, in mel bands and frames."""
    return (_stride(FINE_LAYER),) * 2


def _normalised(maps: torch.Tensor) -> torch.Tensor:
    """Return maps (clips, h, w) divided by their maxima; maps of zeros stay the same."""
    peaks = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(peaks > 0, maps / peaks, 0.0)


def _upsample(cam: torch.Tensor, layer: str, shape: Sequence[int]) -> torch.Tensor:
    """Interpolate maps (clips, h, w) to a shape; cell i is centred on i strides."""
    reach = [(cells - 1) * _stride(layer) + 1 for cells in cam.shape[-2:]]
    fine = functional.interpolate(cam[:, None], reach, mode="bilinear", align_corners=True)
    missing = [max(0, size - covered) for size, covered in zip(shape, reach, strict=True)]
    fine = functional.pad(fine, (0, missing[1], 0, missing[0]), mode="replicate")
    return fine[:, 0, : shape[0], : shape[1]]


def _stride(layer: str) -> int:
    return _FIRST_STRIDE * 2 ** LAYERS.index(layer)
