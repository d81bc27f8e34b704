"""What runs in a worker process: it reads batches for the training that started it, and ends with it."""

from __future__ import annotations

import mmap
import os
import pickle
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle
from typing import Any

import torch

from fivefold.data.dataset import Dataset
from fivefold.errors import ConfigError, FivefoldError
from fivefold.training.loading.reading import read_batch
from fivefold.training.loading.shared_memory import Layout, write_tensors


@dataclass(frozen=True)
class Failure:
    """An error on its way to the training.

    Attributes:
        kind: its class.
        message: its sentence.
        details: its traceback.
    """

    kind: type[Exception]
    message: str
    details: str

    def error(self) -> Exception:
        """The error, made without its class's ``__init__``, which may ask for more than a message."""
        error = self.kind.__new__(self.kind, self.message)
        error.add_note(self.details)
        return error


def serve(connection: Connection[Any, Any]) -> None:
    """Answer each array of indices by the layout of a batch in shared memory, or by a `Failure`.

    Two descriptors come first, of the file with the pickled dataset and of the shared memory; the first answer
    is None, when the dataset is there.

    The pool starts this process with SIGINT and SIGTERM blocked, and so they stay: Ctrl-C in a terminal goes
    to all processes there, and the training must be able to save first.
    """
    threading.Thread(target=_end_with_the_training, daemon=True).start()
    torch.set_num_threads(1)  # the other workers have the other cores
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the training let go of this worker
        dataset = _receive_dataset(connection)
        memory = recv_handle(connection)
        if isinstance(dataset, Failure):
            connection.send(dataset)
            return
        connection.send(None)
        while True:
            indices = torch.from_numpy(connection.recv())
            try:
                reply: Layout | Failure = write_tensors(memory, read_batch(dataset, indices))
            except (FivefoldError, MemoryError) as error:
                reply = Failure(type(error), str(error), traceback.format_exc())
            connection.send(reply)


def _receive_dataset(connection: Connection[Any, Any]) -> Dataset | Failure:
    file = recv_handle(connection)
    try:
        with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as pickled:
            dataset: Dataset = pickle.loads(pickled)  # noqa: S301 - the training itself wrote it
    except Exception as error:  # noqa: BLE001 - a class may raise anything when it is made again
        return Failure(ConfigError, cannot_send(error), traceback.format_exc())
    finally:
        os.close(file)
    return dataset


def cannot_send(error: Exception) -> str:
    """The sentence for data that worker processes cannot have."""
    return (
        f"the data cannot be sent to worker processes: {type(error).__name__}: {error}; "
        "choose --trainer.worker-kind thread, or make the dataset one that pickle can copy"
    )


def _end_with_the_training() -> None:
    """Leave at once when the training's process is gone, however it ended and whatever is being read."""
    training = parent_process()
    if training is not None:
        wait([training.sentinel])
        os._exit(1)
