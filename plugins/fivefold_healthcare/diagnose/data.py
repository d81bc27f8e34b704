"""Images with their answers as tensors: pixels uint8, because the network scales them on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Facts, TableDataset
from fivefold.data.table import Array, Table
from fivefold.images.loading import load_rows
from fivefold.images.samples import channels_first
from fivefold.images.statistics import channel_statistics
from fivefold_healthcare.diagnose.form import Form
from fivefold_healthcare.diagnose.labels import Asked
from fivefold_healthcare.diagnose.quality import measure_quality, usual_quality
from fivefold_healthcare.diagnose.readers.choose import SUBGROUP

MEASURED = 1024
"""Images that mean, spread and quality are measured on."""


class Images(TableDataset):
    """The images of a table: ``input`` uint8 ``(B, C, H, W)`` or ``(B, 1, D, H, W)``, ``target`` float32 ``(B, Q)``.

    Args:
        table: with a column ``image`` (held in memory) or ``path`` (read when asked for).
        form: what the images have been, or are to be, brought to.
        truth: answers ``(N, Q)``, or None where there are none.
        facts: of the training split; measured here where None.
        stated: what the facts say beside what is measured.
    """

    def __init__(
        self,
        table: Table,
        form: Form,
        truth: NDArray[np.float32] | None,
        facts: Facts | None,
        stated: Mapping[str, Any],
    ) -> None:
        super().__init__(table, Facts())
        self._form = form
        self._held = channels_first(table["image"], colour=form.channels > 1) if "image" in table else None
        self._target = None if truth is None else torch.from_numpy(truth)
        self._facts = facts if facts is not None else self._measure(stated)

    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices``.

        Raises:
            DataError: an image on disk cannot be read; the message names the file.
        """
        batch = {"input": torch.from_numpy(self.pixels(indices.numpy()))}
        return batch if self._target is None else {**batch, "target": self._target[indices]}

    def pixels(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The images of ``rows``, channels first."""
        if self._held is not None:
            return self._held[rows]
        images = load_rows([str(path) for path in self._table["path"][rows]], self._form)
        return channels_first(images, colour=self._form.channels > 1)

    @property
    def form(self) -> Form:
        """What the images are brought to."""
        return self._form

    @property
    def subgroups(self) -> dict[str, Array]:
        """Columns of subgroups, each ``(N,)``, by their names."""
        return {
            name.removeprefix(SUBGROUP): column
            for name, column in self._table.columns.items()
            if name.startswith(SUBGROUP)
        }

    def tensors(self) -> Batch | None:
        """All samples, where they are held in memory."""
        if self._held is None:
            return None
        held = {"input": torch.from_numpy(self._held)}
        return held if self._target is None else {**held, "target": self._target}

    def _measure(self, stated: Mapping[str, Any]) -> Facts:
        """Facts of a training split: what is asked, shape, mean and spread, counts of answers, usual quality."""
        rows = np.unique(np.linspace(0, len(self) - 1, min(MEASURED, len(self))).astype(np.int64))
        sample = self.pixels(rows) if self._held is None else self._held
        mean, spread = channel_statistics(sample)
        facts = Facts(
            size=list(self._form.size),
            channels=self._form.channels,
            mean=mean,
            std=spread,
            quality=usual_quality(measure_quality(self.pixels(rows))),
            **stated,
        )
        if self._form.depth is not None:
            facts["depth"] = self._form.depth
        if self._target is not None:
            known = ~self._target.isnan()
            facts["known_counts"] = known.sum(dim=0).tolist()
            facts["yes_counts"] = (self._target == 1).sum(dim=0).tolist()
        if self._table.group is not None:
            facts["unit"] = self._table.group
        return facts


def truth_of(table: Table, asked: Asked) -> NDArray[np.float32] | None:
    """Answers ``(N, Q)``, or None where the table has no labels."""
    return None if table.label is None else asked.truth(table)
