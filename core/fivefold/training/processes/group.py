"""The processes that train together: who this one is, and the few things that they tell each other.

`torchrun` (or ``--devices N``, see `fivefold.training.processes.launch`) starts the processes and tells each its rank
in the environment; `joined` makes them a group. Alone, every exchange is the identity and costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from fivefold.errors import FivefoldError, PeerError

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: its number, 0 to ``count - 1``.
        count: how many there are.
        local_rank: its number on its machine, which names its device.
        machines: how many machines they run on.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    machines: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks for all."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.count == 1

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes; ``tensor`` itself is overwritten."""
        if not self.alone:
            dist.all_reduce(tensor)
        return tensor

    def maximum(self, tensor: Tensor) -> Tensor:
        """The largest value over all processes, element by element; ``tensor`` itself is overwritten."""
        if not self.alone:
            dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return tensor

    def copy_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite ``tensors`` with the first process's."""
        if not self.alone:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def share(self, value: T) -> T:
        """The first process's ``value``."""
        if self.alone:
            return value
        held = [value]
        dist.broadcast_object_list(held)
        return held[0]

    def collect(self, value: T) -> list[T]:
        """Every process's ``value`` in order of rank, on the first; an empty list on the others."""
        if self.alone:
            return [value]
        gathered: list[Any] | None = [None] * self.count if self.is_first else None
        dist.gather_object(value, gathered)
        return gathered or []

    def on_first(self, function: Callable[[], T]) -> T:
        """What ``function`` returns on the first process, for all; the others only wait for it.

        Raises:
            PeerError: on the others, where it failed.
        """
        if self.alone:
            return function()
        if not self.is_first:
            told: tuple[Any, int] = self.share((None, 0))
            value, code = told
            if code:
                raise PeerError(code)
            return cast(T, value)
        try:
            value = function()
        except BaseException as error:
            self.share((None, error.exit_code if isinstance(error, FivefoldError) else 1))
            raise
        return self.share((value, 0))[0]

    def barrier(self) -> None:
        """Wait until every process is here."""
        if not self.alone:
            dist.barrier()

    def agreed(self, error: FivefoldError) -> FivefoldError:
        """An error that all processes raise at the same place: only the first one says it."""
        return error if self.is_first else PeerError(error.exit_code)


ALONE = Processes()


def launched() -> Processes:
    """This process as its environment describes it, before it has joined the others."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local_count = int(os.environ.get("LOCAL_WORLD_SIZE", str(count)))
    return Processes(
        rank=int(os.environ.get("RANK", "0")),
        count=count,
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        machines=max(1, count // local_count),
    )


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """The group of processes while it trains; a group that the caller made already is used and left as it is.

    Args:
        device: where this process computes; CPU tensors travel by gloo, those of a GPU by NCCL.

    Raises:
        PeerError: another process ended meanwhile.
    """
    processes = launched()
    if processes.alone or dist.is_initialized():
        yield processes
        return
    # Apart from earlier attempts, whose addresses torchrun's store still holds after a restart.
    store, rank, count = next(rendezvous("env://"))
    meeting = PrefixStore(f"attempt-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl", store=meeting, rank=rank, world_size=count, device_id=device
        )
    else:
        dist.init_process_group("gloo", store=meeting, rank=rank, world_size=count)
    try:
        yield processes
    except RuntimeError as error:
        if not _lost_a_peer(error):
            raise
        raise PeerError(1) from error
    finally:
        dist.destroy_process_group()


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that is spread over processes (every one must ask); any other as it is."""
    # By its method, because importing the type of spread tensors takes most of a second.
    gather: Callable[[], Tensor] | None = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()


def _lost_a_peer(error: RuntimeError) -> bool:
    """Whether an exchange failed; gloo has no type of its own for that, but names its source file."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)
