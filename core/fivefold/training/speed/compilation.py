"""Regional compilation: repeated blocks are compiled once and used many times, with eager as the way back.

Compiling the block instead of the network keeps the wait at the start short, and its length does not grow
with the depth.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from textwrap import shorten
from types import MethodType
from typing import Any

import torch
from torch import nn

from fivefold.config import TrainerConfig
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError
from fivefold.tasks.base import Task
from fivefold.training.speed.activations import is_recomputed
from fivefold.training.speed.blocks import named_blocks
from fivefold.training.speed.precision import Precision
from fivefold.training.speed.rehearsal import forward_backward, generators_kept

_LONG = 2_000  # steps from which the wait for the compiler is worth it
_LINE = 300  # characters of a reason

Backend = str | Callable[..., Any]
"""A compiler, by torch's name for it or itself."""

_log = logging.getLogger(__name__)


def compile_mode(
    settings: TrainerConfig, device: torch.device, *, steps: int, batches: Sequence[Batch]
) -> str | None:
    """How to compile: ``default``, ``reduce-overhead`` (with CUDA graphs), or None for not at all.

    ``auto`` compiles on CUDA where the training is long enough, and takes graphs where batches have one
    shape. Gradients that are gathered over several backward passes exclude graphs: each replay overwrites
    the gradients of the one before (https://github.com/pytorch/pytorch/issues/169545).

    Args:
        settings: the user's.
        device: where to train.
        steps: length of the training.
        batches: a few batches of the training, full ones, by whose shapes all are judged.

    Raises:
        ConfigError: graphs are asked for where there can be none.
    """
    compiled = settings.compile == "on" or (
        settings.compile == "auto" and device.type == "cuda" and steps >= _LONG
    )
    if settings.graphs == "on":
        hindrance = _graph_hindrance(settings, device)
        if hindrance:
            raise ConfigError(f"trainer.graphs is on, and {hindrance}; set it to auto or off")
        return "reduce-overhead"
    if not compiled:
        return None
    graphs = settings.graphs == "auto" and not _graph_hindrance(settings, device) and _have_one_shape(batches)
    return "reduce-overhead" if graphs else "default"


def compile_task(
    task: Task, batches: Sequence[Batch], precision: Precision, mode: str, *, backend: Backend = "inductor"
) -> list[str]:
    """Compile the regions of ``task`` in place if a copy of it goes through all phases compiled.

    The copy is compiled first and makes forward and backward of each batch, so that what the compiler cannot
    do (double backward, for one) ends in one warning and an eager training. What was compiled for the copy
    serves the task itself.

    Args:
        task: on its device, laid out as it will be trained.
        batches: as the training will see them; two of different shapes let sizes vary.
        precision: of the training.
        mode: `compile_mode`'s.
        backend: the compiler.

    Returns:
        Names of the compiled regions; none where the training stays eager.
    """
    rehearsed = copy.deepcopy(task).train()
    device = torch.device(precision.device_type)
    try:
        compile_regions(rehearsed, mode, backend=backend)
        with generators_kept(device):
            for batch in batches:
                forward_backward(rehearsed, batch, precision)
    except Exception as error:  # noqa: BLE001 - whatever the compiler raises, the training goes on without it
        reason = shorten(f"{type(error).__name__}: {error}", _LINE)
        _log.warning("the training is not compiled, and goes on without it: %s", reason)
        return []
    return compile_regions(task, mode, backend=backend)


def compile_regions(task: nn.Module, mode: str = "default", *, backend: Backend = "inductor") -> list[str]:
    """Compile repeated blocks, or where none repeats the networks that ``task`` is made of; their names.

    `nn.Module.compile` works in place: names in the state dict stay. A block that recomputes its activations
    and has buffers stays eager, because the compiler cannot put former buffers back.
    """
    blocks = named_blocks(task)
    if blocks:
        regions = {
            name: block
            for name, block in blocks.items()
            if not (is_recomputed(block) and any(True for _ in block.buffers()))
        }
    else:
        regions = {name: child for name, child in task.named_children() if _is_network(child)}
    for region in regions.values():
        if region.forward.__module__.startswith("torch."):
            # The compiler skips what is called in torch's own files, unless it is called from elsewhere.
            region.forward = MethodType(_own_forward, region)
        region.compile(mode=mode, backend=backend)
    return list(regions)


def compiling_ended(regions: Sequence[str]) -> AbstractContextManager[object]:
    """A context in which nothing more is compiled: what does not fit the compiled code runs eagerly.

    So an epoch's last, smaller batch, or the validation, neither waits for the compiler nor fails in it.

    Args:
        regions: what `compile_task` returned; nothing is done where that is empty.
    """
    if not regions:
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("eager_on_recompile")
    return stance


def _graph_hindrance(settings: TrainerConfig, device: torch.device) -> str:
    """Why there can be no CUDA graphs; empty where there can."""
    if device.type != "cuda":
        return f"the device is {device.type}, where there are no CUDA graphs"
    if settings.compile == "off":
        return "trainer.compile is off, without which there are no CUDA graphs"
    if settings.accumulate > 1:
        return f"trainer.accumulate is {settings.accumulate}, while CUDA graphs overwrite gathered gradients"
    return ""


def _have_one_shape(batches: Sequence[Batch]) -> bool:
    shapes = {tuple((name, *tensor.shape) for name, tensor in sorted(batch.items())) for batch in batches}
    return len(shapes) == 1


def _is_network(module: nn.Module) -> bool:
    """Whether a module computes something by parameters, and is no mere list of others."""
    return not isinstance(module, nn.ModuleList | nn.ModuleDict) and any(True for _ in module.parameters())


def _own_forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    return type(self).forward(self, *args, **kwargs)
