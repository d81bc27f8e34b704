"""What is learned: the interface between a network, its loss and its judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array

if TYPE_CHECKING:
    from fivefold.config import OptimizerConfig, ScheduleConfig
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.paired_test import PairedTest
    from fivefold.evaluation.section import Section
    from fivefold.training.callback import Callback

Outputs = dict[str, Array]
"""Per-sample outputs gathered over a split: name to array with first dimension ``N``."""


@dataclass(frozen=True)
class Loss:
    """A mean loss and the weight it was averaged over.

    Attributes:
        value: scalar tensor, the mean over ``weight`` units.
        weight: how many samples or tokens the mean runs over: a number, or a scalar tensor on the device.
        parts: named scalar tensors to log (detached by the trainer).
    """

    value: Tensor
    weight: float | Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


Inputs = str | tuple[str, ...]
"""The key of the batch that a network reads, or several in the order of its arguments."""


def inputs_of(batch: Batch, keys: Inputs) -> tuple[Tensor, ...]:
    """The network's arguments out of ``batch``."""
    return (batch[keys],) if isinstance(keys, str) else tuple(batch[key] for key in keys)


@dataclass(frozen=True)
class Phase:
    """One optimizer's turn: which modules it trains, and how often.

    Attributes:
        name: handed to `Task.loss`.
        modules: names of the task's submodules whose parameters this phase trains; ``("",)`` is the whole task.
        optimizer: this phase's own settings; None takes the configuration's.
        schedule: how its learning rate moves; None takes the configuration's.
        repeats: updates this phase makes at each step (WGAN critics make five).
    """

    name: str = "main"
    modules: tuple[str, ...] = ("",)
    optimizer: OptimizerConfig | None = None
    schedule: ScheduleConfig | None = None
    repeats: int = 1


class Task(nn.Module):
    """Modules, losses and metrics of one kind of problem; no logging, no devices, no files.

    Everything that prediction needs (normalisation, temperature) lives in parameters and buffers, so that
    the state dict is the whole model.

    Attributes:
        given: names of the outputs that come from the data and not from the model; baselines are judged with the
            same ones.
    """

    given: ClassVar[tuple[str, ...]] = ("target",)

    def prepare(self, train: Dataset) -> None:
        """Set buffers from the training split (means, class weights); called once, before training."""

    def phases(self) -> Sequence[Phase]:
        """The optimizers' turns, in order; one for supervised tasks."""
        return (Phase(),)

    def loss(self, batch: Batch, phase: str) -> Loss:
        """The loss of a training batch in ``phase``; pure, without host synchronisation."""
        raise NotImplementedError(f"{type(self).__name__} defines no loss")

    def watchers(self) -> Sequence[Callback]:
        """Callbacks of this task's own, in every process of a training; they may raise `EndOfTraining`.

        They decide by losses and metrics alone, which all processes are told alike, so that all decide the same.
        """
        return ()

    def predict(self, batch: Batch) -> Batch:
        """Per-sample outputs of a batch (first dimension ``B``), with ``target`` where the batch has it."""
        raise NotImplementedError(f"{type(self).__name__} defines no predict")

    def calibrate(self, outputs: Outputs) -> None:
        """Fit what is fitted on validation outputs (a temperature); called once, after training."""

    def metrics(self) -> Sequence[Metric]:
        """Metrics of this task; the first is the headline."""
        raise NotImplementedError(f"{type(self).__name__} defines no metrics")

    def tests(self, metric: Metric, outputs: Outputs, rival: Outputs) -> Sequence[PairedTest]:  # noqa: ARG002 - the interface
        """Tests of the model against a baseline on ``metric``, which must agree before a verdict is spoken.

        Args:
            metric: one that the report compares with the baselines.
            outputs: the task's own.
            rival: the baseline's on the same samples, with what is `given`.
        """
        return ()

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:
        """One JSON-ready record a sample, in the user's words (class names, units)."""
        raise NotImplementedError(f"{type(self).__name__} defines no decode")

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:  # noqa: ARG002 - the interface
        """Sections that the report of every pipeline with this task has."""
        return []
