"""Going through a dataset once, in order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset


def in_batches(
    dataset: Dataset, indices: Tensor | None = None, size: int = 1024
) -> Iterator[tuple[Tensor, Batch]]:
    """(indices, batch) over the samples at ``indices``, or over all of them in order."""
    wanted = torch.arange(len(dataset)) if indices is None else indices
    for start in range(0, len(wanted), size):
        part = wanted[start : start + size]
        yield part, dataset.batch(part)


def target_codes(dataset: Dataset) -> NDArray[np.int64]:
    """Every sample's class code, shape ``(N,)``; inputs are read only where the dataset cannot tell them apart."""
    held = dataset.targets()
    if held is not None:
        return np.asarray(held.numpy(), dtype=np.int64)
    parts = [batch["target"].numpy() for _, batch in in_batches(dataset, size=256)]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
