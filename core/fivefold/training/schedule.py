"""How the learning rate moves: a pure function of the step, so that there is no state to save."""

from __future__ import annotations

import math
from collections.abc import Callable

from fivefold.config import ScheduleConfig

Schedule = Callable[[int], float]
"""From a step (0, 1, ...) to the share of the peak learning rate at that step."""


def build_schedule(config: ScheduleConfig, steps: int) -> Schedule:
    """The schedule over ``steps`` steps.

    ``onecycle`` and ``cosine`` rise linearly over the first ``warmup`` share of the steps, then fall to
    ``final`` (onecycle along a line, after Smith 2018, arXiv:1803.09820; cosine along half a wave, after
    Loshchilov and Hutter 2017, arXiv:1608.03983). ``constant`` stays at the peak. Past ``steps`` the last
    value holds.
    """
    warm = min(round(config.warmup * steps), steps - 1)
    final = config.final

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / (warm + 1)
        done = min(1.0, (step - warm) / (steps - warm))
        fallen = done if config.name == "onecycle" else 0.5 * (1 - math.cos(math.pi * done))
        return 1 - (1 - final) * fallen

    return (lambda step: 1.0) if config.name == "constant" else share  # noqa: ARG005 - the same at every step
