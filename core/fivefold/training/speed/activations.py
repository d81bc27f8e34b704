"""Activation checkpointing: activations of repeated blocks are computed again in the backward pass, not kept.

Chen et al. 2016, arXiv:1604.06174: memory for about one more forward pass of the blocks.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import MethodType, TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from fivefold.errors import ConfigError
from fivefold.training.speed.blocks import named_blocks


def checkpoint_activations(network: nn.Module) -> list[str]:
    """Let the repeated blocks of ``network`` recompute their activations, in place; the names of the blocks.

    Loss, gradients and buffers are those without it, on the CPU bit for bit: the second pass sees the random
    numbers, the autocast and the buffers of the first. Names in the state dict stay, copies of the network
    work alike, and without gradients (evaluation, export) the blocks run as ever.

    Raises:
        ConfigError: no block repeats.
    """
    blocks = named_blocks(network)
    if not blocks:
        raise ConfigError(
            f"trainer.activation_checkpointing is on, and {type(network).__name__} has no repeated blocks "
            "(two or more modules of one class in a Sequential or ModuleList); turn it off"
        )
    for block in blocks.values():
        # A bound method, because copying a network binds its methods to the copy.
        block.forward = MethodType(_recomputed_forward, block)
    return list(blocks)


def is_recomputed(block: nn.Module) -> bool:
    """Whether `checkpoint_activations` took ``block``."""
    return getattr(block.forward, "__func__", None) is _recomputed_forward


def _recomputed_forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    forward = type(self).forward
    if not (self.training and torch.is_grad_enabled()):
        return forward(self, *args, **kwargs)
    if not any(True for _ in self.buffers()):
        return checkpoint(forward, self, *args, use_reentrant=False, **kwargs)
    return checkpoint(
        forward, self, *args, use_reentrant=False, context_fn=lambda: _buffer_contexts(self), **kwargs
    )


def _buffer_contexts(
    block: nn.Module,
) -> tuple[AbstractContextManager[object], AbstractContextManager[object]]:
    return nullcontext(), _FormerBuffers(block)


class _FormerBuffers:
    """A context in which a block's buffers are copies of what they were when this was made.

    torch runs a block's forward a second time as it is; running statistics would be updated twice, and what
    is iterated at each forward (spectral norm) would be a step ahead.
    """

    def __init__(self, block: nn.Module) -> None:
        self._places = [
            (module, name) for module in block.modules() for name, _ in module.named_buffers(recurse=False)
        ]
        self._before: list[Tensor] = [getattr(module, name).clone() for module, name in self._places]
        self._now: list[Tensor] = []

    def __enter__(self) -> None:
        self._now = [getattr(module, name) for module, name in self._places]
        for (module, name), value in zip(self._places, self._before, strict=True):
            setattr(module, name, value.clone())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for (module, name), value in zip(self._places, self._now, strict=True):
            setattr(module, name, value)
