"""A test of the model against one baseline, which a verdict must not contradict."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

SMALLEST_P = 0.0001
"""Smaller p-values are not told apart: the approximations that they rest on do not reach so far."""


@dataclass(frozen=True)
class PairedTest:
    """A two-sided test of the hypothesis that model and baseline do equally well on a metric.

    Attributes:
        name: as reports print it ("Diebold-Mariano").
        statistic: with the sign of model minus baseline, as the comparison's difference has it; nan where it cannot
            be told.
        p_value: two-sided; nan where it cannot be told.
        sentence: what was tested, on how much, and what was found, in words.
    """

    name: str
    statistic: float
    p_value: float
    sentence: str

    def finds(self, sign: int, level: float) -> bool:
        """Whether it finds, at ``level`` (0.95: p below 0.05), a difference of that sign (-1 or 1)."""
        return self.p_value < 1 - level and sign * self.statistic > 0

    def result(self) -> str:
        """The statistic with its p-value, for a table: ``-3.21 (p 0.0014)``."""
        if not isfinite(self.p_value):
            return "not defined"
        return f"{self.statistic:+.2f} (p {told_p_value(self.p_value)})"


def told_p_value(value: float) -> str:
    """A p-value for people: four decimals, or that it is below the smallest told."""
    if not isfinite(value):
        return "not defined"
    return f"{value:.4f}" if value >= SMALLEST_P else f"below {SMALLEST_P:.4f}"
