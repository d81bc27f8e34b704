"""A throw-away copy of a training: real steps on real samples, of which nothing stays."""

from __future__ import annotations

import copy
import gc
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, islice

import torch
from torch import Tensor

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Batch, Dataset
from fivefold.finding.memory import give_back_heap
from fivefold.tasks.base import Task
from fivefold.training.engine import Engine
from fivefold.training.loading.loader import Loader
from fivefold.training.sampler import Sampler
from fivefold.training.schedule import Schedule
from fivefold.training.seeds import Purpose, derive_seed, seed_everything
from fivefold.training.sources import Augment, Sources
from fivefold.training.speed.precision import use_fast_kernels
from fivefold.training.speed.rehearsal import generators_kept


@dataclass(frozen=True)
class Plan:
    """A training that could be made: what the trainer would be given.

    Attributes:
        task: what to train; on the CPU, and it stays as it is.
        train: training samples.
        val: validation samples; None where there are none.
        config: the settings.
        device: where to train.
        augment: varies training batches on the device.
        sample_weights: chance of each training sample, shape ``(N,)``.
    """

    task: Task
    train: Dataset
    val: Dataset | None
    config: PipelineConfig
    device: torch.device
    augment: Augment | None = None
    sample_weights: Tensor | None = None


class Rehearsal:
    """A copy of a plan's task with an engine of its own, which makes the steps that the trainer would make.

    The copy is seeded and prepared as the trainer does it. Blocks are not compiled, because a few steps would
    not repay that, and nothing is measured to choose threads; every other setting holds.

    Attributes:
        engine: makes the steps.
        train: reads the training samples.
        val: reads the validation samples; None where there are none.

    Args:
        plan: its batch size is a number.
        schedule: stands in for the configured course of the learning rate.
    """

    def __init__(self, plan: Plan, *, schedule: Schedule | None = None) -> None:
        settings = plan.config.trainer
        plain = {"compile": "off", "graphs": "off", "probe": False, "non_finite": "stop"}
        config = plan.config.model_copy(update={"trainer": settings.model_copy(update=plain)})
        self._plan = plan
        seed_everything(derive_seed(config.seed, Purpose.TRAINING))
        task = copy.deepcopy(plan.task)
        task.prepare(plan.train)
        use_fast_kernels(plan.device)
        batches = len(self._sampler(config.samples_a_batch).sizes)
        self.engine = Engine(task, config, plan.device, batches=batches, schedule=schedule)
        task.train()
        read = partial(
            Loader,
            device=plan.device,
            workers=settings.workers,
            memory_share=settings.memory_share,
            worker_kind=settings.worker_kind,
        )
        self.train = read(plan.train)
        self.val = None if plan.val is None else read(plan.val)

    def steps(self, batch_size: int) -> Generator[list[Batch]]:
        """The batches of one step after another, epoch after epoch without end; close it when done.

        Every batch is full where the training split has that many samples, so steps are alike.
        """
        stream = self._endless(batch_size)
        with closing(stream):
            while True:
                yield list(islice(stream, self.engine.batches_per_step))

    def close(self) -> None:
        """Let go of what reads the samples."""
        for loader in (self.train, self.val):
            if loader is not None:
                loader.close()

    def _endless(self, batch_size: int) -> Generator[Batch]:
        sources = Sources(sampler=self._sampler(batch_size), train=self.train, augment=self._plan.augment)
        full = max(1, len(self._plan.train) // batch_size)
        for epoch in count():
            batches = sources.training_batches(epoch, 0, channels_last=self.engine.channels_last)
            with closing(batches):
                yield from islice(batches, full)

    def _sampler(self, batch_size: int) -> Sampler:
        plan = self._plan
        return Sampler.over(plan.train, batch_size, seed=plan.config.seed, weights=plan.sample_weights)


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Global generators are put back at the end, and memory that is no longer used is given back."""
    try:
        with generators_kept(device):
            yield
    finally:
        gc.collect()
        give_back_heap()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def synchronise(device: torch.device) -> None:
    """Wait for a GPU, so that the clock sees what was done and not what was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
