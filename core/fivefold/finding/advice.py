"""What to do when memory runs out, with numbers."""

from __future__ import annotations

import torch

from fivefold.config import PipelineConfig
from fivefold.training.speed.precision import has_bfloat16


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that the memory of a GPU or of the machine ran out."""
    # torch has no type of its own for the CPU's memory running out.
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def advise(error: BaseException, config: PipelineConfig, device: torch.device) -> str:
    """The sentence for a training whose memory ran out: what was tried, and settings that need less.

    Half the batch with twice the accumulation gives the same samples an update, and the same gradient but
    for norms over a batch; recomputed activations and bfloat16 save memory at the same batch size.

    Args:
        error: what was raised, see `is_out_of_memory`.
        config: the settings it was raised under.
        device: where it was raised.
    """
    size, trainer = config.samples_a_batch, config.trainer
    place = "the GPU" if device.type == "cuda" else "the machine"
    ways = []
    if size > 1:
        half, twice = size // 2, _accumulation(size, trainer.accumulate)
        ways.append(f"--batch-size {half} --trainer.accumulate {twice} (as many samples an update)")
        ways.append("--batch-size auto")
    if not trainer.activation_checkpointing:
        ways.append("--trainer.activation-checkpointing")
    if trainer.precision == "float32" and has_bfloat16(device):
        ways.append("--trainer.precision bfloat16")
    way = ", or ".join(ways) or "a smaller network"
    asked = _asked_for(error)
    return f"the memory of {place} is too small for batches of {size}{asked}; try {way}"


def _accumulation(size: int, accumulate: int) -> int:
    """Batches of half the size, rounded down, that hold at least the samples of ``accumulate`` batches."""
    return -(-size * accumulate // (size // 2))


def _asked_for(error: BaseException) -> str:
    """`` (asked for 2.00 GiB)`` where a GPU's error says how much could not be had."""
    _, found, rest = str(error).partition("Tried to allocate ")
    return f" (asked for {rest.partition('. ')[0]})" if found else ""
