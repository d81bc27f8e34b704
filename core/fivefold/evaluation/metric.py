"""A metric: a named function of a split's outputs that the bootstrap can reweight.

Most metrics are functions of weighted sums: accuracy of one, R squared of four, macro F1 of three a class.
`Metric.from_sums` builds such a metric from its per-sample statistics, and then a thousand resamples cost one
matrix product instead of a thousand passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array

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
    """

    name: str
    compute: Compute
    higher_is_better: bool | None = True
    style: Style = "number"
    headline: bool = False
    compute_many: ComputeMany | None = None
    inflates: bool = False

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

        return cls(name, one, higher_is_better, style, headline, many, inflates)

    @classmethod
    def from_mean(
        cls,
        name: str,
        per_sample: Callable[[Mapping[str, Array]], Array],
        *,
        higher_is_better: bool | None = True,
        style: Style = "number",
        headline: bool = False,
    ) -> Metric:
        """The weighted mean of one value a sample: ``per_sample`` maps outputs to shape ``(N,)``."""
        return cls.from_sums(
            name,
            lambda outputs: np.asarray(per_sample(outputs), dtype=np.float64)[:, None],
            lambda sums, totals: sums[:, 0] / totals,
            higher_is_better=higher_is_better,
            style=style,
            headline=headline,
        )

    def resampled(self, outputs: Mapping[str, Array], weights: Values) -> Values:
        """Values under many weightings: ``weights`` of shape ``(R, N)`` to shape ``(R,)``."""
        if self.compute_many is not None:
            return self.compute_many(outputs, weights)
        return np.array([self.compute(outputs, row) for row in weights], dtype=np.float64)

    def format(self, value: float) -> str:
        """``0.931`` as ``93.1 %`` or ``0.931``, by style."""
        if not np.isfinite(value):
            return "not defined"
        return f"{100 * value:.1f} %" if self.style == "percent" else number(value)

    def format_difference(self, value: float) -> str:
        """``0.089`` as ``+8.9 points`` or ``+0.089``, by style, the sign always shown."""
        if not np.isfinite(value):
            return "not defined"
        return f"{100 * value:+.1f} points" if self.style == "percent" else number(value, sign="+")


def number(value: float, sign: str = "") -> str:
    """A number for people: three decimals below ten, whole above a thousand, few digits where it is tiny.

    Args:
        value: the number.
        sign: ``+`` always shows the sign.
    """
    size = abs(value)
    ways = ((0.0, ".0f"), (1e-3, ".3g"), (10, ".3f"), (1000, ".1f"), (1e7, ".0f"), (np.inf, ".3g"))
    style = next((way for limit, way in ways if size < limit or size == limit == 0), ".3g")
    return f"{value:{sign}{style}}"


def sample_count(outputs: Mapping[str, Array]) -> int:
    """First dimension ``N`` of the outputs."""
    return len(next(iter(outputs.values())))
