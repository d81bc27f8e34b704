"""What the trainer costs beside a hand-written loop: ``python tests/benchmarks/trainer_overhead.py``.

A perceptron 32-64-10, batch 64, one thread, 1,000 steps a repeat, both in turn. Prints quartiles in
microseconds a step and the median of the paired differences. Writing the last checkpoint is part of ours.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from fivefold.config import PipelineConfig, TrainerConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.nn import MLP
from fivefold.tasks import Classification
from fivefold.training.trainer import Trainer

STEPS, BATCH, REPEATS = 1000, 64, 15


def data() -> TensorDataset:
    """Random inputs ``(64000, 32)`` and codes of ten classes."""
    generator = torch.Generator().manual_seed(0)
    tensors = {
        "input": torch.randn(STEPS * BATCH, 32, generator=generator),
        "target": torch.randint(10, (STEPS * BATCH,), generator=generator),
    }
    return TensorDataset(tensors, facts=Facts(), ids=np.arange(STEPS * BATCH).astype(str))


def by_hand(samples: TensorDataset) -> float:
    """Seconds of a plain loop with the same optimizer, groups and schedule."""
    tensors = samples.tensors()
    torch.manual_seed(0)
    network = MLP(32, [64], 10)
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    spared = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": spared, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=True)
    start = time.perf_counter()
    total = torch.zeros(())
    for step, indices in enumerate(torch.randperm(len(samples)).split(BATCH)):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - step / STEPS)
        logits = network(tensors["input"].index_select(0, indices))
        loss = F.cross_entropy(logits, tensors["target"].index_select(0, indices))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += loss.detach()
    return time.perf_counter() - start


def by_trainer(samples: TensorDataset) -> float:
    """Seconds of one epoch of the trainer."""
    torch.manual_seed(0)
    task = Classification(MLP(32, [64], 10), [str(code) for code in range(10)])
    config = PipelineConfig(epochs=1, batch_size=BATCH, trainer=TrainerConfig(log_every=100))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            task, samples, None, config=config, device=torch.device("cpu"), directory=Path(folder),
            progress=False, tensorboard=False,
        )  # fmt: skip
        return trainer.fit().seconds


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    samples = data()
    by_hand(samples), by_trainer(samples)
    pairs = [(by_hand(samples), by_trainer(samples)) for _ in range(REPEATS)]
    scale = 1e6 / STEPS
    for name, values in (("by hand", [hand for hand, _ in pairs]), ("fivefold", [ours for _, ours in pairs])):
        low, middle, high = (scale * value for value in statistics.quantiles(values, n=4))
        sys.stdout.write(f"{name}: {middle:.0f} microseconds a step (quartiles {low:.0f} to {high:.0f})\n")
    differences = statistics.median(ours - hand for hand, ours in pairs)
    sys.stdout.write(f"paired difference: {scale * differences:+.0f} microseconds a step\n")


if __name__ == "__main__":
    main()
