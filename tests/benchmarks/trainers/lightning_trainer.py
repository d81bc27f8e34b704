"""Lightning: its `Trainer`, without bar, summary and checkpoints, logging a line to a CSV file now and then.

Batches come from a plain iterable, which Lightning documents as a source ("Arbitrary iterable support") and which is
faster than a `DataLoader`. The loss is logged from within the step only where a line is due, because `self.log` at
each step costs more. Two optimizers follow its manual optimization.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor
from torch.nn import functional as F

from benchmarks.trainers.problems import Batch, adversarial_loss
from benchmarks.trainers.trial import Trial

NAME = "Lightning"
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Batches:
    """The trial's batches, in their order."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def __len__(self) -> int:
        return len(self._trial.order)

    def __iter__(self) -> Iterator[Batch]:
        return map(self._trial.batch, self._trial.order)


class Supervised(lightning.LightningModule):
    """One optimizer, automatic optimization."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial
        self.network = trial.network

    def training_step(self, batch: Batch, number: int) -> Tensor:
        self.trial.tick()
        loss = F.cross_entropy(self.network(batch["input"]), batch["target"])
        if (number + 1) % self.trial.problem.log_every == 0:
            self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.trial.optimizer()


class Adversarial(lightning.LightningModule):
    """Two optimizers, manual optimization."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.trial = trial
        self.generator = trial.network.generator
        self.discriminator = trial.network.discriminator
        self.inputs = [trial.parameters(phase) for phase in trial.problem.phases]

    def training_step(self, batch: Batch, number: int) -> None:
        self.trial.tick()
        for phase, optimizer, inputs in zip(
            self.trial.problem.phases, self.optimizers(), self.inputs, strict=True
        ):
            loss = adversarial_loss(self.generator, self.discriminator, batch, phase)
            self.manual_backward(loss, inputs=inputs)
            optimizer.step()
            optimizer.zero_grad()
            if (number + 1) % self.trial.problem.log_every == 0:
                self.log(phase, loss)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [self.trial.optimizer(phase) for phase in self.trial.problem.phases]


def train(trial: Trial) -> None:
    """Train."""
    with tempfile.TemporaryDirectory() as folder:
        lightning.Trainer(
            accelerator=trial.device.type,
            devices=1,
            max_epochs=1,
            logger=CSVLogger(folder, flush_logs_every_n_steps=trial.problem.log_every),
            log_every_n_steps=trial.problem.log_every,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(Adversarial(trial) if trial.adversarial else Supervised(trial), Batches(trial))
