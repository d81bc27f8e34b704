"""Saves and loads sharded checkpoints in several processes, for test_training_checkpoint_sharded.

    torchrun checkpoint_sharded.py DIRECTORY

Finds ``whole``, a checkpoint that one process wrote; leaves ``sharded``, ``background`` and ``copies``, what
they hold as ``expected.safetensors``, and what happened as ``found.json``.
"""

from __future__ import annotations

import errno
import json
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard, distribute_tensor

from fivefold.errors import CheckpointError, PeerError
from fivefold.training.processes.group import Processes, joined
from fivefold.training.saving.checkpoint import newest_checkpoint, save_tensors
from fivefold.training.saving.sharded import load_sharded, save_sharded
from fivefold.training.saving.writer import CheckpointWriter

CPU = torch.device("cpu")
State = dict[str, dict[str, Tensor]]


def network() -> nn.Module:
    """Weights that divide evenly between two, weights that do not, one too small to divide, and buffers."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 3), nn.Linear(3, 1))


def trained_state(mesh_shape: tuple[int, ...]) -> State:
    """Weights and optimizer state after a step, and a file without shards."""
    net = network()
    names = ("machines", "devices")[: len(mesh_shape)]
    fully_shard(net, mesh=init_device_mesh("cpu", mesh_shape, mesh_dim_names=names))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    net(torch.rand(8, 5, generator=torch.Generator().manual_seed(1))).square().sum().backward()
    optimizer.step()
    state = {
        f"{name}/{key}": value
        for name, parameter in net.named_parameters()
        for key, value in optimizer.state[parameter].items()
    }
    return {"model": dict(net.state_dict()), "optimizer": state, "losses": {"sum": torch.tensor(0.1)}}


def full(state: State) -> dict[str, Tensor]:
    return {
        f"{file}/{key}": value.full_tensor() if isinstance(value, DTensor) else value
        for file, held in state.items()
        for key, value in held.items()
    }


def emptied(state: State) -> State:
    return {
        file: {key: torch.zeros_like(value) for key, value in held.items()} for file, held in state.items()
    }


def differing(state: State, expected: Mapping[str, Tensor]) -> list[str]:
    found = full(state)
    return [key for key, value in found.items() if not torch.equal(value, expected[key])]


def newest(directory: Path):
    found = newest_checkpoint(directory)
    if found is None:
        raise SystemExit(f"nothing in {directory}")
    return found


def save_and_load(processes: Processes, root: Path) -> object:
    state = trained_state((processes.count,))
    expected = full(state)
    if processes.is_first:
        save_tensors(root / "expected.safetensors", expected)
    save_sharded(root / "sharded", 3, state, {"step": 3}, processes)
    filled = emptied(state)
    load_sharded(newest(root / "sharded"), filled)

    # The same weights cut along the other dimension.
    mesh = init_device_mesh("cpu", (processes.count,))
    columns = distribute_tensor(torch.zeros(6, 5), mesh, [Shard(1)])
    load_sharded(newest(root / "sharded"), {"model": {"0.weight": columns}})
    across = {"model": {"0.weight": columns}}

    whole = emptied(state)
    load_sharded(newest(root / "whole"), whole)
    reference = {f"model/{key}": value for key, value in network().state_dict().items()}
    return {
        "same": differing(filled, expected),
        "across": differing(across, expected),
        "whole": differing({"model": whole["model"]}, reference),
    }


def beside(processes: Processes, root: Path) -> object:
    """In the background, while the weights change and the processes exchange other things."""
    state = trained_state((processes.count,))
    seen = []
    with CheckpointWriter(root / "background", background=True, processes=processes) as writer:
        for step in (1, 2, 3):
            state["model"]["0.bias"].fill_(float(step))
            writer.save(step, state, {}, before=lambda: seen.append("b"), after=lambda: seen.append("a"))
            state["model"]["0.bias"].zero_()
            for _ in range(20):
                processes.sum(torch.ones(3))
    return processes.collect(seen)


def copies(processes: Processes, root: Path) -> object:
    """Copies of shards (HSDP) are written once."""
    state = trained_state((processes.count, 1))
    save_sharded(root / "copies", 3, state, {}, processes)
    filled = emptied(state)
    load_sharded(newest(root / "copies"), filled)
    return differing(filled, full(state))


def full_disk(processes: Processes, root: Path) -> object:
    """The last process cannot write: every process is told, and the checkpoint before stays the newest."""
    state = trained_state((processes.count,))
    state["model"]["0.weight"] = distribute_tensor(
        torch.zeros(4 * processes.count, 1 << 14), init_device_mesh("cpu", (processes.count,)), [Shard(0)]
    )
    said = ""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if processes.rank == processes.count - 1:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, limits[1]))
    try:
        save_sharded(root / "sharded", 4, state, {}, processes)
    except (CheckpointError, PeerError) as error:
        said = f"{type(error).__name__}: {error}"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    return {"said": processes.collect(said), "expected": errno.errorcode[errno.EFBIG]}


def refusals(processes: Processes, root: Path) -> object:
    said = []
    for like in ({"0.weight": torch.zeros(6, 4)}, {"absent": torch.zeros(1)}):
        try:
            load_sharded(newest(root / "sharded"), {"model": like})
        except CheckpointError as error:
            said.append(str(error))
    return said


def main(root: Path) -> None:
    found = {}
    with joined(CPU) as processes:
        for case in (save_and_load, beside, copies, full_disk, refusals):
            found[case.__name__] = case(processes, root)
            processes.barrier()
        everywhere = processes.collect(found)
    if processes.is_first:
        (root / "found.json").write_text(json.dumps(everywhere))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
