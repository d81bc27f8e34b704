"""The range test of learning rates: train a throw-away copy while the rate rises, and look at the loss.

Smith 2017, "Cyclical learning rates for training neural networks", arXiv:1506.01186, section 3.3; here the
rate rises by the same factor at each step.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from fivefold.config import OptimizerConfig
from fivefold.errors import ConfigError
from fivefold.finding.proposal import Average, Proposal, propose
from fivefold.finding.rehearsal import Plan, Rehearsal, undisturbed

FEWEST_STEPS = 20
"""Steps without which there is no curve."""

_RUNAWAY = 3.0  # how far above the best loss, in best losses: a loss of four times the best
_CALM = 10  # of so many parts of the test, the first shows how much losses vary by themselves


Ended = Literal["complete", "diverged", "not finite"]
"""How a test ended: at its last step, at a loss not finite, or at an averaged loss of four times its best.

That must lie above each single loss of the first steps as well, which show how much batches differ by themselves.
"""


@dataclass(frozen=True)
class Point:
    """A step of the test: its learning rate, the loss before its update, and the average of the losses so far."""

    step: int
    rate: float
    loss: float
    averaged: float


@dataclass(frozen=True)
class RangeTest:
    """A curve of loss over learning rate, and what it speaks for.

    Attributes:
        points: one a step, up to where the test ended.
        ended: how.
        width: steps that the average is over.
        proposal: the rates to train with, or why there are none.
    """

    points: tuple[Point, ...]
    ended: Ended
    width: int
    proposal: Proposal


def range_test(plan: Plan, *, steps: int = 100, low: float = 1e-7, high: float = 10.0) -> RangeTest:
    """Train a copy of the plan's task while the learning rate rises from ``low`` to ``high``.

    The same plan gives the same curve; its task and the global generators stay as they are.

    Args:
        plan: its learning rate and schedule are not used, and no samples but the training split's are read.
        steps: length of the test, where it does not end early.
        low: first learning rate.
        high: last learning rate.

    Raises:
        ConfigError: the rates do not rise, there are too few steps, or the task has several phases.
    """
    check_rates(steps, low, high)
    usual = _only_optimizer(plan).lr
    rates = [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
    with undisturbed(plan.device):
        points, ended = _train(plan, rates, usual)
    width = Average(steps).width
    columns = ([getattr(point, name) for point in points] for name in ("rate", "loss", "averaged"))
    return RangeTest(points, ended, width, propose(*columns, width=width, diverged=ended != "complete"))


def _train(plan: Plan, rates: list[float], usual: float) -> tuple[tuple[Point, ...], Ended]:
    """The curve over ``rates``; ``usual`` is the configured rate, in which a schedule is told."""
    average, best, usual_most = Average(len(rates)), math.inf, -math.inf
    calm = max(average.width, len(rates) // _CALM)
    points: list[Point] = []
    course = closing(Rehearsal(replace(plan, val=None), schedule=lambda step: rates[step] / usual))
    with course as copy, closing(copy.steps(plan.config.samples_a_batch)) as batches:
        for step, rate in enumerate(rates):
            copy.engine.train_step(next(batches), step)
            loss = copy.engine.tracker.summary()[f"{copy.engine.phases[0].name}/loss"]
            if not math.isfinite(loss):
                return tuple(points), "not finite"
            points.append(Point(step, rate, loss, average.update(loss)))
            best = min(best, points[-1].averaged)
            if step < calm:
                usual_most = max(usual_most, loss)
            # For losses below zero, four times the best would be better than the best.
            elif points[-1].averaged > max(best + _RUNAWAY * abs(best), usual_most):
                return tuple(points), "diverged"
    return tuple(points), "complete"


def check_rates(steps: int, low: float, high: float) -> None:
    """Refuse a test that shows nothing.

    Raises:
        ConfigError: the rates do not rise, or there are too few steps.
    """
    if not 0 < low < high < math.inf:
        raise ConfigError(
            f"expected learning rates that rise from above zero, found {low:g} to {high:g}; "
            "choose --from smaller than --to"
        )
    if steps < FEWEST_STEPS:
        raise ConfigError(f"expected --steps of at least {FEWEST_STEPS} to see a curve, found {steps}")


def _only_optimizer(plan: Plan) -> OptimizerConfig:
    """The settings of the one optimizer whose learning rate the user can choose.

    Raises:
        ConfigError: there are several, or the task sets its own.
    """
    task, phases = plan.task, plan.task.phases()
    if len(phases) > 1:
        names = ", ".join(phase.name for phase in phases)
        raise ConfigError(
            f"{type(task).__name__} trains in {len(phases)} phases ({names}) that move each other's losses, so "
            "that a falling loss does not tell a good learning rate; find-lr serves tasks of one phase: "
            "compare whole trainings instead"
        )
    if phases[0].optimizer is not None:
        raise ConfigError(
            f"{type(task).__name__} sets its learning rate itself, expected one that takes --optimizer.lr; "
            "change it where the task is defined"
        )
    return plan.config.optimizer
