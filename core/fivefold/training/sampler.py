"""The order of samples: seekable, because an epoch's order is a pure function of (seed, epoch)."""

from __future__ import annotations

import torch
from torch import Tensor

from fivefold.errors import ConfigError
from fivefold.training.seeds import Purpose, derive_seed


class Sampler:
    """Which samples stand in which batch of which epoch.

    Without weights, each epoch visits every sample once, in a new order. With weights, each epoch draws as
    many samples with replacement, each with a chance proportional to its weight (class-balanced sampling).

    Attributes:
        sizes: samples in each batch of an epoch, in order.

    Args:
        size: how many samples there are.
        batch_size: samples a batch. The last batch of an epoch is smaller, but never a single sample left
            over from larger batches (normalisation over a batch needs two): that one joins the batch before
            it.
        seed: the order's seed.
        weights: non-negative, finite, shape ``(size,)``; not all zero.

    Raises:
        ConfigError: there are no samples, or the weights do not fit.
    """

    def __init__(self, size: int, batch_size: int, *, seed: int, weights: Tensor | None = None) -> None:
        if size < 1:
            raise ConfigError("the training split has no samples; expected at least one")
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.sizes = _batch_sizes(size, batch_size)
        self._cumulative = None if weights is None else _cumulative(weights, size)

    def order(self, epoch: int) -> Tensor:
        """Sample numbers in the order of ``epoch``, int64, shape ``(size,)``."""
        generator = torch.Generator().manual_seed(derive_seed(self.seed, Purpose.ORDER, epoch))
        if self._cumulative is None:
            return torch.randperm(self.size, generator=generator)
        points = torch.rand(self.size, generator=generator, dtype=torch.float64) * self._cumulative[-1]
        # right=True steps over samples of weight zero; the clamp guards against rounding at the far end.
        return torch.searchsorted(self._cumulative, points, right=True).clamp_(max=self.size - 1)

    def batches(self, epoch: int) -> list[Tensor]:
        """The batches of ``epoch``: sample numbers, int64, shape ``(B,)`` each."""
        return list(torch.split(self.order(epoch), self.sizes))


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


def _batch_sizes(size: int, batch_size: int) -> list[int]:
    full, rest = divmod(size, batch_size)
    sizes = [batch_size] * full
    if rest == 1 and full:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes
