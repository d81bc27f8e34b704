"""Processes that read batches, for readers that are slow in Python itself; seen from the training."""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.reduction import send_handle
from queue import SimpleQueue
from threading import Lock
from typing import Any
from weakref import WeakSet, finalize

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.errors import ConfigError, DataError
from fivefold.training.loading.reading import named
from fivefold.training.loading.shared_memory import read_tensors
from fivefold.training.loading.worker import Failure, cannot_send, serve

_log = logging.getLogger(__name__)


class WorkerPool:
    """Worker processes that each hold a copy of a dataset; they live until `close`, or as long as this one.

    They are spawned, not forked: a fork of a process with threads or a GPU is not safe, and a spawned one
    has no part in this one's process group. All methods may be called from any thread.

    Args:
        dataset: the samples; pickled once.
        workers: how many processes, at least 1.
        pin: whether batches come in pinned memory.

    Raises:
        ConfigError: the dataset cannot be pickled, or this system cannot share batches.
    """

    def __init__(self, dataset: Dataset, workers: int, *, pin: bool) -> None:
        if sys.platform != "linux":
            raise ConfigError("worker processes need Linux; choose --trainer.worker-kind thread")
        self._dataset = dataset
        self._pin = pin
        self._lock = Lock()
        self._workers: set[_Worker] = set()
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._closed = False
        self._pickled = _pickled(dataset)
        finalize(self, os.close, self._pickled)
        _open.add(self)
        for _ in range(workers):
            self._idle.put(self._start())

    def read(self, indices: Tensor) -> Batch:
        """The samples at ``indices`` (int64, shape ``(B,)``), read by the next idle worker.

        When that dies (for want of memory, by a fault in a decoder), a new one tries the samples one at a
        time to find which of them does it.

        Raises:
            DataError: a sample could not be read, or its reading ends the process.
            ConfigError: the dataset cannot be made again in the worker.
            CancelledError: the pool was closed meanwhile.
        """
        worker = self._idle.get()
        try:
            return worker.read(indices)
        except _WorkerDiedError as death:
            worker = self._start(instead_of=worker)
            return self._read_after(death, worker, indices)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes at once; they hold nothing that this could harm."""
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.end()

    def _start(self, instead_of: _Worker | None = None) -> _Worker:
        with self._lock:
            if self._closed:
                raise CancelledError
            worker = _Worker(self._pickled, pin=self._pin)
            self._workers.add(worker)
            if instead_of is not None:
                self._workers.discard(instead_of)
        return worker

    def _read_after(self, death: _WorkerDiedError, worker: _Worker, indices: Tensor) -> Batch:
        """Read again what a worker died of, or say which sample it was."""
        for index in dict.fromkeys(indices.tolist()):
            sample = torch.tensor([index])
            try:
                worker.read(sample)
            except _WorkerDiedError as again:
                raise DataError(
                    f"a worker process {again} while reading {named(self._dataset, sample)}; "
                    "repair that sample or leave it out of the data, and if memory is short "
                    "choose fewer --trainer.workers"
                ) from None
        try:
            batch = worker.read(indices)
        except _WorkerDiedError as again:
            raise DataError(
                f"a worker process {again} while reading together {named(self._dataset, indices)}, "
                "each of which it can read alone; choose a smaller --batch-size or fewer --trainer.workers"
            ) from None
        _log.warning(
            "a worker process %s; a new one could read the same batch, and the training goes on", death
        )
        return batch


# Pools that nobody closed end before multiprocessing's own hook at exit, which would wait for their processes:
# it was registered earlier, when multiprocessing was imported, and hooks run in the opposite order.
_open: WeakSet[WorkerPool] = WeakSet()


@atexit.register
def _close_all() -> None:
    for pool in list(_open):
        pool.close()


class _WorkerDiedError(Exception):
    """A worker process ended by itself; the message says how."""


class _Worker:
    """One process; used by one thread at a time."""

    def __init__(self, pickled: int, *, pin: bool) -> None:
        self._pin = pin
        self._ready = False
        self._memory = os.memfd_create("fivefold-batch")
        finalize(self, os.close, self._memory)
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), name="fivefold-worker", daemon=True)
        with _stops_blocked():
            self._process.start()
        for file in (pickled, self._memory):
            send_handle(self._connection, file, 0)
        theirs.close()

    def read(self, indices: Tensor) -> Batch:
        """Ask for the batch and wait for it.

        Raises:
            _WorkerDiedError: the process ended by itself meanwhile.
            Exception: what the reading raised there.
        """
        if not self._ready:
            self._await_start()
        try:
            with suppress(BrokenPipeError):  # it has ended, which the reply will tell
                self._connection.send(indices.numpy())
            layout = self._receive()
        except (EOFError, ConnectionResetError):
            raise _WorkerDiedError(self._ending()) from None
        return read_tensors(self._memory, layout, pin=self._pin)

    def _await_start(self) -> None:
        try:
            self._receive()
        except (EOFError, ConnectionResetError):
            raise ConfigError(
                f"a worker process {self._ending()} before it could read anything, and its own output says why: "
                "often a script starts a training outside `if __name__ == '__main__':`; mend that, "
                "or choose --trainer.worker-kind thread"
            ) from None
        self._ready = True

    def _receive(self) -> Any:
        reply = self._connection.recv()
        if isinstance(reply, Failure):
            raise reply.error()
        return reply

    def _ending(self) -> str:
        self._process.join()
        code = self._process.exitcode
        if code is None:  # another thread's join, at the same moment, was told instead
            return "ended"
        if code >= 0:
            return f"ended with exit code {code}"
        hint = ", often for want of memory" if -code == signal.SIGKILL else ""
        return f"died of signal {-code} ({signal.strsignal(-code)}{hint})"

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()


@contextmanager
def _stops_blocked() -> Iterator[None]:
    """A process that is started here has SIGINT and SIGTERM blocked from its first instant on."""
    # Its start would start the tracker, too, after which multiprocessing unblocks these two signals.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pickled(dataset: Dataset) -> int:
    """The descriptor of a file in memory with the pickled dataset, for all workers to read."""
    try:
        pickled = pickle.dumps(dataset)
    except Exception as error:
        raise ConfigError(cannot_send(error)) from error
    file = os.memfd_create("fivefold-dataset")
    with open(file, "wb", closefd=False) as written:
        written.write(pickled)
    return file
