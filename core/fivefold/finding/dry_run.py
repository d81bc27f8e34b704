"""A training tried before it is made: what it takes of memory and time, from a few real steps.

Nothing is written to disk, and task and generators stay as they are.
"""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import nn

from fivefold.errors import PluginError
from fivefold.finding.activations import activation_bytes
from fivefold.finding.rehearsal import Plan, Rehearsal, synchronise, undisturbed
from fivefold.tasks.base import Task
from fivefold.training.device import describe_device
from fivefold.training.engine import Engine
from fivefold.training.loading.loader import Loader
from fivefold.training.speed.precision import to_channels_last

_WARM_UP, _TIMED = 2, 5  # steps
_PREDICTED = 4  # samples

HOW_ACTIVATIONS = "tensors that autograd saved in a forward pass, counted by torch's saved-tensor hooks"
"""How the activations are measured; recomputed ones (activation checkpointing) are not among them."""


@dataclass(frozen=True)
class Module:
    """A part of the network: its name in the task, its class, and its numbers of parameters."""

    name: str
    kind: str
    parameters: int
    trainable: int


@dataclass(frozen=True)
class MemoryUse:
    """Bytes that a training takes.

    Attributes:
        weights: parameters.
        buffers: running statistics, constants.
        gradients: those of the phase that trains most; each phase frees its own after its update.
        optimizer: state of the optimizers of all phases on the device, as measured after a step.
        average: moving average of the weights; 0 without.
        activations: those of the forward pass that keeps most, see `HOW_ACTIVATIONS`.
        data: samples kept on the device; 0 where they are read as they are needed.
        device_peak: the most that tensors took on a GPU at once over the steps tried, as torch's allocator
            counts it; None on a CPU.
    """

    weights: int
    buffers: int
    gradients: int
    optimizer: int
    average: int
    activations: int
    data: int
    device_peak: int | None

    @property
    def total(self) -> int:
        """All parts together; what a step needs in passing (workspaces, results of operations) comes on top."""
        parts = (self.weights, self.buffers, self.gradients, self.optimizer, self.average)
        return sum(parts) + self.activations + self.data


@dataclass(frozen=True)
class DryRun:
    """What a training will take.

    Attributes:
        device: in words.
        precision: arithmetic of forward and backward.
        batch_size: samples a batch.
        batches_per_step: batches of a step: accumulated, and for the repeats of a phase.
        epochs, steps_per_epoch, steps: how long it trains.
        parameters, trainable: in all.
        modules: the parts at the highest level at which there are several.
        memory: what it takes.
        step_seconds: median time of the steps tried, reading included.
        outputs: shape and kind of each output of predict, for a few samples.
    """

    device: str
    precision: str
    batch_size: int
    batches_per_step: int
    epochs: int
    steps_per_epoch: int
    steps: int
    parameters: int
    trainable: int
    modules: tuple[Module, ...]
    memory: MemoryUse
    step_seconds: float
    outputs: dict[str, str]

    @property
    def total_seconds(self) -> float:
        """Time of all steps; validation, checkpoints and the report come on top."""
        return self.steps * self.step_seconds


def dry_run(plan: Plan) -> DryRun:
    """Make a few steps of the plan on a copy of its task, and predict a few samples.

    Raises:
        PluginError: predict does not give one row a sample.
        FivefoldError: what the training itself would raise.
    """
    with undisturbed(plan.device):
        return _measure(plan)


def _measure(plan: Plan) -> DryRun:
    with closing(Rehearsal(plan)) as copy:
        engine = copy.engine
        seconds, peak = _timed_steps(copy, plan)
        with closing(copy.steps(plan.config.samples_a_batch)) as batches:
            activations = activation_bytes(engine, next(batches)[0])
        outputs = _predicted(engine, copy.val or copy.train)
        return DryRun(
            device=describe_device(plan.device),
            precision=engine.precision.name,
            batch_size=plan.config.samples_a_batch,
            batches_per_step=engine.batches_per_step,
            epochs=plan.config.epochs,
            steps_per_epoch=engine.steps_per_epoch,
            steps=engine.steps,
            parameters=sum(value.numel() for value in engine.task.parameters()),
            trainable=sum(value.numel() for value in engine.task.parameters() if value.requires_grad),
            modules=top_modules(engine.task),
            memory=_memory(copy, activations, peak),
            step_seconds=seconds,
            outputs=outputs,
        )


def _timed_steps(copy: Rehearsal, plan: Plan) -> tuple[float, int | None]:
    """The median time of a step, and the peak of a GPU's memory."""
    on_gpu = plan.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(plan.device)
    times = []
    with closing(copy.steps(plan.config.samples_a_batch)) as batches:
        for step in range(_WARM_UP + _TIMED):
            began = time.perf_counter()
            copy.engine.train_step(next(batches), step)
            synchronise(plan.device)
            times.append(time.perf_counter() - began)
    peak = torch.cuda.max_memory_allocated(plan.device) if on_gpu else None
    return statistics.median(times[_WARM_UP:]), peak


def _memory(copy: Rehearsal, activations: int, peak: int | None) -> MemoryUse:
    task, state = copy.engine.task, copy.engine.state_tensors()
    updating = [
        value
        for name, part in state.items()
        if name.startswith("optimizer-")
        for value in part.values()
        if value.device.type == copy.train.device.type  # offloaded state takes nothing there
    ]
    return MemoryUse(
        weights=sum(value.nbytes for value in task.parameters()),
        buffers=sum(value.nbytes for value in task.buffers()),
        gradients=max(_gradient_bytes(task, phase.modules) for phase in task.phases()),
        optimizer=sum(value.nbytes for value in updating),
        average=sum(value.nbytes for value in state.get("ema", {}).values()),
        activations=activations,
        data=sum(_resident_bytes(loader) for loader in (copy.train, copy.val) if loader is not None),
        device_peak=peak,
    )


def _gradient_bytes(task: Task, modules: tuple[str, ...]) -> int:
    trained = {value: None for name in modules for value in task.get_submodule(name).parameters()}
    return sum(value.nbytes for value in trained if value.requires_grad)


def _resident_bytes(loader: Loader) -> int:
    tensors = loader.dataset.tensors() if loader.resident else None
    return 0 if tensors is None else sum(tensor.nbytes for tensor in tensors.values())


def top_modules(task: nn.Module) -> tuple[Module, ...]:
    """The parts of a task, from the first level at which there are several with parameters.

    Each parameter counts once, for the first part that holds it; those that no part holds count for the task.
    """
    parent, prefix = task, ""
    while True:
        parts = [
            (name, part) for name, part in parent.named_children() if any(True for _ in part.parameters())
        ]
        if len(parts) != 1 or any(True for _ in parent.parameters(recurse=False)):
            break
        name, parent = parts[0]
        prefix = f"{prefix}{name}."
    seen: set[nn.Parameter] = set()
    found = []
    for name, part in [(f"{prefix}{name}", part) for name, part in parts] + [(prefix.rstrip("."), parent)]:
        own = [value for value in part.parameters() if value not in seen]
        seen.update(own)
        if own:
            total = sum(value.numel() for value in own)
            trainable = sum(value.numel() for value in own if value.requires_grad)
            found.append(Module(name, type(part).__name__, total, trainable))
    return tuple(found)


def _predicted(engine: Engine, loader: Loader) -> dict[str, str]:
    """Shape and kind of what predict gives for a few samples.

    Raises:
        PluginError: an output has not one row a sample.
    """
    count = min(_PREDICTED, len(loader.dataset))
    with closing(loader.read([torch.arange(count)])) as stream:
        batch = next(stream)
    task = engine.task.eval()
    with torch.no_grad(), engine.precision.context():
        outputs = task.predict(to_channels_last(batch) if engine.channels_last else batch)
    for name, output in outputs.items():
        if output.shape[:1] != (count,):
            raise PluginError(
                f"{type(task).__name__}.predict gave '{name}' of shape {tuple(output.shape)} for {count} samples; "
                f"expected a first dimension of {count}, one row a sample"
            )
    return {
        name: f"{tuple(output.shape)} {str(output.dtype).removeprefix('torch.')}"
        for name, output in outputs.items()
    }
