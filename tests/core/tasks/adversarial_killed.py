"""Kills a training in a phase and goes on with it, for test_adversarial: python adversarial_killed.py DIRECTORY."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

from core.tasks.adversarial_toys import EVERYTHING, toy, trainer
from fivefold.data.dataset import Batch
from fivefold.tasks.base import Loss
from fivefold.training.saving.checkpoint import save_tensors

SETTINGS = {"ema": 0.9, "checkpoint_every": 3, "background_saving": False}


def train(directory: Path, phase: str = "", batch: int = -1) -> None:
    """To the end; or killed when the loss of ``batch`` of ``phase`` is asked for."""
    task = toy(classes=2, chance=0.5, penalty_every=2, discriminator_steps=2, **EVERYTHING)
    whole, seen = task.loss, [0]

    def killed(given: Batch, name: str) -> Loss:
        seen[0] += name == phase
        if seen[0] == batch:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(given, name)

    task.loss = killed
    training = trainer(task, directory, val=False, **SETTINGS)
    training.fit(resume=True)
    save_tensors(directory / "final.safetensors", task.state_dict())


def main(root: Path) -> None:
    train(root / "whole")
    for phase, batch in (("discriminator", 12), ("generator", 9)):
        child = os.fork()
        if child == 0:
            train(root / phase, phase, batch)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"not killed in {phase}: {status}")
        train(root / phase)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
