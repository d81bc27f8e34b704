"""How many batches a task has seen, for what must follow from it and survive a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn


class BatchCounter(nn.Module):
    """Counts in a buffer, which checkpoints save, and which stays on the CPU, so that no reading waits for the device.

    Args:
        places: how many counts there are.
    """

    counts: Tensor

    def __init__(self, places: int) -> None:
        super().__init__()
        self.register_buffer("counts", torch.zeros(places, dtype=torch.int64))

    def next(self, place: int) -> int:
        """The count at ``place``, which then goes up by one."""
        count = int(self.counts[place])
        self.counts[place] += 1
        return count

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:  # noqa: ARG002 - torch's
        """Stays where it is."""
        return self
