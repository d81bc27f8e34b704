"""Whether the directions that forecasts foretell are right more often than by chance.

Each trial is the change over a whole horizon. Horizons that overlap see the same changes, and series of one time move
together; trials are therefore taken from horizons that do not overlap, one at a time (`Forecasts.apart`).

Half right is no fair mark where most changes are rises: to foretell rises always is then right more often than not.
The chance that counts is the share that would be right were forecasts and outcomes independent (Pesaran and
Timmermann 1992), and the binomial test against it is the one to go by.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy import stats

from fivefold.data.table import Array


@dataclass(frozen=True)
class DirectionTest:
    """Directions foretold, against chance.

    Attributes:
        right: trials whose direction was right.
        trials: changes that were both forecast and taken; no change is no direction.
        accuracy: the share that was right; nan without trials.
        rises: share of actual changes that are rises.
        chance: share that would be right if forecasts had nothing to do with outcomes, given the shares of rises of
            both.
        p_half: of the binomial test of more right than one in two.
        p_chance: of the binomial test of more right than ``chance``; nan where ``chance`` is 1 or there is no trial.
    """

    right: int
    trials: int
    accuracy: float
    rises: float
    chance: float
    p_half: float
    p_chance: float


def direction_test(forecast: Array, actual: Array) -> DirectionTest:
    """One-sided binomial tests of independent changes.

    Args:
        forecast: changes foretold, shape ``(T,)``.
        actual: changes that came, shape ``(T,)``.
    """
    forecast, actual = np.sign(forecast), np.sign(actual)
    both = forecast * actual != 0
    trials = int(both.sum())
    if not trials:
        return DirectionTest(0, 0, nan, nan, nan, nan, nan)
    up, rose = forecast[both] > 0, actual[both] > 0
    right = int((up == rose).sum())
    chance = float(up.mean() * rose.mean() + (1 - up.mean()) * (1 - rose.mean()))
    return DirectionTest(
        right=right,
        trials=trials,
        accuracy=right / trials,
        rises=float(rose.mean()),
        chance=chance,
        p_half=_p_value(right, trials, 0.5),
        p_chance=_p_value(right, trials, chance) if chance < 1 else nan,
    )


def _p_value(right: int, trials: int, chance: float) -> float:
    return float(stats.binomtest(right, trials, chance, alternative="greater").pvalue)
