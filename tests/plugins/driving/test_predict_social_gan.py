"""The Social-GAN: its losses by hand, phases that train what they say, a discriminator that learns, joint draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fivefold.config import OptimizerConfig, ScheduleConfig
from fivefold.training.phase import PhaseRunner
from fivefold.training.schedule import build_schedule
from fivefold.training.speed.precision import choose_precision
from fivefold.training.tracker import LossTracker
from fivefold_driving.predict.tasks import Discriminator, SocialGAN, judged_of
from plugins.driving.predict_cases import FACTS, LOOKBACK, batch_of, predict, walkers, walking

CPU = torch.device("cpu")


def gan(**settings: float) -> SocialGAN:
    torch.manual_seed(0)
    task = predict(model={"kind": "social-gan", "hidden": 8, "noise": 4, **settings}, samples=4).task(FACTS)
    if not isinstance(task, SocialGAN):
        raise TypeError(task)
    return task


def test_variety_by_brute_force() -> None:
    """Half lets each agent take its best draw, half has all agents of a window take the same; then the single one."""
    task, batch = gan(adversarial=0), walking()
    task.trained = 5
    torch.manual_seed(3)
    found = task.loss(batch, "generator")
    torch.manual_seed(3)
    noise = torch.randn(6, 5, 4)
    futures = task.generator(batch["seen"], batch["present"], noise).detach()
    silent_futures = task.generator(batch["seen"], batch["present"], torch.zeros(6, 1, 4)).detach()
    own = together = single = 0.0
    judged = judged_of(batch["target"])
    for window in range(6):
        agents = [agent for agent in range(4) if judged[window, agent]]
        true = batch["target"][window]
        by_draw = [
            [float((futures[window, agent, draw] - true[agent]).norm(dim=-1).mean()) for agent in agents]
            for draw in range(5)
        ]
        own += sum(min(one) for one in zip(*by_draw, strict=True))
        together += min(sum(one) for one in by_draw)
        single += sum(
            float((silent_futures[window, agent, 0] - true[agent]).norm(dim=-1).mean()) for agent in agents
        )
    assert found.value.item() == pytest.approx(((own + together) / 2 + single) / int(judged.sum()), rel=1e-5)


def test_what_the_generator_is_told_by_the_discriminator() -> None:
    task, batch = gan(adversarial=0.3), walking()
    task.trained = 2
    torch.manual_seed(3)
    loss = task.loss(batch, "generator")
    torch.manual_seed(3)
    futures = task.generator(batch["seen"], batch["present"], torch.randn(6, 2, 4))
    judged = judged_of(batch["target"])
    belief = task.discriminator(batch["seen"], futures[:, :, 0], judged)
    deceived = -torch.log(torch.sigmoid(belief)).mean()
    torch.testing.assert_close(loss.parts["deceived"], deceived)
    torch.testing.assert_close(loss.value, loss.parts["variety"] + 0.3 * deceived)


def test_the_discriminators_loss_by_hand() -> None:
    task, batch = gan(), walking()
    torch.manual_seed(3)
    loss = task.loss(batch, "discriminator")
    torch.manual_seed(3)
    judged = judged_of(batch["target"])
    fake = task.generator(batch["seen"], batch["present"], torch.randn(6, 1, 4))[:, :, 0]
    real = task.discriminator(batch["seen"], batch["target"].nan_to_num(), judged)
    doubt = task.discriminator(batch["seen"], fake, judged)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    expected = F.binary_cross_entropy_with_logits(real, ones) + F.binary_cross_entropy_with_logits(
        doubt, zeros
    )
    torch.testing.assert_close(loss.value, expected)


def test_each_phase_trains_its_own_and_nothing_else() -> None:
    task, batch = gan(), walking()
    assert [(phase.name, phase.modules) for phase in task.phases()] == [
        ("discriminator", ("discriminator",)),
        ("generator", ("generator",)),
    ]
    for phase in task.phases():
        before = {name: value.detach().clone() for name, value in task.named_parameters()}
        runner = PhaseRunner(
            phase,
            task,
            optimizer=OptimizerConfig(lr=0.01, weight_decay=0),
            schedule=build_schedule(ScheduleConfig(name="constant"), 1),
            precision=choose_precision("float32", CPU, task),
            tracker=LossTracker(),
        )
        runner.update([batch], 0)
        for name, value in task.named_parameters():
            assert torch.equal(value, before[name]) == (not name.startswith(phase.name)), name
            assert value.grad is None


def test_a_discriminator_learns_to_tell() -> None:
    """True futures go on straight, false ones jump about."""
    torch.manual_seed(0)
    judge = Discriminator(8, 0.5)
    batch = walking(windows=16)
    judged = judged_of(batch["target"])
    true = batch["target"].nan_to_num()
    false = true + torch.randn(true.shape)
    optimizer = torch.optim.Adam(judge.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.softplus(-judge(batch["seen"], true, judged)) + F.softplus(
            judge(batch["seen"], false, judged)
        )
        loss.mean().backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimizer.step()
    other = walking(seed=1)
    judged, true = judged_of(other["target"]), other["target"].nan_to_num()
    right = judge(other["seen"], true, judged) > judge(other["seen"], true + torch.randn(true.shape), judged)
    assert right.float().mean() > 0.9


@torch.no_grad()
def test_a_future_is_one_of_the_whole_scene() -> None:
    """Agents that go alike and see alike share their draws; windows share them, too."""
    task = gan()
    batch = batch_of(walkers(np.random.default_rng(0), agents=1, frames=LOOKBACK).repeat(2, axis=1))
    samples = task.predict(batch)["samples"]
    torch.testing.assert_close(samples[0, 0], samples[0, 1])
    assert (samples[0, 0].std(dim=0) > 0).all()
    both = {name: torch.cat([value, value]) for name, value in batch.items()}
    again = task.predict(both)["samples"]
    torch.testing.assert_close(again[0], again[1])
    torch.testing.assert_close(again[0], samples[0])


@torch.no_grad()
def test_the_single_future_is_the_one_without_noise() -> None:
    task, batch = gan(), walking()
    outputs = task.predict(batch)
    expected = task.generator(batch["seen"], batch["present"], torch.zeros(6, 1, 4))[:, :, 0]
    there = batch["present"]
    torch.testing.assert_close(outputs["single"][there], expected[there])
    drawn = task.generator(batch["seen"], batch["present"], task.bank.expand(6, -1, -1))
    torch.testing.assert_close(outputs["samples"][there], drawn[there])
