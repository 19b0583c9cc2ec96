"""Device and precision of a run."""

from __future__ import annotations

import torch
from torch import nn

MIN_BFLOAT16_FRAMES = 32  # on a CPU
_CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16")  # torch's names of the instruction sets


def best_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies in bfloat16; emulation is many times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _CPU_BFLOAT16)


def precision(device: torch.device, mixed: bool, n_frames: int) -> torch.dtype:
    """Return the dtype of the forward pass: bfloat16 if wanted and supported.

    Not on CPUs for spectrograms narrower than `MIN_BFLOAT16_FRAMES`: before the last block they are one or two frames
    wide, and there oneDNN's convolutions on AMX (torch 2.11) read memory out of bounds, which may hold NaN.
    """
    safe = device.type != "cpu" or n_frames >= MIN_BFLOAT16_FRAMES
    return torch.bfloat16 if mixed and safe and has_bfloat16(device) else torch.float32


def to_device(model: nn.Module, device: torch.device) -> nn.Module:
    """Return the network on a device, in the format of fast convolutions."""
    return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def device_name(device: torch.device) -> str:
    """Return the device's name for logs and reports."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


def dtype_name(dtype: torch.dtype) -> str:
    """Return "float32" or "bfloat16"."""
    return str(dtype).removeprefix("torch.")
