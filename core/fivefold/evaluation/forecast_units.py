"""In which units the errors of forecasts are, and what they come to in the targets' own."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.forecast_errors import MODEL
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.metric import Values, number
from fivefold.evaluation.section import Grid, Section
from fivefold.tasks.base import Outputs

_EXPLAINED = (
    "MAE, pinball loss and interval width are given in standard deviations of each target in the training part, and "
    "MSE in their squares, so that targets of unlike units can be averaged, and as published tables have them. Below "
    "they are in each target's own unit."
)


def unit_section(forecasts: Forecasts) -> Section:
    """The standard deviation that errors are counted in, and MAE and interval width in each target's own unit."""
    predictors = {MODEL: forecasts.outputs}
    predictors |= {name: of for name, of in forecasts.rivals.items() if "prediction" in of}
    errors = {name: _mean_errors(of) for name, of in predictors.items()}
    widths = _mean_widths(forecasts.outputs)
    names = [f"log return of {name}" if forecasts.level == "returns" else name for name in forecasts.targets]
    rows = [
        (
            name,
            number(float(forecasts.scale[place])),
            number(float(widths[place])) if np.isfinite(widths[place]) else "none",
            *(number(float(of[place])) for of in errors.values()),
        )
        for place, name in enumerate(names)
    ]
    head = ("Target", "Standard deviation", "Interval width", *(f"MAE of {name}" for name in errors))
    return Section(
        title="Units",
        text=_EXPLAINED,
        grids=(Grid("In each target's own unit", head, tuple(rows)),),
        facts={
            name: {
                "standard_deviation": float(forecasts.scale[place]),
                "interval_width": float(widths[place]),
                "MAE": {who: float(of[place]) for who, of in errors.items()},
            }
            for place, name in enumerate(forecasts.targets)
        },
        key="units",
    )


def _mean_errors(outputs: Outputs) -> Values:
    """Mean absolute error of each target, ``(K,)``."""
    prediction, target = (np.asarray(outputs[name], dtype=np.float64) for name in ("prediction", "target"))
    return np.asarray(np.abs(prediction - target).mean(axis=(0, 1)))


def _mean_widths(outputs: Outputs) -> Values:
    """Mean width of each target's intervals, ``(K,)``; nan of one without bounds."""
    if "lower" not in outputs:
        return np.full(np.shape(outputs["target"])[2], np.nan)
    lower, upper = (np.asarray(outputs[name], dtype=np.float64) for name in ("lower", "upper"))
    return np.asarray((upper - lower).mean(axis=(0, 1)))
