"""A split's forecasts in order, series by series: what the sections on forecasts work with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fivefold.data.dataset import Facts
from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.forecast_metrics import Level, directions
from fivefold.evaluation.metric import Values
from fivefold.tasks.base import Outputs

Places = NDArray[np.int64]


@runtime_checkable
class NamesSeries(Protocol):
    """A dataset that says which series each of its samples is from."""

    series_names: Array


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of one split by the model, ``N`` samples of ``H`` steps and ``K`` targets.

    Attributes:
        outputs: the model's.
        rivals: each baseline's.
        ids: names of the samples, shape ``(N,)``.
        series: name of each sample's series, shape ``(N,)``.
        targets: names of the targets.
        level: whether they are levels or returns.
        scale: standard deviation of each target in the training split, shape ``(K,)``.
    """

    outputs: Outputs
    rivals: dict[str, Outputs]
    ids: Array
    series: Array
    targets: tuple[str, ...]
    level: Level
    scale: Values

    @classmethod
    def of(cls, evaluation: Evaluation, facts: Facts, scale: Array) -> Forecasts:
        """Those of ``evaluation``; a sample's series is what stands before ``@`` in its name, unless the data say."""
        samples = evaluation.samples
        named = (
            samples.series_names
            if isinstance(samples, NamesSeries)
            else [str(name).rpartition("@")[0] for name in evaluation.ids]
        )
        return cls(
            outputs=evaluation.outputs,
            rivals=evaluation.baseline_outputs,
            ids=evaluation.ids,
            series=np.asarray(named, dtype=str),
            targets=tuple(map(str, facts["targets"])),
            level=facts["level"],
            scale=np.asarray(scale, dtype=np.float64),
        )

    @property
    def horizon(self) -> int:
        """Steps ahead, ``H``."""
        return int(self.outputs["target"].shape[1])

    @property
    def times(self) -> NDArray[np.int64]:
        """When each forecast was made, in nanoseconds, shape ``(N,)``."""
        return np.asarray(self.outputs["time"], dtype=np.int64)

    @cached_property
    def by_series(self) -> dict[str, Places]:
        """Each series' samples, in order of time; series in order of their names."""
        order = np.lexsort((self.times, self.series))
        names, starts = np.unique(self.series[order], return_index=True)
        return dict(zip(map(str, names), np.split(order, starts[1:]), strict=True))

    def at_times(self) -> Iterator[tuple[int, Places]]:
        """Each time at which forecasts were made, in order, with its samples in order of their series."""
        order = np.lexsort((self.series, self.times))
        times, starts = np.unique(self.times[order], return_index=True)
        yield from zip(map(int, times), np.split(order, starts[1:]), strict=True)

    def moves(self) -> tuple[Values, Values]:
        """Forecast and actual change over the whole horizon, both ``(N, K)``: of returns, their sum."""
        forecast, actual = directions(self.outputs, self.level)
        if self.level == "returns":
            return forecast.sum(axis=1), actual.sum(axis=1)
        return forecast[:, -1], actual[:, -1]

    def apart(self) -> Places:
        """Samples whose horizons do not overlap, in order of time, never two of one time.

        The next one is taken at the first time that is no earlier than ``H`` samples of its own series after the
        last one. Where several series share that time they come by turns.
        """
        until = np.full(len(self.times), np.iinfo(np.int64).max)
        for places in self.by_series.values():
            until[places[: -self.horizon]] = self.times[places[self.horizon :]]
        free, taken = np.iinfo(np.int64).min, list[int]()
        for time, places in self.at_times():
            if time >= free:
                taken.append(int(places[len(taken) % len(places)]))
                free = until[taken[-1]]
        return np.asarray(taken, dtype=np.int64)
