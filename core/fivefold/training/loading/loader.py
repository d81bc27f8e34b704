"""Batches on the device, in the order asked: indexed there where the data fit, else read ahead by workers."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Literal, Self

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.training.device import device_memory
from fivefold.training.loading.prefetch import copied_ahead, to_device
from fivefold.training.loading.read_ahead import ReadAhead
from fivefold.training.loading.reading import read_batch


class Loader:
    """Reads a dataset's samples as batches on a device.

    Data that are held in memory (`Dataset.tensors`) and take less than ``memory_share`` of the device's
    memory are moved there once; a batch of them costs nothing but its gathering. Other data are read by
    workers, ahead of the training and in order, at most two batches for each worker. On CUDA the batches
    pass through pinned memory and are copied beside the computation.

    The workers start with the first batch asked for and live until `close`, so that an epoch does not wait
    for their start. A loader that was closed starts new ones when it is read again.

    Args:
        dataset: the samples.
        device: where the batches go.
        workers: how many read ahead; 0 reads in the calling thread.
        memory_share: share of the device's memory that the data may take; 0 never keeps them there.
        worker_kind: ``thread``, or ``process`` for readers that are slow in Python itself.
    """

    def __init__(
        self,
        dataset: Dataset,
        device: torch.device,
        *,
        workers: int,
        memory_share: float,
        worker_kind: Literal["thread", "process"] = "thread",
    ) -> None:
        self.dataset = dataset
        self.device = device
        self.workers = workers
        self.worker_kind = worker_kind
        self._resident = _resident_tensors(dataset, device, memory_share)
        self._pin = device.type == "cuda"
        self._read_ahead: ReadAhead | None = None

    @property
    def resident(self) -> bool:
        """Whether the data are kept on the device, so that no batch has to be waited for."""
        return self._resident is not None

    def read(self, batches: Sequence[Tensor]) -> Generator[Batch]:
        """The samples of each of ``batches`` (int64 numbers on the CPU, shape ``(B,)``), in that order.

        Close the iterator to stop early: nothing more is read then.

        Raises:
            DataError: a sample could not be read, or ended the process that read it; the message names it.
            ConfigError: the data cannot be sent to worker processes.
        """
        if self._resident is not None:
            return _select(self._resident, _moved(batches, self.device))
        if self.workers == 0:
            read = (_read(self.dataset, indices, pin=self._pin) for indices in batches)
        else:
            if self._read_ahead is None:
                self._read_ahead = self._start()
            read = self._read_ahead.read(batches)
        return copied_ahead(read, self.device) if self._pin else read

    def close(self) -> None:
        """End the workers."""
        if self._read_ahead is not None:
            self._read_ahead.close()
            self._read_ahead = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> ReadAhead:
        ahead = 2 * self.workers  # for each worker the batch that it reads and one more
        if self.worker_kind == "thread":
            read = partial(_read, self.dataset, pin=self._pin)
            return ReadAhead(read, threads=self.workers, ahead=ahead)
        from fivefold.training.loading.worker_pool import WorkerPool  # noqa: PLC0415 - few trainings need it

        pool = WorkerPool(self.dataset, self.workers, pin=self._pin)
        return ReadAhead(pool.read, threads=self.workers, ahead=ahead, close=pool.close)


def _read(dataset: Dataset, indices: Tensor, *, pin: bool) -> Batch:
    batch = read_batch(dataset, indices)
    return {name: tensor.pin_memory() for name, tensor in batch.items()} if pin else batch


def _select(tensors: Batch, batches: Iterable[Tensor]) -> Generator[Batch]:
    """The rows of ``tensors`` of each batch; every microsecond here is one of each training step."""
    selects = [(name, tensor.index_select) for name, tensor in tensors.items()]
    for indices in batches:
        yield {name: select(0, indices) for name, select in selects}


def _moved(batches: Sequence[Tensor], device: torch.device) -> Sequence[Tensor]:
    """The numbers on ``device``, by one copy instead of one a batch."""
    if device.type == "cpu" or not batches:
        return batches
    return torch.split(torch.cat(list(batches)).to(device), [len(indices) for indices in batches])


def _resident_tensors(dataset: Dataset, device: torch.device, memory_share: float) -> Batch | None:
    tensors = dataset.tensors() if memory_share > 0 else None
    if tensors is None or device.type == "cpu":
        return tensors  # on the CPU they lie in its memory already
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > memory_share * device_memory(device):
        return None
    return to_device(tensors, device)
