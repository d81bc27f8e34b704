"""How several processes share a training: whole copies of the network (DDP) or shards of it (FSDP2).

Each strategy answers the same four questions: how the loss of a batch is computed in a phase, how gradients
are held back until the last batch of an update, by what the gathered gradient must be divided, and which
weights are read to judge and to save.

DDP: Li et al. 2020, arXiv:2006.15704. FSDP: Zhao et al. 2023, arXiv:2304.11277.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from fivefold.config import TrainerConfig
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError
from fivefold.tasks.base import Loss, Phase, Task
from fivefold.training.processes.group import Processes
from fivefold.training.speed.blocks import repeated_blocks

Compute = Callable[[Batch, str], Loss]
"""What gives the loss of a batch in a phase: `Task.loss`, or something wrapped around it."""


class Parallel(ABC):
    """A way to share a training between processes.

    Attributes:
        is_sharded: whether each process holds a part of the weights only.
    """

    is_sharded = False

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    @abstractmethod
    def compute(self, phase: Phase) -> Compute:
        """What gives the loss of a batch in ``phase``, and averages gradients over processes in backward."""

    @abstractmethod
    def holding_back(self, phase: Phase) -> AbstractContextManager[object]:
        """The context of forward and backward of a batch that is not the last of its update."""

    def divisor(self, weight: float | Tensor, device: torch.device) -> Tensor:
        """What to divide by the averaged gradient of summed losses: the weight of all, over the processes.

        Args:
            weight: weight of this process's losses in the update.
            device: where gradients lie.
        """
        total = torch.as_tensor(weight, dtype=torch.float32, device=device).detach().clone()
        return self.processes.sum(total) / self.processes.count


class Copies(Parallel):
    """Every process has the whole network; gradients are averaged while backward runs (DDP).

    Each phase has a wrapper of its own around its own modules, so that phases may train different parts.
    Buffers (running statistics) are each process's own; those of the first are judged and saved.
    """

    def __init__(self, task: Task, config: TrainerConfig, processes: Processes) -> None:
        super().__init__(processes)
        self._task = task
        self._wrapped = {
            phase.name: _replicate(_PhaseLoss(task, phase), config.compression) for phase in task.phases()
        }

    def compute(self, phase: Phase) -> Compute:
        """DDP's forward over `Task.loss`."""
        return self._wrapped[phase.name]

    def holding_back(self, phase: Phase) -> AbstractContextManager[object]:
        """DDP's ``no_sync``."""
        held: AbstractContextManager[object] = self._wrapped[phase.name].no_sync()
        return held


class Shards(Parallel):
    """Every process keeps a part of weights, gradients and optimizer state (FSDP2); experimental.

    Repeated blocks are gathered one at a time, everything else together.

    Raises:
        ConfigError: the task has several phases, or gradients shall be compressed.
    """

    is_sharded = True

    def __init__(self, task: Task, config: TrainerConfig, processes: Processes, device: torch.device) -> None:
        super().__init__(processes)
        if len(task.phases()) > 1:
            raise ConfigError(
                f"trainer.parallel is {config.parallel}, which trains tasks of one phase, and "
                f"{type(task).__name__} has {len(task.phases())}; choose ddp"
            )
        if config.compression != "none":
            raise ConfigError(
                f"trainer.compression is for ddp, and trainer.parallel is {config.parallel}; set it to none"
            )
        self._task: Any = task
        _shard(task, _mesh(config.parallel, processes, device))

    def compute(self, phase: Phase) -> Compute:  # noqa: ARG002 - one phase
        """`Task.loss`, at which the weights are gathered."""
        loss: Compute = self._task.loss
        return loss

    @contextmanager
    def holding_back(self, phase: Phase) -> Iterator[None]:  # noqa: ARG002 - one phase
        """Gradients stay whole in each process until the last batch."""
        self._task.set_requires_gradient_sync(False)
        try:
            yield
        finally:
            self._task.set_requires_gradient_sync(True)


def share_training(
    task: Task, config: TrainerConfig, processes: Processes, device: torch.device
) -> Parallel | None:
    """The strategy that ``config`` asks for; None where there is one process.

    Raises:
        ConfigError: task and strategy do not fit.
    """
    if processes.alone:
        return None
    if config.parallel == "ddp":
        return Copies(task, config, processes)
    return Shards(task, config, processes, device)


class _PhaseLoss(nn.Module):
    """`Task.loss` in one phase as the forward of a module that owns just the phase's submodules."""

    def __init__(self, task: Task, phase: Phase) -> None:
        super().__init__()
        self.trained = nn.ModuleList([task.get_submodule(name) for name in phase.modules])
        self._loss = task.loss  # a method is no submodule: what other phases train is not taken in by it

    def forward(self, batch: Batch, phase: str) -> Loss:
        return self._loss(batch, phase)


def _replicate(module: _PhaseLoss, compression: str) -> DistributedDataParallel:
    # Buffers are not exchanged at each forward: the first process's are taken when they are needed.
    wrapped = DistributedDataParallel(module, forward_sync_buffers=False)
    if compression == "bfloat16":
        # Under its own name torch refuses the hook with gloo, which sums bfloat16 as well.
        wrapped.register_comm_hook(
            dist.group.WORLD,
            lambda group, bucket: bf16_compress_hook(group, bucket),  # noqa: PLW0108 - the name matters
        )
    return wrapped


def _mesh(kind: str, processes: Processes, device: torch.device) -> DeviceMesh:
    if kind == "fsdp":
        return init_device_mesh(device.type, (processes.count,))
    machines = processes.machines
    return init_device_mesh(
        device.type, (machines, processes.count // machines), mesh_dim_names=("machines", "devices")
    )


def _shard(task: Task, mesh: DeviceMesh) -> None:
    from torch.distributed.fsdp import (  # noqa: PLC0415 - slow to import, and rarely wanted
        fully_shard,
        register_fsdp_forward_method,
    )

    for block in repeated_blocks(task):
        fully_shard(block, mesh=mesh)
    fully_shard(task, mesh=mesh)
    for method in ("loss", "predict"):
        register_fsdp_forward_method(task, method)
