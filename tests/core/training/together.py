"""Trains toys in several processes, for test_training_distributed: torchrun together.py DIRECTORY.

Runs every case one after the other, so that the processes start but once; the first writes what came out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from core.training.toys import Classifier, Gan, Streamed, Weighted, blobs, jitter, settings
from fivefold.errors import ConfigError, PeerError, TrainingError
from fivefold.training.engine import Engine
from fivefold.training.inference import gather_outputs
from fivefold.training.loading.loader import Loader
from fivefold.training.processes.group import Processes, joined, whole
from fivefold.training.sampler import Sampler
from fivefold.training.saving.checkpoint import save_tensors
from fivefold.training.speed.precision import choose_precision
from fivefold.training.trainer import Trainer

CPU = torch.device("cpu")
CASES: dict[str, Callable[[Processes, Path], object]] = {}


def case(function: Callable[[Processes, Path], object]) -> Callable[[Processes, Path], object]:
    CASES[function.__name__] = function
    return function


def one_step(processes: Processes, *, batch_size: int, accumulate: int, **trainer: object) -> Weighted:
    """A task after one step of plain gradient descent, so that weights tell the gradient."""
    torch.manual_seed(3)
    task = Weighted()
    config = settings(
        epochs=1,
        batch_size=batch_size,
        schedule={"name": "constant"},
        trainer={"accumulate": accumulate, **trainer},
        optimizer={"name": "sgd", "lr": 1.0, "momentum": 0.0, "weight_decay": 0.0},
    )
    data = blobs(64)
    sampler = Sampler(64, batch_size, seed=0, processes=processes)
    engine = Engine(task, config, CPU, batches=len(sampler.sizes), processes=processes)
    engine.train_step([data.batch(indices) for indices in sampler.batches(0)], 0)
    return task


@case
def gradient(processes: Processes, directory: Path) -> None:
    task = one_step(processes, batch_size=16, accumulate=4 // processes.count)
    if processes.is_first:
        save_tensors(directory / "gradient.safetensors", task.state_dict())


@case
def compressed(processes: Processes, directory: Path) -> None:
    task = one_step(processes, batch_size=16, accumulate=4 // processes.count, compression="bfloat16")
    if processes.is_first:
        save_tensors(directory / "compressed.safetensors", task.state_dict())


@case
def shards(processes: Processes, directory: Path) -> None:
    for kind in ("fsdp", "hsdp"):
        task = one_step(processes, batch_size=16, accumulate=4 // processes.count, parallel=kind)
        weights = {name: whole(value) for name, value in task.state_dict().items()}
        if processes.is_first:
            save_tensors(directory / f"{kind}.safetensors", weights)


@case
def outputs(processes: Processes, directory: Path) -> object:
    torch.manual_seed(0)
    task = Classifier()
    found = {}
    for size in (1, 2, 7, 64, 65):
        loader = Loader(blobs(size), CPU, workers=0, memory_share=0.25)
        gathered = gather_outputs(
            task, loader, batch_size=8, precision=choose_precision("float32", CPU, task), processes=processes
        )
        found[size] = gathered["target"].tolist() if processes.is_first else None
    return found


@case
def samples(processes: Processes, directory: Path) -> object:
    """Which samples every process saw in an epoch."""
    sampler = Sampler(101, 16, seed=0, processes=processes)
    seen = processes.collect([indices.tolist() for indices in sampler.batches(2)])
    return {"seen": seen, "sizes": sampler.sizes}


class Unused(Classifier):
    """Has a layer that no loss depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 2)


def training(kind: str, directory: Path, processes: Processes, **values: object) -> Trainer:
    torch.manual_seed(7)
    shared = {
        "device": CPU, "directory": directory, "progress": False, "tensorboard": False, "processes": processes,
    }  # fmt: skip
    if kind == "gan":
        config = settings(epochs=2, batch_size=8, trainer={"ema": 0.9, "checkpoint_every": 3})
        return Trainer(Gan(), blobs(101), None, config=config, **shared)
    trainer = {"ema": 0.9, "accumulate": 2, "checkpoint_every": 2, "memory_share": 0.0}
    config = settings(
        **{"epochs": 2, "batch_size": 8, "schedule": {"name": "constant"}, **values},
        trainer={**trainer, "parallel": "fsdp" if kind == "shards" else "ddp"},
        optimizer={"clip_norm": 1.0},
    )
    data = Streamed(blobs(101)), blobs(41, seed=1)
    if kind == "supervised":
        return Trainer(Classifier(dropout=0.2, norm=True), *data, config=config, augment=jitter, **shared)
    return Trainer(Unused() if kind == "unused" else Classifier(), *data, config=config, **shared)


@case
def processes_change(processes: Processes, directory: Path) -> None:
    """Trainings that begin with one number of processes and go on with another, copies and shards."""
    for kind in ("copies", "shards"):
        training(kind, directory / f"two-{kind}", processes).fit()
        # Begun by one process, see the fixture.
        trainer = training(kind, directory / f"one-then-two-{kind}", processes, epochs=3)
        trainer.fit(resume=True)
        if processes.is_first:
            save_tensors(directory / f"one-then-two-{kind}.safetensors", trainer.task.state_dict())


@case
def whole_training(processes: Processes, directory: Path) -> object:
    found = {}
    for kind in ("supervised", "gan"):
        trainer = training(kind, directory / kind, processes)
        result = trainer.fit()
        copies = processes.collect({name: value.clone() for name, value in trainer.task.named_parameters()})
        found[kind] = {
            "equal": all(torch.equal(copies[0][name], copy[name]) for copy in copies for name in copy),
            "steps": result.steps,
            "best": result.best,
        }
    return found


@case
def refusals(processes: Processes, directory: Path) -> object:
    said = []
    for values in ({"parallel": "fsdp", "compression": "bfloat16"}, {"sync_batch_norm": True}):
        try:
            one_step(processes, batch_size=16, accumulate=1, **values)
        except ConfigError as error:
            said.append(str(error))
    try:
        config = settings(batch_size=8, trainer={"parallel": "fsdp"})
        Engine(Gan(), config, CPU, batches=1, processes=processes)
    except ConfigError as error:
        said.append(str(error))
    try:
        training("unused", directory / "unused", processes).fit()
    except TrainingError as error:
        said.append(str(error))
    try:
        processes.on_first(lambda: 1 // 0)
    except ZeroDivisionError:
        said.append("first")
    except PeerError as error:
        said.append(f"peer {error.exit_code}")
    return processes.collect(said)


def main(directory: Path) -> None:
    found = {}
    with joined(CPU) as processes:
        for name, function in CASES.items():
            found[name] = function(processes, directory)
    if processes.is_first:
        (directory / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
