"""In which units the errors of forecasts are, and what they come to in the targets' own."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.forecast_errors import predictors
from fivefold.evaluation.forecast_metrics import scaled_error, scaled_width
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.numbers import number
from fivefold.evaluation.section import Grid, Section

_EXPLAINED = (
    "MAE, pinball loss and interval width are given in standard deviations of each target in the training part, and "
    "MSE in their squares, so that targets of unlike units can be averaged, and as published tables have them. Below "
    "they are in each target's own unit."
)


def unit_section(forecasts: Forecasts) -> Section:
    """The standard deviation that errors are counted in, and MAE and interval width in each target's own unit."""
    scale = forecasts.scale
    errors = {
        name: scale * np.abs(scaled_error(of, scale)).mean(axis=(0, 1))
        for name, of in predictors(forecasts).items()
    }
    bounded = "lower" in forecasts.outputs
    widths = scale * scaled_width(forecasts.outputs, scale).mean(axis=(0, 1)) if bounded else None
    names = [f"log return of {name}" if forecasts.level == "returns" else name for name in forecasts.targets]
    rows = [
        (
            name,
            number(float(scale[place])),
            "none" if widths is None else number(float(widths[place])),
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
                "standard_deviation": float(scale[place]),
                "interval_width": None if widths is None else float(widths[place]),
                "MAE": {who: float(of[place]) for who, of in errors.items()},
            }
            for place, name in enumerate(forecasts.targets)
        },
        key="units",
    )
