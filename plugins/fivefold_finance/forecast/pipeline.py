"""Forecasting: `fivefold finance forecast train sp500`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Dataset, Facts
from fivefold.data.fingerprint import Fingerprints
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.evaluation.baselines import Baseline
from fivefold.evaluation.baselines.forecast import Drift, RepeatLast, SeasonalRepeat
from fivefold.evaluation.baselines.forecast_autoregression import Autoregression
from fivefold.evaluation.baselines.forecast_linear import ClosedFormLinear
from fivefold.evaluation.doubts import all_doubts, keep_doubts
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.nn.forecasting.build import build_forecaster
from fivefold.pipeline import Pipeline
from fivefold.prediction import Request
from fivefold.tasks.base import Task
from fivefold.tasks.forecast import Forecast as ForecastTask
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.data import Origins, measure
from fivefold_finance.forecast.origins import OriginTable, window_keys
from fivefold_finance.forecast.prediction import forecast_records
from fivefold_finance.forecast.presets import PRESETS
from fivefold_finance.forecast.reading import Read, options_of, read_last_origins, read_origins
from fivefold_finance.forecast.sections import series_sections
from fivefold_finance.forecast.splits import split_fold, split_in_time
from fivefold_finance.series.readers.choose import recognise


class Forecast(Pipeline):
    """What comes next, from what has been, and how far to trust it."""

    Config: ClassVar[type[PipelineConfig]] = ForecastConfig
    presets: ClassVar[Mapping[str, Callable[[], PipelineConfig]]] = PRESETS
    search_space: ClassVar[Mapping[str, str]] = {
        "lookback": "32:512:log",
        "model.kind": "nlinear,dlinear,gru,tcn,patch-tst",
    }
    config: ForecastConfig
    _doubts: tuple[str, ...] = ()

    def recognise(self, source: Path) -> str | None:
        """What kind of series this is, in words."""
        return recognise(source, options_of(self.config))

    def read(self, source: Path) -> Table:
        """Read series and find every origin that a forecast can be made and judged from.

        Raises:
            DataError: the series cannot be read, or none is long enough.
        """
        return self._told(read_origins(source, self.config, self.facts))

    def read_inputs(self, source: Path) -> Table:
        """Read series whose future is not known; one origin a series, its last bar.

        Raises:
            DataError: the series cannot be read, or one is too short.
        """
        return self._told(read_last_origins(source, self.config, self.facts))

    def split(self, table: Table) -> Splits:
        """Past, then validation, then test, without origins that reach over a border."""
        return split_in_time(_origins(table), self.config.split)

    def fold(self, table: Table, folds: int) -> Splits:
        """One step of a walk forward in time; nothing is drawn at random."""
        config = self.config
        return split_fold(_origins(table), folds, config.fold, config.walk, embargo=config.split.embargo)

    def samples(self, table: Table) -> Dataset:
        """Origins as windows."""
        origins = _origins(table)
        if self.facts is not None:
            return Origins(origins, self.facts)
        facts = measure(origins, self.config.season, by_symbol=self.config.by_symbol)
        keep_doubts(facts, self._doubts)
        return Origins(origins, facts)

    def task(self, data: Facts) -> Task:
        """The network that the settings name."""
        config = self.config
        quantiles = len(config.quantiles) or 1
        network = build_forecaster(config.model.kind, data, config.model, quantiles=quantiles)
        return ForecastTask(
            network, data, quantiles=config.quantiles, loss=config.loss, level=config.coverage
        )

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        """No change, drift, the last season where there is one, a linear map, and autoregression."""
        seasonal = [SeasonalRepeat(data.season)] if 1 < data.season <= data.lookback else []
        return [RepeatLast(), Drift(), *seasonal, ClosedFormLinear(), Autoregression()]

    def fingerprints(self, table: Table) -> Fingerprints:
        """Keys of the values of a window and of its time."""
        return window_keys(_origins(table))

    def cautions(self, data: Facts) -> Sequence[str]:
        """What the series give reason to doubt: those that were learned from, and those read since."""
        return all_doubts(data, self._doubts)

    def sections(self, evaluation: Evaluation) -> list[Section]:
        """The series that were judged, and results by series."""
        return series_sections(evaluation)

    def predict(self, task: Task, request: Request) -> list[dict[str, Any]]:
        """One record a series, step and target: symbol, time, forecast and interval."""
        return forecast_records(self, task, request)

    def _told(self, read: Read) -> OriginTable:
        self._doubts = read.cautions
        return read.table


def _origins(table: Table) -> OriginTable:
    """Every table of this pipeline is one of origins; `take` and the like keep what it is."""
    if not isinstance(table, OriginTable):
        raise TypeError(f"expected a table of origins, found {type(table).__name__}")
    return table
