"""The loop that one writes by hand: what all others are measured against."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from benchmarks.trainers.problems import adversarial_loss
from benchmarks.trainers.trial import Trial

NAME = "hand-written loop"


def train(trial: Trial) -> None:
    """Train."""
    trial.network.train()
    if trial.adversarial:
        _adversarial(trial)
    else:
        _supervised(trial)


def _supervised(trial: Trial) -> None:
    network, optimizer = trial.network, trial.optimizer()
    losses, log_every = [], trial.problem.log_every
    inputs, targets = trial.samples["input"], trial.samples["target"]
    for step, indices in enumerate(trial.order, start=1):
        x, y = inputs.index_select(0, indices), targets.index_select(0, indices)
        trial.tick()
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % log_every == 0:
            losses.append(loss.item())


def _adversarial(trial: Trial) -> None:
    generator, discriminator = trial.network.generator, trial.network.discriminator
    turns = [(phase, trial.optimizer(phase), trial.parameters(phase)) for phase in trial.problem.phases]
    losses, log_every = [], trial.problem.log_every
    for step, indices in enumerate(trial.order, start=1):
        batch = trial.batch(indices)
        trial.tick()
        for phase, optimizer, parameters in turns:
            loss = adversarial_loss(generator, discriminator, batch, phase)
            # Told what to differentiate by, autograd leaves out the discriminator's gradients in the generator's turn.
            torch.autograd.backward(loss, inputs=parameters)
            optimizer.step()
            optimizer.zero_grad()
            if step % log_every == 0:
                losses.append(loss.item())
