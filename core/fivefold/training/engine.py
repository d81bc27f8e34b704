"""The training step, and all the state that it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fivefold.config import PipelineConfig, TrainerConfig
from fivefold.data.dataset import Batch
from fivefold.errors import CheckpointError
from fivefold.tasks.base import Task
from fivefold.training.ema import MovingAverage
from fivefold.training.phase import PhaseRunner, all_finite
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.processes.norms import convert_batch_norms
from fivefold.training.saving.checkpoint import Checkpoint
from fivefold.training.schedule import Schedule, build_schedule
from fivefold.training.speed.activations import checkpoint_activations
from fivefold.training.speed.choices import Choices, choices_by_rule
from fivefold.training.speed.compilation import compile_mode, compile_task
from fivefold.training.speed.precision import choose_precision, lay_out_channels_last, to_channels_last
from fivefold.training.tracker import LossTracker

if TYPE_CHECKING:
    from fivefold.training.processes.parallel import Parallel

_SHOWN = 5  # keys that a message names


class Engine:
    """A task on its device, with the optimizers of its phases and the average of its weights.

    Args:
        task: prepared; moved to ``device`` here.
        config: the run's settings.
        device: where to train.
        batches: batches an epoch in each process, by which the length of the schedule is reckoned.
        processes: those that train together.
        schedule: moves every phase's learning rate in place of the configured ones.
        choices: what was chosen for speed; by rule where not given.
        samples: some full training batches on the device, by which blocks are compiled; none for no compiling.

    Raises:
        ConfigError: settings do not fit the task or the device.
    """

    def __init__(
        self,
        task: Task,
        config: PipelineConfig,
        device: torch.device,
        *,
        batches: int,
        processes: Processes = ALONE,
        schedule: Schedule | None = None,
        choices: Choices | None = None,
        samples: Sequence[Batch] = (),
    ) -> None:
        settings = config.trainer
        choices = choices or choices_by_rule(task, settings, device)
        self.task = task.to(device)
        self.processes = processes
        self.precision = choose_precision(choices.precision, device, task)
        self.channels_last = choices.channels_last
        if self.channels_last:
            lay_out_channels_last(task)
        phases = task.phases()
        self.accumulate = settings.accumulate
        self.batches_per_step = self.accumulate * max(phase.repeats for phase in phases)
        self.steps_per_epoch = -(-batches // self.batches_per_step)
        self.steps = config.epochs * self.steps_per_epoch
        self.tracker = LossTracker()
        if settings.sync_batch_norm and not processes.alone:
            convert_batch_norms(task, device)
        if settings.activation_checkpointing:
            checkpoint_activations(task)
        self.compiled = self._compile(settings, device, samples)
        self.parallel = self._share(settings, device)
        self.phases = [
            PhaseRunner(
                phase,
                task,
                optimizer=config.optimizer,
                schedule=schedule or build_schedule(phase.schedule or config.schedule, self.steps),
                precision=self.precision,
                tracker=self.tracker,
                parallel=self.parallel,
                skip_non_finite=settings.non_finite == "skip",
                offload=settings.offload_optimizer,
            )
            for phase in phases
        ]
        self._skips = settings.non_finite == "skip"
        self.average = None if settings.ema is None else MovingAverage(task, settings.ema)

    def _compile(self, settings: TrainerConfig, device: torch.device, samples: Sequence[Batch]) -> list[str]:
        """Names of the blocks that were compiled."""
        if not samples:
            return []
        if self.channels_last:
            samples = [to_channels_last(batch) for batch in samples]
        mode = compile_mode(settings, device, steps=self.steps, batches=samples)
        return [] if mode is None else compile_task(self.task, samples, self.precision, mode)

    def _share(self, settings: TrainerConfig, device: torch.device) -> Parallel | None:
        if self.processes.alone:
            return None
        from fivefold.training.processes.parallel import share_training  # noqa: PLC0415 - slow to import

        return share_training(self.task, settings, self.processes, device)

    @property
    def skipped(self) -> int:
        """Updates left out because their gradient was not finite."""
        return sum(phase.skipped for phase in self.phases)

    def train_step(self, batches: Sequence[Batch], step: int) -> None:
        """Every phase's updates at ``step`` (0, 1, ...).

        A step has ``accumulate`` batches for each repeat of the phase that repeats most. Update ``r`` of a
        phase takes the ``r``-th group of them, so repeats see new samples while phases share them; at an
        epoch's end there may be too few for the last repeats, which are then left out.
        """
        if self._skips:
            self._step_or_skip(batches, step)
        else:
            self._update_phases(batches, step)
        if self.average is not None:
            self.average.update(step)

    def _update_phases(self, batches: Sequence[Batch], step: int) -> None:
        if self.batches_per_step == self.accumulate:
            for phase in self.phases:
                phase.update(batches, step)
            return
        groups = [
            batches[start : start + self.accumulate] for start in range(0, len(batches), self.accumulate)
        ]
        for phase in self.phases:
            for group in groups[: phase.repeats]:
                phase.update(group, step)

    def _step_or_skip(self, batches: Sequence[Batch], step: int) -> None:
        """A step whose forward passes leave no trace in buffers (running statistics) if it is skipped."""
        before, skipped = [buffer.clone() for buffer in self.task.buffers()], self.skipped
        self._update_phases(batches, step)
        if self.skipped > skipped:
            for buffer, value in zip(self.task.buffers(), before, strict=True):
                buffer.copy_(value)

    @contextmanager
    def judged_weights(self) -> Iterator[None]:
        """The task with the weights to judge: their moving average where there is one.

        Buffers are the first process's, in every process.
        """
        self.processes.copy_from_first(list(self.task.buffers()))
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
        return all_finite(list(self.task.parameters()))

    def state_tensors(self) -> dict[str, dict[str, Tensor]]:
        """What a step changes and all processes share: from the name of a checkpoint's file to its tensors."""
        state: dict[str, dict[str, Tensor]] = {"model": dict(self.task.state_dict())}
        if self.average is not None:
            state["ema"] = self.average.state_dict()
        for phase in self.phases:
            state[f"optimizer-{phase.name}"] = phase.state_dict()
        return state

    def own_tensors(self) -> dict[str, dict[str, Tensor]]:
        """What a step changes in this process alone: losses not yet logged; beside the first, buffers."""
        own = {"losses": self.tracker.state_dict()}
        if self.processes.is_first:
            return own
        return {**own, "buffers": {name: buffer.cpu() for name, buffer in self.task.named_buffers()}}

    def load_own(self, tensors: dict[str, dict[str, Tensor]]) -> None:
        """Go on from what `own_tensors` gave."""
        self.tracker.load_state_dict(tensors.get("losses", {}))
        buffers = dict(self.task.named_buffers())
        for name, value in tensors.get("buffers", {}).items():
            buffers[name].copy_(value)

    def load(self, checkpoint: Checkpoint) -> None:
        """Go on from ``checkpoint``.

        Raises:
            CheckpointError: it is of another model.
        """
        if self.is_sharded:
            self._load_shards(checkpoint)
            return
        load_model(self.task, checkpoint.tensors("model"), checkpoint)
        if self.average is not None:
            self.average.load_state_dict(checkpoint.tensors("ema"))
        for phase in self.phases:
            phase.load_state_dict(checkpoint.tensors(f"optimizer-{phase.name}"))

    def load_judged_weights(self, checkpoint: Checkpoint) -> None:
        """Give the task the weights that were judged at ``checkpoint``."""
        if self.is_sharded:
            self._load_shards(checkpoint)
            self.keep_judged_weights()
            return
        load_model(self.task, {**checkpoint.tensors("model"), **checkpoint.tensors("ema")}, checkpoint)

    @property
    def is_sharded(self) -> bool:
        """Whether each process holds a part of the weights only."""
        return self.parallel is not None and self.parallel.is_sharded

    def _load_shards(self, checkpoint: Checkpoint) -> None:
        from fivefold.training.saving.sharded import load_sharded  # noqa: PLC0415 - slow to import

        state = {"model": dict(self.task.state_dict())}
        if self.average is not None:
            state["ema"] = self.average.state_dict()
        optimizers = {f"optimizer-{phase.name}": phase for phase in self.phases}
        state |= {name: phase.empty_state(checkpoint.shapes(name)) for name, phase in optimizers.items()}
        load_sharded(checkpoint, state)
        for name, phase in optimizers.items():
            phase.load_state_dict(state[name])


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
