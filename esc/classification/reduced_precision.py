"""Convolutions in bfloat16, on hardware that calculates with it."""

from __future__ import annotations

import copy
import logging

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from esc.classification.resnet import LAYERS, ResNet, layer_outputs

AUTO, FLOAT32 = PRECISIONS = ("auto", "float32")
MIN_BFLOAT16_FRAMES = 32  # on a CPU
TOLERANCE = 0.05  # of a probability in the self-test; on fold 5 of ESC-50 the largest difference is 0.014
_CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16")  # torch's names of the instruction sets
_log = logging.getLogger(__name__)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies in bfloat16; emulation is many times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _CPU_BFLOAT16)


def bfloat16_is_safe(device: torch.device, n_frames: int) -> bool:
    """Return whether bfloat16 can be used for spectrograms of this width.

    Not on CPUs below `MIN_BFLOAT16_FRAMES`: before the last block they are one or two frames wide, and there oneDNN's
    convolutions on AMX (torch 2.11) read memory out of bounds, which may hold NaN.
    """
    return device.type != "cpu" or n_frames >= MIN_BFLOAT16_FRAMES


def bfloat16_copy(model: ResNet) -> ResNet:
    """Return a copy for evaluation with convolutions in bfloat16.

    Batch norm is folded into them; the last layer is shared.
    """
    fast = copy.deepcopy(model).eval()
    _fold(fast, "conv1", "bn1")
    for block in (block for name in LAYERS for block in getattr(fast, name)):
        for number in (1, 2, 3):
            if hasattr(block, f"conv{number}"):  # two or three of them
                _fold(block, f"conv{number}", f"bn{number}")
        if block.downsample is not None:
            _fold(block.downsample, "0", "1")
    fast.requires_grad_(False).to(torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    fast.fc = model.fc
    return fast


def self_test_input(n_mels: int, n_frames: int) -> torch.Tensor:
    """Return noise (1, 1, n_mels, n_frames), the same each time."""
    noise = torch.randn(1, 1, n_mels, n_frames, generator=torch.Generator().manual_seed(0))
    return noise.to(memory_format=torch.channels_last)


def checked_bfloat16_copy(model: ResNet, n_mels: int, n_frames: int) -> ResNet | None:
    """Return a `bfloat16_copy` that passes the self-test; None, with a warning, without one.

    Its probabilities for `self_test_input` are those of the network within `TOLERANCE`.
    """
    noise, fast = self_test_input(n_mels, n_frames), bfloat16_copy(model)
    with torch.inference_mode():
        fast_answer, answer = (layer_outputs(network, noise).logits.softmax(1) for network in (fast, model))
    difference = float((fast_answer - answer).abs().max())
    if difference <= TOLERANCE:
        return fast
    _log.warning("bfloat16 changes a probability by %.3f here: predictions are calculated in float32", difference)
    return None


def _fold(parent: nn.Module, convolution: str, norm: str) -> None:
    setattr(parent, convolution, fuse_conv_bn_eval(getattr(parent, convolution), getattr(parent, norm)))
    setattr(parent, norm, nn.Identity())
