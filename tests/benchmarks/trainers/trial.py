"""One training by one trainer: the same network, samples and order for all, and one clock.

What is timed, the same for all: the time between the moments at which the forward pass of step ``warm_up`` and of
step ``warm_up + steps`` begins, over ``steps``. Between those two lie exactly ``steps`` whole steps with all that a
trainer does around them (drawing batches, logging, callbacks), however far it reads ahead; setting up and winding
up lie outside. Each trainer calls `Trial.tick` where its forward pass begins. On CUDA both moments wait for the
device.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.trainers.problems import Batch, Problem
from fivefold.training.sampler import Sampler

SEED = 0


class NotPossibleError(Exception):
    """A trainer has no way to do this; the message says why."""


@dataclass(frozen=True)
class Length:
    """How many steps are timed, and how many are made before."""

    steps: int
    warm_up: int

    @property
    def total(self) -> int:
        """Steps made in all; the last one only begins within the time."""
        return self.warm_up + self.steps + 1


@cache
def _samples(problem: Problem, size: int, device: torch.device) -> Batch:
    """Images are laid out channels last, as the networks are: fivefold would do so, and the others may gain."""
    samples = {name: tensor.to(device) for name, tensor in problem.samples(size).items()}
    return {
        name: tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
        for name, tensor in samples.items()
    }


class Trial:
    """What a trainer gets, and what is read afterwards.

    Args:
        problem: what to train.
        length: how long.
        device: where.

    Attributes:
        network: on the device, with its initial weights; afterwards with the trained ones.
        samples: on the device.
        order: the sample numbers of each step, on the device; every trainer takes them in this order.
    """

    def __init__(self, problem: Problem, length: Length, device: torch.device) -> None:
        self.problem = problem
        self.length = length
        self.device = device
        torch.manual_seed(SEED)
        self.network: nn.Module = problem.network().to(device)
        if any(isinstance(module, nn.Conv2d) for module in self.network.modules()):
            self.network.to(memory_format=torch.channels_last)
        size = length.total * problem.batch_size
        self.samples = _samples(problem, size, device)
        # The order of fivefold's first epoch, which the others are given.
        batches = Sampler(size, problem.batch_size, seed=SEED).batches(0)
        self.order: list[Tensor] = [indices.to(device) for indices in batches]
        self._begun = 0
        self._moments: list[float] = []

    @property
    def adversarial(self) -> bool:
        """Whether two optimizers take turns."""
        return len(self.problem.phases) > 1

    def parameters(self, phase: str = "main") -> list[nn.Parameter]:
        """What ``phase`` trains."""
        module = self.network.get_submodule(phase) if self.adversarial else self.network
        return list(module.parameters())

    def optimizer(self, phase: str = "main") -> torch.optim.AdamW:
        """A new optimizer of ``phase``."""
        return self.problem.optimizer(self.parameters(phase))

    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices``."""
        return {name: tensor.index_select(0, indices) for name, tensor in self.samples.items()}

    def tick(self) -> None:
        """A step begins."""
        done = self._begun - self.length.warm_up
        if done in {0, self.length.steps} and self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        if 0 <= done <= self.length.steps:
            self._moments.append(time.perf_counter())
        self._begun += 1

    @property
    def begun(self) -> int:
        """Steps begun so far."""
        return self._begun

    @cached_property
    def seconds_a_step(self) -> float:
        """Mean over the timed steps."""
        return (self._moments[-1] - self._moments[0]) / self.length.steps

    @property
    def single_steps(self) -> list[float]:
        """Seconds of each timed step; on CUDA only of its launching."""
        return [end - start for start, end in pairwise(self._moments)]

    def weights(self) -> dict[str, Tensor]:
        """Parameters and running statistics, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()}
