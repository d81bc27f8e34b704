"""Keras 3 on torch: `fit` with a `train_step` of our own, around the torch module.

The module is wrapped by `TorchModuleWrapper`. `train_step` does what Keras' guide to custom steps with PyTorch shows,
but with torch's fused AdamW, as the guide to loops from scratch does: the same optimizer as the others, and faster
than Keras' own. Batches come from a `DataLoader` of whole batches (see `feeding`), which `fit` takes as it is. There
is no bar, and the loss is read once an epoch.
"""

from __future__ import annotations

import os
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.trainers.feeding import data_loader
from benchmarks.trainers.problems import Batch, adversarial_loss
from benchmarks.trainers.trial import Trial

NAME = "Keras"


class Supervised(keras.Model):
    """One optimizer."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.network = keras.layers.TorchModuleWrapper(trial.network)
        self.adamw = trial.optimizer()
        self.tick = trial.tick
        self.built = True  # or `fit` would run a batch through the network, and its running statistics, first

    def call(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)

    def train_step(self, data: tuple[Tensor, Tensor]) -> dict[str, Any]:
        inputs, target = data
        self.tick()
        loss = F.cross_entropy(self(inputs), target)
        self.adamw.zero_grad()
        loss.backward()
        self.adamw.step()
        return {"loss": loss.detach()}


class Adversarial(keras.Model):
    """Two optimizers."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.generator = keras.layers.TorchModuleWrapper(trial.network.generator)
        self.discriminator = keras.layers.TorchModuleWrapper(trial.network.discriminator)
        self.tick = trial.tick
        self.turns = tuple(
            (phase, trial.optimizer(phase), trial.parameters(phase)) for phase in trial.problem.phases
        )
        self.built = True

    def train_step(self, data: tuple[Tensor, Tensor]) -> dict[str, Any]:
        batch: Batch = {"input": data[0], "noise": data[1]}
        self.tick()
        losses = {}
        for phase, optimizer, parameters in self.turns:
            loss = adversarial_loss(self.generator, self.discriminator, batch, phase)
            optimizer.zero_grad()
            torch.autograd.backward(loss, inputs=parameters)
            optimizer.step()
            losses[phase] = loss.detach()
        return losses


def train(trial: Trial) -> None:
    """Train."""
    model = Adversarial(trial) if trial.adversarial else Supervised(trial)
    model.compile()
    model.fit(data_loader(trial, lambda batch: tuple(batch.values())), verbose=0)
