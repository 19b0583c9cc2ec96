"""Distributed training under torchrun; a single process is a group of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed

from esc.errors import EscError, ParameterError

Made = TypeVar("Made")


@dataclass(frozen=True)
class Group:
    """Rank of this process among those that train together."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # rank on this machine, which is the number of its GPU

    @property
    def is_main(self) -> bool:
        """Whether this process writes files, logs and shows progress."""
        return self.rank == 0

    def indices(self, batch_size: int, sub_batch: int) -> torch.Tensor:
        """Return this process's positions in a batch: whole sub-batches, in order, int64.

        Raises ParameterError if the sub-batches can't be divided evenly among the processes.
        """
        if batch_size // sub_batch % self.size:
            raise ParameterError("parameter.processes", batch=batch_size, value=sub_batch, processes=self.size)
        share = batch_size // self.size
        return torch.arange(self.rank * share, (self.rank + 1) * share)

    def all_reduce(self, tensors: list[torch.Tensor]) -> None:
        """Replace every float32 tensor by its sum over all processes, in one message."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        for tensor, summed in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(summed.view(tensor.shape))

    def broadcast(self, make: Callable[[], Made]) -> Made:
        """Return the main process's result, or raise its EscError, in all processes."""
        if self.size == 1:
            return make()
        box: list = list(_attempt(make)) if self.is_main else [None, None]
        distributed.broadcast_object_list(box)
        made, error = box
        if error is not None:
            raise error
        return made

    def leader_first(self, make: Callable[[], Made]) -> Made:
        """Return `make()`, called on one process of each machine before the others."""
        if self.size == 1:
            return make()
        made, error = _attempt(make) if self.local_rank == 0 else (None, None)
        errors: list[EscError | None] = [None] * self.size
        distributed.all_gather_object(errors, error)
        for found in errors:
            if found is not None:
                raise found
        return make() if made is None else made


ALONE = Group()


@contextmanager
def join_group() -> Iterator[Group]:
    """Yield this process's group: NCCL between GPUs, gloo between CPUs, `ALONE` without torchrun."""
    if not distributed.is_torchelastic_launched():
        yield ALONE
        return
    group = Group(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_RANK"]))
    if torch.cuda.is_available():
        torch.cuda.set_device(group.local_rank)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield group
    finally:
        distributed.destroy_process_group()


def _attempt(make: Callable[[], Made]) -> tuple[Made | None, EscError | None]:
    try:
        return make(), None
    except EscError as error:
        return None, error
