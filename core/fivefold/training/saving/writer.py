"""Saving beside the training: a snapshot in the training's thread, the disk in another.

    with CheckpointWriter(directory, background=True) as writer:
        writer.save(step, tensors, values, after=prune)  # returns once the tensors are copied

The training waits only for the copy. What follows (digests, writing, syncing, renaming) leaves the interpreter's
lock to it, and what is not yet complete when the process is killed has a name that no search finds.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from fivefold.errors import FivefoldError
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.saving.checkpoint import whole_files, write_checkpoint
from fivefold.training.saving.tensor_files import TensorFile

_log = logging.getLogger(__name__)


class CheckpointWriter:
    """Writes the checkpoints of one training, at most one at a time.

    Args:
        directory: where they go; made if missing.
        background: whether a thread writes them; where not, `save` returns when the checkpoint stands.
        processes: those that each write their part (`fivefold.training.saving.sharded`). Each of them makes a writer
            and calls `save`, `wait` and `close` at the same steps.
    """

    def __init__(self, directory: Path, *, background: bool, processes: Processes = ALONE) -> None:
        self.directory = directory
        self._thread = ThreadPoolExecutor(1, "checkpoints") if background else None
        self._pending: Future[None] | None = None
        self._processes = processes if processes.alone else _beside(processes)

    def save(
        self,
        step: int,
        tensors: Mapping[str, Mapping[str, Tensor]],
        values: Mapping[str, Any],
        *,
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> None:
        """Save the checkpoint of ``step``, as everything is now; what is still being written is waited for.

        Args:
            step: names the checkpoint; one of the same step is replaced.
            tensors: from the name of a file to its tensors.
            values: JSON values.
            before: runs where the writing runs, ahead of it; on the first of several processes only.
            after: runs there when the checkpoint stands; on the first of several processes only.

        Raises:
            CheckpointError: this checkpoint (or, in the background, the one before it) could not be written.
            FivefoldError: what ``before`` or ``after`` raised.
        """
        self.wait()
        files = self._lay_out(tensors)
        encoded = json.dumps(values).encode()
        if self._thread is None:
            self._write(step, files, encoded, before, after)
            return
        copies, copied = take_snapshot(files)

        def write() -> None:
            for event in copied:
                event.synchronize()
            self._write(step, copies, encoded, before, after)

        self._pending = self._thread.submit(write)

    def wait(self) -> None:
        """Wait until nothing is being written.

        Raises:
            CheckpointError: what was being written could not be.
            FivefoldError: what ``before`` or ``after`` raised.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def close(self) -> None:
        """`wait`, and end the thread; raises as that does."""
        try:
            self.wait()
        finally:
            if self._thread is not None:
                self._thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except FivefoldError as own:
            if error is None:
                raise
            _log.error("%s", own)

    def _lay_out(self, tensors: Mapping[str, Mapping[str, Tensor]]) -> dict[str, TensorFile]:
        if self._processes.alone:
            return whole_files(tensors)
        from fivefold.training.saving.sharded import local_files  # noqa: PLC0415 - torch's DTensor is slow to import

        return local_files(tensors, self._processes)

    def _write(
        self,
        step: int,
        files: Mapping[str, TensorFile],
        values: bytes,
        before: Callable[[], object] | None,
        after: Callable[[], object] | None,
    ) -> None:
        processes = self._processes
        if before is not None:
            processes.on_first(before)
        if processes.alone:
            write_checkpoint(self.directory, step, files, values)
        else:
            from fivefold.training.saving.sharded import write_shards  # noqa: PLC0415 - as above

            write_shards(self.directory, step, files, values, processes)
        if after is not None:
            processes.on_first(after)


def take_snapshot(
    files: Mapping[str, TensorFile],
) -> tuple[dict[str, TensorFile], list[torch.cuda.Event]]:
    """Copies on the CPU that share no memory with the tensors, and the events to wait for before reading them.

    Copies from CUDA go into pinned memory without waiting; they run on the current stream, so what that stream
    changes afterwards is not in them.
    """
    devices: set[torch.device] = set()
    copies = {}
    for name, content in files.items():
        held = {}
        for key, tensor in content.tensors.items():
            on_cuda = tensor.device.type == "cuda"
            held[key] = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=on_cuda)
            held[key].copy_(tensor.detach(), non_blocking=on_cuda)
            if on_cuda:
                devices.add(tensor.device)
        copies[name] = TensorFile(held, content.metadata)
    return copies, [_record(device) for device in devices]


def _record(device: torch.device) -> torch.cuda.Event:
    # Blocking: the thread that waits for it sleeps, and leaves the processor to the training.
    event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]  # torch's
    event.record(torch.cuda.current_stream(device))
    return event


def _beside(processes: Processes) -> Processes:
    from fivefold.training.saving.sharded import SideChannel  # noqa: PLC0415 - as above

    return SideChannel.beside(processes)
