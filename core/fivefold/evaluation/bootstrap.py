"""Bootstrap intervals over the independent unit, and paired differences on the same resamples.

A resample draws as many units as there are, with replacement, and is held as weights: how often each sample
was drawn. Samples of one unit (a patient, a speaker) come and go together, so that their likeness does not
feign precision (the cluster bootstrap: Field and Welsh 2007). Intervals are percentiles (Efron and Tibshirani
1993, chapter 13). Metrics that resampling itself inflates, such as a calibration error, get the basic one
(Davison and Hinkley 1997, section 5.2), which mirrors the percentiles at the estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.evaluation import Estimate
from fivefold.evaluation.metric import Metric, Values, sample_count
from fivefold.tasks.base import Outputs

CHUNK = 4_000_000
"""Weights held at once: 32 MB."""

FEW_UNITS = 30
"""Below this many independent units, percentile intervals are known to be too narrow."""


@dataclass(frozen=True)
class Resampled:
    """A metric's value on the split as it is, and on each resample.

    Attributes:
        value: on all samples, each once.
        draws: on the resamples, shape ``(R,)``; nan where a resample leaves the metric undefined.
    """

    value: float
    draws: Values


def resample_weights(count: int, units: Array | None, *, resamples: int, seed: int) -> Iterator[Values]:
    """Weights of bootstrap resamples, in chunks of shape ``(R, count)`` that follow from ``seed`` alone.

    Args:
        count: number of samples, ``N``.
        units: independent unit of each sample, shape ``(N,)``; None where each stands for itself.
        resamples: how many in all.
        seed: of the random draws.
    """
    members = None if units is None else np.unique(units, return_inverse=True)[1].reshape(-1)
    drawn = count if members is None else int(members.max()) + 1
    generator = np.random.default_rng(seed)
    rows = max(1, CHUNK // max(count, 1))
    for start in range(0, resamples, rows):
        chunk = min(rows, resamples - start)
        picks = generator.integers(drawn, size=(chunk, drawn)) + drawn * np.arange(chunk)[:, None]
        weights = (
            np.bincount(picks.reshape(-1), minlength=chunk * drawn).reshape(chunk, drawn).astype(np.float64)
        )
        yield weights if members is None else weights[:, members]


def resample(
    metrics: Sequence[Metric],
    outputs: Mapping[str, Outputs],
    units: Array | None,
    *,
    resamples: int,
    seed: int,
) -> dict[tuple[str, str], Resampled]:
    """Every metric of every predictor on the same resamples, so that differences are paired.

    Args:
        metrics: what to compute.
        outputs: predictor's name to its outputs, all of the same ``N`` samples; a metric whose keys a
            predictor lacks is left out for it.
        units: independent unit of each sample, or None.
        resamples: how many.
        seed: of the random draws.

    Returns:
        (predictor, metric name) to values.

    Raises:
        DataError: there are no samples, or a predictor's outputs differ in number.
    """
    counts = {name: sample_count(of) for name, of in outputs.items()}
    if not counts or len(set(counts.values())) != 1 or not next(iter(counts.values())):
        raise DataError(
            f"nothing to judge: expected the same number of samples (one or more) of each, got {counts}"
        )
    wanted = [(name, metric) for name, of in outputs.items() for metric in metrics if computable(metric, of)]
    draws: dict[tuple[str, str], list[Values]] = {(name, metric.name): [] for name, metric in wanted}
    count = next(iter(counts.values()))
    for weights in resample_weights(count, units, resamples=resamples, seed=seed):
        for name, metric in wanted:
            draws[name, metric.name].append(metric.resampled(outputs[name], weights))
    return {
        (name, metric.name): Resampled(
            metric.compute(outputs[name], None), np.concatenate(draws[name, metric.name])
        )
        for name, metric in wanted
    }


def computable(metric: Metric, outputs: Outputs) -> bool:
    """Whether ``outputs`` hold every key that the metric reads, found by asking it for one sample."""
    first = {name: array[:1] for name, array in outputs.items()}
    try:
        metric.compute(first, None)
    except KeyError:
        return False
    return True


def interval(resampled: Resampled, level: float, *, inflates: bool = False) -> Estimate:
    """The value with its confidence interval; nan ends where no resample defines the metric."""
    defined = resampled.draws[~np.isnan(resampled.draws)]
    if not len(defined):
        return Estimate(resampled.value, float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    if inflates:
        # Mirrored at the value; such metrics are never negative, and the interval never leaves its value out.
        low, high = max(0.0, 2 * resampled.value - high), 2 * resampled.value - low
        low, high = min(low, resampled.value), max(high, resampled.value)
    return Estimate(resampled.value, float(low), float(high))


def difference(model: Resampled, reference: Resampled, level: float) -> Estimate:
    """Model minus reference, resample by resample, with its confidence interval."""
    return interval(Resampled(model.value - reference.value, model.draws - reference.draws), level)


def cautions(
    count: int, units: Array | None, resampled: Mapping[tuple[str, str], Resampled]
) -> tuple[str, ...]:
    """What a reader of the intervals must know: few units, or resamples that leave a metric undefined."""
    drawn = count if units is None else len(np.unique(units))
    kind = "samples" if units is None else "independent units"
    notes = []
    if drawn == 1:
        notes.append(
            f"There is only one of the {kind}, from which no interval can be had: those shown have no width."
        )
    elif drawn < FEW_UNITS:
        notes.append(f"There are only {drawn} {kind}: the intervals are probably too narrow.")
    for (name, metric), values in resampled.items():
        undefined = int(np.isnan(values.draws).sum())
        if undefined:
            notes.append(
                f"The {metric} of {name} is not defined on {undefined} of {len(values.draws)} resamples (a "
                "class or all variation is missing from them); its interval rests on the others."
            )
    return tuple(notes)
