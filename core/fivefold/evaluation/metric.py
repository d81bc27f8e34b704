"""A metric: a named function of a split's outputs that the bootstrap can reweight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from numpy.typing import NDArray
import numpy as np

from fivefold.data.table import Array

Compute = Callable[[Mapping[str, Array], NDArray[np.float64] | None], float]


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
    """

    name: str
    compute: Compute
    higher_is_better: bool | None = True
    style: Literal["percent", "number"] = "number"
    headline: bool = False

    def format(self, value: float) -> str:
        """``0.931`` as ``93.1 %`` or ``0.931``, by style."""
        return f"{100 * value:.1f} %" if self.style == "percent" else f"{value:.4g}"
