"""When memory runs out, the sentence names settings that would need less."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.training.toys import settings
from fivefold.finding.advice import advise, is_out_of_memory

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("size", "accumulate", "said"),
    [(64, 1, "--batch-size 32 --trainer.accumulate 2"), (64, 4, "--batch-size 32 --trainer.accumulate 8"),
     (5, 2, "--batch-size 2 --trainer.accumulate 5"), (3, 1, "--batch-size 1 --trainer.accumulate 3")],
)  # fmt: skip
def test_half_the_batch_keeps_the_samples_an_update(size: int, accumulate: int, said: str) -> None:
    sentence = advise(MemoryError(), settings(batch_size=size, trainer={"accumulate": accumulate}), CPU)
    assert f"too small for batches of {size}; try {said} (as many samples" in sentence
    assert "--batch-size auto" in sentence
    assert "--trainer.activation-checkpointing" in sentence


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_only_exhausted_memory_is_taken_for_it(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_a_real_exhausted_memory_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    ("trainer", "absent"),
    [({"activation_checkpointing": True}, "activation"), ({"precision": "bfloat16"}, "bfloat16")],
)
def test_what_is_on_already_is_not_advised(trainer: dict[str, Any], absent: str) -> None:
    assert absent not in advise(MemoryError(), settings(trainer=trainer), CPU)


def test_a_single_sample_leaves_other_ways() -> None:
    config = settings(batch_size=1, trainer={"activation_checkpointing": True})
    assert advise(MemoryError(), config, CPU).endswith("try a smaller network")
    asked = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total of")
    assert "(asked for 2.00 GiB); try" in advise(asked, config, CPU)
