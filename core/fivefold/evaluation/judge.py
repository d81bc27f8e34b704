"""From outputs to a judgement: every metric with its interval, every baseline with its paired difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fivefold.config import EvaluationConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.leakage import Finding
from fivefold.errors import DataError
from fivefold.evaluation.bootstrap import (
    Resampled,
    alike,
    apart,
    cautions,
    computable,
    fewest_units,
    interval,
    metric_interval,
    percentiles,
    resample,
)
from fivefold.evaluation.evaluation import Comparison, Estimate, Evaluation
from fivefold.evaluation.metric import Metric, sample_count
from fivefold.evaluation.paired_test import PairedTest
from fivefold.evaluation.verdict import verdict
from fivefold.tasks.base import Outputs, Task

MODEL = "the model"


def judge(
    *,
    task: Task,
    facts: Facts,
    outputs: Outputs,
    samples: Dataset,
    split: str,
    baseline_outputs: Mapping[str, Outputs],
    findings: Sequence[Finding],
    config: EvaluationConfig,
    seed: int,
    notes: Sequence[str] = (),
) -> Evaluation:
    """Judge a task's outputs on one split.

    Args:
        task: the trained task, in evaluation mode.
        facts: the data's facts; ``unit`` names the independent unit ("patient") where samples have one.
        outputs: the task's outputs on ``samples``, in order, with ``target``.
        samples: the split.
        split: its name.
        baseline_outputs: baseline's name to its outputs on the same samples, in order; what is given by the data
            (``target``, and whatever else `Task.given` names) is added.
        findings: what the leakage search found.
        config: resamples and level.
        seed: of the bootstrap.
        notes: sentences for the report.

    Raises:
        DataError: there are no samples, they carry no target, or numbers of outputs differ.
    """
    if "target" not in outputs:
        raise DataError(f"the {split} split carries no labels, so nothing can be judged; give labelled data")
    if not len(samples) or sample_count(outputs) != len(samples):
        raise DataError(
            f"the {split} split has {len(samples)} samples and {sample_count(outputs)} outputs; "
            "expected at least one sample and one output for each"
        )
    metrics = tuple(task.metrics())
    compared = [metric for metric in metrics if is_compared(metric, metrics)]
    given = {key: outputs[key] for key in task.given if key in outputs}
    rivals = {name: {**of, **given} for name, of in baseline_outputs.items()}
    settings = {"resamples": config.resamples, "seed": seed}
    rest = [metric for metric in metrics if metric not in compared]
    resampled = resample(compared, {MODEL: outputs, **rivals}, samples.units, **settings)
    resampled |= resample(rest, {MODEL: outputs}, samples.units, **settings)
    unit_name = "sample" if samples.units is None else str(facts.get("unit", "group"))
    return Evaluation(
        split=split,
        outputs=outputs,
        samples=samples,
        ids=samples.ids,
        units=samples.units,
        metrics=metrics,
        estimates={
            metric.name: metric_interval(metric, resampled[MODEL, metric.name], config.level)
            for metric in metrics
        },
        comparisons=tuple(
            compared_on(metric, name, resampled, config.level, task.tests(metric, outputs, rival))
            for metric in compared
            for name, rival in rivals.items()
            if (name, metric.name) in resampled
        ),
        baseline_outputs=rivals,
        findings=tuple(findings),
        task=task,
        facts=facts,
        level=config.level,
        resamples=config.resamples,
        unit_name=unit_name,
        notes=(
            *notes,
            *_missing(compared, rivals),
            *cautions(len(samples), samples.units, resampled, config.level),
            *_undetermined(metrics, resampled),
        ),
        seed=seed,
        cautions=tuple(_rare(metrics, resampled, unit_name)),
    )


def is_compared(metric: Metric, metrics: Sequence[Metric]) -> bool:
    """Whether the report compares ``metric`` with the baselines: it is marked so, or it is the first."""
    return metric.higher_is_better is not None and (metric.headline or metric is metrics[0])


def compared_on(
    metric: Metric,
    name: str,
    resampled: Mapping[tuple[str, str], Resampled],
    level: float,
    tests: Sequence[PairedTest],
) -> Comparison:
    """The model against one rival on one metric.

    Args:
        metric: on which.
        name: the rival.
        resampled: the metric of both on the same resamples, the model's under `MODEL`.
        level: of the intervals.
        tests: of the same difference, which must agree with the interval.
    """
    model, reference = resampled[MODEL, metric.name], resampled[name, metric.name]
    gap = apart(model, reference)
    withheld = _withheld(model, level)
    spoken = verdict(
        Estimate(gap.value, *percentiles(gap, level)),
        higher_is_better=metric.higher_is_better is not False,
        tests=tests,
        level=level,
        units=model.units,
    )
    return Comparison(
        metric=metric.name,
        baseline=name,
        model=metric_interval(metric, model, level),
        reference=metric_interval(metric, reference, level),
        difference=interval(gap, level),
        verdict="no evidence that it beats" if withheld else spoken,
        tests=tuple(tests),
        withheld=withheld,
    )


def _withheld(model: Resampled, level: float) -> str:
    """Why no verdict may be spoken on a metric, whatever its interval says; empty where one may."""
    least = fewest_units(level)
    if model.units is not None and model.units < least:
        return (
            f"{model.units} independent unit{'' if model.units == 1 else 's'}, {least} are the least to tell"
        )
    if model.support is not None and not model.support.enough:
        kind = model.support.middle
        return f"only {kind.units} independent {kind.name}, {kind.least} are the least to tell"
    return ""


def _rare(
    metrics: Sequence[Metric], resampled: Mapping[tuple[str, str], Resampled], unit_name: str
) -> list[str]:
    """A sentence on what metrics rest on too few of, each once."""
    supports = [resampled[MODEL, metric.name].support for metric in metrics]
    return list(dict.fromkeys(one.sentence(unit_name) for one in supports if one is not None and one.rare))


def _undetermined(metrics: Sequence[Metric], resampled: Mapping[tuple[str, str], Resampled]) -> list[str]:
    """A sentence on metrics of which all resamples come out alike."""
    found = [
        metric
        for metric in metrics
        if alike(one := resampled[MODEL, metric.name]) and not np.isnan(one.draws).all()
    ]
    exact = [one.name for one in found if one.share and resampled[MODEL, one.name].value in (0.0, 1.0)]
    silent = [one.name for one in found if one.name not in exact]
    notes = []
    if exact:
        notes.append(
            f"All resamples give the same {' and '.join(exact)}: the interval is the exact one of a share of 0 % or "
            "100 % (Clopper and Pearson 1934), over the independent units."
        )
    if silent:
        notes.append(
            f"All resamples give the same {', '.join(silent)}: how far that may be off is not determined, which does "
            "not mean that it is certain."
        )
    return notes


def _missing(compared: Sequence[Metric], rivals: Mapping[str, Outputs]) -> list[str]:
    return [
        f"The baseline {name} gives no outputs to compute {metric.name} from, and is not compared on it."
        for name, of in rivals.items()
        for metric in compared
        if not computable(metric, of)
    ]
