"""Which device a run computes on, and in which precision."""

from __future__ import annotations

import torch

LEAST_FRAMES = 32  # for bfloat16 on a CPU
_CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16")  # torch's names of the instructions


def best_device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies in bfloat16; where it is only imitated, it is many times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return any(known.get(name, False) for name in _CPU_BFLOAT16)


def precision(device: torch.device, mixed: bool, n_frames: int) -> torch.dtype:
    """Return what a network computes in while it is trained: bfloat16 where it is wanted and the hardware has it.

    Not on CPUs for pictures narrower than `LEAST_FRAMES`: before the last block they are one or two frames wide, and there
    oneDNN's convolutions on AMX (torch 2.11) read memory that is not theirs. What lies there may be no number.
    """
    sound = device.type != "cpu" or n_frames >= LEAST_FRAMES
    return torch.bfloat16 if mixed and sound and has_bfloat16(device) else torch.float32


def device_name(device: torch.device) -> str:
    """Return the device in words, for logs and reports."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


def dtype_name(dtype: torch.dtype) -> str:
    """Return "float32" or "bfloat16"."""
    return str(dtype).removeprefix("torch.")
