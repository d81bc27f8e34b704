"""Accelerate: the loop of its quick tour, with model, optimizer and data loader prepared.

Batches come from a `DataLoader` of whole batches (see `feeding`), because that is what `prepare` knows; any other
iterable it passes through untouched, which is faster, but leaves out what Accelerate does with data. Two optimizers
are prepared with their networks, each as any other.
"""

from __future__ import annotations

from accelerate import Accelerator
from torch.nn import functional as F

from benchmarks.trainers.feeding import data_loader
from benchmarks.trainers.problems import adversarial_loss
from benchmarks.trainers.trial import Trial

NAME = "Accelerate"


def train(trial: Trial) -> None:
    """Train."""
    accelerator = Accelerator(cpu=trial.device.type == "cpu", mixed_precision="no")
    if trial.adversarial:
        _adversarial(trial, accelerator)
    else:
        _supervised(trial, accelerator)
    accelerator.free_memory()


def _supervised(trial: Trial, accelerator: Accelerator) -> None:
    network, optimizer, batches = accelerator.prepare(trial.network, trial.optimizer(), data_loader(trial))
    losses, log_every = [], trial.problem.log_every
    network.train()
    for step, batch in enumerate(batches, start=1):
        trial.tick()
        loss = F.cross_entropy(network(batch["input"]), batch["target"])
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        if step % log_every == 0:
            losses.append(loss.item())


def _adversarial(trial: Trial, accelerator: Accelerator) -> None:
    generator, discriminator, *optimizers, batches = accelerator.prepare(
        trial.network.generator,
        trial.network.discriminator,
        *(trial.optimizer(phase) for phase in trial.problem.phases),
        data_loader(trial),
    )
    inputs = [trial.parameters(phase) for phase in trial.problem.phases]
    turns = list(zip(trial.problem.phases, optimizers, inputs, strict=True))
    losses, log_every = [], trial.problem.log_every
    generator.train(), discriminator.train()
    for step, batch in enumerate(batches, start=1):
        trial.tick()
        for phase, optimizer, parameters in turns:
            loss = adversarial_loss(generator, discriminator, batch, phase)
            accelerator.backward(loss, inputs=parameters)
            optimizer.step()
            optimizer.zero_grad()
            if step % log_every == 0:
                losses.append(loss.item())
