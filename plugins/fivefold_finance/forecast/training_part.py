"""The bars that training windows are made of, and what they say of scale: nothing else is looked at."""

from __future__ import annotations

import numpy as np

from fivefold_finance.forecast.bars import Floats
from fivefold_finance.forecast.origins import OriginTable


class TrainingPart:
    """From each series' first bar in a training window to its last.

    Args:
        table: training origins.
    """

    def __init__(self, table: OriginTable) -> None:
        self._table = table
        series, rows = table["series"], table["row"]
        self._series = np.unique(series)
        self._spans = [
            slice(
                int(rows[series == one].min()) - table.lookback + 1,
                int(rows[series == one].max()) + table.horizon + 1,
            )
            for one in self._series
        ]

    @property
    def symbols(self) -> list[str]:
        """Names of the series, in order."""
        return [self._table.bars.symbols[one] for one in self._series]

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each column, each bar once, ``(F,)``; the latter 1 where nothing varies."""
        values = np.concatenate([self._table.bars.values[span] for span in self._spans]).astype(np.float64)
        mean, deviation = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        return mean, np.where(deviation > 1e-7 * np.maximum(np.abs(mean), 1e-30), deviation, 1.0)

    def naive(self, season: int) -> list[Floats]:
        """The naive forecast's mean absolute error of each series, ``(K,)``: 0 of one that never changes.

        Of levels, the mean absolute difference from the value a season earlier (Hyndman and Koehler 2006); of log
        returns, the mean absolute return, which is that of the logarithm of the level from the one a step earlier.
        """
        layout, bars = self._table.layout, self._table.bars
        errors = []
        for span in self._spans:
            values = bars.values[span, : layout.targets].astype(np.float64)
            if layout.returns:
                change = values
            else:
                together = bars.run[span][season:] == bars.run[span][:-season]
                change = (values[season:] - values[:-season])[together]
            change = np.abs(change)
            known = np.isfinite(change)
            total = np.where(known, change, 0.0).sum(axis=0)
            errors.append(total / np.maximum(known.sum(axis=0), 1))
        return errors
