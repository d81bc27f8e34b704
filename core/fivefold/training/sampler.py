"""The order of samples: seekable, because an epoch's order is a pure function of (seed, epoch)."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from fivefold.data.dataset import Dataset
from fivefold.errors import ConfigError
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.seeds import Purpose, derive_seed

STRETCH = 64
"""Rounds whose samples are sorted by length together; more is less padding, fewer is more chance."""


class Sampler:
    """Which samples stand in which batch of which epoch, in every process.

    Without weights, each epoch visits every sample once, in a new order. With weights, each epoch draws as
    many samples with replacement, each with a chance proportional to its weight (class-balanced sampling).

    With lengths, batches are of samples of like length, so that little of them is padding: the shuffled samples
    are sorted by length within stretches of `STRETCH` rounds, and the rounds of a stretch are shuffled.

    An epoch's order is cut into rounds, one batch in each process; so the samples of a round, and of a step,
    are the same however many processes share them.

    Attributes:
        sizes: samples in each round of an epoch, in order; without other processes, in each batch.

    Args:
        size: how many samples there are.
        batch_size: samples a batch. The last round of an epoch is smaller, but never leaves a process with a
            single sample (normalisation over a batch needs two): such a rest joins the round before it.
        seed: the order's seed.
        weights: non-negative, finite, shape ``(size,)``; not all zero.
        lengths: of the samples, int64 ``(size,)``, where they are uneven.
        fixed: the order of every epoch, int64, each sample at most once; in place of a random one.
        processes: those that share the rounds.

    Raises:
        ConfigError: there are too few samples, or weights, lengths or order do not fit.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        seed: int,
        weights: Tensor | None = None,
        lengths: Tensor | None = None,
        fixed: Tensor | None = None,
        processes: Processes = ALONE,
    ) -> None:
        if fixed is not None:
            _check_fixed(fixed, size, weights)
            size = len(fixed)
        if size < 1:
            raise ConfigError("the training split has no samples; expected at least one")
        if size < processes.count:
            raise ConfigError(
                f"the training split has {size} samples, expected at least one for each of "
                f"{processes.count} processes; choose fewer --devices"
            )
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.processes = processes
        self.sizes = self.sizes_from(0)
        self._cumulative = None if weights is None else _cumulative(weights, size)
        self._lengths = lengths
        self._fixed = fixed

    @classmethod
    def over(
        cls,
        dataset: Dataset,
        batch_size: int,
        *,
        seed: int,
        accumulate: int = 1,
        weights: Tensor | None = None,
        processes: Processes = ALONE,
    ) -> Self:
        """The sampler of a training on ``dataset``, in the order or with the lengths that it states.

        Raises:
            ConfigError: as the class.
        """
        return cls(
            len(dataset),
            batch_size,
            seed=seed,
            weights=weights,
            lengths=dataset.lengths(),
            fixed=dataset.order(batch_size * accumulate * processes.count),
            processes=processes,
        )

    def order(self, epoch: int) -> Tensor:
        """Sample numbers in the order of ``epoch``, int64, shape ``(size,)``."""
        if self._fixed is not None:
            return self._fixed
        generator = torch.Generator().manual_seed(derive_seed(self.seed, Purpose.ORDER, epoch))
        drawn = self._drawn(generator)
        return drawn if self._lengths is None else self._bucketed(drawn, self._lengths[drawn], generator)

    def _drawn(self, generator: torch.Generator) -> Tensor:
        """Sample numbers in random order, with replacement where there are weights."""
        if self._cumulative is None:
            return torch.randperm(self.size, generator=generator)
        points = torch.rand(self.size, generator=generator, dtype=torch.float64) * self._cumulative[-1]
        # right=True steps over samples of weight zero; the clamp guards against rounding at the far end.
        return torch.searchsorted(self._cumulative, points, right=True).clamp_(max=self.size - 1)

    def _bucketed(self, drawn: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
        """``drawn`` so that each round holds samples of like length; the last, smaller round stays the last."""
        width = self.batch_size * self.processes.count
        whole = self.size - self.size % width
        parts = []
        for start in range(0, whole, STRETCH * width):
            end = min(start + STRETCH * width, whole)
            by_length = torch.argsort(lengths[start:end], stable=True) + start
            rounds = by_length.view(-1, width)
            parts.append(rounds[torch.randperm(len(rounds), generator=generator)].flatten())
        return drawn[torch.cat([*parts, torch.arange(whole, self.size)])]

    def batches(self, epoch: int, start: int = 0) -> list[Tensor]:
        """This process's batches of ``epoch`` from its sample ``start`` on: int64, shape ``(B,)`` each."""
        rounds = torch.split(self.order(epoch)[start:], self.sizes_from(start))
        if self.processes.alone:
            return list(rounds)
        return [torch.tensor_split(members, self.processes.count)[self.processes.rank] for members in rounds]

    def sizes_from(self, start: int) -> list[int]:
        """Samples in each round from an epoch's sample ``start`` on, in all processes together."""
        count = self.processes.count
        full, rest = divmod(self.size - start, self.batch_size * count)
        sizes = [self.batch_size * count] * full
        if full and rest < 2 * count:
            sizes[-1] += rest
        elif rest >= count:
            sizes.append(rest)  # a shorter one only after a change of processes amid an epoch; it is left out
        return sizes

    def number(self, start: int) -> int:
        """The number of this process's batch that begins with the epoch's sample ``start``."""
        count = self.processes.count
        return start // (self.batch_size * count) * count + self.processes.rank


def _check_fixed(fixed: Tensor, size: int, weights: Tensor | None) -> None:
    if weights is not None:
        raise ConfigError("samples in a fixed order cannot be drawn by weights; leave one of the two out")
    distinct = len(torch.unique(fixed))
    if distinct < len(fixed) or bool((fixed < 0).any()) or bool((fixed >= size).any()):
        raise ConfigError(
            f"the order of samples expects numbers from 0 to {size - 1}, each at most once, "
            f"found {len(fixed)} of which some repeat or lie outside; mend the dataset's `order`"
        )


def _cumulative(weights: Tensor, size: int) -> Tensor:
    weights = weights.detach().to("cpu", torch.float64)
    if weights.shape != (size,):
        raise ConfigError(
            f"sample weights have shape {tuple(weights.shape)}; expected ({size},), one a sample"
        )
    if not bool(torch.isfinite(weights).all()) or bool((weights < 0).any()) or not bool((weights > 0).any()):
        raise ConfigError(
            "sample weights must be finite and not negative, and at least one must be above zero"
        )
    return weights.cumsum(0)
