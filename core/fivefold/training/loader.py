"""Batches on the device, in the order asked: indexed there where the data fit, else read ahead by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.errors import DataError, FivefoldError
from fivefold.training.device import device_memory

_AHEAD = 2  # batches in the queue for each thread: one being read, one waiting


class Loader:
    """Reads a dataset's samples as batches on a device.

    Data that are held in memory (`Dataset.tensors`) and take less than ``memory_share`` of the device's
    memory are moved there once. Other data are read by ``workers`` threads, ahead of the training and in
    order, through a bounded queue; on CUDA the batches pass through pinned memory and are copied without
    waiting.

    Args:
        dataset: the samples.
        device: where the batches go.
        workers: threads that read ahead; 0 reads in the calling thread.
        memory_share: share of the device's memory that the data may take; 0 never keeps them there.
    """

    def __init__(self, dataset: Dataset, device: torch.device, *, workers: int, memory_share: float) -> None:
        self.dataset = dataset
        self.device = device
        self.workers = workers
        self._resident = _resident_tensors(dataset, device, memory_share)

    @property
    def resident(self) -> bool:
        """Whether the data are kept on the device."""
        return self._resident is not None

    def read(self, batches: Sequence[Tensor]) -> Generator[Batch]:
        """The samples of each of ``batches`` (int64 numbers on the CPU, shape ``(B,)``), in that order.

        Close the iterator to stop early: no thread is left running then, nor after an error.

        Raises:
            DataError: a sample could not be read; the message names it.
        """
        if self._resident is not None:
            yield from self._index(self._resident, batches)
        elif self.workers == 0:
            for indices in batches:
                yield self._to_device(self._load(indices))
        else:
            yield from self._read_ahead(batches)

    def _index(self, tensors: Batch, batches: Sequence[Tensor]) -> Generator[Batch]:
        if not batches:
            return
        # One copy of the numbers to the device, not one a batch.
        order = torch.cat(list(batches)).to(self.device, non_blocking=True)
        for indices in torch.split(order, [len(indices) for indices in batches]):
            yield {name: tensor.index_select(0, indices) for name, tensor in tensors.items()}

    def _read_ahead(self, batches: Sequence[Tensor]) -> Generator[Batch]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="fivefold-loader")
        try:
            waiting = iter(batches)
            queue: deque[Future[Batch]] = deque(
                pool.submit(self._load, indices) for indices in islice(waiting, _AHEAD * self.workers)
            )
            while queue:
                batch = queue.popleft().result()
                for indices in islice(waiting, 1):
                    queue.append(pool.submit(self._load, indices))
                yield self._to_device(batch)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _load(self, indices: Tensor) -> Batch:
        try:
            batch = self.dataset.batch(indices)
        except FivefoldError:
            raise  # it already names the file
        except Exception as error:
            raise DataError(self._failure(indices, error)) from error
        if self.device.type == "cuda":
            return {name: tensor.pin_memory() for name, tensor in batch.items()}
        return batch

    def _to_device(self, batch: Batch) -> Batch:
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}

    def _failure(self, indices: Tensor, error: Exception) -> str:
        """The sentence that names the samples of a batch that could not be read."""
        names = [f"'{self.dataset.ids[index]}'" for index in indices.tolist()]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - what fits a line
        return (
            f"the samples {shown} could not be read: {type(error).__name__}: {error}; "
            "one of them is broken, or the reader does not know its form"
        )


def _resident_tensors(dataset: Dataset, device: torch.device, memory_share: float) -> Batch | None:
    tensors = dataset.tensors() if memory_share > 0 else None
    if tensors is None or device.type == "cpu":
        return tensors  # on the CPU they lie in its memory already
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > memory_share * device_memory(device):
        return None
    return {name: tensor.to(device) for name, tensor in tensors.items()}
