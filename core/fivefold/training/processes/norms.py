"""Batch norms whose statistics run over the batches of all processes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from fivefold.errors import ConfigError
from fivefold.tasks.base import Task


def convert_batch_norms(task: Task, device: torch.device) -> None:
    """Let batch norms take their statistics over all processes, in place.

    Raises:
        ConfigError: on a CPU, where torch has no such norm.
    """
    if device.type != "cuda":
        raise ConfigError(
            "trainer.sync_batch_norm is on, which torch has for CUDA devices only; leave it off on a CPU"
        )
    convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
    for name, child in list(task.named_children()):
        setattr(task, name, convert(child))
