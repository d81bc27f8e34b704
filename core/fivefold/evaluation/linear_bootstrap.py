"""Bootstrap draws of costly metrics to first order, from one value of influence a sample.

A metric that is a smooth function of the distribution of its samples changes under new weights, to first order, by
the weighted sum of its samples' influences (the infinitesimal jackknife: Jaeckel 1972; Efron 1982, chapter 6). Its
influences cost about as much as its value, and then a thousand resamples are one matrix product. Draws are centred at
the value: what resampling itself would add to it (FID rises when samples are drawn twice) does not come in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import ref

from fivefold.data.table import Array
from fivefold.evaluation.metric import Values

T = TypeVar("T")

REMEMBERED = 4
"""Pairs of arrays whose results are kept: of a model and a few rivals, between which resampling alternates."""


@dataclass(frozen=True)
class Influence:
    """A metric's value and how each sample moves it.

    Attributes:
        value: of all samples, each once.
        samples: derivative of the metric by the weight of each sample, times the number of samples, ``(N,)``.
    """

    value: float
    samples: Values

    def draws(self, weights: Values) -> Values:
        """Values under many weightings to first order: ``weights`` of shape ``(R, N)`` to shape ``(R,)``."""
        shares = weights / weights.sum(axis=1, keepdims=True)
        moved: Values = self.value + (shares - 1 / len(self.samples)) @ self.samples
        return moved


class Remembered(Generic[T]):
    """A function of two arrays that is not computed again for the same arrays, while these are in memory.

    Args:
        compute: the function.
    """

    def __init__(self, compute: Callable[[Array, Array], T]) -> None:
        self._compute = compute
        self._known: list[tuple[ref[Array], ref[Array], T]] = []

    def __call__(self, first: Array, second: Array) -> T:
        """What the function gives for the two, which must not have been changed since."""
        for one, other, result in self._known:
            if one() is first and other() is second:
                return result
        found = self._compute(first, second)
        alive = [known for known in self._known if known[0]() is not None and known[1]() is not None]
        self._known = [*alive[1 - REMEMBERED :], (ref(first), ref(second), found)]
        return found
