"""The batch size is the fastest that fits: by memory that runs out, by a budget, by speed, by the samples."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from core.finding.plans import everything, plan, same
from core.training.toys import Classifier, Gan, Streamed, blobs, jitter, settings
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError, DataError, TrainingError
from fivefold.finding.batch_size import Choice, Trial, find_batch_size, search
from fivefold.tasks.base import Loss
from fivefold.training.processes.group import Processes

AUTO = settings(batch_size="auto")
BUDGET = 1200 * 2**20
"""Some times what a process gains and loses by chance."""


class Limited(Classifier):
    """Runs out of memory where a batch has more than ``most`` samples; notes the sizes it saw."""

    most = 8
    seen: ClassVar[list[int]] = []

    def loss(self, batch: Batch, phase: str) -> Loss:
        self.seen.append(len(batch["input"]))
        if len(batch["input"]) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().loss(batch, phase)


class Hungry(Classifier):
    """Keeps four MiB a sample until the backward pass."""

    seen: ClassVar[list[int]] = []

    def loss(self, batch: Batch, phase: str) -> Loss:
        size = len(batch["input"])
        self.seen.append(size)
        loss = super().loss(batch, phase)
        wide = (loss.value * torch.ones(size, 2**20)).exp()
        return Loss(loss.value + 0 * wide.mean(), loss.weight)


def ticking() -> Callable[[], float]:
    """A clock by which every step takes the same time, so that a larger batch is always faster a sample."""
    ticks: Iterator[int] = count()
    return lambda: float(next(ticks))


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    Limited.seen.clear()
    Hungry.seen.clear()


def test_memory_that_runs_out_is_the_limit_and_nothing_is_left_changed() -> None:
    torch.manual_seed(0)
    task = Limited(dropout=0.5, norm=True)
    task.loss(blobs(8).tensors(), "main").value.backward()
    before = everything(task)
    assert find_batch_size(plan(task, blobs(640), config=AUTO, augment=jitter), clock=ticking()) == 8
    assert same(before, everything(task))
    assert max(Limited.seen) == 16
    assert task.prepared == 0


def test_an_epoch_keeps_ten_updates() -> None:
    assert find_batch_size(plan(Classifier(), blobs(330), config=AUTO), clock=ticking()) == 32
    twice = settings(batch_size="auto", trainer={"accumulate": 2})
    assert find_batch_size(plan(Classifier(), blobs(330), config=twice), clock=ticking()) == 16
    assert find_batch_size(plan(Classifier(), blobs(7), config=AUTO), clock=ticking()) == 2
    assert find_batch_size(plan(Classifier(), blobs(1), config=AUTO), clock=ticking()) == 1


def test_a_small_split_is_repeated() -> None:
    config = settings(batch_size="auto", trainer={"accumulate": 4})
    assert find_batch_size(plan(Gan(), blobs(5), config=config), clock=ticking()) == 2


def test_a_budget_is_not_overrun() -> None:
    # In a process of its own: what earlier tests left in this one's peak would count where it cannot be reset.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        found, largest = fresh.submit(_within_a_budget, BUDGET).result()
    # Eight MiB a sample (the ones and their exponentials) at least, and at most a few copies more.
    assert 8 <= found <= BUDGET // (8 * 2**20)
    assert largest * 8 * 2**20 <= BUDGET


def _within_a_budget(budget: int) -> tuple[int, int]:
    """The size found, and the largest tried."""
    found = find_batch_size(plan(Hungry(), blobs(5120), config=AUTO), budget=budget, clock=ticking())
    return found, max(Hungry.seen)


@pytest.mark.slow
def test_processes_agree_on_what_the_one_with_least_memory_can_carry(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_processes.py")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, script, tmp_path], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    # A split of 100 leaves each process five samples for each of ten updates.
    assert [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)] == [[8, 4], [8, 4]]


def test_sharded_networks_are_refused() -> None:
    config = settings(batch_size="auto", trainer={"parallel": "fsdp"})
    with pytest.raises(ConfigError, match=r"trainer\.parallel is fsdp, expected ddp"):
        find_batch_size(plan(Classifier(), config=config), processes=Processes(count=2))


def test_a_broken_sample_is_no_lack_of_memory() -> None:
    broken = Streamed(blobs(8), {3: ValueError("half a file")})
    with pytest.raises(DataError, match="'sample 3'"):
        find_batch_size(plan(Classifier(), broken, config=AUTO), clock=ticking())


class NoneFits(Limited):
    most = 1


def test_no_batch_that_fits_is_told() -> None:
    with pytest.raises(TrainingError, match="even for batches of 2"):
        find_batch_size(plan(NoneFits(), config=AUTO), clock=ticking())


def trials(speeds: dict[int, float], share: float = 0.0) -> Callable[[int], Trial]:
    """Trials of those speeds; a sample takes ``share`` of the memory."""
    return lambda size: Trial(size, size / speeds[size], share * size, 2 * share * size)


def test_speed_that_no_longer_grows_is_the_limit() -> None:
    speeds = {2: 10.0, 4: 20.0, 8: 39.0, 16: 40.0, 32: 40.5, 64: 90.0}
    assert search(trials(speeds), 1000) == Choice(8, "speed")
    # One doubling without a gain may be an accident.
    assert search(trials({**speeds, 32: 60.0, 64: 61.0, 128: 61.0}), 1000) == Choice(32, "speed")


def test_a_tenth_of_the_memory_is_left() -> None:
    speeds = {size: float(size) for size in (2, 4, 8, 16, 32)}
    assert search(trials(speeds, 1 / 17), 1000) == Choice(8, "memory")
    assert search(trials(speeds, 1 / 18), 1000) == Choice(16, "memory")
    # Where trying costs nothing, only what was measured counts.
    free: Callable[[int], Trial] = lambda size: Trial(size, 1.0, size / 17)  # noqa: E731 - a try in one line
    assert search(free, 1000) == Choice(8, "memory")


@pytest.mark.gpu
def test_on_a_gpu_torch_says_when_memory_is_short() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    device = torch.device("cuda", 0)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved(device)
    budget = 2 * 2**30
    found = find_batch_size(
        plan(OnDevice(), blobs(4096), config=AUTO, device=device), budget=budget, clock=ticking()
    )
    assert 16 <= found <= 256
    assert torch.cuda.memory_reserved(device) <= before + 64 * 2**20


class OnDevice(Classifier):
    """Keeps four MiB a sample on its device until the backward pass."""

    def loss(self, batch: Batch, phase: str) -> Loss:
        loss = super().loss(batch, phase)
        wide = (loss.value * torch.ones(len(batch["input"]), 2**20, device=batch["input"].device)).exp()
        return Loss(loss.value + 0 * wide.mean(), loss.weight)
