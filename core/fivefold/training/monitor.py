"""Which step was best by a named metric, and when to stop waiting for a better one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
        waited: validations since then.
        keep: how many of the best to remember.
        ranking: value and step of the best so far, best first; at most ``keep``.
    """

    name: str
    higher_is_better: bool
    best: float | None = None
    best_step: int | None = None
    waited: int = 0
    keep: int = 1
    ranking: list[tuple[float, int]] = field(default_factory=list)

    def update(self, value: float, step: int) -> bool:
        """Note the value measured after ``step``; True where it is among the best so far (a NaN never is)."""
        if math.isnan(value) or not self._is_better(value):
            self.waited += 1
        else:
            self.best, self.best_step, self.waited = value, step, 0
        if math.isnan(value):
            return False
        # Of equal values the earlier stays ahead.
        ranked = sorted([*self.ranking, (value, step)], key=self._order)
        self.ranking = ranked[: self.keep]
        return (value, step) in self.ranking

    @property
    def best_steps(self) -> list[int]:
        """The steps whose weights are kept for their value, best first."""
        return [step for _, step in self.ranking]

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from saved values; ``keep`` may have changed since."""
        self.best, self.best_step, self.waited = saved["best"], saved["best_step"], saved["waited"]
        self.ranking = [(value, step) for value, step in saved["ranking"]][: self.keep]

    def _order(self, entry: tuple[float, int]) -> tuple[float, int]:
        value, step = entry
        return (-value if self.higher_is_better else value, step)

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return True
        return value > self.best if self.higher_is_better else value < self.best


def choose_monitor(metrics: Sequence[Metric], name: str | None, *, keep: int = 1) -> Monitor:
    """The monitor of the metric called ``name``; of the headline metric where it is None.

    Args:
        metrics: the task's.
        name: one of theirs.
        keep: how many of the best steps to remember.

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
    return Monitor(chosen.name, bool(chosen.higher_is_better), keep=keep)
