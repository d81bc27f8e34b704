"""Baselines of forecasting, on windows of a series; outputs ``prediction``, shape ``(N, horizon)``.

They ask the dataset for the past of its target (`History`). One that cannot say is taken to hold it in
``input``, shape ``(B, lookback, F)``, in the column of the fact ``target_index``, or else 0.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.data.table import Array
from fivefold.errors import ConfigError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.tasks.reading import in_batches


@runtime_checkable
class History(Protocol):
    """A dataset of windows that can look further back than its windows do."""

    def past(self, indices: Tensor, steps: int) -> Tensor:
        """The target's last ``steps`` values before each forecast, ``(B, steps)``; nan where unknown."""
        ...


class SeasonalNaive(Baseline):
    """Repeats the last season, the value ``period`` steps earlier (Hyndman and Athanasopoulos 2021, 5.2).

    Where the data do not reach back that far (the first windows of a split), it repeats the last value.
    """

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
            ConfigError: windows look back less than one season, and the dataset is no `History`.
        """
        parts = [self._forecast(self._season(samples, *read)) for read in in_batches(samples)]
        return {"prediction": torch.cat(parts).numpy()}

    def _season(self, samples: Dataset, indices: Tensor, batch: Batch) -> Tensor:
        """The last ``period`` values of the target, shape ``(B, period)``."""
        if isinstance(samples, History):
            return samples.past(indices, self._period)
        past = batch["input"][..., samples.facts.get("target_index", 0)]
        if past.shape[1] < self._period:
            raise ConfigError(
                f"{self.name}: expected windows that look back at least {self._period} steps, "
                f"found {past.shape[1]}; raise the look-back or take a shorter season"
            )
        return past[:, -self._period :]

    def _forecast(self, season: Tensor) -> Tensor:
        """Seasons ``(B, period)`` to forecasts ``(B, horizon)``."""
        known = torch.where(season.isnan(), season[:, -1:], season)
        return known[:, torch.arange(self._horizon) % self._period]


class LastValue(SeasonalNaive):
    """Repeats the last value seen (the random walk's forecast)."""

    def __init__(self) -> None:
        super().__init__(1, "last value")
