"""Checkpoints of tensors that lie in shards on several processes (FSDP2): each process writes its own part.

No tensor is gathered. Every process writes its shards as ``NAME-00000-of-00002.safetensors`` (its rank, and
how many there are) with their places in the header, hashes what it wrote, and tells the first one, which marks
the checkpoint complete once every part is on disk. Reading needs no exchange at all: each process takes the
parts that it needs from whichever files hold them, so the number of processes may be another one, or one.

The files are of torch.distributed.checkpoint's safetensors format. They are not written through that package,
because its writer neither syncs nor hashes what it writes, and plans each save by an exchange of pickles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.tensor import DTensor

from fivefold.errors import CheckpointError
from fivefold.training.processes.group import Processes
from fivefold.training.saving.checkpoint import (
    Checkpoint,
    complete,
    sync_directory,
    write_tensor_files,
    writing_aside,
)
from fivefold.training.saving.pieces import describe_offsets
from fivefold.training.saving.tensor_files import Digest, TensorFile

T = TypeVar("T")
Tensors = Mapping[str, Mapping[str, Tensor]]


@dataclass(frozen=True)
class SideChannel(Processes):
    """The same processes talking through a group of their own, so that a thread may beside the training.

    Attributes:
        group: a gloo group of all processes.
    """

    group: dist.ProcessGroup | None = None

    @classmethod
    def beside(cls, processes: Processes) -> SideChannel:
        """A new channel between ``processes``; each of them must ask for it at the same place."""
        group = dist.new_group(backend="gloo")
        return cls(processes.rank, processes.count, processes.local_rank, processes.machines, group)

    def share(self, value: T) -> T:
        """The first process's ``value``."""
        held = [value]
        dist.broadcast_object_list(held, 0, group=self.group)
        return held[0]

    def collect(self, value: T) -> list[T]:
        """Every process's ``value`` in order of rank, on the first; an empty list on the others."""
        gathered: list[Any] | None = [None] * self.count if self.is_first else None
        dist.gather_object(value, gathered, 0, group=self.group)
        return gathered or []


def save_sharded(
    directory: Path, step: int, tensors: Tensors, values: Mapping[str, Any], processes: Processes
) -> Checkpoint:
    """Write the checkpoint of ``step`` together with the other processes, each of which must call this.

    Args:
        directory: where the checkpoints of a run lie, on a file system that all processes see.
        step: names the checkpoint; one of the same step is replaced.
        tensors: from the name of a file to its tensors; of those that are no DTensor the first process's are
            written.
        values: JSON values; the first process's are written.
        processes: this one among them.

    Raises:
        CheckpointError: on the first process, where one of them could not write; nothing half-written is
            left.
        PeerError: on the others.
    """
    return write_shards(
        directory, step, local_files(tensors, processes), json.dumps(values).encode(), processes
    )


def load_sharded(checkpoint: Checkpoint, like: Tensors) -> None:
    """Fill tensors in place from a checkpoint, whoever wrote it; every process reads only what it holds.

    Args:
        checkpoint: written by one process or by several.
        like: from the name of a file to the tensors to fill, DTensors or others, by their names there.

    Raises:
        CheckpointError: a tensor is missing or of another shape.
    """
    for name, targets in like.items():
        pieces = checkpoint.pieces(name)
        for key, target in targets.items():
            if key not in pieces.shapes:
                raise CheckpointError(
                    f"{checkpoint.path} has no {key} in {name}; resume with the settings that it began with"
                )
            if pieces.shapes[key] != target.shape:
                raise CheckpointError(
                    f"{checkpoint.path}: {key} in {name} has shape {tuple(pieces.shapes[key])}, expected "
                    f"{tuple(target.shape)}; resume with the settings that it began with"
                )
            local, offsets = _local_part(target)
            local.copy_(pieces.read(key, offsets, local.shape))


def local_files(tensors: Tensors, processes: Processes) -> dict[str, TensorFile]:
    """What this process writes: from the name of a file to this process's part of it."""
    files = {}
    for name, held in tensors.items():
        mine = {key: tensor for key, tensor in held.items() if _is_written_here(tensor, processes)}
        parts = {key: _local_part(tensor) for key, tensor in mine.items()}
        parts = {key: (local, offsets) for key, (local, offsets) in parts.items() if local.numel()}
        if not parts:
            continue
        if any(isinstance(tensor, DTensor) for tensor in held.values()):
            metadata = describe_offsets({key: offsets for key, (_, offsets) in parts.items()})
            file = f"{name}-{processes.rank:05d}-of-{processes.count:05d}.safetensors"
        else:
            metadata, file = {}, f"{name}.safetensors"
        files[file] = TensorFile({key: local for key, (local, _) in parts.items()}, metadata)
    return files


def write_shards(
    directory: Path, step: int, files: Mapping[str, TensorFile], values: bytes, processes: Processes
) -> Checkpoint:
    """`save_sharded` with the files laid out already."""
    with ExitStack() as until_done:  # the first process removes what is not complete, once all have written

        def begin() -> Path:
            return until_done.enter_context(writing_aside(directory, step))

        aside = processes.on_first(begin)
        reports = processes.collect(_write_part(aside, files))
        return processes.on_first(lambda: _finish(aside, directory, step, values, reports))


def _write_part(aside: Path, files: Mapping[str, TensorFile]) -> dict[str, Digest] | str:
    """The digests of this process's files, or why they could not be written."""
    try:
        digests = write_tensor_files(aside, files)
        sync_directory(aside)
    except OSError as error:
        return f"{error.strerror}"
    except CheckpointError as error:
        return f"{error}"
    return digests


def _finish(
    aside: Path, directory: Path, step: int, values: bytes, reports: Sequence[dict[str, Digest] | str]
) -> Checkpoint:
    faults = [f"process {rank}: {report}" for rank, report in enumerate(reports) if isinstance(report, str)]
    digests = {
        name: digest for report in reports if isinstance(report, dict) for name, digest in report.items()
    }
    faults += [
        f"{name} of another process is not there; do all of them see the same file system?"
        for name, digest in digests.items()
        if not (aside / name).is_file() or (aside / name).stat().st_size != digest.bytes
    ]
    if faults:
        raise CheckpointError(
            f"the checkpoint of step {step} could not be written to {directory}: {'; '.join(faults)}; "
            "free some space or make the directory writable, and go on with --resume"
        )
    return complete(aside, directory, step, digests, values)


def _is_written_here(tensor: Tensor, processes: Processes) -> bool:
    """Whether this process writes its part of ``tensor``; of copies of the same part the first is written."""
    if not isinstance(tensor, DTensor):
        return processes.is_first
    place = tensor.device_mesh.get_coordinate()
    return place is not None and all(
        coordinate == 0
        for coordinate, placement in zip(place, tensor.placements, strict=True)
        if placement.is_replicate()
    )


@torch.no_grad()
def _local_part(tensor: Tensor) -> tuple[Tensor, list[int]]:
    """The part of ``tensor`` that lies here, sharing its memory, and where it begins."""
    if not isinstance(tensor, DTensor):
        return tensor.detach(), [0] * tensor.ndim
    # The protocol by which torch.distributed.checkpoint asks a tensor for its parts.
    (chunk,) = tensor.__create_chunk_list__()  # type: ignore[no-untyped-call]  # torch's
    return tensor.to_local().detach(), list(chunk.offsets)
