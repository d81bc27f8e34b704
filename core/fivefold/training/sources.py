"""Where a training's batches come from: order, reading, augmentation, layout."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor

from fivefold.data.dataset import Batch
from fivefold.training.loading.loader import Loader
from fivefold.training.sampler import Sampler
from fivefold.training.seeds import Purpose, derive_seed
from fivefold.training.speed.precision import to_channels_last

Augment = Callable[[Batch, torch.Generator], Batch]


@dataclass(frozen=True)
class Sources:
    """Where a loop's batches come from.

    Attributes:
        sampler: the order of the training samples.
        train: reads them.
        val: reads the validation samples; None where there are none.
        augment: varies training batches on the device.
    """

    sampler: Sampler
    train: Loader
    val: Loader | None = None
    augment: Augment | None = None

    @property
    def resident(self) -> bool:
        """Whether training batches come without a wait."""
        return self.train.resident

    def first_batches(self, count: int) -> list[Batch]:
        """The first batches of the training, varied but not laid out; fewer where there are no more."""
        indices = self.sampler.batches(0)[:count]
        return list(self._read(indices, 0, 0, channels_last=False))

    def training_batches(self, epoch: int, start: int, *, channels_last: bool) -> Generator[Batch]:
        """This process's batches of ``epoch`` from its sample ``start`` on, laid out and varied."""
        return self._read(self.sampler.batches(epoch, start), epoch, start, channels_last=channels_last)

    def _read(
        self, indices: list[Tensor], epoch: int, start: int, *, channels_last: bool
    ) -> Generator[Batch]:
        with closing(self.train.read(indices)) as stream:
            if self.augment is None and not channels_last:
                yield from stream
                return
            for batch in self._varied(stream, epoch, start):
                yield to_channels_last(batch) if channels_last else batch

    def _varied(self, stream: Generator[Batch], epoch: int, start: int) -> Generator[Batch]:
        """The batches, varied by a generator seeded by position, so that each is the same after a resume."""
        if self.augment is None:
            yield from stream
            return
        generator = torch.Generator(self.train.device)
        processes = self.sampler.processes
        for number, batch in enumerate(stream):
            position = self.sampler.number(start) + number * processes.count
            generator.manual_seed(derive_seed(self.sampler.seed, Purpose.AUGMENT, epoch, position))
            with torch.no_grad():
                varied = self.augment(batch, generator)
            yield varied
