"""Images on disk as samples, decoded when asked for."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Facts, TableDataset
from fivefold.data.table import Table
from fivefold.images.loading import Shape, load_rows
from fivefold.images.samples import channels_first


class ImageFiles(TableDataset):
    """Those of a table's column ``path``: ``input`` uint8 ``(B, C, H, W)``, and its labels where it has some.

    Attributes:
        labels: what batches call the labels.

    Args:
        table: the rows of one split.
        shape: what the images are brought to.
        facts: of the training split.
    """

    labels: ClassVar[str] = "target"

    def __init__(self, table: Table, shape: Shape, facts: Facts) -> None:
        super().__init__(table, facts)
        self._shape = shape

    def batch(self, indices: Tensor) -> Batch:
        """Decode the images at ``indices``.

        Raises:
            DataError: one of them cannot be read; the message names the file.
        """
        paths = [str(path) for path in self._table["path"][indices.numpy()]]
        images = channels_first(load_rows(paths, self._shape), colour=self._shape.channels > 1)
        batch = {"input": torch.from_numpy(images)}
        return batch if self._target is None else {**batch, self.labels: self._target[indices]}
