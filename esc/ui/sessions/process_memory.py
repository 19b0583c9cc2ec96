"""Free memory that the C library keeps, and garbage that is not yet collected."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_M_ARENA_MAX, _ARENAS = -8, 2  # of glibc's mallopt; by default eight a core, each with freed memory of its own
_NO_GLIBC = (AttributeError, OSError, TypeError)


def share_arenas() -> None:
    """Limit the arenas from which all threads allocate to a few.

    So each reuses what another has freed. It has to be called before there are threads.
    """
    with suppress(*_NO_GLIBC):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def release_freed_memory() -> None:
    """Return freed memory to the system."""
    with suppress(*_NO_GLIBC):
        ctypes.CDLL(None).malloc_trim(0)


def freeze_startup() -> None:
    """Exempt all present objects from garbage collection.

    With the libraries' half a million objects a full collection stops all threads for 0.2 s, and waits until 125,000 more objects
    live.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # now counts the others alone
