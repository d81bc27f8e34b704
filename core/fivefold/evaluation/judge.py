"""From outputs to a judgement: every metric with its interval, every baseline with its paired difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fivefold.config import EvaluationConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.leakage import Finding
from fivefold.errors import DataError
from fivefold.evaluation.bootstrap import Resampled, cautions, computable, difference, interval, resample
from fivefold.evaluation.evaluation import Comparison, Evaluation
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
    return Evaluation(
        split=split,
        outputs=outputs,
        samples=samples,
        ids=samples.ids,
        units=samples.units,
        metrics=metrics,
        estimates={
            metric.name: interval(resampled[MODEL, metric.name], config.level, inflates=metric.inflates)
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
        unit_name="sample" if samples.units is None else str(facts.get("unit", "group")),
        notes=(*notes, *_missing(compared, rivals), *cautions(len(samples), samples.units, resampled)),
        seed=seed,
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
    apart = difference(model, reference, level)
    return Comparison(
        metric=metric.name,
        baseline=name,
        model=interval(model, level, inflates=metric.inflates),
        reference=interval(reference, level, inflates=metric.inflates),
        difference=apart,
        verdict=verdict(
            apart, higher_is_better=metric.higher_is_better is not False, tests=tests, level=level
        ),
        tests=tuple(tests),
    )


def _missing(compared: Sequence[Metric], rivals: Mapping[str, Outputs]) -> list[str]:
    return [
        f"The baseline {name} gives no outputs to compute {metric.name} from, and is not compared on it."
        for name, of in rivals.items()
        for metric in compared
        if not computable(metric, of)
    ]
