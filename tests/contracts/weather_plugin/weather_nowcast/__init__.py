"""Rain nowcasting, a plugin in one file: ``fivefold weather nowcast train seattle-weather``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.splits import Splits, by_time
from fivefold.data.table import Table
from fivefold.data.windows import Windows
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Baseline, LastValue, MeanTarget, SeasonalNaive
from fivefold.nn.recurrent import GRU
from fivefold.pipeline import Pipeline
from fivefold.plugins import DatasetSpec, PipelineSpec, hookimpl
from fivefold.tasks import Regression, Task

NUMBERS = ("precipitation", "temp_max", "temp_min", "wind")


@hookimpl
def fivefold_pipelines() -> list[PipelineSpec]:
    """The pipeline; its name gives ``fivefold weather nowcast train|evaluate|predict|tune|...``."""
    summary = "Rain of the next day from a station's daily series"
    return [
        PipelineSpec("weather/nowcast", summary, target="weather_nowcast:Nowcast", example="seattle-weather")
    ]


@hookimpl
def fivefold_datasets() -> list[DatasetSpec]:
    """A named dataset: the manifest beside this file says where it comes from, with checksum and licence."""
    summary = "Four years of daily weather in Seattle"
    return [
        DatasetSpec("seattle-weather", summary, "weather_nowcast:seattle-weather.yaml", ("weather/nowcast",))
    ]


class Nowcast(Pipeline):
    """From a CSV file with a date and measurements a day to millimetres of rain on the next day."""

    class Config(PipelineConfig):
        """Look-back and network."""

        lookback: int = Field(14, ge=1)
        """Days seen."""
        hidden: int = Field(32, ge=1)
        """Width of the network's state."""

    def recognise(self, source: Path) -> str | None:
        """A CSV file whose first line names our columns."""
        if source.suffix != ".csv":
            return None
        with source.open(encoding="utf-8", newline="") as file:
            head = next(csv.reader(file), [])
        return "a daily weather series" if {"date", *NUMBERS} <= set(head) else None

    def read(self, source: Path) -> Table:
        """Your format in: one row a day."""
        columns: dict[str, list[float]] = {name: [] for name in NUMBERS}
        dates: list[np.datetime64] = []
        with source.open(encoding="utf-8", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                try:
                    dates.append(np.datetime64(row["date"].replace("/", "-"), "D"))
                    for name in NUMBERS:
                        columns[name].append(float(row[name]))
                except (KeyError, ValueError) as error:
                    expected = ", ".join(("date", *NUMBERS))
                    raise DataError(
                        f"{source}, line {line}: {error}; expected the columns {expected}"
                    ) from error
        arrays = {name: np.array(values, dtype=np.float32) for name, values in columns.items()}
        return Table({"date": np.array(dates), **arrays}, source=str(source), time="date")

    def split(self, table: Table) -> Splits:
        """The past to train on, the future to be judged on."""
        return by_time(table)

    def samples(self, table: Table) -> Dataset:
        """Windows of ``lookback`` days, and the rain that follows."""
        return Windows(table, self.config.lookback, target="precipitation", columns=NUMBERS)

    def task(self, data: Facts) -> Task:
        """What is learned, and by which network."""
        return Regression(GRU(data.features, self.config.hidden, data.targets))

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        """What the network must beat: the mean, yesterday, and the same day last week."""
        return [MeanTarget(), LastValue(), SeasonalNaive(7)]
