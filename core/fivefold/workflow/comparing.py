"""Two runs on the same test samples: every metric's difference with its interval, resample by resample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fivefold.data.table import Array
from fivefold.errors import RunError
from fivefold.evaluation.bootstrap import resample
from fivefold.evaluation.evaluation import Comparison
from fivefold.evaluation.judge import MODEL, compared_on, seen_in_training
from fivefold.evaluation.metric import Metric
from fivefold.plugins.registry import Registry, load_registry
from fivefold.runs import Run
from fivefold.tasks.base import Outputs, Task
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.workflow.evaluating import prepare_again
from fivefold.workflow.loading import load_task
from fivefold.workflow.preparing import Prepared
from fivefold.workflow.units import units_judged


@dataclass(frozen=True)
class RunComparison:
    """Two runs compared.

    Attributes:
        metrics: those that both tasks have, and of which more, or less, is better.
        comparisons: one a metric; the second run is the model, the first the rival.
        samples: how many they were judged on.
        level: of the intervals.
    """

    metrics: tuple[Metric, ...]
    comparisons: tuple[Comparison, ...]
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
    apart = _apart(prepared.test.ids, other.test.ids, outputs["target"], other_outputs["target"])
    if apart:
        raise RunError(
            f"{first.path} and {second.path}: expected runs judged on the same test samples, found {apart}"
            f"{_settings_apart(first, second)}; train both on the same data with the same --seed and split"
        )
    names = {metric.name for metric in other_task.metrics()}
    metrics = tuple(
        metric for metric in task.metrics() if metric.name in names and metric.higher_is_better is not None
    )
    settings, rival = prepared.pipeline.config, str(first.path)
    drawn = resample(
        metrics,
        {rival: outputs, MODEL: other_outputs},
        units_judged(prepared.test, prepared.exact),
        resamples=settings.evaluation.resamples,
        seed=settings.seed,
    )
    level, seen = settings.evaluation.level, seen_in_training(prepared.findings)
    shared = tuple(
        metric for metric in metrics if {(rival, metric.name), (MODEL, metric.name)} <= drawn.keys()
    )
    comparisons = tuple(
        compared_on(metric, rival, drawn, level, task.tests(metric, other_outputs, outputs), seen)
        for metric in shared
    )
    return RunComparison(shared, comparisons, len(prepared.test), level)


def _apart(first: Array, second: Array, targets: Array, other_targets: Array) -> str:
    """What keeps two test splits from being paired, sample by sample; empty where nothing does.

    Names of samples and targets count, not what a network sees of them: runs on the same photos may differ in size.
    """
    if not np.array_equal(first, second):
        shared = len(set(first.tolist()) & set(second.tolist()))
        if shared == len(first) == len(second):
            return f"the same {shared:,} in another order"
        return f"{len(first):,} in the one and {len(second):,} in the other, {shared:,} of them in both"
    if targets.shape != other_targets.shape:
        return f"targets of another shape, {targets.shape[1:]} and {other_targets.shape[1:]} a sample"
    both_missing = (targets != targets) & (other_targets != other_targets)  # noqa: PLR0124 - only nan differs from itself
    differ = ((targets != other_targets) & ~both_missing).reshape(len(targets), -1).any(axis=1)
    if differ.any():
        return f"other targets for {int(differ.sum()):,} of {len(targets):,}, such as {first[int(np.argmax(differ))]}"
    return ""


def _settings_apart(first: Run, second: Run) -> str:
    """What of data, split and seed differs between the runs, in brackets."""
    stated = [(*_stated(run), run.info.get("seed")) for run in (first, second)]
    names = ("data", "split", "seed")
    told = [f"{name}: {a} / {b}" for name, a, b in zip(names, *stated, strict=True) if a != b]
    return f" ({'; '.join(told)})" if told else ""


def _stated(run: Run) -> tuple[Any, Any]:
    data = run.info.get("data", {})
    return data.get("source"), data.get("split")


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
