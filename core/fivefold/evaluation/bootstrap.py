"""Bootstrap intervals over the independent unit, and paired differences on the same resamples.

A resample draws as many units as there are, with replacement, and is held as weights: how often each sample
was drawn. Samples of one unit (a patient, a speaker) come and go together, so that their likeness does not
feign precision (the cluster bootstrap: Field and Welsh 2007). Intervals are percentiles (Efron and Tibshirani
1993, chapter 13). Metrics that resampling itself inflates, such as a calibration error, get the basic one
(Davison and Hinkley 1997, section 5.2), which mirrors the percentiles at the estimate.

Resampling tells nothing where all resamples come out alike, as they do for a model that makes no mistake. A share of 0
or 1 gets the exact interval of Clopper and Pearson (1934) over the independent units, whose one-sided form is the "rule
of three" (Hanley and Lippman-Hand 1983); other metrics have no interval then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Metric, Values, sample_count
from fivefold.evaluation.numbers import NOTHING
from fivefold.evaluation.support import Support
from fivefold.tasks.base import Outputs

CHUNK = 4_000_000
"""Weights held at once: 32 MB."""

FEW_UNITS = 30
"""Below this many independent units, percentile intervals are known to be too narrow."""

COINCIDE = 1e-12
"""Resamples that lie within this share of their size are alike: what is left is rounding."""


@dataclass(frozen=True)
class Resampled:
    """A metric's value on the split as it is, and on each resample.

    Attributes:
        value: on all samples, each once.
        draws: on the resamples, shape ``(R,)``; nan where a resample leaves the metric undefined.
        units: independent units that were drawn from; None where that is not known.
        support: what of the rarest kind the metric rests on; None where samples count alike.
    """

    value: float
    draws: Values
    units: int | None = None
    support: Support | None = None


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
    drawn = count if units is None else len(np.unique(units))
    return {
        (name, metric.name): Resampled(
            metric.compute(outputs[name], None),
            np.concatenate(draws[name, metric.name]),
            drawn,
            metric.support(outputs[name], units) if metric.support else None,
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
    """The value with its confidence interval; nan ends where resampling cannot tell one.

    It cannot where no resample defines the metric, and where all that do come out alike.
    """
    low, high = percentiles(resampled, level)
    if alike(resampled):
        return Estimate(resampled.value, float("nan"), float("nan"))
    if inflates:
        # Mirrored at the value; such metrics are never negative, and the interval never leaves its value out.
        low, high = max(0.0, 2 * resampled.value - high), 2 * resampled.value - low
        low, high = min(low, resampled.value), max(high, resampled.value)
    return Estimate(resampled.value, low, high)


def metric_interval(metric: Metric, resampled: Resampled, level: float) -> Estimate:
    """The value of ``metric`` with the interval that suits it."""
    if metric.share and resampled.units is not None:
        return share_interval(resampled, level, resampled.units)
    return interval(resampled, level, inflates=metric.inflates)


def estimated(metric: Metric, outputs: Outputs, units: Array | None, of: Evaluation) -> Estimate:
    """A metric of other outputs than the judgement's own, with its interval by the judgement's settings.

    Args:
        metric: the metric.
        outputs: of ``N`` samples.
        units: their independent units, ``(N,)``, or None.
        of: the judgement: says how many resamples, by which seed, and the level.
    """
    drawn = resample([metric], {"": outputs}, units, resamples=of.resamples, seed=of.seed)
    return metric_interval(metric, drawn["", metric.name], of.level)


def share_interval(share: Resampled, level: float, trials: int) -> Estimate:
    """The interval of a share; of none or all, that of Clopper and Pearson (1934).

    All resamples of a share of 0 or 1 are equal, which would feign certainty.

    Args:
        share: from 0 to 1, nan where it has nothing to divide by.
        level: of the interval.
        trials: independent units that the share is taken of.
    """
    if share.value not in (0.0, 1.0):
        return interval(share, level)
    return exact_interval(share.value, level, trials)


def exact_interval(share: float, level: float, trials: int) -> Estimate:
    """Clopper and Pearson's (1934) interval of a share of exactly 0 or 1.

    It holds for a mean of values from 0 to 1, too, which is no smaller than the share of those that are 1, and no
    larger than the share of those that are not 0.

    Args:
        share: 0 or 1.
        level: of the interval.
        trials: independent units that the share is taken of.
    """
    reach = ((1 - level) / 2) ** (1 / trials)
    return Estimate(share, 0.0, 1 - reach) if share == 0 else Estimate(share, reach, 1.0)


def percentiles(resampled: Resampled, level: float) -> tuple[float, float]:
    """Ends of the percentile interval; nan where no resample defines the metric."""
    defined = resampled.draws[~np.isnan(resampled.draws)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def alike(resampled: Resampled) -> bool:
    """Whether all resamples that define the metric come out alike, or none defines it."""
    defined = resampled.draws[~np.isnan(resampled.draws)]
    if not len(defined):
        return True
    spread, size = float(np.ptp(defined)), float(np.abs(defined).max())
    return bool(spread <= max(COINCIDE * size, NOTHING))


def apart(model: Resampled, reference: Resampled) -> Resampled:
    """Model minus reference, resample by resample."""
    return Resampled(model.value - reference.value, model.draws - reference.draws, model.units, model.support)


def difference(model: Resampled, reference: Resampled, level: float) -> Estimate:
    """Model minus reference, resample by resample, with its confidence interval (see `interval`)."""
    return interval(apart(model, reference), level)


def few_units(count: int, units: Array | None, level: float = 0.95) -> tuple[str, ...]:
    """A sentence where intervals rest on few units, which a reader must know; none where there are enough."""
    drawn = count if units is None else len(np.unique(units))
    kind = "sample" if units is None else "independent unit"
    if drawn < fewest_units(level):
        there = f"is only one {kind}" if drawn == 1 else f"are only {drawn} {kind}s"
        least = fewest_units(level)
        why = f"below {least} neither 'beats' nor 'loses to' is said, and intervals mean little"
        return (f"There {there}, too few to tell anything from: {why}.",)
    if drawn < FEW_UNITS:
        return (f"There are only {drawn} {kind}s: the intervals are probably too narrow.",)
    return ()


def fewest_units(level: float) -> int:
    """Independent units below which neither beats nor loses to is said: six at a level of 95 %.

    With ``n`` units, of which each by itself favours one side or the other, the smallest two-sided p-value that any
    test has without assuming a distribution is ``2 ** (1 - n)`` (the sign test: Fisher 1935, section 21). It takes six
    units for less than 5 %. The percentile interval knows no such bound: of standard normal differences that are zero
    on the mean, its 95 % interval leaves zero out in 50 % of all tries with 2 units, 26 % with 3, 20 % with 4, 16 %
    with 5, 15 % with 6, 10 % with 10, and 7 % with 30 (``tests/benchmarks/verdicts.py units``); of one unit, always.
    """
    return 1 + ceil(-log2(1 - level) + COINCIDE)


def undefined(resampled: Mapping[tuple[str, str], Resampled]) -> list[str]:
    """One sentence on all metrics that some resamples leave undefined."""
    lacking: dict[tuple[int, int], dict[str, list[str]]] = {}
    for (name, metric), values in resampled.items():
        undefined = int(np.isnan(values.draws).sum())
        if undefined:
            of = lacking.setdefault((undefined, len(values.draws)), {})
            of.setdefault(metric, []).append(name)
    if not lacking:
        return []
    told = "; ".join(
        f"on {undefined} of {count} resamples {_named(of)}" for (undefined, count), of in lacking.items()
    )
    return [
        f"Not defined, as a class or all variation is missing: {told}. The intervals rest on the other resamples."
    ]


def _named(metrics: Mapping[str, Sequence[str]]) -> str:
    """``AUROC and AUPRC of the model, prevalence``: metrics of the same predictors together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for metric, names in metrics.items():
        together.setdefault(tuple(names), []).append(metric)
    return " and ".join(f"{', '.join(of)} of {', '.join(names)}" for names, of in together.items())
