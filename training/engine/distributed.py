"""The processes that train together, on one machine or several, as torchrun starts them; alone, there is but one."""

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
    """One process's place among those that train together.

    Attributes
    ----------
    rank, size : int
        Its number from 0, and how many there are.
    local_rank : int
        Its number on its machine, which is that of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files, logs and shows progress."""
        return self.rank == 0

    def places(self, batch_size: int, sub_batch: int) -> torch.Tensor:
        """Return the places in a batch that are this process's: whole sub-batches, in order, int64.

        Raises
        ------
        ParameterError
            The sub-batches of a batch can't be shared evenly.
        """
        if batch_size // sub_batch % self.size:
            raise ParameterError("parameter.processes", batch=batch_size, value=sub_batch, processes=self.size)
        share = batch_size // self.size
        return torch.arange(self.rank * share, (self.rank + 1) * share)

    def add(self, tensors: list[torch.Tensor]) -> None:
        """Replace every float32 tensor by its sum over all processes, in one message."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        for tensor, summed in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(summed.view(tensor.shape))

    def same(self, make: Callable[[], Made]) -> Made:
        """Return what the first process made, in all of them; an EscError that it met is raised in all of them."""
        if self.size == 1:
            return make()
        made, error = _attempt(make) if self.first else (None, None)
        box = [made, error]
        distributed.broadcast_object_list(box)
        return _or_raise(*box)

    def one_after_another(self, make: Callable[[], Made]) -> Made:
        """Return what each process makes, one on each machine before its others: these find what it left on the disk."""
        if self.size == 1:
            return make()
        made, error = _attempt(make) if self.local_rank == 0 else (None, None)
        errors: list[EscError | None] = [None] * self.size
        distributed.all_gather_object(errors, error)
        _or_raise(None, next((found for found in errors if found is not None), None))
        return made if self.local_rank == 0 else make()


ALONE = Group()


@contextmanager
def joined() -> Iterator[Group]:
    """Give this process's place among those that torchrun started, NCCL between GPUs and gloo between CPUs."""
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


def _or_raise(made: Made, error: EscError | None) -> Made:
    if error is not None:
        raise error
    return made
