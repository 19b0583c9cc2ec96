"""`on_gpu`: a function may run on the GPU that Hugging Face's ZeroGPU lends; elsewhere it stays as it is.

Imported before torch is used: the `spaces` package has to be there before CUDA is.
"""

import os

try:
    import spaces
    from spaces.config import Config

    _LENT = bool(Config.zero_gpu)
except ImportError:
    _LENT = False

    def on_gpu(function):
        """Leave a function as it is: no GPU is lent here."""
        return function

    def on_gpu_for(seconds_of):
        """Leave a function as it is, however long it takes."""
        return on_gpu
else:
    on_gpu = spaces.GPU(duration=15)

    def on_gpu_for(seconds_of):
        """Lend a function, or a generator, the GPU for as long as `seconds_of` says for the same arguments."""
        return spaces.GPU(duration=seconds_of)


_SERVER = os.getpid()


def device_here() -> str | None:
    """Return where this process's networks belong; None: wherever they run best.

    A lent GPU is there for a fork of the server alone. The server itself is told by torch, as ZeroGPU has it, that there is
    one, yet its threads can't put anything on it.
    """
    if not _LENT:
        return None
    return "cpu" if os.getpid() == _SERVER else "cuda"
