"""Small judged forecasts that several test files share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.forecast_metrics import forecast_metrics
from fivefold.evaluation.forecast_sections import forecast_sections
from fivefold.evaluation.forecast_tests import forecast_tests
from fivefold.evaluation.section import Section
from fivefold.tasks.base import Outputs, Task

from .judged import judge_outputs

DAY = 86_400 * 10**9


class StubForecast(Task):
    """A task that is judged only; its forecasts are made by the tests."""

    given: ClassVar[tuple[str, ...]] = ("target", "last", "naive_error", "time")
    level = 0.8

    def __init__(self, facts: Facts, quantiles: Sequence[float] = ()) -> None:
        super().__init__()
        self.facts = facts
        self.quantiles = tuple(quantiles)
        self.target_scale = np.ones(len(facts.targets))

    def metrics(self):
        return forecast_metrics(self.target_scale, self.facts.level, self.quantiles, self.level)

    def tests(self, metric, outputs, rival):
        return forecast_tests(metric, outputs, rival, self.facts.horizon, self.target_scale)


def walk_outputs(
    count: int = 200,
    horizon: int = 3,
    targets: int = 1,
    *,
    level: str = "levels",
    seed: int = 0,
    start: int = 0,
) -> Outputs:
    """Origins at every step of random walks (of their steps, for returns), without forecasts."""
    steps = np.random.default_rng(seed).normal(size=(count + horizon + 1, targets))
    series = steps if level == "returns" else 100 + np.cumsum(steps, axis=0)
    ahead = np.arange(count)[:, None] + np.arange(1, horizon + 1)
    return {
        "target": series[ahead],
        "last": series[:count],
        "naive_error": np.full((count, targets), 0.8),
        "time": (start + np.arange(count)) * DAY,
    }


def forecast_of(given: Outputs, skill: float, width: float = 1.0, seed: int = 5) -> Outputs:
    """Forecasts between the last value and the outcome: at ``skill`` 0 the last value, at 1 the outcome."""
    last = np.broadcast_to(given["last"][:, None], given["target"].shape)
    noise = 1e-3 * np.random.default_rng(seed).normal(size=last.shape)
    prediction = last + skill * (given["target"] - last) + noise
    return {"prediction": prediction, "lower": prediction - width, "upper": prediction + width}


def joined(*parts: Outputs) -> Outputs:
    """Samples of several series, one after the other."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def judge_forecasts(
    outputs: Outputs,
    baselines: Mapping[str, Outputs] | None = None,
    *,
    level: str = "levels",
    series: Array | None = None,
    quantiles: Sequence[float] = (),
) -> Evaluation:
    count, horizon, targets = outputs["target"].shape
    names = [f"target {place}" for place in range(targets)]
    facts = Facts(targets=names, horizon=horizon, level=level)
    days = outputs["time"].astype("datetime64[ns]").astype("datetime64[D]")
    series = np.full(count, "walk") if series is None else series
    ids = np.array([f"{name}@{day}" for name, day in zip(series, days, strict=True)], dtype=object)
    past = torch.from_numpy(np.repeat(outputs["last"][:, None], 4, axis=1))
    samples = TensorDataset(
        {"input": past, "target": torch.from_numpy(outputs["target"])},
        facts=facts,
        ids=ids,
        units=days.astype(int),
    )
    return judge_outputs(StubForecast(facts, quantiles), outputs, samples, baselines, resamples=100)


def sections_of(evaluation: Evaluation) -> dict[str, Section]:
    scale = np.ones(len(evaluation.facts.targets))
    return {section.key: section for section in forecast_sections(evaluation, evaluation.facts, scale)}
