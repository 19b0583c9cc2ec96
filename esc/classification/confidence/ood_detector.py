"""Out-of-distribution detector: the sum of four standardised scores of a ResNet.

Mahalanobis distance of the embedding to the nearest class mean, with one covariance for all classes: Lee et al. (2018), "A
Simple Unified Framework for Detecting Out-of-Distribution Samples". Energy: Liu et al. (2020), "Energy-based
Out-of-distribution Detection". Largest probability: Hendrycks and Gimpel (2017). A logistic regression separates known
from unknown training sounds by the pooled activations of all layers. `training.evaluation.ood_fit` fits the detector.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from esc.classification.resnet import LAYERS, ResNet, pooled_embedding
from esc.errors import CheckpointError, reason_of
from esc.paths import atomic_write, project_relative

FILE = "ood_detector.safetensors"
MAX_DEVIATION = 6.0  # of a standardised activation in the regression


class OodDetector(nn.Module):
    """Scores of sounds, higher for known ones.

    Parameters
    ----------
    arrays : dict of tensors
        embedding_mean (n_features,): of the training clips' embeddings; whitening (n_features, n_features): Euclidean
        distances after it are Mahalanobis distances; class_means (n_classes, n_features), whitened; pooled_mean, pooled_std
        and weight (n_pooled,), bias (1,): the regression, on standardised activations; part_std (4,): the standard
        deviations of the parts among known sounds.
    """

    N_PARTS = 4
    embedding_mean: torch.Tensor
    whitening: torch.Tensor
    class_means: torch.Tensor
    pooled_mean: torch.Tensor
    pooled_std: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor
    part_std: torch.Tensor

    def __init__(self, arrays: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name in self.__annotations__:
            self.register_buffer(name, arrays[name].float())

    def forward(self, logits: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return the scores (batch,) of logits (batch, n_classes) and `resnet.layer_outputs`' (batch, n_pooled)."""
        return (self.parts(logits, pooled) / self.part_std).sum(dim=1)

    def parts(self, logits: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return negative distance, regression, energy and largest log probability, (batch, 4), before standardisation."""
        embeddings = pooled_embedding(pooled, len(self.embedding_mean))
        offsets = ((embeddings - self.embedding_mean) @ self.whitening)[:, None] - self.class_means
        distance = offsets.square().sum(dim=2).amin(dim=1).sqrt()
        standard = ((pooled - self.pooled_mean) / self.pooled_std).clamp(-MAX_DEVIATION, MAX_DEVIATION)
        regression, energy = standard @ self.weight + self.bias, logits.logsumexp(dim=1)
        return torch.stack([-distance, regression, energy, logits.amax(dim=1) - energy], dim=1)

    def save(self, folder: Path) -> str:
        """Write the detector into a checkpoint's folder, and return the file's SHA-256.

        Matrices are stored as float16, as a checkpoint's weights are.
        """
        content = save(
            {name: (one.half() if one.ndim > 1 else one).contiguous().cpu() for name, one in self.state_dict().items()}
        )
        with atomic_write(folder / FILE) as temporary:
            temporary.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    @classmethod
    def load(cls, folder: Path, sha256: str, model: ResNet) -> Self:
        """Return the detector of a checkpoint's network.

        Raises
        ------
        CheckpointError
            The file is missing, has another digest, or its arrays don't fit the network.
        """
        try:
            content = (folder / FILE).read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError("its digest is not that of config.json")
            detector = cls(load(content))
            detector.check(model)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            reason = f"{FILE}: {reason_of(error)}"
            raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=reason) from error
        return detector.eval()

    def check(self, model: ResNet) -> None:
        """Raise ValueError unless the arrays fit a network and can be used."""
        n_classes, n_features = model.fc.weight.shape
        n_pooled = 3 * sum(_channels(getattr(model, name)) for name in LAYERS)
        vector, pooled = (n_features,), (n_pooled,)
        expected: dict[str, tuple[int, ...]] = {
            "embedding_mean": vector, "whitening": (n_features, n_features), "class_means": (n_classes, n_features),
            "pooled_mean": pooled, "pooled_std": pooled, "weight": pooled, "bias": (1,), "part_std": (self.N_PARTS,),
        }  # fmt: skip
        for name, shape in expected.items():
            array = getattr(self, name)
            if tuple(array.shape) != shape:
                raise ValueError(f"{name} has the shape {tuple(array.shape)} instead of {shape}")
            if not array.isfinite().all() or (name.endswith("_std") and not (array > 0).all()):
                raise ValueError(f"{name} holds values that can't be used")


def _channels(layer: nn.Module) -> int:
    """Return the number of channels that a layer of a ResNet puts out."""
    return [part for part in layer.modules() if isinstance(part, nn.BatchNorm2d)][-1].num_features
