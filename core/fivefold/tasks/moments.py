"""Mean and standard deviation of samples, gathered batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor

from fivefold.data.dataset import Dataset
from fivefold.errors import DataError


class Moments:
    """Mean and standard deviation over all but the last dimension, in float64.

    Args:
        name: the batch's key, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._shift = self._sum = self._squares = torch.zeros(())

    def add(self, values: Tensor, indices: Tensor, samples: Dataset) -> None:
        """Take in ``values``, ``(B, ..., F)``, of the samples at ``indices``.

        Raises:
            DataError: one is missing or infinite; the message names the sample.
        """
        rows = values.double().reshape(-1, values.shape[-1])
        if not bool(torch.isfinite(rows).all()):
            broken = ~torch.isfinite(values.reshape(len(values), -1)).all(dim=1)
            name = samples.ids[int(indices[broken][0])]
            raise DataError(
                f"{name}: expected finite numbers in '{self._name}', found a missing or infinite one; "
                "fill in or remove such samples"
            )
        if not self._count:
            # Sums around a typical value: squares of large numbers would drown a small variance.
            self._shift = rows.mean(dim=0)
        self._count += len(rows)
        self._sum = self._sum + (rows - self._shift).sum(dim=0)
        self._squares = self._squares + ((rows - self._shift) ** 2).sum(dim=0)

    @property
    def mean(self) -> Tensor:
        """``(F,)``, float32."""
        return (self._shift + self._sum / self._count).float()

    @property
    def scale(self) -> Tensor:
        """The standard deviation, ``(F,)``, float32; 1 where a feature never varies."""
        variance = self._squares / self._count - (self._sum / self._count) ** 2
        deviation = variance.clamp_min(0).sqrt()
        return torch.where(deviation > 1e-12 * self.mean.abs().clamp_min(1), deviation, 1.0).float()
