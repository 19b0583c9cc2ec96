"""Decorators for functions that may run on a GPU lent by Hugging Face's ZeroGPU.

Elsewhere they change nothing. Imported before torch is used: the `spaces` package has to be imported before CUDA is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    import spaces
    from spaces.config import Config
except ImportError:
    spaces = None

GPU_LENT = spaces is not None and bool(Config.zero_gpu)
_SERVER = os.getpid()


def on_gpu_for(seconds: float | Callable[..., float]) -> Callable[[Function], Function]:
    """Lend a function or generator the GPU for some seconds, possibly depending on its arguments."""
    return spaces.GPU(duration=seconds) if spaces else lambda function: function


def on_gpu(function: Function) -> Function:
    """Lend a function the GPU for as long as a clip takes."""
    return on_gpu_for(15)(function)


def device_here() -> str | None:
    """Return the device of this process's networks; None: the best one.

    A lent GPU is usable only in a fork of the server. In the server itself torch reports one under ZeroGPU, yet its threads
    cannot use it.
    """
    if not GPU_LENT:
        return None
    return "cpu" if os.getpid() == _SERVER else "cuda"
