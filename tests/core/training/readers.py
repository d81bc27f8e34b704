"""Datasets for the tests of the loader, in a module that worker processes can import."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.training.loading.loader import Loader

Fault = Literal["raise", "raise in company", "name the file", "kill", "leave in company", "sleep"]


class FileError(DataError):
    """An error that takes more than its message."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__(f"{file}, line {line}: expected a number")


class Reader(Dataset):
    """Samples of many types that follow from their numbers, some of which cannot be read."""

    def __init__(self, size: int, faults: Mapping[int, Fault] | None = None) -> None:
        self.size = size
        self.faults = dict(faults or {})

    def __len__(self) -> int:
        return self.size

    def batch(self, indices: Tensor) -> Batch:
        for index in indices.tolist():
            if index in self.faults:
                _fail(self.faults[index], len(indices))
        return {
            "input": torch.sin(indices.float()).view(-1, 1, 1).expand(-1, 2, 3),
            "target": indices,
            "half": indices.to(torch.bfloat16).unsqueeze(1),
            "even": indices % 2 == 0,
            "nothing": torch.empty(len(indices), 0, dtype=torch.float64),
        }

    @property
    def facts(self) -> Facts:
        return Facts()

    @property
    def ids(self) -> Array:
        return np.array([f"sample {row}" for row in range(self.size)], dtype=object)


def _fail(fault: Fault, samples: int) -> None:
    if fault == "raise" or (fault == "raise in company" and samples > 1):
        raise ValueError("bad magic number")
    if fault == "name the file":
        raise FileError("prices.csv", 7)
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "leave in company" and samples > 1:
        os._exit(3)
    if fault == "sleep":
        time.sleep(3600)


class Surroundings(Reader):
    """What a worker finds around itself."""

    def batch(self, indices: Tensor) -> Batch:
        super().batch(indices)
        found = [torch.get_num_threads(), int(dist.is_initialized()), int(torch.cuda.is_initialized())]
        return {"found": torch.tensor([found] * len(indices))}


class Unloadable(Reader):
    """Can be pickled, but not be made again."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, ()


def _refuse() -> None:
    raise ImportError("no module of that name here")


class Counting(Reader):
    """Counts the batches that were begun."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.begun = 0
        self._changed = threading.Condition()

    def batch(self, indices: Tensor) -> Batch:
        with self._changed:
            self.begun += 1
            self._changed.notify_all()
        return super().batch(indices)

    def wait_until_begun(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.begun >= count, timeout=60)


def train(*, busy: bool) -> None:
    """Takes one batch from a worker and says its process id; where ``busy``, waits for one that never ends."""
    global stream  # noqa: PLW0603 - what nobody closed lives until the interpreter ends
    data = Reader(4, {3: "sleep"})
    loader = Loader(data, torch.device("cpu"), workers=1, memory_share=0, worker_kind="process")
    stream = loader.read([torch.tensor([0]), torch.tensor([3 if busy else 1])])
    next(stream)
    sys.stdout.write(f"{multiprocessing.active_children()[0].pid}\n")
    sys.stdout.flush()
    if busy:
        next(stream)
