"""The batch size that a device carries: doubled in real training steps until memory or speed says stop."""

from __future__ import annotations

import logging
import math
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import torch

from fivefold.errors import ConfigError, TrainingError
from fivefold.finding.advice import is_out_of_memory
from fivefold.finding.memory import memory_of
from fivefold.finding.rehearsal import Plan, Rehearsal, synchronise, undisturbed
from fivefold.training.processes.group import ALONE, Processes

_START = 2  # samples; normalisation over a batch needs two
_FULL = 0.9  # share of the budget that a training may take
_GAIN = 1.05  # a batch must be this much faster a sample than a smaller one to be worth it
_DOUBLINGS = 4  # the size, in chosen sizes, at which two doublings have brought nothing
_UPDATES = 10  # updates of an epoch that a batch must leave, because fewer teach a network little
_WARM_UP, _TIMED = 1, 3  # steps of a trial

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """How training went at a batch size.

    Attributes:
        size: samples a batch.
        seconds: time of a step.
        share: the most memory it took, as a share of the budget; infinite where that ran out.
        next_share: what twice the size may take; 0 where trying costs nothing.
    """

    size: int
    seconds: float
    share: float
    next_share: float = 0.0

    @property
    def speed(self) -> float:
        """Batches are equally many in every trial, so this is proportional to samples a second."""
        return self.size / self.seconds


@dataclass(frozen=True)
class Choice:
    """A batch size and what limits it: ``memory``, ``speed`` or ``samples``."""

    size: int
    limit: str


def find_batch_size(
    plan: Plan,
    *,
    processes: Processes = ALONE,
    budget: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """The batch size to train a plan with: a power of two, the fastest a sample that fits.

    Sizes are doubled, each tried by steps of every phase on a throw-away copy, until one of these ends it: a
    tenth of the memory would not be left; two doublings gained less than five percent of speed; an epoch would
    have fewer than ten updates. On a GPU, torch says when memory runs out; on a CPU, where the system would
    swap or end the process, a size is only tried where twice what the last one took would fit. The plan's task
    and the global generators stay as they are, and the memory is freed.

    Each process tries for itself, without exchanging gradients, and all go by the one that fared worst.
    Samples of unequal length are taken as they are drawn: an unusually long batch may still need more.

    Args:
        plan: its batch size is not used.
        processes: those that will train together.
        budget: bytes that may be used; what is free where not given.
        clock: tells the time in seconds.

    Raises:
        ConfigError: the network will be sharded over processes, so that it cannot be tried in one.
        TrainingError: not even the smallest batch fits.
    """
    if not processes.alone and plan.config.trainer.parallel != "ddp":
        raise ConfigError(
            f"batch_size is auto and trainer.parallel is {plan.config.trainer.parallel}, expected ddp, with which "
            "each process can try alone; give a number by --batch-size"
        )
    with undisturbed(plan.device):
        try:
            choice = _choose(plan, processes, budget, clock)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise _nothing_fits(_START) from error  # not even the weights did
    _log.info("batch_size auto: %d, limited by %s", choice.size, choice.limit)
    return choice.size


def search(attempt: Callable[[int], Trial], largest: int) -> Choice:
    """Double the size from a small one, as `find_batch_size` says.

    Args:
        attempt: trains at a size.
        largest: size beyond which not to go.

    Raises:
        TrainingError: the first size does not fit.
    """
    size = min(_START, largest)
    chosen: Trial | None = None
    while True:
        trial = attempt(size)
        if trial.share > _FULL:
            break
        if chosen is None or trial.speed >= _GAIN * chosen.speed:
            chosen = trial
        elif size >= _DOUBLINGS * chosen.size:
            return Choice(chosen.size, "speed")
        if 2 * size > largest:
            return Choice(chosen.size, "samples")
        if trial.next_share > _FULL:
            break
        size *= 2
    if chosen is None:
        raise _nothing_fits(size)
    return Choice(chosen.size, "memory")


def _nothing_fits(size: int) -> TrainingError:
    return TrainingError(
        f"the memory of the device is too small even for batches of {size}; choose a smaller network, or try "
        "--trainer.activation-checkpointing"
    )


def _choose(plan: Plan, processes: Processes, budget: int | None, clock: Callable[[], float]) -> Choice:
    """`search` with real trials; when it returns, nothing holds what they used."""
    samples = len(plan.train) // (processes.count * plan.config.trainer.accumulate)
    with closing(_Trials(plan, processes, budget, clock)) as attempt:
        return search(attempt, max(samples // _UPDATES, min(_START, len(plan.train))))


class _Trials:
    """Training steps at one size after another, on a copy of the plan's task."""

    def __init__(
        self, plan: Plan, processes: Processes, budget: int | None, clock: Callable[[], float]
    ) -> None:
        # A second batch of an update meets the gradient of the first; a third needs no more memory.
        trainer = plan.config.trainer.model_copy(
            update={"accumulate": min(2, plan.config.trainer.accumulate)}
        )
        config = plan.config.model_copy(update={"batch_size": _START, "trainer": trainer})
        # Nothing is learned, so that nothing can diverge.
        self._copy = Rehearsal(replace(plan, config=config), schedule=lambda step: 0.0)  # noqa: ARG005 - at every step
        self._device = plan.device
        self._processes = processes
        self._clock = clock
        # What the first step leaves for good, optimizer state and libraries, counts to no trial.
        self._step_seconds(_START)
        self._memory = memory_of(plan.device, sharing=processes.count // processes.machines)
        self._budget = self._memory.budget if budget is None else budget

    def __call__(self, size: int) -> Trial:
        """The trial of a size, as it went in the process in which it went worst."""
        self._memory.begin()
        seconds = self._step_seconds(size)
        share = math.inf if seconds == math.inf else self._memory.peak() / self._budget
        # Twice the size takes less than twice the memory, because gradients are as large as before.
        following = 0.0 if self._memory.forgiving else 2 * share
        own = torch.tensor([seconds, share, following], dtype=torch.float64)
        return Trial(size, *self._processes.maximum(own).tolist())

    def close(self) -> None:
        """Let go of what reads the samples."""
        self._copy.close()

    def _step_seconds(self, size: int) -> float:
        """The median time of a few steps with batches of ``size``, reading included, after a first one.

        Infinite where memory ran out.
        """
        times = []
        try:
            with closing(self._copy.steps(size)) as batches:
                for step in range(_WARM_UP + _TIMED):
                    began = self._clock()
                    self._copy.engine.train_step(next(batches), step)
                    synchronise(self._device)
                    times.append(self._clock() - began)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return math.inf
        return statistics.median(times[_WARM_UP:])
