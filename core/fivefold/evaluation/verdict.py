"""The verdict in words: beats, no evidence that it beats, loses to."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from fivefold.evaluation.evaluation import Comparison, Estimate, Evaluation, Verdict
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.paired_test import PairedTest, told_p_value


def verdict(
    difference: Estimate, *, higher_is_better: bool, tests: Sequence[PairedTest] = (), level: float = 0.95
) -> Verdict:
    """What the interval of model minus baseline says: only one that excludes zero is evidence.

    An undefined interval (nan) is evidence of nothing. Where there are tests, each of them must find a difference
    of the same sign; one that does not, or that is undefined, leaves no evidence.

    Args:
        difference: model minus baseline.
        higher_is_better: which way is good.
        tests: of the same difference.
        level: of the interval and the tests.
    """
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
    model, reference = metric.format(comparison.model.value), metric.format(comparison.reference.value)
    apart = metric.format_difference(comparison.difference.value)
    evidence = [between(comparison, metric, level)]
    evidence += [f"{test.name} p {told_p_value(test.p_value)}" for test in comparison.tests]
    return f"{opening}: {metric.name} {model} against {reference}, difference {apart} ({'; '.join(evidence)})"


def between(comparison: Comparison, metric: Metric, level: float) -> str:
    """The interval of the difference: ``95 % interval +8.3 to +9.5``."""
    low = metric.format_difference(comparison.difference.low).removesuffix(" points")
    high = metric.format_difference(comparison.difference.high).removesuffix(" points")
    return f"{100 * level:g} % interval {low} to {high}"


def overall(evaluation: Evaluation) -> tuple[Verdict | None, str]:
    """The verdict on the headline metric against the strongest baseline, and its sentence.

    Without a baseline there is no verdict, and the sentence says so.
    """
    metric = evaluation.headline
    rival = strongest(evaluation.comparisons, metric)
    if rival is None:
        value = metric.format(evaluation.estimates[metric.name].value)
        return None, f"No verdict: {metric.name} is {value}, but there is no baseline to compare it with"
    return rival.verdict, sentence(rival, metric, evaluation.level)
