"""The verdict in words: beats, no evidence that it beats, loses to."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from fivefold.evaluation.evaluation import Comparison, Estimate, Evaluation, Verdict
from fivefold.evaluation.metric import Metric


def verdict(difference: Estimate, *, higher_is_better: bool) -> Verdict:
    """What the interval of model minus baseline says: only one that excludes zero is evidence.

    An undefined interval (nan) is evidence of nothing.
    """
    low, high = (difference.low, difference.high) if higher_is_better else (-difference.high, -difference.low)
    if low > 0:
        return "beats"
    return "loses to" if high < 0 else "no evidence that it beats"


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
    """One sentence: the verdict, both values, the difference and its interval."""
    opening = {
        "beats": f"Beats {comparison.baseline}",
        "no evidence that it beats": f"No evidence that it beats {comparison.baseline}",
        "loses to": f"Loses to {comparison.baseline}",
    }[comparison.verdict]
    model, reference = metric.format(comparison.model.value), metric.format(comparison.reference.value)
    apart = metric.format_difference(comparison.difference.value)
    interval = between(comparison, metric, level)
    return f"{opening}: {metric.name} {model} against {reference}, difference {apart} ({interval})"


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
