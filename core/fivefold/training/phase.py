"""One optimizer's turn: forward, backward for its own parameters only, clip, update."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from fivefold.config import OptimizerConfig
from fivefold.data.dataset import Batch
from fivefold.errors import TrainingError
from fivefold.tasks.base import Loss, Phase, Task
from fivefold.training.optim import (
    build_optimizers,
    embedding_ids,
    load_optimizer_tensors,
    optimizer_tensors,
    set_learning_rate,
)
from fivefold.training.processes.group import whole
from fivefold.training.schedule import Schedule
from fivefold.training.speed.precision import Precision
from fivefold.training.tracker import LossTracker

if TYPE_CHECKING:
    from fivefold.training.processes.parallel import Compute, Parallel


class PhaseRunner:
    """A phase of a task with its parameters, optimizers and schedule.

    Attributes:
        skipped: updates left out because their gradient was not finite.

    Args:
        phase: what the task says of it.
        task: on its device already.
        optimizer: settings where the phase has none of its own.
        schedule: the share of the peak learning rate at a step.
        precision: the arithmetic of the forward pass.
        tracker: where losses are noted.
        parallel: how the phase is shared between processes; None for one process.
        skip_non_finite: whether an update is left out when its gradient is not finite.
        offload: whether optimizer state and updates live in the machine's memory.

    Raises:
        TrainingError: the phase names a module that the task does not have, or trains no parameter.
    """

    def __init__(
        self,
        phase: Phase,
        task: Task,
        *,
        optimizer: OptimizerConfig,
        schedule: Schedule,
        precision: Precision,
        tracker: LossTracker,
        parallel: Parallel | None = None,
        skip_non_finite: bool = False,
        offload: bool = False,
    ) -> None:
        self.name = phase.name
        self.repeats = phase.repeats
        self.schedule = schedule
        self.skipped = 0
        self._phase = phase
        self._config = phase.optimizer or optimizer
        self._tracker = tracker
        self._parallel = parallel
        self._skip_non_finite = skip_non_finite
        self._compute: Compute = task.loss if parallel is None else parallel.compute(phase)
        self._context = precision.context
        trained = _trained_parameters(task, phase)
        self._names = {id(parameter): name for name, parameter in trained.items()}
        self._parameters = list(trained.values())
        # Where the phase trains everything, autograd need not be told where to stop.
        everything = all(id(value) in self._names for value in task.parameters() if value.requires_grad)
        self._inputs = None if everything else self._parameters
        self._optimizers = build_optimizers(trained, embedding_ids(task), self._config, offload=offload)
        self._loss_of = self._forward
        self._backward = torch.autograd.backward
        self._apply = self._clip_and_step

    def update(self, batches: Sequence[Batch], step: int) -> None:
        """One update from the accumulated gradient of ``batches``: exactly that of the one big batch.

        A loss is the mean over its weight (samples, tokens). Each backward pass takes the sum, value times
        weight, and the gathered gradient is divided by the weight of all, in all processes; so unequal
        batches count as they should.
        """
        if len(batches) == 1 and self._parallel is None:
            loss = self._loss_of(batches[0])
            self._tracker.add(self.name, step, loss)
            self._backward(loss.value, inputs=self._inputs)
        else:
            self._accumulate(batches, step)
        self._apply(step)

    def instrument(self, wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put ``wrap(part, callable)`` in the place of the step's parts: forward, backward, optimizer."""
        self._loss_of = wrap("forward", self._loss_of)
        self._backward = wrap("backward", self._backward)
        self._apply = wrap("optimizer", self._apply)

    def _forward(self, batch: Batch) -> Loss:
        with self._context():
            return self._compute(batch, self.name)

    def _accumulate(self, batches: Sequence[Batch], step: int) -> None:
        total: float | Tensor = 0.0
        for left, batch in zip(reversed(range(len(batches))), batches, strict=True):
            with self._holding_back() if left else nullcontext():
                loss = self._loss_of(batch)
                self._tracker.add(self.name, step, loss)
                self._backward(loss.value * loss.weight, inputs=self._inputs)
            total = total + loss.weight
        if self._parallel is not None:
            total = self._parallel.divisor(total, self._parameters[0].device)
        torch._foreach_div_(self._gradients(), total)

    def _holding_back(self) -> AbstractContextManager[object]:
        return nullcontext() if self._parallel is None else self._parallel.holding_back(self._phase)

    def _clip_and_step(self, step: int) -> None:
        if self._skip_non_finite and not all_finite(self._gradients()):
            self.skipped += 1
        else:
            if self._config.clip_norm is not None:
                clip_grad_norm_(self._parameters, self._config.clip_norm)
            rate = self.learning_rate(step)
            for optimizer in self._optimizers:
                set_learning_rate(optimizer, rate)
                optimizer.step()
        for parameter in self._parameters:
            parameter.grad = None

    def _gradients(self) -> list[Tensor]:
        return [parameter.grad for parameter in self._parameters if parameter.grad is not None]

    def learning_rate(self, step: int) -> float:
        """The learning rate at ``step``."""
        return self._config.lr * self.schedule(step)

    def state_dict(self) -> dict[str, Tensor]:
        """The optimizers' state by parameter and state name."""
        return {
            key: value
            for optimizer in self._optimizers
            for key, value in optimizer_tensors(optimizer, self._names).items()
        }

    def empty_state(self, shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
        """Tensors of the given shapes to read a saved state into, spread over processes as parameters are."""
        parameters = {self._names[id(parameter)]: parameter for parameter in self._parameters}
        like = {key: parameters[key.rpartition("/")[0]].detach() for key in shapes}
        return {
            key: torch.zeros_like(like[key]) if like[key].shape == shape else torch.zeros(tuple(shape))
            for key, shape in shapes.items()
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved state."""
        for optimizer in self._optimizers:
            load_optimizer_tensors(optimizer, self._names, state)


def all_finite(tensors: Sequence[Tensor]) -> bool:
    """Whether every value of ``tensors`` is finite, on whichever process it lies; waits for the device."""
    norms = torch._foreach_norm([tensor.detach() for tensor in tensors])
    return bool(torch.isfinite(torch.stack([whole(norm).float() for norm in norms])).all())


def _trained_parameters(task: Task, phase: Phase) -> dict[str, nn.Parameter]:
    trained: dict[str, nn.Parameter] = {}
    for module in phase.modules:
        try:
            submodule = task.get_submodule(module)
        except AttributeError:
            known = ", ".join(name for name, _ in task.named_children())
            raise TrainingError(
                f"phase '{phase.name}' trains '{module}', "
                f"which {type(task).__name__} does not have; it has {known}"
            ) from None
        for name, parameter in submodule.named_parameters(prefix=module):
            if parameter.requires_grad:
                trained.setdefault(name, parameter)
    if not trained:
        raise TrainingError(
            f"phase '{phase.name}' of {type(task).__name__} has no parameter to train; "
            f"every one of {phase.modules} is frozen"
        )
    return _without_aliases(trained)


def _without_aliases(parameters: dict[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    """Each parameter once, under its first name, where modules overlap or weights are tied."""
    seen: dict[int, str] = {}
    for name, parameter in parameters.items():
        seen.setdefault(id(parameter), name)
    return {name: parameters[name] for name in seen.values()}
