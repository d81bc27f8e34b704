"""The order of samples: seekable, because an epoch's order is a pure function of (seed, epoch)."""

from __future__ import annotations

import torch
from torch import Tensor

from fivefold.errors import ConfigError
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.seeds import Purpose, derive_seed


class Sampler:
    """Which samples stand in which batch of which epoch, in every process.

    Without weights, each epoch visits every sample once, in a new order. With weights, each epoch draws as
    many samples with replacement, each with a chance proportional to its weight (class-balanced sampling).

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
        processes: those that share the rounds.

    Raises:
        ConfigError: there are too few samples, or the weights do not fit.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        seed: int,
        weights: Tensor | None = None,
        processes: Processes = ALONE,
    ) -> None:
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

    def order(self, epoch: int) -> Tensor:
        """Sample numbers in the order of ``epoch``, int64, shape ``(size,)``."""
        generator = torch.Generator().manual_seed(derive_seed(self.seed, Purpose.ORDER, epoch))
        if self._cumulative is None:
            return torch.randperm(self.size, generator=generator)
        points = torch.rand(self.size, generator=generator, dtype=torch.float64) * self._cumulative[-1]
        # right=True steps over samples of weight zero; the clamp guards against rounding at the far end.
        return torch.searchsorted(self._cumulative, points, right=True).clamp_(max=self.size - 1)

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
