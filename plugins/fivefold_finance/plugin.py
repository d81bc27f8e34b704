"""The finance plugin: what it offers, as names and targets. Imports neither torch nor pandas."""

from __future__ import annotations

from fivefold.plugins.hookspecs import hookimpl
from fivefold.plugins.spec import CommandSpec, DatasetSpec, Demo, PipelineSpec, SourceSpec

FIVEFOLD_CONTRACT = 1


@hookimpl
def fivefold_pipelines() -> list[PipelineSpec]:
    """Pipelines on series and transactions."""
    return [
        PipelineSpec(
            "finance/forecast",
            "Forecasts of prices, returns and any other series, with intervals",
            target="fivefold_finance.forecast.pipeline:Forecast",
            config="fivefold_finance.forecast.config:ForecastConfig",
            example="demand",
            presets="fivefold_finance.forecast.presets:PRESETS",
            prediction="fivefold.config:NoOptions",
            demo=Demo("sp500", preset="returns", inputs="sp500", pattern="", picture="Forecasts"),
        ),
        PipelineSpec(
            "finance/fraud",
            "Fraud among transactions, from their features and each card's history",
            target="fivefold_finance.fraud.pipeline:Fraud",
            config="fivefold_finance.fraud.config:FraudConfig",
            example="payments",
            presets="fivefold_finance.fraud.presets:PRESETS",
            prediction="fivefold_finance.fraud.prediction:FraudPrediction",
        ),
    ]


@hookimpl
def fivefold_datasets() -> list[DatasetSpec]:
    """Named series and transactions."""
    return [
        DatasetSpec(name, summary, manifest=f"fivefold_data:datasets/{name}.yaml", pipelines=(pipeline,))
        for name, summary, pipeline in (
            (
                "demand",
                "Simulated hourly demand for power of a town, 120 days; comes with fivefold, needs no download",
                "finance/forecast",
            ),
            ("sp500", "S&P 500, daily, 1999 to 2018", "finance/forecast"),
            ("nasdaq", "NASDAQ Composite, daily, 1999 to 2018", "finance/forecast"),
            ("vix", "VIX volatility index, daily, from 2014", "finance/forecast"),
            ("msft", "Microsoft shares, daily, 1986 to 2017, adjusted", "finance/forecast"),
            ("etth1", "Hourly temperature and loads of a transformer, two years", "finance/forecast"),
            (
                "payments",
                "Simulated card payments, some fraudulent; comes with fivefold, needs no download",
                "finance/fraud",
            ),
            (
                "ulb-cards",
                "Card transactions of two days in 2013, 492 of 284,807 fraudulent",
                "finance/fraud",
            ),
        )
    ]


@hookimpl
def fivefold_sources() -> list[SourceSpec]:
    """Prices elsewhere."""
    return [
        SourceSpec(
            "yfinance",
            "Prices of Yahoo Finance, asked for once a day",
            target="fivefold_finance.series.yahoo:fetch",
            example="yfinance:AAPL,MSFT?start=2010-01-01",
            terms=(
                "the prices are Yahoo's and for personal use only, under legal.yahoo.com; fivefold and yfinance "
                "are not affiliated with Yahoo, fivefold brings no prices, and what is fetched stays on this machine"
            ),
        )
    ]


@hookimpl
def fivefold_commands() -> list[CommandSpec]:
    """Commands beside the pipelines."""
    return [
        CommandSpec(
            "finance/walk-forward",
            "Train again and again as time goes on, and judge all forecasts together",
            target="fivefold_finance.forecast.walk_forward:walk_forward",
        ),
    ]
