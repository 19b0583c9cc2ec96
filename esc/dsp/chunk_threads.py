"""Threads that compute chunks, one per core, each without helper threads of torch.

Helper threads wait for each other after every operation, which on a busy machine is most of the time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

Result = TypeVar("Result")
_starting = threading.Lock()


def map_chunks(compute: Callable[[int], Result], starts: Sequence[int]) -> Iterator[Result]:
    """Return the results in order.

    A single chunk, or a thread without helper threads of torch, needs no other threads.
    """
    alone = len(starts) == 1 or torch.get_num_threads() == 1
    return map(compute, starts) if alone else _threads().map(compute, starts)


def _threads() -> ThreadPoolExecutor:
    with _starting:  # lru_cache alone may start two pools
        return _start_threads()


@lru_cache(maxsize=1)
def _start_threads() -> ThreadPoolExecutor:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n_helpers = torch.get_num_threads()
    together = threading.Barrier(cores)
    threads = ThreadPoolExecutor(cores, "chunks", initializer=_without_helpers)
    list(threads.map(lambda _: together.wait(), range(cores)))  # all have begun
    torch.set_num_threads(n_helpers)  # the number holds for its thread, and for threads that begin later
    return threads


def _without_helpers() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # the first call in a thread takes over the number that was set last, in any thread


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_threads.cache_clear)  # the threads stay in the parent
