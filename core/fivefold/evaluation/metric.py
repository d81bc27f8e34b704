"""A metric: a named function of a split's outputs that the bootstrap can reweight.

Most metrics are functions of weighted sums: accuracy of one, R squared of four, macro F1 of three a class.
`Metric.from_sums` builds such a metric from its per-sample statistics, and then a thousand resamples cost one
matrix product instead of a thousand passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.numbers import NOT_DETERMINED, decimals_for, number, told_range, told_values

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Estimate
    from fivefold.evaluation.support import Support

Values = NDArray[np.float64]
Compute = Callable[[Mapping[str, Array], Values | None], float]
ComputeMany = Callable[[Mapping[str, Array], Values], Values]
Style = Literal["percent", "number"]


@dataclass(frozen=True)
class Metric:
    """A number that judges outputs.

    Attributes:
        name: the field's name for it, as reports print it and ``--trainer.monitor`` names it.
        compute: function of (outputs, weights). ``outputs`` maps names to arrays of first dimension ``N``;
            ``weights`` has shape ``(N,)`` (a bootstrap resample's counts), None for one each.
        higher_is_better: which way is good; None where neither (a description only).
        style: how people read it.
        headline: whether the report compares it with the baselines.
        compute_many: the same for many resamples at once, weights of shape ``(R, N)`` to values ``(R,)``;
            None calls ``compute`` once a resample.
        inflates: whether resampling by itself raises the value (calibration errors): its interval is then the
            basic bootstrap's, which takes that rise off again, and not the percentile's.
        share: whether it is a mean over samples of values from 0 to 1, such as right or wrong: where all are 0, or
            all are 1, its interval is exact, as resampling cannot tell it.
        support: of (outputs, independent unit of each sample or None), what of the rarest kind the metric rests on,
            where kinds (classes, answers) count alike however rare they are; None where samples count alike.
    """

    name: str
    compute: Compute
    higher_is_better: bool | None = True
    style: Style = "number"
    headline: bool = False
    compute_many: ComputeMany | None = None
    inflates: bool = False
    share: bool = False
    support: Callable[[Mapping[str, Array], Array | None], Support] | None = None

    @classmethod
    def from_sums(
        cls,
        name: str,
        statistics: Callable[[Mapping[str, Array]], Any],
        finish: Callable[[Values, Values], Values],
        *,
        higher_is_better: bool | None = True,
        style: Style = "number",
        headline: bool = False,
        inflates: bool = False,
        share: bool = False,
        support: Callable[[Mapping[str, Array], Array | None], Support] | None = None,
    ) -> Metric:
        """A metric that depends on the samples only through weighted sums of per-sample statistics.

        Args:
            name: the metric's name.
            statistics: outputs to a matrix of shape ``(N, K)``, dense or scipy-sparse.
            finish: (weighted sums of shape ``(R, K)``, total weights of shape ``(R,)``) to values ``(R,)``.
            higher_is_better: which way is good.
            style: how people read it.
            headline: whether the report compares it with the baselines.
            inflates: whether resampling by itself raises the value.
            share: whether it is a mean of values from 0 to 1.
            support: what of the rarest kind it rests on.
        """

        def many(outputs: Mapping[str, Array], weights: Values) -> Values:
            sums = np.asarray((statistics(outputs).T @ weights.T).T, dtype=np.float64)
            # A resample without some class divides zero by zero: nan is the answer there, not a warning.
            with np.errstate(divide="ignore", invalid="ignore"):
                return finish(sums, weights.sum(axis=1))

        def one(outputs: Mapping[str, Array], weights: Values | None) -> float:
            if weights is None:
                weights = np.ones(sample_count(outputs))
            return float(many(outputs, np.asarray(weights, dtype=np.float64)[None])[0])

        return cls(name, one, higher_is_better, style, headline, many, inflates, share, support)

    @classmethod
    def from_mean(
        cls,
        name: str,
        per_sample: Callable[[Mapping[str, Array]], Array],
        *,
        higher_is_better: bool | None = True,
        style: Style = "number",
        headline: bool = False,
        share: bool = False,
    ) -> Metric:
        """The weighted mean of one value a sample: ``per_sample`` maps outputs to shape ``(N,)``.

        It is a ``share`` where these values are from 0 to 1.
        """
        return cls.from_sums(
            name,
            lambda outputs: np.asarray(per_sample(outputs), dtype=np.float64)[:, None],
            lambda sums, totals: sums[:, 0] / totals,
            higher_is_better=higher_is_better,
            style=style,
            headline=headline,
            share=share,
        )

    def resampled(self, outputs: Mapping[str, Array], weights: Values) -> Values:
        """Values under many weightings: ``weights`` of shape ``(R, N)`` to shape ``(R,)``."""
        if self.compute_many is not None:
            return self.compute_many(outputs, weights)
        return np.array([self.compute(outputs, row) for row in weights], dtype=np.float64)

    def format(self, value: float, decimals: int | None = None) -> str:
        """``0.931`` as ``93.1 %`` or ``0.931``, by style; ``decimals`` of numbers that stand beside others."""
        if not np.isfinite(value):
            return "not defined"
        return f"{100 * value:.1f} %" if self.style == "percent" else number(value, decimals=decimals)

    def format_difference(self, value: float, decimals: int | None = None) -> str:
        """``0.089`` as ``+8.9 points`` or ``+0.089``, by style, the sign always shown."""
        if not np.isfinite(value):
            return "not defined"
        return f"{100 * value:+.1f} points" if self.style == "percent" else number(value, "+", decimals)

    def told(self, estimate: Estimate) -> tuple[str, str]:
        """The value and its interval, ``0.931`` and ``0.912 to 0.950``, with the digits that the interval bears out."""
        return told_values(estimate.value, estimate.low, estimate.high, percent=self.style == "percent")

    def told_difference(self, estimate: Estimate) -> tuple[str, str]:
        """A difference and its interval: ``+8.9 points`` and ``+8.3 to +9.5 points``."""
        decimals = decimals_for(estimate.low, estimate.high, estimate.value)
        value, *ends = (
            self.format_difference(one, decimals) for one in (estimate.value, estimate.low, estimate.high)
        )
        determined = np.isfinite([estimate.low, estimate.high]).all()
        return value, told_range(*ends) if determined else NOT_DETERMINED


def sample_count(outputs: Mapping[str, Array]) -> int:
    """First dimension ``N`` of the outputs."""
    return len(next(iter(outputs.values())))
