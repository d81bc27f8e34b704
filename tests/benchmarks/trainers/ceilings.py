"""What the device can do at most, measured, and how much of it a training step uses.

The share is the part of the step's time that its matrix products would take at the measured ceiling of the precision
in use. Only matrix products and convolutions are counted (torch's `FlopCounterMode`), not the fused kernels of
recurrent layers, element-wise work or the optimizer; so it is a lower bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.trainers.problems import adversarial_loss
from benchmarks.trainers.trial import Trial

EDGE = {"cuda": 8192, "cpu": 1024}
"""Edge of the square matrices that are multiplied."""
COPIED = {"cuda": 2**30, "cpu": 2**28}
"""Bytes that are copied."""
REPEATS = 10


@dataclass(frozen=True)
class Ceilings:
    """The best of a few repeats each.

    Attributes:
        matmul: operations a second, by arithmetic.
        copy: bytes read and written a second.
    """

    matmul: dict[str, float]
    copy: float

    def lines(self) -> Iterator[str]:
        """In words."""
        for name, rate in self.matmul.items():
            yield f"matrix product, {name}: {rate / 1e12:.2f} TFLOP/s"
        yield f"copy, read and written: {self.copy / 1e9:.1f} GB/s"


def measure_ceilings(device: torch.device) -> Ceilings:
    """Multiply and copy."""
    edge = EDGE[device.type]
    operations = 2 * edge**3
    matmul = {}
    for name, dtype, precision in _arithmetics(device):
        first, second = (torch.randn(edge, edge, device=device, dtype=dtype) for _ in range(2))
        with _matmul_precision(precision):
            matmul[name] = operations / _least_seconds(lambda a=first, b=second: a @ b, device)
    source = torch.zeros(COPIED[device.type] // 4, device=device)
    target = torch.empty_like(source)
    return Ceilings(matmul, 2 * source.nbytes / _least_seconds(lambda: target.copy_(source), device))


def count_operations(trial: Trial) -> int:
    """Matrix operations of one training step."""
    batch = trial.batch(trial.order[0])
    with FlopCounterMode(display=False) as counter:
        for phase in trial.problem.phases:
            if trial.adversarial:
                network = trial.network
                loss = adversarial_loss(network.generator, network.discriminator, batch, phase)
            else:
                loss = F.cross_entropy(trial.network(batch["input"]), batch["target"])
            torch.autograd.backward(loss, inputs=trial.parameters(phase))
    return counter.get_total_flops()


def _arithmetics(device: torch.device) -> list[tuple[str, torch.dtype, str]]:
    kinds = [("float32", torch.float32, "highest"), ("bfloat16", torch.bfloat16, "highest")]
    return [*kinds, ("TF32", torch.float32, "high")] if device.type == "cuda" else kinds


@contextmanager
def _matmul_precision(name: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _least_seconds(work: Callable[[], object], device: torch.device) -> float:
    taken = []
    for _ in range(REPEATS):
        _wait(device)
        start = time.perf_counter()
        work()
        _wait(device)
        taken.append(time.perf_counter() - start)
    return min(taken)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
