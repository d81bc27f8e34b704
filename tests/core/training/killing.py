"""Trains a toy in processes that are killed at random moments, resumes it, and writes what came out.

Run by test_training_resume.py in a process of its own: python killing.py KIND PROCESSES DIRECTORY SEED KILLS

Prints how many were killed, and in how many trainings: their folders are killed-1, killed-2, ... beside whole.
A third of the kills strikes while a checkpoint is written, a third while the validation split is judged, the
rest anywhere. Of two processes one is killed; the other must notice and end by itself.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import torch

from core.training.toys import Classifier, Gan, Streamed, blobs, jitter, settings
from fivefold.errors import PeerError
from fivefold.training.processes.group import ALONE, Processes, joined
from fivefold.training.saving.checkpoint import save_tensors
from fivefold.training.trainer import Trainer

CPU = torch.device("cpu")
GRACE = 5.0  # seconds
MOMENTS = ("saving", "evaluating", "training")


def trainer(kind: str, directory: Path, processes: Processes) -> Trainer:
    torch.manual_seed(7)
    shared = {
        "device": CPU, "directory": directory, "processes": processes, "progress": False, "tensorboard": False,
    }  # fmt: skip
    if kind == "gan":
        config = settings(epochs=4, trainer={"ema": 0.9, "checkpoint_every": 3, "keep": 1})
        return Trainer(Gan(), blobs(101), None, config=config, **shared)
    config = settings(
        epochs=4,
        trainer={"ema": 0.9, "accumulate": 2, "checkpoint_every": 2, "log_every": 3, "memory_share": 0.0},
        optimizer={"clip_norm": 1.0, "name": "muon"},
    )
    task = Classifier(dropout=0.2, norm=True)
    data = Streamed(blobs(101)), blobs(40, seed=1)
    return Trainer(task, *data, config=config, augment=jitter, sample_weights=torch.arange(101.0), **shared)


class Killer:
    """Counts what the interpreter calls, in every thread, and kills the process at the moment asked for.

    Args:
        moment: what to count: fsyncs, predictions of validation batches, or everything.
        count: at how many to kill; None never.
    """

    def __init__(self, moment: str = "training", count: int | None = None) -> None:
        self.moment = moment
        self.count = count
        self.seen = dict.fromkeys(MOMENTS, 0)

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        self.seen["training"] += 1
        self.seen["saving"] += event == "c_call" and argument is os.fsync
        self.seen["evaluating"] += event == "call" and frame.f_code is Classifier.predict.__code__
        if self.seen[self.moment] == self.count:
            os.kill(os.getpid(), signal.SIGKILL)


def attempt(kind: str, directory: Path, count: int, killers: list[Killer]) -> bool:
    """One try to train to the end, in ``count`` child processes; whether all got there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank, killer in enumerate(killers[:count]):
        child = os.fork()
        if child == 0:
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            os._exit(train(kind, directory, killer))
        children.append(child)
    return all_end_well(set(children))


def all_end_well(waiting: set[int]) -> bool:
    """Wait for processes; as torchrun's agent does, end the others some seconds after one has died."""
    well, deadline = True, math.inf
    while waiting:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            waiting.remove(child)
            if status:
                well, deadline = False, min(deadline, time.monotonic() + GRACE)
        elif time.monotonic() > deadline:
            for left in waiting:
                os.kill(left, signal.SIGKILL)
            deadline = math.inf
        else:
            time.sleep(0.01)
    return well


def train(kind: str, directory: Path, killer: Killer) -> int:
    try:
        with joined(CPU) as processes:
            threading.setprofile(killer)
            sys.setprofile(killer)
            training = trainer(kind, directory, processes)
            training.fit(resume=True)
            sys.setprofile(None)
            threading.setprofile(None)
    except PeerError as error:
        return error.exit_code
    if processes.is_first:
        save_tensors(directory / "final.safetensors", training.task.state_dict())
    (directory / f"events-{processes.rank}.json").write_text(json.dumps(killer.seen))
    return 0


def main(kind: str, count: int, root: Path, seed: int, kills: int) -> None:
    # What torch and its optimizers import late is imported here, before the children fork.
    trainer(kind, root / "warm", ALONE).fit()
    if not attempt(kind, root / "whole", count, [Killer() for _ in range(count)]):
        sys.exit("the uninterrupted training failed")
    events = [json.loads((root / "whole" / f"events-{rank}.json").read_text()) for rank in range(count)]
    draw = random.Random(seed)
    killed = dict.fromkeys(MOMENTS, 0)
    trainings = 0
    while sum(killed.values()) < kills:
        trainings += 1
        directory = root / f"killed-{trainings}"
        # A training is killed now and again until it gets to its end; then another one begins.
        while True:
            rank = draw.randrange(count)
            possible = [moment for moment in MOMENTS if events[rank][moment] > 1]
            moment = min(possible, key=killed.__getitem__)
            killers = [Killer() for _ in range(count)]
            if sum(killed.values()) < kills:
                killers[rank] = Killer(moment, draw.randint(1, events[rank][moment] // 2))
            if attempt(kind, directory, count, killers):
                break
            killed[moment] += 1
    sys.stdout.write(json.dumps({"killed": killed, "trainings": trainings}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
