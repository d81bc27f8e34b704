"""Trains a toy in child processes that are killed at given moments, resumes it, and writes what came out.

Run by test_resume.py in a process of its own: python killing.py KIND DIRECTORY SEED KILLS
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path
from types import FrameType

import torch

from core.training.toys import Classifier, Gan, Streamed, blobs, jitter, settings
from fivefold.training.checkpoint import save_tensors
from fivefold.training.trainer import Trainer


def trainer(kind: str, directory: Path) -> Trainer:
    torch.manual_seed(7)
    shared = {"device": torch.device("cpu"), "directory": directory, "progress": False, "tensorboard": False}
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
    """Counts what the interpreter calls, and kills the process at the moment asked for."""

    def __init__(self, moment: int | None, sync: int | None = None) -> None:
        self.moment = moment
        self.sync = sync
        self.events = 0
        self.syncs = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        self.events += 1
        self.syncs += event == "c_call" and argument is os.fsync
        if self.events == self.moment or (self.sync is not None and self.syncs == self.sync):
            os.kill(os.getpid(), signal.SIGKILL)


def attempt(kind: str, directory: Path, killer: Killer) -> bool:
    """One try to train to the end, in a child process; whether it got there."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    sys.setprofile(killer)
    training = trainer(kind, directory)
    training.fit(resume=True)
    sys.setprofile(None)
    save_tensors(directory / "final.safetensors", training.task.state_dict())
    (directory / "events.json").write_text(json.dumps([killer.events, killer.syncs]))
    os._exit(0)


def main(kind: str, root: Path, seed: int, kills: int) -> None:
    # What torch and its optimizers import late is imported here, before the children fork.
    trainer(kind, root / "warm").fit()
    if not attempt(kind, root / "whole", Killer(None)):
        sys.exit("the uninterrupted training failed")
    events, syncs = json.loads((root / "whole" / "events.json").read_text())
    draw = random.Random(seed)
    killed = 0
    for number in range(kills):
        in_a_checkpoint = number % 2 == 0
        killer = (
            Killer(None, draw.randint(1, syncs // 2))
            if in_a_checkpoint
            else Killer(draw.randint(1, events // 2))
        )
        killed += not attempt(kind, root / "killed", killer)
    if not attempt(kind, root / "killed", Killer(None)):
        sys.exit("the resumed training failed")
    sys.stdout.write(json.dumps({"killed": killed}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
