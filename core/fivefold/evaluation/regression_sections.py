"""What the report of every regression shows."""

from __future__ import annotations

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREY, MANY_POINTS, canvas, finish, identity_line
from fivefold.evaluation.section import Figure, Grid, Section

SHOWN = 12
"""Samples listed in a table of examples."""

MOST_POINTS = 20_000
"""Points drawn at most, evenly spaced over the samples."""

FEW = 4
"""Targets of a sample that a cell shows."""


def regression_sections(evaluation: Evaluation) -> list[Section]:
    """Predicted against actual values, residuals in the order of samples, the largest errors."""
    target = np.asarray(evaluation.outputs["target"], dtype=np.float64)
    target = target.reshape(len(target), -1)
    prediction = np.asarray(evaluation.outputs["prediction"], dtype=np.float64).reshape(target.shape)
    residual = prediction - target
    return [
        Section(
            title="Predictions",
            figures=(_scatter(prediction, target),),
            facts={"targets": target.shape[1]},
            key="predictions",
        ),
        Section(
            title="Residuals",
            text=(
                "What is left over should look like noise without a trend: a drift along the samples says "
                "that the data change over their order and the model does not follow."
            ),
            figures=(_residuals(residual),),
            facts={"mean": float(residual.mean()), "deviation": float(residual.std())},
            key="residuals",
        ),
        _largest_errors(evaluation, prediction, target),
    ]


def _thinned(count: int) -> Array:
    return np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(np.int64)


def _scatter(prediction: Array, target: Array) -> Figure:
    picked = _thinned(target.size)
    with canvas(5.4, 5.0) as drawn:
        axes = drawn.subplots()
        low, high = float(min(target.min(), prediction.min())), float(max(target.max(), prediction.max()))
        identity_line(axes, low, high)
        many = len(picked) > MANY_POINTS
        axes.scatter(
            target.reshape(-1)[picked],
            prediction.reshape(-1)[picked],
            s=6 if many else 14,
            alpha=0.35 if many else 0.7,
            color=BLUE,
            linewidths=0,
            rasterized=many,
        )
        axes.set_xlabel("Actual")
        axes.set_ylabel("Predicted")
        return finish(
            drawn,
            caption="Predicted against actual values; on the dashed line they are equal.",
            alt=f"Scatter of {len(picked)} predicted against actual values between {low:.4g} and {high:.4g}.",
        )


def _residuals(residual: Array) -> Figure:
    average = residual.mean(axis=1)
    picked = _thinned(len(average))
    with canvas(7.2, 3.2) as drawn:
        axes = drawn.subplots()
        axes.axhline(0, color=GREY, linewidth=1, linestyle="--")
        axes.plot(
            picked,
            average[picked],
            ".",
            color=BLUE,
            markersize=3,
            alpha=0.6,
            rasterized=len(picked) > MANY_POINTS,
        )
        axes.set_xlabel("Sample, in order")
        axes.set_ylabel("Predicted minus actual")
        return finish(
            drawn,
            caption="Residuals in the order of the samples.",
            alt=f"{len(average)} residuals: mean {average.mean():.4g}, deviation {average.std():.4g}.",
        )


def _largest_errors(evaluation: Evaluation, prediction: Array, target: Array) -> Section:
    error = np.abs(prediction - target).mean(axis=1)
    worst = np.argsort(-error, kind="stable")[:SHOWN]
    rows = tuple(
        (
            str(evaluation.ids[index]),
            _numbers(target[index]),
            _numbers(prediction[index]),
            f"{error[index]:.4g}",
        )
        for index in worst
    )
    head = ("Sample", "Actual", "Predicted", "Absolute error")
    return Section(
        title="Largest errors",
        grids=(Grid("Samples that are furthest off", head, rows),),
        facts={"samples": [str(evaluation.ids[index]) for index in worst]},
        key="largest_errors",
    )


def _numbers(values: Array) -> str:
    """The first few of ``values`` for a cell."""
    shown = ", ".join(f"{value:.4g}" for value in values[:FEW])
    return shown + (", …" if len(values) > FEW else "")
