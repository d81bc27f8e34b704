"""What may be chosen for speed alone: arithmetic, memory layout, threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from fivefold.config import TrainerConfig
from fivefold.tasks.base import Task
from fivefold.training.speed.precision import choose_precision, wants_channels_last


@dataclass(frozen=True)
class Choices:
    """What was chosen; part of a checkpoint, because other choices give other bits.

    Attributes:
        precision: ``float32`` or ``bfloat16``.
        channels_last: whether images and 2-D convolutions are laid out channels last.
        threads: threads of a CPU's kernels; None is torch's own number.
    """

    precision: str
    channels_last: bool
    threads: int | None = None

    def to_values(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Choices:
        """The choices that `to_values` gave."""
        return cls(**values)

    def with_threads(self, device: torch.device) -> Choices:
        """The same with the number of threads written down where a CPU's kernels depend on it.

        Sums over other numbers of threads differ in their last bits, so a resumed training takes as many as it
        began with, whatever the environment now says.
        """
        if device.type != "cpu" or self.threads is not None:
            return self
        return replace(self, threads=torch.get_num_threads())

    def for_processes(self, before: int, now: int) -> Choices:
        """The same for another number of processes, between which threads are dealt out anew."""
        return self if before == now else replace(self, threads=None)

    @contextmanager
    def apply(self) -> Iterator[None]:
        """The context in which to train: with these threads; the former number comes back after it."""
        if self.threads is None:
            yield
            return
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def choices_by_rule(task: Task, settings: TrainerConfig, device: torch.device) -> Choices:
    """What is chosen without a measurement, by the device and the kind of network.

    Raises:
        ConfigError: bfloat16 was asked for on a CUDA device that does not have it.
    """
    precision = choose_precision(settings.precision, device, task)
    return Choices(precision.name, wants_channels_last(task))
