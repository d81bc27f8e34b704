"""A split's samples, addressable by index: what a pipeline's `samples` returns and the loader reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fivefold.data.table import Array, Table

Batch = dict[str, Tensor]

HOST_KEYS = frozenset({"lengths"})
"""Keys of a batch that are not copied to the device."""


class Facts(dict[str, Any]):
    """What a task must know of its data (features, classes, sizes): plain JSON values, read as attributes.

    Facts are saved in the run, so that `Pipeline.task(facts)` builds the same network again without the data.

    Attributes:
        documents: text files that belong to the model, such as a tokenizer's: name to content. They are kept
            beside ``run.json``, each in a file of its own.
    """

    documents: dict[str, str]

    def __init__(self, *values: Any, documents: Mapping[str, str] | None = None, **named: Any) -> None:
        super().__init__(*values, **named)
        self.documents = dict(documents or {})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the data state no fact '{name}'; they state {', '.join(self)}") from None


class Dataset(ABC):
    """Samples of one split.

    `batch` must be pure: the same indices give the same tensors, whatever was asked before, from any thread.
    Random augmentation belongs to `Pipeline.augment`, which runs on the device with a seeded generator.
    """

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices`` (int64, shape ``(B,)``) as CPU tensors with first dimension ``B``.

        The key ``target`` holds what is to be predicted; it is absent where samples are unlabelled. Samples of
        uneven length are padded at their end, and the key ``lengths``, int64 of shape ``(B,)``, holds their
        true lengths; it stays on the CPU, where packing reads it without waiting for the device.
        """

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What the task must know of these data."""

    @property
    @abstractmethod
    def ids(self) -> Array:
        """Names of the samples, shape ``(N,)``, for messages, reports and predictions."""

    @property
    def units(self) -> Array | None:
        """The independent unit of each sample, shape ``(N,)``; None where each stands for itself."""
        return None

    def tensors(self) -> Batch | None:
        """All samples at once where they are held in memory, else None; then the loader calls `batch`."""
        return None

    def targets(self) -> Tensor | None:
        """Every target, first dimension ``N``, where they are known without reading inputs, else None."""
        tensors = self.tensors()
        return None if tensors is None else tensors.get("target")

    def lengths(self) -> Tensor | None:
        """Steps of each sample, int64 ``(N,)``, where they are uneven: batches are then of samples of like length."""
        return None

    def order(self, samples_a_step: int) -> Tensor | None:  # noqa: ARG002 - the interface
        """The order in which training samples must be seen in each epoch, int64, each at most once.

        Only where it matters, as for pieces of a text across which a state is carried; None shuffles them anew
        in each epoch.

        Args:
            samples_a_step: how many each update takes, in all processes.
        """
        return None

    def unlabelled(self) -> Dataset:
        """The samples that `predict` should see, where those differ (a window without a future yet)."""
        return self


class TensorDataset(Dataset):
    """Samples held in memory as tensors with a common first dimension ``N``."""

    def __init__(self, tensors: Batch, *, facts: Facts, ids: Array, units: Array | None = None) -> None:
        self._tensors = tensors
        self._facts = facts
        self._ids = ids
        self._units = units

    def __len__(self) -> int:
        return len(self._ids)

    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices``, int64 of shape ``(B,)``."""
        return {name: tensor[indices] for name, tensor in self._tensors.items()}

    @property
    def facts(self) -> Facts:
        """As given."""
        return self._facts

    @property
    def ids(self) -> Array:
        """As given, shape ``(N,)``."""
        return self._ids

    @property
    def units(self) -> Array | None:
        """As given, shape ``(N,)``, or None."""
        return self._units

    def tensors(self) -> Batch:
        """All of them."""
        return self._tensors


class TableDataset(Dataset):
    """Samples of a table's rows, whose names, units and targets are the table's; derived classes read them.

    Args:
        table: the rows of one split.
        facts: of the training split.
    """

    def __init__(self, table: Table, facts: Facts) -> None:
        self._table = table
        self._facts = facts
        self._target = table_targets(table)

    def __len__(self) -> int:
        return len(self._table)

    @property
    def facts(self) -> Facts:
        """Those of the training split."""
        return self._facts

    @property
    def ids(self) -> Array:
        """Names of the rows, ``(N,)``."""
        return self._table.ids

    @property
    def units(self) -> Array | None:
        """Groups, ``(N,)``, where the source has them."""
        return self._table.units

    def targets(self) -> Tensor | None:
        """Class codes or numbers, ``(N,)``, from the table alone."""
        return self._target


def table_targets(table: Table) -> Tensor | None:
    """A table's labels: class codes, int64 ``(N,)``, or without classes numbers, float32; None where it has none."""
    if table.label is None:
        return None
    return torch.from_numpy(np.asarray(table[table.label], dtype=np.int64 if table.classes else np.float32))


def all_samples(dataset: Dataset, batch_size: int = 256) -> Batch:
    """Every sample of ``dataset`` as CPU tensors with first dimension ``N``."""
    tensors = dataset.tensors()
    if tensors is not None:
        return tensors
    starts = range(0, len(dataset), batch_size)
    batches = [dataset.batch(torch.arange(start, min(start + batch_size, len(dataset)))) for start in starts]
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}
