"""One optimizer's turn: forward, backward for its own parameters only, clip, update."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
from fivefold.training.precision import Precision
from fivefold.training.schedule import Schedule
from fivefold.training.tracker import LossTracker

Compute = Callable[[Batch, str], Loss]
"""What gives the loss of a batch in a phase: `Task.loss`, or something wrapped around it."""


class PhaseRunner:
    """A phase of a task with its parameters, optimizers and schedule.

    Args:
        phase: what the task says of it.
        task: on its device already.
        compute: gives the loss; `Task.loss` or a wrapper of it (compiled, distributed).
        optimizer: settings where the phase has none of its own.
        schedule: the share of the peak learning rate at a step.
        precision: the arithmetic of the forward pass.
        tracker: where losses are noted.

    Raises:
        TrainingError: the phase names a module that the task does not have, or trains no parameter.
    """

    def __init__(
        self,
        phase: Phase,
        task: Task,
        *,
        compute: Compute,
        optimizer: OptimizerConfig,
        schedule: Schedule,
        precision: Precision,
        tracker: LossTracker,
    ) -> None:
        self.name = phase.name
        self.repeats = phase.repeats
        self.schedule = schedule
        self._config = phase.optimizer or optimizer
        self._compute = compute
        self._precision = precision
        self._tracker = tracker
        trained = _trained_parameters(task, phase)
        self._names = {id(parameter): name for name, parameter in trained.items()}
        self._parameters = list(trained.values())
        # Where the phase trains everything, autograd need not be told where to stop.
        everything = all(id(value) in self._names for value in task.parameters() if value.requires_grad)
        self._inputs = None if everything else self._parameters
        self._optimizers = build_optimizers(trained, embedding_ids(task), self._config)

    def update(self, batches: Sequence[Batch], step: int) -> None:
        """One update from the accumulated gradient of ``batches``: exactly that of the one big batch.

        A loss is the mean over its weight (samples, tokens). Each backward pass takes the sum, value times
        weight, and the gathered gradient is divided by the weight of all; so unequal batches count as they
        should.
        """
        alone = len(batches) == 1
        total: float | Tensor = 0.0
        for batch in batches:
            with self._precision.context():
                loss = self._compute(batch, self.name)
            self._tracker.add(self.name, step, loss)
            torch.autograd.backward(loss.value if alone else loss.value * loss.weight, inputs=self._inputs)
            total = total + loss.weight
        if not alone:
            self._divide_gradients(total)
        if self._config.clip_norm is not None:
            clip_grad_norm_(self._parameters, self._config.clip_norm)
        rate = self.learning_rate(step)
        for optimizer in self._optimizers:
            set_learning_rate(optimizer, rate)
            optimizer.step()
        for parameter in self._parameters:
            parameter.grad = None

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

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved state."""
        for optimizer in self._optimizers:
            load_optimizer_tensors(optimizer, self._names, state)

    def _divide_gradients(self, total: float | Tensor) -> None:
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        torch._foreach_div_(gradients, total)


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
