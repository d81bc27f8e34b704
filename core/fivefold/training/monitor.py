"""Which epoch was best by a named metric, and when to stop waiting for a better one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fivefold.errors import ConfigError
from fivefold.evaluation.metric import Metric


@dataclass
class Monitor:
    """Follows one validation metric.

    Attributes:
        name: the metric's name.
        higher_is_better: which way is good.
        best: its best value so far; None before the first finite one.
        best_step: the step after which it was measured.
        waited: epochs since then.
    """

    name: str
    higher_is_better: bool
    best: float | None = None
    best_step: int | None = None
    waited: int = 0

    def update(self, value: float, step: int) -> bool:
        """Note the value measured after ``step``; True where it is the best so far (a NaN never is)."""
        if math.isnan(value) or not self._is_better(value):
            self.waited += 1
            return False
        self.best, self.best_step, self.waited = value, step, 0
        return True

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from a saved best value, step and waiting time."""
        self.best, self.best_step, self.waited = saved["best"], saved["best_step"], saved["waited"]

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return True
        return value > self.best if self.higher_is_better else value < self.best


def choose_monitor(metrics: Sequence[Metric], name: str | None) -> Monitor:
    """The monitor of the metric called ``name``; of the headline metric where it is None.

    Raises:
        ConfigError: there is no such metric, or it has no good and bad.
    """
    directed = {metric.name: metric for metric in metrics if metric.higher_is_better is not None}
    if name is None:
        chosen = next(
            (metric for metric in directed.values() if metric.headline), next(iter(directed.values()), None)
        )
    else:
        chosen = directed.get(name)
    if chosen is None:
        raise ConfigError(
            f"trainer.monitor '{name}' is no metric of this task; choose one of {', '.join(directed)}"
        )
    return Monitor(chosen.name, bool(chosen.higher_is_better))
