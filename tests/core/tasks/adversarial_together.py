"""Steps of a GAN in several processes, for test_adversarial: torchrun adversarial_together.py DIRECTORY."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from core.tasks.adversarial_toys import CPU, EVERYTHING, SGD, Toy, pictures, toy
from fivefold.config import PipelineConfig, TrainerConfig
from fivefold.training.engine import Engine
from fivefold.training.processes.group import Processes, joined
from fivefold.training.sampler import Sampler
from fivefold.training.saving.checkpoint import save_tensors

STEPS = 5
TOGETHER = 16  # samples a step


def steps(processes: Processes) -> tuple[Toy, dict[str, float]]:
    """Some steps of plain gradient descent on equal samples, however many share them; the mean losses."""
    small = SGD.model_copy(update={"lr": 0.05})
    # Norms that look at one sample alone; those of a batch would see another batch in each process.
    task = toy(
        classes=2, chance=0.5, norms=("group", "none"), generator=small, discriminator=small, **EVERYTHING
    )
    size = TOGETHER // processes.count
    config = PipelineConfig(batch_size=size, trainer=TrainerConfig(probe=False, precision="float32"))
    data = pictures(TOGETHER * STEPS)
    sampler = Sampler(len(data), size, seed=0, processes=processes)
    engine = Engine(task, config, CPU, batches=STEPS, processes=processes)
    for step, indices in enumerate(sampler.batches(0)):
        engine.train_step([data.batch(indices)], step)
    return task, engine.tracker.summary(processes)


def main(directory: Path) -> None:
    with joined(CPU) as processes:
        task, losses = steps(processes)
        if processes.is_first:
            save_tensors(directory / "together.safetensors", task.state_dict())
            (directory / "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
