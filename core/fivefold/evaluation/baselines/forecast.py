"""Baselines of forecasts that repeat or prolong what was seen; outputs ``prediction``, shape ``(N, H, K)``.

They read batches as `fivefold.tasks.forecast.Forecast` does: ``input`` ``(B, L, F)``, whose first ``K`` columns are the
targets, and ``target`` ``(B, H, K)``; the data's facts state ``targets`` (names), ``horizon`` and ``level`` ("levels",
or "returns", of which no change is zero).
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.data.table import Array
from fivefold.errors import ConfigError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.tasks.reading import in_batches


class ForecastBaseline(Baseline):
    """One that forecasts batch by batch.

    Attributes:
        horizon: steps to forecast, known once fitted.
        targets: how many columns, the first, are forecast.
        returns: whether targets are returns, of which no change is zero.
    """

    horizon: int = 1
    targets: int = 1
    returns: bool = False

    def fit(self, train: Dataset) -> None:
        """Learn what is asked for, and then from the samples."""
        facts = train.facts
        self.horizon, self.targets = facts.horizon, len(facts.targets)
        self.returns = facts.get("level", "levels") == "returns"
        self.learn(train)

    def learn(self, train: Dataset) -> None:
        """Learn from the training samples; nothing where not defined."""

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``prediction``, shape ``(N, H, K)``, float32."""
        parts = [self.forecast(batch).float() for _, batch in in_batches(samples)]
        return {"prediction": torch.cat(parts).numpy()}

    @abstractmethod
    def forecast(self, batch: Batch) -> Tensor:
        """``(B, H, K)``."""

    def past(self, batch: Batch) -> Tensor:
        """The targets' past, ``(B, L, K)``."""
        return batch["input"][..., : self.targets]

    def no_change(self, batch: Batch) -> Tensor:
        """What a series without change is at the next step, ``(B, 1, K)``: its last value, of returns zero."""
        last = self.past(batch)[:, -1:]
        return torch.zeros_like(last) if self.returns else last


class RepeatLast(ForecastBaseline):
    """No change: the last value at every step, of returns zero, as is best of a random walk."""

    def __init__(self) -> None:
        self.name = "no change"

    def forecast(self, batch: Batch) -> Tensor:
        """``(B, H, K)``."""
        return self.no_change(batch).expand(-1, self.horizon, -1)


class Drift(ForecastBaseline):
    """The last value and a straight line from it, whose slope is the mean change of a step in the training split.

    Hyndman and Athanasopoulos 2021, 5.2, with the slope of the training split in place of the history's. Of returns it
    is their mean. Where batches hold ``naive_error`` (each series' usual change, ``(B, K)``), the slope is learned in
    units of it, so that series of unlike scale share one.
    """

    def __init__(self) -> None:
        self.name = "drift"
        self._slope = torch.zeros(1)

    def learn(self, train: Dataset) -> None:
        """Average the changes."""
        total = torch.zeros(self.targets, dtype=torch.float64)
        for _, batch in in_batches(train):
            change = (batch["target"] - self.no_change(batch)).double()  # (B, H, K)
            mean = change.mean(dim=1) if self.returns else change[:, -1] / self.horizon
            unit = self._unit(batch)
            total += torch.where(unit > 0, mean / unit, 0.0).sum(dim=0)
        self._slope = total / len(train)

    def _unit(self, batch: Batch) -> Tensor:
        """``(B, K)``, float64."""
        held = batch.get("naive_error")
        return torch.ones(1, self.targets, dtype=torch.float64) if held is None else held.double()

    def forecast(self, batch: Batch) -> Tensor:
        """``(B, H, K)``."""
        slope = (self._slope * self._unit(batch))[:, None]  # (B, 1, K)
        steps = torch.arange(1, self.horizon + 1)[None, :, None]
        return self.no_change(batch) + slope * (torch.ones_like(steps) if self.returns else steps)


class SeasonalRepeat(ForecastBaseline):
    """Repeats the last season, the value ``period`` steps earlier (Hyndman and Athanasopoulos 2021, 5.2)."""

    def __init__(self, period: int) -> None:
        """Settings.

        Args:
            period: steps in a season, one or more.

        Raises:
            ConfigError: the period is below 1.
        """
        if period < 1:
            raise ConfigError(f"a season has at least one step, found a period of {period}; give 1 or more")
        self.name = f"value {period} steps earlier"
        self._period = period

    def forecast(self, batch: Batch) -> Tensor:
        """``(B, H, K)``.

        Raises:
            ConfigError: windows look back less than one season.
        """
        past = self.past(batch)
        if past.shape[1] < self._period:
            raise ConfigError(
                f"{self.name}: expected windows that look back at least {self._period} steps, "
                f"found {past.shape[1]}; raise the look-back or take a shorter season"
            )
        return past[:, torch.arange(self.horizon) % self._period - self._period]
