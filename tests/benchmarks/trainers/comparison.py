"""Every trainer on one problem, in turn, round after round."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor

from benchmarks.trainers.problems import Problem
from benchmarks.trainers.table import HAND, Result
from benchmarks.trainers.trial import Length, NotPossibleError, Trial

RIVALS = {
    HAND: "hand",
    "fivefold": "fivefold_trainer",
    "lightning": "lightning_trainer",
    "accelerate": "accelerate_loop",
    "transformers": "transformers_trainer",
    "keras": "keras_fit",
}
"""Option to module: each has NAME and train(trial). Neighbours run one after the other."""


def load_rivals(names: Sequence[str]) -> dict[str, ModuleType]:
    """Their modules, in the order of `RIVALS`."""
    return {
        key: importlib.import_module(f"benchmarks.trainers.{module}")
        for key, module in RIVALS.items()
        if key in names
    }


def compare(
    problem: Problem, rivals: dict[str, ModuleType], device: torch.device, rounds: int
) -> dict[str, Result]:
    """Train with every rival once a round, there and back, after a first round that is not timed.

    The weights of that first round are compared with the hand-written loop's.
    """
    length = Length(problem.steps, problem.warm_up)
    results = {key: Result(module.NAME) for key, module in rivals.items()}
    expected: dict[str, Tensor] = {}
    for key, result in results.items():
        trial = Trial(problem, length, device)
        try:
            rivals[key].train(trial)
        except NotPossibleError as reason:
            result.impossible = str(reason)
            continue
        if key == HAND:
            expected = trial.weights()
        elif expected:
            result.difference = _largest_difference(trial.weights(), expected)
    able = [key for key, result in results.items() if result.impossible is None]
    for number in range(rounds):
        for key in reversed(able) if number % 2 else able:
            trial = Trial(problem, length, device)
            gc.collect()
            rivals[key].train(trial)
            results[key].seconds.append(trial.seconds_a_step)
            results[key].single += trial.single_steps
    return results


def _largest_difference(weights: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    return max(
        (weights[name].double() - value.double()).abs().max().item() for name, value in expected.items()
    )
