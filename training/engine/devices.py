"""Device and precision of a run."""

from __future__ import annotations

import torch
from torch import nn

from esc.classification.reduced_precision import bfloat16_is_safe, has_bfloat16


def best_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(device: torch.device, mixed: bool, n_frames: int) -> torch.dtype:
    """Return the dtype of the forward pass: bfloat16 if wanted, supported and safe."""
    return torch.bfloat16 if mixed and bfloat16_is_safe(device, n_frames) and has_bfloat16(device) else torch.float32


def to_device(model: nn.Module, device: torch.device) -> nn.Module:
    """Return the network on a device, in the format of fast convolutions."""
    return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def device_name(device: torch.device) -> str:
    """Return the device's name for logs and reports."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


def dtype_name(dtype: torch.dtype) -> str:
    """Return "float32" or "bfloat16"."""
    return str(dtype).removeprefix("torch.")
