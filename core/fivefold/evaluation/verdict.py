"""The verdict in words: beats, no evidence that it beats, loses to."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from fivefold.evaluation.bootstrap import fewest_units
from fivefold.evaluation.evaluation import Comparison, Estimate, Evaluation, Verdict
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.numbers import NOT_DETERMINED, decimals_for
from fivefold.evaluation.paired_test import PairedTest, told_p_value


def verdict(
    difference: Estimate,
    *,
    higher_is_better: bool,
    tests: Sequence[PairedTest] = (),
    level: float = 0.95,
    units: int | None = None,
) -> Verdict:
    """What the interval of model minus baseline says: only one that excludes zero is evidence.

    An undefined interval (nan) is evidence of nothing, and so is any that rests on fewer independent units than
    `fivefold.evaluation.bootstrap.fewest_units`: of a single unit, all resamples are alike, and their interval, which
    has no width, leaves zero out. One without width is evidence only where enough units are known to agree. Where
    there are tests, each of them must find a difference of the same sign; one that does not, or that is undefined,
    leaves no evidence.

    Args:
        difference: model minus baseline.
        higher_is_better: which way is good.
        tests: of the same difference.
        level: of the interval and the tests.
        units: independent ones that the interval rests on; None where that is not known.
    """
    if units is None and difference.low == difference.high:
        return "no evidence that it beats"
    if units is not None and units < fewest_units(level):
        return "no evidence that it beats"
    sign = 1 if difference.low > 0 else -1
    apart = difference.low > 0 or difference.high < 0
    if not (apart and all(test.finds(sign, level) for test in tests)):
        return "no evidence that it beats"
    return "beats" if (sign > 0) == higher_is_better else "loses to"


def strongest(comparisons: Sequence[Comparison], metric: Metric) -> Comparison | None:
    """The comparison with the baseline that does best on ``metric``; None where there is none."""
    rivals = [comparison for comparison in comparisons if comparison.metric == metric.name]
    if not rivals:
        return None
    sign = -1 if metric.higher_is_better is False else 1
    return max(rivals, key=lambda rival: _rank(sign * rival.reference.value))


def _rank(value: float) -> float:
    return float("-inf") if isnan(value) else value


def sentence(comparison: Comparison, metric: Metric, level: float) -> str:
    """One sentence: the verdict, both values, the difference, its interval and the tests' p-values."""
    opening = {
        "beats": f"Beats {comparison.baseline}",
        "no evidence that it beats": f"No evidence that it beats {comparison.baseline}",
        "loses to": f"Loses to {comparison.baseline}",
    }[comparison.verdict]
    apart = comparison.difference
    decimals = decimals_for(apart.low, apart.high, apart.value)
    model, reference = (
        metric.format(one.value, decimals) for one in (comparison.model, comparison.reference)
    )
    change, span = metric.told_difference(apart)
    evidence = [f"{100 * level:g} % interval {span.removesuffix(' points')}"]
    if span == NOT_DETERMINED and comparison.verdict != "no evidence that it beats":
        evidence = [f"{evidence[0]}, as all resamples agree"]
    evidence += [f"{test.name} p {told_p_value(test.p_value)}" for test in comparison.tests]
    evidence += [comparison.withheld] if comparison.withheld else []
    return (
        f"{opening}: {metric.name} {model} against {reference}, difference {change} ({'; '.join(evidence)})"
    )


def overall(evaluation: Evaluation) -> tuple[Verdict | None, str]:
    """The verdict on the headline metric against the strongest baseline, and its sentence.

    Without a baseline there is no verdict, and the sentence says so.
    """
    metric = evaluation.headline
    rival = strongest(evaluation.comparisons, metric)
    if rival is None:
        value, _ = metric.told(evaluation.estimates[metric.name])
        return None, f"No verdict: {metric.name} is {value}, but there is no baseline to compare it with"
    return rival.verdict, sentence(rival, metric, evaluation.level)
