"""From outputs to a judgement: every metric with its interval, every baseline with its paired difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fivefold.config import EvaluationConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.leakage import Finding
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.bootstrap import (
    Resampled,
    alike,
    apart,
    computable,
    few_units,
    fewest_units,
    interval,
    metric_interval,
    percentiles,
    resample,
    undefined,
)
from fivefold.evaluation.evaluation import Comparison, Estimate, Evaluation
from fivefold.evaluation.metric import Metric, sample_count
from fivefold.evaluation.paired_test import PairedTest
from fivefold.evaluation.verdict import verdict
from fivefold.tasks.base import Outputs, Task

MODEL = "the model"
MOST_SEEN = 0.01
"""Share of the rows judged that may stand in the training data: what memory adds to a share is then at most a point."""


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
    units: Array | None = None,
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
        units: independent unit of each sample where ``samples`` name none, shape ``(N,)``; None: each sample.
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
    units, unit_name = _units(samples, units, facts)
    resampled = resample(compared, {MODEL: outputs, **rivals}, units, **settings)
    resampled |= resample(rest, {MODEL: outputs}, units, **settings)
    seen = seen_in_training(findings)
    return Evaluation(
        split=split,
        outputs=outputs,
        samples=samples,
        ids=samples.ids,
        units=units,
        metrics=metrics,
        estimates={
            metric.name: metric_interval(metric, resampled[MODEL, metric.name], config.level)
            for metric in metrics
        },
        comparisons=tuple(
            compared_on(metric, name, resampled, config.level, task.tests(metric, outputs, rival), seen)
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
            *undefined(resampled),
            *_undetermined(metrics, resampled),
        ),
        seed=seed,
        cautions=(
            *few_units(len(samples), units, config.level),
            *_rare(metrics, resampled, unit_name),
        ),
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
    withheld: str = "",
) -> Comparison:
    """The model against one rival on one metric.

    Args:
        metric: on which.
        name: the rival.
        resampled: the metric of both on the same resamples, the model's under `MODEL`.
        level: of the intervals.
        tests: of the same difference, which must agree with the interval.
        withheld: why no verdict may be spoken, whatever the numbers say.
    """
    model, reference = resampled[MODEL, metric.name], resampled[name, metric.name]
    gap = apart(model, reference)
    withheld = withheld or _withheld(model, level)
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


def _units(samples: Dataset, units: Array | None, facts: Facts) -> tuple[Array | None, str]:
    """The independent unit of each sample, and what such a unit is called."""
    if samples.units is not None:
        return samples.units, str(facts.get("unit", "group"))
    return (None, "sample") if units is None else (units, "distinct sample")


def seen_in_training(findings: Sequence[Finding]) -> str:
    """Why no verdict may be spoken on data of which a good part was learned from; empty where one may.

    Equal samples and shared groups count, from `MOST_SEEN` of the rows on. Near duplicates do not: they are found by
    small copies, which may err.
    """
    seen = [
        one
        for one in findings
        if one.kind in {"exact duplicate", "group overlap"}
        and one.splits[0] == "train" != one.splits[1] != "val"
    ]
    worst = max(seen, key=lambda one: one.share, default=None)
    if worst is None or worst.share < MOST_SEEN:
        return ""
    what = (
        "stand in the training data as well"
        if worst.kind == "exact duplicate"
        else "are of groups trained on"
    )
    return f"{worst.rows:,} of its {worst.of:,} rows {what}, so that it tells memory, not skill"


def _withheld(model: Resampled, level: float) -> str:
    """Why no verdict may be spoken on a metric, whatever its interval says; empty where one may."""
    least = fewest_units(level)
    if model.units is not None and model.units < least:
        return (
            f"{model.units} independent unit{'' if model.units == 1 else 's'}, {least} are the least to tell"
        )
    if model.support is not None and not model.support.enough:
        rarest, *others = model.support.rare
        more = f" and too few of {len(others)} more" if others else ""
        return f"only {rarest.units} independent {rarest.name}{more}, {rarest.least} are the least to tell"
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
