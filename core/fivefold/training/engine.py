"""The training step, and all the state that it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Batch
from fivefold.errors import CheckpointError
from fivefold.tasks.base import Task
from fivefold.training.checkpoint import Checkpoint
from fivefold.training.ema import MovingAverage
from fivefold.training.phase import PhaseRunner
from fivefold.training.precision import choose_precision, lay_out_channels_last, wants_channels_last
from fivefold.training.schedule import build_schedule
from fivefold.training.tracker import LossTracker

_SHOWN = 5  # keys that a message names


class Engine:
    """A task on its device, with the optimizers of its phases and the average of its weights.

    Args:
        task: prepared; moved to ``device`` here.
        config: the run's settings.
        device: where to train.
        batches: batches an epoch, by which the length of the schedule is reckoned.
    """

    def __init__(self, task: Task, config: PipelineConfig, device: torch.device, *, batches: int) -> None:
        self.task = task.to(device)
        self.precision = choose_precision(config.trainer.precision, device, task)
        self.channels_last = wants_channels_last(task)
        if self.channels_last:
            lay_out_channels_last(task)
        phases = task.phases()
        self.accumulate = config.trainer.accumulate
        self.batches_per_step = self.accumulate * max(phase.repeats for phase in phases)
        self.steps_per_epoch = -(-batches // self.batches_per_step)
        self.steps = config.epochs * self.steps_per_epoch
        self.tracker = LossTracker()
        self.phases = [
            PhaseRunner(
                phase,
                task,
                compute=task.loss,
                optimizer=config.optimizer,
                schedule=build_schedule(config.schedule, self.steps),
                precision=self.precision,
                tracker=self.tracker,
            )
            for phase in phases
        ]
        self.average = None if config.trainer.ema is None else MovingAverage(task, config.trainer.ema)

    def train_step(self, batches: Sequence[Batch], step: int) -> None:
        """Every phase's updates at ``step`` (0, 1, ...).

        A step has ``accumulate`` batches for each repeat of the phase that repeats most. Update ``r`` of a
        phase takes the ``r``-th group of them, so repeats see new samples while phases share them; at an
        epoch's end there may be too few for the last repeats, which are then left out.
        """
        groups = [
            batches[start : start + self.accumulate] for start in range(0, len(batches), self.accumulate)
        ]
        for phase in self.phases:
            for group in groups[: phase.repeats]:
                phase.update(group, step)
        if self.average is not None:
            self.average.update(step)

    @contextmanager
    def judged_weights(self) -> Iterator[None]:
        """The task with the weights to judge: their moving average where there is one."""
        if self.average is None:
            yield
            return
        with self.average.applied():
            yield

    def keep_judged_weights(self) -> None:
        """Give the task the weights to judge for good; no step may follow."""
        if self.average is not None:
            self.average.copy_to_network()

    def weights_are_finite(self) -> bool:
        """Whether every parameter is finite; waits for the device."""
        norms = torch._foreach_norm([parameter.detach() for parameter in self.task.parameters()])
        return bool(torch.isfinite(torch.stack([norm.float() for norm in norms])).all())

    def state_tensors(self) -> dict[str, dict[str, Tensor]]:
        """Everything that a step changes: from the name of a checkpoint's file to its tensors."""
        state: dict[str, dict[str, Tensor]] = {"model": dict(self.task.state_dict())}
        if self.average is not None:
            state["ema"] = self.average.state_dict()
        for phase in self.phases:
            state[f"optimizer-{phase.name}"] = phase.state_dict()
        return {**state, "losses": self.tracker.state_dict()}

    def load(self, checkpoint: Checkpoint) -> None:
        """Go on from ``checkpoint``.

        Raises:
            CheckpointError: it is of another model.
        """
        load_model(self.task, checkpoint.tensors("model"), checkpoint)
        if self.average is not None:
            self.average.load_state_dict(checkpoint.tensors("ema"))
        for phase in self.phases:
            phase.load_state_dict(checkpoint.tensors(f"optimizer-{phase.name}"))
        self.tracker.load_state_dict(checkpoint.tensors("losses"))

    def load_judged_weights(self, checkpoint: Checkpoint) -> None:
        """Give the task the weights that were judged at ``checkpoint``."""
        load_model(self.task, {**checkpoint.tensors("model"), **checkpoint.tensors("ema")}, checkpoint)


def load_model(task: Task, saved: dict[str, Tensor], checkpoint: Checkpoint) -> None:
    """Copy ``saved`` into the task's parameters and buffers.

    Raises:
        CheckpointError: names or shapes differ; the message names them.
    """
    own = task.state_dict()
    faults = [f"{name} is missing" for name in own if name not in saved]
    faults += [f"{name} is not the model's" for name in saved if name not in own]
    # Buffers are left to the task, which may take the shapes that its `prepare` gave those that were saved.
    faults += [
        f"{name} has shape {tuple(saved[name].shape)}, expected {tuple(value.shape)}"
        for name, value in task.named_parameters()
        if name in saved and saved[name].shape != value.shape
    ]
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        shown = "; ".join(faults[:_SHOWN]) + more
        raise CheckpointError(_misfit(checkpoint, task, shown))
    try:
        task.load_state_dict(saved)
    except RuntimeError as error:
        raise CheckpointError(_misfit(checkpoint, task, " ".join(str(error).split()))) from error


def _misfit(checkpoint: Checkpoint, task: Task, fault: str) -> str:
    return (
        f"{checkpoint.path} does not fit the model {type(task).__name__}: {fault}; "
        "resume with the settings that it began with"
    )
