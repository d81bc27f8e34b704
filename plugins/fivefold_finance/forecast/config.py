"""Settings of forecasting."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.fields import SplitShares
from fivefold.config.forecaster import ForecasterConfig, ForecasterKind
from fivefold_finance.series.options import DateOrder, Epoch

CalendarFeature = Literal["hour", "weekday", "day", "month"]


class ColumnsConfig(StrictModel):
    """Names of the columns."""

    time: str | None = None
    """Column with the time; time, date, datetime, timestamp or ds where not given."""
    symbol: str | None = None
    """Column that tells series apart; symbol, ticker, unique_id or name where not given."""
    values: tuple[str, ...] = ()
    """Columns to read; all but time and symbol where not given."""


class SeriesConfig(StrictModel):
    """How series are read."""

    calendar: str | None = None
    """Exchange whose sessions the bars are, such as XNYS: a missing session is then a gap, and forecasts of days to
    come are dated by it."""
    adjusted: bool | None = None
    """Whether prices are adjusted for splits and dividends; found out where not given."""
    prices: bool | None = None
    """Whether the columns open, high, low and close are prices; where there is a close if not given."""
    date_order: DateOrder | None = None
    """Month or day first, in dates such as 1/4/1999; found out where not given."""
    epoch: Epoch | None = None
    """Unit of times that are numbers; found out where not given."""


class SplitConfig(SplitShares):
    """Where the past ends: validation follows training, and the test is what came last."""

    train: float = Field(0.6, gt=0, lt=1)
    """Share of the history to train on, in time, over all series together."""
    val: float = Field(0.2, gt=0, lt=1)
    """Share that validates; what follows tests."""
    dates: tuple[date, ...] = ()
    """First day of validation, first day of the test and, if anything is to be left unused after it, the first day
    after the test; in place of shares."""
    sizes: tuple[int, ...] = ()
    """Rows (times) of training, validation and test, counted from the beginning; later rows stay unused."""
    embargo: int = Field(0, ge=0)
    """Rows between the last target of a split and the first of the next, beside the purge of targets that reach
    over the border."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.dates and self.sizes:
            raise ValueError("'dates' and 'sizes' both say where the splits begin; choose one")
        if self.dates and (len(self.dates) not in {2, 3} or list(self.dates) != sorted(set(self.dates))):
            raise ValueError(
                "'dates' must be two or three days, one after the other (validation, test, end), found "
                f"{', '.join(map(str, self.dates))}"
            )
        if self.sizes and (len(self.sizes) != 3 or min(self.sizes) < 1):  # noqa: PLR2004 - the splits
            raise ValueError(
                "'sizes' must be three numbers of rows of 1 or more (training, validation, test), found "
                f"{', '.join(map(str, self.sizes))}"
            )
        return self


class WalkConfig(StrictModel):
    """The periods of a walk forward (folds)."""

    tested: float = Field(0.5, gt=0, lt=1)
    """Share of the history, its end, that the test periods of all folds make up together."""
    window: int | None = Field(None, ge=1)
    """Rows that each fold trains on, the last before its validation; all from the beginning where not given."""


class ModelConfig(ForecasterConfig):
    """The network."""

    kind: ForecasterKind = "dlinear"
    """Architecture: recurrent (lstm, gru), causal convolutions (tcn), linear maps (dlinear, nlinear), or a
    transformer over patches (patch-tst)."""


class ForecastConfig(PipelineConfig):
    """Forecasting: series, windows, network, and how it is trained and judged."""

    reading: ClassVar[tuple[str, ...]] = (
        "columns",
        "zone",
        "series.calendar",
        "series.adjusted",
        "series.date_order",
        "series.epoch",
        "max_bad_share",
    )

    lookback: int = Field(64, ge=1)
    """Bars (steps) that are seen."""
    horizon: int = Field(5, ge=1)
    """Steps that are forecast."""
    targets: tuple[str, ...] = ()
    """Columns to forecast; the close of prices, all columns of any other series where not given."""
    covariates: tuple[str, ...] = ()
    """Columns that are seen beside the targets; none of prices, all of any other series where not given."""
    target_as: Literal["auto", "levels", "returns"] = "auto"
    """Forecast values themselves or their log returns; auto takes returns for prices, else levels."""
    calendar: tuple[CalendarFeature, ...] = ()
    """What is known of the time ahead, in the series' zone: hour, weekday, day (of the month), month."""
    known: tuple[str, ...] = ()
    """Columns whose future is known, such as holidays or planned sales; rows to come must hold them."""
    by_symbol: bool = False
    """Tell the network which series it sees, so that it forecasts only those it was trained on."""
    season: int | None = Field(None, ge=1)
    """Steps of a season; from the usual step where not given (24 of hours, 7 of days), and 1 for prices."""
    grid: Literal["auto", "regular", "sessions"] = "auto"
    """What follows what: on a regular grid a missing step is a gap, sessions follow each other over nights and
    weekends; auto takes sessions for prices. No window reaches over a gap."""
    loss: Literal["mse", "mae", "huber"] = "mse"
    """What is made small."""
    quantiles: tuple[float, ...] = ()
    """Quantiles to forecast, such as 0.05 0.5 0.95; a point forecast where not given."""
    coverage: float = Field(0.9, gt=0, lt=1)
    """Share of values that the forecast interval is to hold."""
    columns: ColumnsConfig = ColumnsConfig()
    zone: str | None = None
    """IANA time zone of times that state none, such as America/New_York; that of a column 'zone' or of the calendar
    where not given, else UTC."""
    max_bad_share: float = Field(0.01, ge=0, lt=1)
    """Share of a series' bars that may contradict themselves; they are left out and listed. More are an error."""
    series: SeriesConfig = SeriesConfig()
    split: SplitConfig = SplitConfig()
    walk: WalkConfig = WalkConfig()
    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _quantiles_in_order(self) -> Self:
        found = list(self.quantiles)
        if found != sorted(set(found)) or not all(0 < quantile < 1 for quantile in found):
            raise ValueError(
                f"'quantiles' must rise, each between 0 and 1, found {', '.join(f'{one:g}' for one in found)}"
            )
        return self

    @model_validator(mode="after")
    def _columns_have_one_role(self) -> Self:
        both = sorted(set(self.known) & set(self.targets))
        if both:
            raise ValueError(
                f"'{both[0]}' is among 'targets' and 'known'; what is known need not be forecast"
            )
        return self
