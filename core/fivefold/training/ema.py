"""An exponential moving average of the weights (Polyak and Juditsky 1992), judged in their place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class MovingAverage:
    """Averages a network's trainable parameters; its buffers (running statistics) are taken as they are.

    The decay warms up, ``min(decay, (1 + t) / (10 + t))`` at update ``t``, so that short trainings are not
    judged by their first random weights.

    Args:
        network: on its device already.
        decay: share of the average kept at each update.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        trained = {name: value for name, value in network.named_parameters() if value.requires_grad}
        self._names = list(trained)
        self._parameters: list[Tensor] = list(trained.values())
        self._averages = [value.detach().clone() for value in self._parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after update ``step`` (0, 1, ...)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averages, self._parameters, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network with the averaged weights; its own come back at the end, bit for bit."""
        own = [value.detach().clone() for value in self._parameters]
        self.copy_to_network()
        try:
            yield
        finally:
            with torch.no_grad():
                _copy(self._parameters, own)

    @torch.no_grad()
    def copy_to_network(self) -> None:
        """Give the network the averaged weights for good."""
        _copy(self._parameters, self._averages)

    def state_dict(self) -> dict[str, Tensor]:
        """The averages by parameter name."""
        return dict(zip(self._names, self._averages, strict=True))

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from saved averages, which must have the names and shapes of `state_dict`."""
        for name, average in zip(self._names, self._averages, strict=True):
            average.copy_(state[name])


def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    # One by one, because tensors that are spread over processes cannot be copied as a list.
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
