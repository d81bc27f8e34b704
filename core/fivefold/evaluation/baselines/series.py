"""Baselines of forecasting, on windows of a series; outputs ``prediction``, shape ``(N, horizon)``.

They read ``input``, shape ``(B, lookback, F)``, in which the fact ``target_index`` (0 where not stated) tells
the column of the series to be forecast, and forecast as many steps as ``target`` has.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import ConfigError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.tasks.reading import in_batches


class SeasonalNaive(Baseline):
    """Repeats the last season, the value ``period`` steps earlier (Hyndman and Athanasopoulos 2021, 5.2)."""

    def __init__(self, period: int, name: str = "") -> None:
        """Settings.

        Args:
            period: steps in a season, one or more.
            name: as the report prints it.
        """
        if period < 1:
            raise ConfigError(f"a season has at least one step, found a period of {period}; give 1 or more")
        self.name = name or f"value {period} steps earlier"
        self._period = period
        self._horizon = 1

    def fit(self, train: Dataset) -> None:
        """Learn how many steps are asked for."""
        target = train.batch(torch.arange(1))["target"]
        self._horizon = target.reshape(len(target), -1).shape[1]

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``prediction``, shape ``(N, horizon)``.

        Raises:
            ConfigError: windows look back less than one season.
        """
        column = samples.facts.get("target_index", 0)
        parts = [self._forecast(batch["input"][..., column]) for _, batch in in_batches(samples)]
        return {"prediction": torch.cat(parts).numpy()}

    def _forecast(self, past: Tensor) -> Tensor:
        """Past values ``(B, lookback)`` to forecasts ``(B, horizon)``."""
        if past.shape[1] < self._period:
            raise ConfigError(
                f"{self.name}: expected windows that look back at least {self._period} steps, "
                f"found {past.shape[1]}; raise the look-back or take a shorter season"
            )
        season = past[:, -self._period :]
        return season[:, torch.arange(self._horizon) % self._period]


class LastValue(SeasonalNaive):
    """Repeats the last value seen (the random walk's forecast)."""

    def __init__(self) -> None:
        super().__init__(1, "last value")
