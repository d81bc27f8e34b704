"""Forecasts in the user's words: a row a series, step and target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fivefold.prediction import Request
from fivefold.training.inference import predict_outputs
from fivefold_finance.forecast.data import Origins

if TYPE_CHECKING:
    from fivefold.pipeline import Pipeline
    from fivefold.tasks.base import Task


def forecast_records(pipeline: Pipeline, task: Task, request: Request) -> list[dict[str, Any]]:
    """One record a series, step and target, with ``id`` (symbol and step) first.

    ``forecast``, ``lower`` and ``upper`` are in the target's units, or log returns of one step; ``level`` of the latter
    is the price to which the forecast returns up to that step lead.

    Raises:
        DataError: an input cannot be read, or a series is too short.
    """
    records: list[dict[str, Any]] = []
    for source in request.sources:
        samples = pipeline.samples(pipeline.read_inputs(source.path))
        if isinstance(samples, Origins):
            outputs = predict_outputs(task, samples, device=request.device)
            records += [record for row in range(len(samples)) for record in _of_origin(samples, outputs, row)]
    return records


def _of_origin(samples: Origins, outputs: dict[str, Any], row: int) -> list[dict[str, Any]]:
    table, facts = samples.table, samples.facts
    bar, symbol = int(table["row"][row]), str(table["symbol"][row])
    zone = table.bars.zones[int(table["series"][row])]
    returns = facts.level == "returns"
    values = {name: np.asarray(outputs[name][row], np.float64) for name in ("prediction", "lower", "upper")}
    levels = table.bars.levels[bar] * np.exp(np.cumsum(values["prediction"], axis=0)) if returns else None
    records = []
    for step in range(samples.table.horizon):
        time = pd.Timestamp(table.bars.times[bar + step + 1], tz="UTC").tz_convert(zone).isoformat()
        for place, target in enumerate(facts.targets):
            record: dict[str, Any] = {
                "id": f"{symbol}+{step + 1}",
                "symbol": symbol,
                "step": step + 1,
                "time": time,
                "target": f"log return of {target}" if returns else target,
                "forecast": float(values["prediction"][step, place]),
                "lower": _finite(values["lower"][step, place]),
                "upper": _finite(values["upper"][step, place]),
            }
            if levels is not None:
                record["level"] = float(levels[step, place])
            records.append(record)
    return records


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
