"""A batch's way from a worker process to the training, through memory that both see and that has no name.

Each worker has one file in memory (`os.memfd_create`), as large as its largest batch: the worker writes a batch
there, the training copies it out before it asks for the next. The kernel frees it with the last of the two.
torch.multiprocessing is not used: its strategy ``file_descriptor`` holds a descriptor for every tensor that
lives and needs a server thread in the worker, ``file_system`` can leave files behind when a process is killed,
and both are bound by the size of /dev/shm, 64 MB in a container by default.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch import Tensor

from fivefold.data.dataset import Batch

Layout = list[tuple[str, torch.dtype, tuple[int, ...]]]
"""Name, type and shape of each tensor, in the order in which they lie in the file."""


def write_tensors(file: int, batch: Batch) -> Layout:
    """Write the CPU tensors of ``batch`` to the ``file`` (a descriptor), over those from before."""
    offset = 0
    for tensor in batch.values():
        offset = _transfer(os.pwritev, file, tensor.contiguous(), offset)
    return [(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in batch.items()]


def read_tensors(file: int, layout: Layout, *, pin: bool) -> Batch:
    """Copies of the tensors that were written to the ``file``, in pinned memory if ``pin``."""
    batch: Batch = {}
    offset = 0
    for name, dtype, shape in layout:
        batch[name] = torch.empty(shape, dtype=dtype, pin_memory=pin)
        offset = _transfer(os.preadv, file, batch[name], offset)
    return batch


def _transfer(
    call: Callable[[int, list[memoryview], int], int], file: int, tensor: Tensor, offset: int
) -> int:
    """Call until all bytes of the ``tensor`` (contiguous) have passed; the offset behind them."""
    rest = tensor.view(-1).view(torch.uint8).numpy().data
    while rest:
        passed = call(file, [rest], offset)  # at most 2 GB at once
        rest = rest[passed:]
        offset += passed
    return offset
