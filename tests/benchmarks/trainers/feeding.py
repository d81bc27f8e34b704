"""In-memory samples for trainers that read a torch `DataLoader`, a batch by one gather instead of a call a sample.

torch's fetcher asks a dataset that has ``__getitems__`` for the samples of a whole batch, whose numbers the batch
sampler gives; nothing is left to collate. (``batch_size=None`` with a sampler of batches would be as fast, but
Accelerate 1.15 loses such a sampler in a single process.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from benchmarks.trainers.problems import Batch
from benchmarks.trainers.trial import Trial

Shape = Callable[[Batch], Any]


class Gathered(Dataset[Any]):
    """Batches by their sample numbers.

    Args:
        trial: whose samples.
        shape: what becomes of a batch; trainers differ in what they take.
    """

    def __init__(self, trial: Trial, shape: Shape) -> None:
        self._trial = trial
        self._shape = shape

    def __len__(self) -> int:
        return len(self._trial.order) * self._trial.problem.batch_size

    def __getitems__(self, indices: Tensor) -> Any:
        return self._shape(self._trial.batch(indices))


class Order(Sampler[Tensor]):
    """The trial's batches of sample numbers."""

    def __init__(self, trial: Trial) -> None:
        self.batch_size = trial.problem.batch_size
        self.drop_last = False
        self._order = trial.order

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._order)


def as_is(batch: Any) -> Any:
    """The batch unchanged."""
    return batch


def data_loader(trial: Trial, shape: Shape = as_is) -> DataLoader[Any]:
    """A loader of the trial's batches in their order."""
    return DataLoader(Gathered(trial, shape), batch_sampler=Order(trial), collate_fn=as_is)  # type: ignore[arg-type]  # a sampler of batches need not be torch's
