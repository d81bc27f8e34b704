"""Which learning rate a range test speaks for: read from the curve of loss over rate, or no rate at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array

MEMORY = 0.05
"""Share of the test's steps over which the loss is averaged."""

_FEWEST = 10  # points from which a curve can be read
_LEVEL = 0.1  # share of the points, at rates too small to learn by, that give the loss before learning
_FLAT = 0.01  # a fall of less than this share of that loss is none
_NOISE = 5.0  # a fall must be as many standard deviations of the averaged loss
_MEDIAN = 1.652  # median of |a - 2b + c| in normal noise, in its standard deviations: 0.6745 sqrt 6
_TENTH, _THIRD = 10.0, 3.0

RULE = "where the averaged loss falls steepest over the logarithm of the rate"
SAFER_RULE = "the smaller of a tenth of the rate with the lowest loss and a third of the steepest"

_RISES = "the loss rises from the first rates on; begin with a smaller one by --from"


@dataclass(frozen=True)
class Proposal:
    """What a range test speaks for.

    Attributes:
        rate: the learning rate where the averaged loss falls steepest; None where the curve does not say.
        safer: a smaller one, by `SAFER_RULE`; None likewise.
        lowest: the rate with the lowest averaged loss; None likewise.
        reason: the reading in a sentence: how the rates were found, or why none was.
    """

    rate: float | None
    safer: float | None
    lowest: float | None
    reason: str


class Average:
    """An exponential moving average without the pull of its start at zero (Kingma and Ba 2015, section 3).

    Args:
        steps: length of the test; `MEMORY` of it is averaged over.
    """

    def __init__(self, steps: int) -> None:
        self.width = max(2, round(MEMORY * steps))
        self.decay = 1 - 1 / self.width
        self._sum = 0.0
        self._count = 0

    def update(self, value: float) -> float:
        """The average with ``value`` taken in."""
        self._count += 1
        self._sum = self.decay * self._sum + (1 - self.decay) * value
        return self._sum / (1 - self.decay**self._count)


def propose(
    rates: Sequence[float], losses: Sequence[float], averaged: Sequence[float], *, width: int, diverged: bool
) -> Proposal:
    """Read the curve of a range test.

    The proposal is the rate where the averaged loss falls steepest, as in Smith 2017 (arXiv:1506.01186) the
    rates at which the network learns lie around that fall. Nothing is proposed where the fall does not stand
    out of the noise, where the loss only rises, or where it still falls at the end.

    Args:
        rates: rising by the same factor from each to the next, ``(N,)``.
        losses: of the batches, ``(N,)``.
        averaged: their moving average, ``(N,)``.
        width: steps that it averages over.
        diverged: whether the test ended because the loss ran away.
    """
    if len(rates) < _FEWEST:
        return _none(f"the loss ran away after {len(rates)} steps; begin with a smaller rate by --from")
    curve = np.asarray(averaged)
    bottom = int(curve.argmin())
    level = float(np.mean(losses[: max(_FEWEST // 2, round(_LEVEL * len(losses)))]))
    fall = level - float(curve[bottom])
    doubt = _why_unclear(np.asarray(losses), fall, level, width, diverged=diverged)
    if doubt:
        return _none(doubt)
    if bottom > len(rates) - width and not diverged:
        return _none(f"the loss still falls at the highest rate, {rates[-1]:.3g}; go further by --to")
    steepest = _steepest(curve, bottom, width)
    if steepest is None:
        return _none(_RISES)
    rate, lowest = float(rates[steepest]), float(rates[bottom])
    return Proposal(
        rate=rate,
        safer=min(lowest / _TENTH, rate / _THIRD),
        lowest=lowest,
        reason=f"the rate lies {RULE}; the safer one is {SAFER_RULE}",
    )


def _why_unclear(losses: Array, fall: float, level: float, width: int, *, diverged: bool) -> str:
    """Why the fall of a curve says nothing; empty where it stands out."""
    # Second differences, because a steady fall or rise is no noise.
    noise = float(np.median(np.abs(np.diff(losses, 2)))) / _MEDIAN
    decay = 1 - 1 / width
    # The variance of an exponential average of independent values, as a share of theirs.
    noise *= ((1 - decay) / (1 + decay)) ** 0.5
    if fall <= _FLAT * abs(level):
        return (
            _RISES
            if diverged
            else (
                f"the loss stays flat (it falls by {max(fall, 0.0):.3g} from {level:.3g}); try other rates by --from "
                "and --to, or see whether the network can learn from these data at all"
            )
        )
    if fall <= _NOISE * noise:
        return (
            f"the loss is too noisy: it falls by {fall:.3g}, and chance alone moves its average by {noise:.3g}; "
            "take a larger --batch-size or more --steps"
        )
    return ""


def _steepest(curve: Array, bottom: int, width: int) -> int | None:
    """The point of the steepest fall before the ``bottom``; None where there is no fall to measure."""
    reach = max(1, width // 2)
    # The first averages are over too few losses to tell a fall from noise.
    middles = np.arange(min(width, bottom) + reach, bottom - reach + 1)
    if len(middles) == 0:
        return None
    slopes = curve[middles + reach] - curve[middles - reach]
    steepest = int(slopes.argmin())
    return int(middles[steepest]) if slopes[steepest] < 0 else None


def _none(reason: str) -> Proposal:
    return Proposal(rate=None, safer=None, lowest=None, reason=reason)
