"""Copying batches to a GPU beside its computation, one batch ahead.

The copies run on a stream of their own, as in the CUDA programming guide's "Overlap of Data Transfer and
Kernel Execution": while the GPU computes a step, the next batch travels. What torch's notes on CUDA semantics
ask of a tensor that is made on one stream and used on another is done in `CopyStream.receive`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

import torch

from fivefold.data.dataset import HOST_KEYS, Batch

Item = TypeVar("Item")
Started = TypeVar("Started")


def copied_ahead(batches: Generator[Batch], device: torch.device) -> Generator[Batch]:
    """The ``batches`` (in pinned memory) on the CUDA ``device``; each copy is started one batch ahead."""
    copies = CopyStream(device)
    with closing(started_ahead(batches, copies.send)) as sent:
        for batch, arrived in sent:
            yield copies.receive(batch, arrived)


def started_ahead(items: Generator[Item], start: Callable[[Item], Started]) -> Generator[Started]:
    """What ``start`` gives for each item, called for the next item before this one's is given out."""
    with closing(items):
        for first in items:
            ahead = start(first)
            break
        else:
            return
        for item in items:
            started, ahead = ahead, start(item)
            yield started
        yield ahead


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on ``device``, but for the keys that stay on the CPU; copies may still be under way."""
    return {
        name: tensor if name in HOST_KEYS else tensor.to(device, non_blocking=True)
        for name, tensor in batch.items()
    }


class CopyStream:
    """A stream that copies batches to a CUDA device, while the device's current stream computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's

    def send(self, batch: Batch) -> tuple[Batch, torch.cuda.Event]:
        """Start copying; the batch on the device, and the event that says it is there."""
        with torch.cuda.stream(self._stream):
            copy = to_device(batch, self._device)
            return copy, self._stream.record_event()

    def receive(self, batch: Batch, arrived: torch.cuda.Event) -> Batch:
        """Make the batch safe to use on the current stream, which waits for it; the CPU does not."""
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(arrived)
        for tensor in batch.values():
            # Its memory belongs to the copying stream, which must not reuse it before the computation is done.
            if tensor.is_cuda:
                tensor.record_stream(computing)
        return batch
