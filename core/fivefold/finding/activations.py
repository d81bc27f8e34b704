"""What a forward pass keeps for the backward pass, in bytes."""

from __future__ import annotations

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from fivefold.data.dataset import Batch
from fivefold.training.engine import Engine


def activation_bytes(engine: Engine, batch: Batch) -> int:
    """Bytes that autograd saves while the loss of ``batch`` is computed, in the phase that saves most.

    Each piece of memory counts once, however many operations save it or a part of it; weights and buffers do
    not count, because they are there anyway. What activation checkpointing keeps at its borders is not saved
    by autograd, and so not seen.
    """
    return max(_saved_bytes(engine, batch, phase.name) for phase in engine.phases)


def _saved_bytes(engine: Engine, batch: Batch, phase: str) -> int:
    state = [*engine.task.parameters(), *engine.task.buffers()]
    own = {tensor.untyped_storage().data_ptr() for tensor in state}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        # Not the tensor itself: an operation that saves its own result would hold itself for ever.
        return tensor.detach()

    engine.task.train()
    with saved_tensors_hooks(note, lambda tensor: tensor), engine.precision.context():
        loss = engine.task.loss(batch, phase)
    total = sum(kept.values())
    del loss
    return total
