"""Range tests of real trainings: on a quadratic whose largest rate is known, and on blobs."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
import torch

from core.finding.plans import Linear, everything, line, plan, same
from core.training.toys import Classifier, Gan, blobs, jitter, settings
from fivefold.config import OptimizerConfig, ScheduleConfig
from fivefold.data.dataset import Batch
from fivefold.errors import ConfigError
from fivefold.finding.learning_rate import range_test
from fivefold.finding.rehearsal import Rehearsal
from fivefold.tasks.base import Loss, Phase


class OwnRate(Classifier):
    def phases(self) -> list[Phase]:
        return [Phase(optimizer=OptimizerConfig(lr=0.1))]


DESCENT = settings(
    optimizer={"name": "sgd", "momentum": 0.0, "weight_decay": 0.0}, batch_size=256,
    schedule=ScheduleConfig(name="constant"),
)  # fmt: skip


def loss_after(rate: float, steps: int = 60) -> float:
    """The loss of gradient descent on the line at a constant rate."""
    optimizer = DESCENT.optimizer.model_copy(update={"lr": rate})
    copy = Rehearsal(plan(Linear(), line(), config=DESCENT.model_copy(update={"optimizer": optimizer})))
    steps_of = copy.steps(256)
    for step in range(steps):
        copy.engine.train_step(next(steps_of), step)
    steps_of.close()
    return copy.engine.task.loss(line().tensors(), "main").value.item()


def test_the_rate_for_a_quadratic_is_below_the_one_that_diverges() -> None:
    torch.manual_seed(0)
    # The curvature is twice the variance of the inputs, 2, so gradient descent diverges above 2 / 2 = 1.
    found = range_test(plan(Linear(), line(), config=DESCENT))
    assert found.ended == "diverged"
    assert found.points[-1].averaged > 4 * min(point.averaged for point in found.points)
    proposal = found.proposal
    assert proposal.rate is not None
    assert proposal.safer is not None
    assert 0.01 < proposal.rate < 1.0
    assert 0.003 < proposal.safer < proposal.rate
    start = line().tensors()["target"].square().mean().item()
    assert loss_after(proposal.rate) < 0.01 * start
    assert not loss_after(3.0) < start


class Rare(Linear):
    """Every fifth batch has something rare in it, and a hundred times the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def loss(self, batch: Batch, phase: str) -> Loss:
        self.batches += 1
        found = super().loss(batch, phase)
        return Loss(found.value * (100.0 if self.batches % 5 == 0 else 1.0), found.weight)


def test_losses_that_leap_by_themselves_do_not_end_it() -> None:
    torch.manual_seed(0)
    found = range_test(plan(Rare(), line(), config=DESCENT), low=1e-9, high=1e-6)
    assert found.ended == "complete"
    assert len(found.points) == 100
    assert "begin lower" not in found.proposal.reason


def test_points_are_the_rates_asked_for_and_losses_of_training_at_them() -> None:
    config = DESCENT.model_copy(update={"batch_size": 512})
    found = range_test(plan(Linear(), line(), config=config), steps=30, low=1e-6, high=1e-2)
    assert found.ended == "complete"
    rates = [point.rate for point in found.points]
    assert rates[0] == pytest.approx(1e-6)
    assert rates[-1] == pytest.approx(1e-2)
    ratios = [after / before for before, after in pairwise(rates)]
    assert ratios == pytest.approx([10 ** (4 / 29)] * 29)
    assert [point.step for point in found.points] == list(range(30))
    # Where it stops rising before anything diverges, there is nothing to tell yet.
    assert found.proposal.rate is None
    assert "go further by --to" in found.proposal.reason


def test_the_rates_reach_the_optimizer() -> None:
    # One step of plain gradient descent moves the weight by rate times gradient.
    torch.manual_seed(0)
    task = Linear(1)
    before = task.network.weight.item()
    batch = line(256, 1)
    copy = Rehearsal(
        plan(task, batch, config=DESCENT), schedule=lambda step: (0.05 + step) / DESCENT.optimizer.lr
    )
    steps = copy.steps(256)
    copy.engine.train_step(next(steps), 0)
    steps.close()
    held = batch.tensors()
    slope = 2 * ((before * held["input"][:, 0] - held["target"]) * held["input"][:, 0]).mean().item()
    assert copy.engine.task.network.weight.item() == pytest.approx(before - 0.05 * slope, rel=1e-5)


def test_the_same_seed_gives_the_same_curve_and_leaves_everything_as_it_was() -> None:
    torch.manual_seed(0)
    task = Classifier(dropout=0.5, norm=True)
    asked = plan(task, augment=jitter)
    before = everything(task)
    first = range_test(asked, steps=40)
    assert same(before, everything(task))
    torch.rand(7)
    assert range_test(asked, steps=40) == first
    other = dataclasses.replace(asked, config=settings(seed=1))
    assert range_test(other, steps=40).points != first.points


def test_a_loss_that_is_not_finite_ends_the_test() -> None:
    found = range_test(plan(Linear(), line(), config=DESCENT), steps=20, low=1e30, high=1e38)
    assert found.ended == "not finite"
    assert len(found.points) < 20
    assert "begin with a smaller rate" in found.proposal.reason


def test_accumulated_batches_count_as_one_step() -> None:
    config = settings(trainer={"accumulate": 3}, batch_size=16)
    found = range_test(plan(Classifier(), blobs(40), config=config), steps=20, low=1e-4, high=1e-3)
    assert len(found.points) == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"low": 1.0, "high": 0.1}, "found 1 to 0.1"),
        ({"low": 0.0}, "from above zero, found 0 to 10"),
        ({"steps": 5}, "at least 20 to see a curve, found 5"),
    ],
)
def test_a_test_that_shows_nothing_is_refused(arguments: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        range_test(plan(Classifier()), **arguments)


def test_tasks_whose_loss_does_not_tell_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"Gan trains in 2 phases \(critic, generator\)"):
        range_test(plan(Gan()))
    with pytest.raises(ConfigError, match="OwnRate sets its learning rate itself"):
        range_test(plan(OwnRate()))
