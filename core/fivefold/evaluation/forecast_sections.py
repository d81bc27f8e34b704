"""What the report of every forecast shows: the forecasts, units, their errors, intervals, directions and tests."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from fivefold.data.dataset import Facts
from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.forecast_errors import error_sections
from fivefold.evaluation.forecast_intervals import interval_section
from fivefold.evaluation.forecast_metrics import coverage_name
from fivefold.evaluation.forecast_pictures import forecast_section
from fivefold.evaluation.forecast_skill import (
    coefficient_section,
    direction_section,
    echo_section,
    equal_accuracy_section,
)
from fivefold.evaluation.forecast_units import unit_section
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.section import Section


@runtime_checkable
class Promises(Protocol):
    """A task whose intervals are to hold a share ``level`` of the outcomes."""

    level: float


def forecast_sections(evaluation: Evaluation, facts: Facts, scale: Array) -> list[Section]:
    """Sections in the order of the report.

    Args:
        evaluation: the judgement; its outputs as `fivefold.evaluation.forecast_metrics` has them.
        facts: of the data: ``targets`` (their names) and ``level`` ("levels" or "returns").
        scale: standard deviation of each target in the training split, shape ``(K,)``.
    """
    forecasts = Forecasts.of(evaluation, facts, scale)
    return [
        forecast_section(evaluation, forecasts),
        unit_section(forecasts),
        *error_sections(forecasts),
        *_intervals(evaluation, forecasts),
        equal_accuracy_section(evaluation, forecasts),
        echo_section(forecasts),
        direction_section(forecasts, 1 - evaluation.level),
        *coefficient_section(forecasts, 1 - evaluation.level),
    ]


def _intervals(evaluation: Evaluation, forecasts: Forecasts) -> list[Section]:
    """The section on intervals, with the metric that says how many outcomes lie within."""
    task = evaluation.task
    if not isinstance(task, Promises):
        return []
    return interval_section(forecasts, task.level, evaluation.estimates.get(coverage_name(task.level)))
