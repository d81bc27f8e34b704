"""fivefold: its trainer on its own classification task, or on a task of two phases for the GAN.

Samples held in memory are gathered batch by batch (`TensorDataset`). Measuring for a better layout or precision
and compiling are off, so that the arithmetic is that of the others.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from torch import nn

from benchmarks.trainers.problems import CLASSES, Batch, adversarial_loss
from benchmarks.trainers.trial import SEED, Trial
from fivefold.config import OptimizerConfig, PipelineConfig, ScheduleConfig, TrainerConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.tasks import Classification, Loss, Phase, Task
from fivefold.training.trainer import Trainer

NAME = "fivefold"


class TimedClassification(Classification):
    """Classification that says when a step begins."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial.network, [str(code) for code in range(CLASSES)])
        self._tick = trial.tick

    def loss(self, batch: Batch, phase: str) -> Loss:
        self._tick()
        return super().loss(batch, phase)


class Adversarial(Task):
    """A GAN, trained in two phases."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.generator: nn.Module = trial.network.generator
        self.discriminator: nn.Module = trial.network.discriminator
        self._tick = trial.tick

    def phases(self) -> list[Phase]:
        return [Phase("discriminator", ("discriminator",)), Phase("generator", ("generator",))]

    def loss(self, batch: Batch, phase: str) -> Loss:
        if phase == "discriminator":
            self._tick()
        value = adversarial_loss(self.generator, self.discriminator, batch, phase)
        return Loss(value, len(batch["input"]))


def train(trial: Trial) -> None:
    """Train."""
    problem = trial.problem
    config = PipelineConfig(
        seed=SEED,
        epochs=1,
        batch_size=problem.batch_size,
        optimizer=OptimizerConfig(lr=problem.learning_rate, momentum=problem.beta1, weight_decay=0.01),
        schedule=ScheduleConfig(name="constant"),
        trainer=TrainerConfig(
            precision="float32", log_every=problem.log_every, probe=False, compile="off", graphs="off"
        ),
    )
    size = len(trial.samples["input"])
    samples = TensorDataset(trial.samples, facts=Facts(), ids=np.arange(size).astype(str))
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            Adversarial(trial) if trial.adversarial else TimedClassification(trial),
            samples,
            None,
            config=config,
            device=trial.device,
            directory=Path(folder),
            progress=False,
            tensorboard=False,
        ).fit()
