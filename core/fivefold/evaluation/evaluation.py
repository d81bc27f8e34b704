"""The judgement of one run on one split: estimates with intervals, comparisons, findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from fivefold.data.dataset import Dataset, Facts
from fivefold.data.leakage import Finding
from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.paired_test import PairedTest
from fivefold.tasks.base import Outputs, Task

Verdict = Literal["beats", "no evidence that it beats", "loses to"]


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval; the ends are nan where it is not determined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """The model against one baseline on one metric: the paired difference (model minus baseline).

    ``tests`` are those that the task asks for beside the interval; the verdict contradicts none of them. ``withheld``
    says why no verdict may be spoken at all, as on too few independent units; it is empty where one may.
    """

    metric: str
    baseline: str
    model: Estimate
    reference: Estimate
    difference: Estimate
    verdict: Verdict
    tests: tuple[PairedTest, ...] = ()
    withheld: str = ""


@dataclass(frozen=True)
class Evaluation:
    """Everything a report is made of.

    Attributes:
        split: name of the split judged (``test``).
        outputs: the task's per-sample outputs, with ``target``.
        samples: the samples themselves, for examples and explanations.
        ids: names of samples, shape ``(N,)``.
        units: independent unit of each sample, or None.
        metrics: the task's metrics.
        estimates: metric name to estimate.
        comparisons: one for each headline metric and baseline.
        baseline_outputs: baseline name to its outputs.
        findings: what the leakage search found.
        task: the trained task, in evaluation mode.
        facts: the data's facts.
        level: of the intervals.
        resamples: how many the intervals rest on.
        unit_name: what an independent unit is called.
        notes: sentences for the report.
        seed: of the resamples; who takes more intervals draws the same ones.
        cautions: sentences for the top of the report, on what makes all of it doubtful.
        run: directory of the run that is judged; None where several runs are judged as one.
    """

    split: str
    outputs: Outputs
    samples: Dataset
    ids: Array
    units: Array | None
    metrics: tuple[Metric, ...]
    estimates: dict[str, Estimate]
    comparisons: tuple[Comparison, ...]
    baseline_outputs: dict[str, Outputs]
    findings: tuple[Finding, ...]
    task: Task
    facts: Facts
    level: float = 0.95
    resamples: int = 1000
    unit_name: str = "sample"
    notes: tuple[str, ...] = field(default=())
    seed: int = 0
    cautions: tuple[str, ...] = ()
    run: Path | None = None

    @property
    def headline(self) -> Metric:
        """The first metric, by which the model is judged."""
        return self.metrics[0]

    def summary(self) -> dict[str, Any]:
        """The headline metric with its interval, and the verdict, as JSON values (nan is null)."""
        from fivefold.evaluation.verdict import overall  # noqa: PLC0415 - which itself needs these classes

        judgement, sentence = overall(self)
        estimate = {
            end: value if isfinite(value) else None
            for end, value in vars(self.estimates[self.headline.name]).items()
        }
        return {"metric": self.headline.name, **estimate, "verdict": judgement, "sentence": sentence}
