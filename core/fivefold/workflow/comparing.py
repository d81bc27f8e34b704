"""Two runs on the same test samples: every metric's difference with its interval, resample by resample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from fivefold.errors import RunError
from fivefold.evaluation.bootstrap import difference, interval, resample
from fivefold.evaluation.evaluation import Estimate, Verdict
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.verdict import verdict
from fivefold.plugins.registry import Registry, load_registry
from fivefold.runs import Run
from fivefold.tasks.base import Outputs, Task
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.workflow.evaluating import prepare_again
from fivefold.workflow.loading import load_task
from fivefold.workflow.preparing import Prepared


@dataclass(frozen=True)
class PairedDifference:
    """One metric of two runs on the same samples; the difference is the second's value minus the first's.

    Attributes:
        metric: the metric.
        first, second: each run's value with its interval.
        difference: their difference with its interval, paired by resample.
        verdict: what it says of the second run, measured by the first.
    """

    metric: Metric
    first: Estimate
    second: Estimate
    difference: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class RunComparison:
    """Two runs compared.

    Attributes:
        metrics: one entry a metric that both tasks have and of which more, or less, is better.
        samples: how many they were judged on.
        level: of the intervals.
    """

    metrics: tuple[PairedDifference, ...]
    samples: int
    level: float


def compare(
    first: Run, second: Run, *, device: str = "auto", registry: Registry | None = None
) -> RunComparison:
    """Let both runs predict their test split again, and compare them sample by sample.

    Intervals of two runs that overlap settle nothing; the interval of their paired difference does (both see
    the same easy and the same hard samples, and that part of the spread falls out of the difference).

    Raises:
        RunError: a run has no weights, its data are gone or changed, or the two test splits are not the same.
    """
    registry = registry or load_registry()
    place = choose_device(device)
    task, prepared, outputs = _judged(first, registry, place)
    other_task, other, other_outputs = _judged(second, registry, place)
    same = np.array_equal(prepared.test.ids, other.test.ids) and np.array_equal(
        outputs["target"], other_outputs["target"], equal_nan=outputs["target"].dtype.kind == "f"
    )
    if not same:
        raise RunError(
            f"{first.path} and {second.path}: expected runs judged on the same test samples, found other ones "
            "(another seed, split or target); train both with the same data and --seed"
        )
    names = {metric.name for metric in other_task.metrics()}
    metrics = [
        metric for metric in task.metrics() if metric.name in names and metric.higher_is_better is not None
    ]
    settings = prepared.pipeline.config
    drawn = resample(
        metrics,
        {"first": outputs, "second": other_outputs},
        prepared.test.units,
        resamples=settings.evaluation.resamples,
        seed=settings.seed,
    )
    level = settings.evaluation.level
    found = []
    for metric in metrics:
        if not {("first", metric.name), ("second", metric.name)} <= drawn.keys():
            continue
        one, two = drawn["first", metric.name], drawn["second", metric.name]
        apart = difference(two, one, level)
        found.append(
            PairedDifference(
                metric,
                interval(one, level, inflates=metric.inflates),
                interval(two, level, inflates=metric.inflates),
                apart,
                verdict(apart, higher_is_better=metric.higher_is_better is not False),
            )
        )
    return RunComparison(tuple(found), len(prepared.test), level)


def _judged(run: Run, registry: Registry, device: torch.device) -> tuple[Task, Prepared, Outputs]:
    """The task of ``run``, its data, and its outputs on the test split."""
    _, task = load_task(run, registry)
    task.to(device)
    prepared = prepare_again(run, registry, strict=False)
    outputs = predict_outputs(task, prepared.test, device=device)
    if "target" not in outputs:
        raise RunError(
            f"{run.path}: expected labelled test samples to compare on, found none; judge both by `evaluate`"
        )
    return task, prepared, outputs
