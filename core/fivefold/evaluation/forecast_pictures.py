"""Forecasts drawn against what came: single windows, and one step ahead along the whole split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREY, ORANGE, canvas, finish, shortened
from fivefold.evaluation.forecast_metrics import scaled_error
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.section import Figure, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAST = 2
"""Steps drawn before a forecast, in horizons."""

LEAST_PAST = 10
"""Steps drawn before a forecast of a short horizon."""

MOST_TARGETS = 3
"""Targets whose forecasts are drawn."""

MOST_STEPS = 600
"""Next-step forecasts drawn of a series: its last ones, as all of a long split would be a blur."""

DATES = ["%Y", "%Y-%m", "%Y-%m-%d", "%m-%d %H:%M", "%m-%d %H:%M", "%H:%M:%S"]
"""Dates below an axis where its ticks are years, months, days, hours, minutes or seconds apart, whole in themselves."""


def forecast_section(evaluation: Evaluation, forecasts: Forecasts) -> Section:
    """Windows (best, median, worst, first) and next-step forecasts of the first series."""
    windows = chosen_windows((scaled_error(forecasts.outputs, forecasts.scale) ** 2).mean(axis=(1, 2)))
    series, places = next(iter(forecasts.by_series.items()))
    drawn = places[-MOST_STEPS:]
    words = [
        "Outcomes are grey, forecasts blue with their intervals. Single windows are examples, not evidence."
    ]
    if len(forecasts.targets) > MOST_TARGETS:
        words.append(
            f"Of {len(forecasts.targets)} targets, the first {MOST_TARGETS} are drawn along the split."
        )
    if len(forecasts.by_series) > 1:
        words.append(
            f"Of {len(forecasts.by_series)} series, {series} is drawn along the split, the first by name."
        )
    if len(drawn) < len(places):
        words.append(f"Of {len(places)} forecasts, the last {len(drawn)} are drawn along the split.")
    return Section(
        title="Forecasts",
        text=" ".join(words),
        figures=(
            *([_windows(evaluation, forecasts, windows)] if forecasts.horizon > 1 else []),
            _along(forecasts, series, drawn),
        ),
        facts={
            "horizon": forecasts.horizon,
            "targets": list(forecasts.targets),
            "series": len(forecasts.by_series),
            "windows": {name: str(forecasts.ids[place]) for name, place in windows.items()},
        },
        key="forecasts",
    )


def chosen_windows(errors: Values) -> dict[str, int]:
    """Samples with the smallest, middle and largest error, and the first one."""
    order = np.argsort(errors, kind="stable")
    return {
        "best": int(order[0]),
        "median": int(order[len(order) // 2]),
        "worst": int(order[-1]),
        "first": 0,
    }


def _windows(evaluation: Evaluation, forecasts: Forecasts, windows: dict[str, int]) -> Figure:
    with canvas(7.6, 5.6) as drawn:
        for axes, (name, place) in zip(drawn.subplots(2, 2).flat, windows.items(), strict=True):
            _window(axes, forecasts, _past(evaluation, forecasts, place), place)
            axes.set_title(f"{name}: {shortened(str(forecasts.ids[place]), 40)}", fontsize=9)
            axes.tick_params(labelsize=8)
        drawn.supxlabel("Steps from the last value seen", fontsize=9)
        drawn.supylabel(shortened(forecasts.targets[0], 40), fontsize=9)
        names = ", ".join(f"{name} {forecasts.ids[place]}" for name, place in windows.items())
        return finish(
            drawn,
            caption=(
                f"{forecasts.targets[0]} in the windows with the smallest, middle and largest error over all targets, "
                "and in the first one."
            ),
            alt=f"Forecasts and outcomes of {forecasts.targets[0]} in four windows: {names}.",
        )


def _past(evaluation: Evaluation, forecasts: Forecasts, place: int) -> Values:
    """The first target's values up to the forecast, the last one at the end; of samples without input, only that."""
    inputs = evaluation.samples.batch(torch.tensor([place])).get("input")
    if inputs is None:
        return np.asarray(forecasts.outputs["last"][place, :1], dtype=np.float64)
    steps = max(LEAST_PAST, PAST * forecasts.horizon)
    return inputs[0, -steps:, 0].numpy().astype(np.float64)


def _window(axes: Axes, forecasts: Forecasts, past: Values, place: int) -> None:
    outputs = forecasts.outputs
    ahead = np.arange(1, forecasts.horizon + 1)
    axes.plot(np.arange(1 - len(past), 1), past, color=GREY, linewidth=1)
    _band(axes, ahead, forecasts, place, 0)
    actual = np.concatenate([past[-1:], outputs["target"][place, :, 0]])
    axes.plot(np.arange(forecasts.horizon + 1), actual, color=GREY, linewidth=1.6)
    axes.plot(ahead, outputs["prediction"][place, :, 0], color=BLUE, linewidth=1.6)
    axes.axvline(0, color=ORANGE, linewidth=1, linestyle=":")


def _band(
    axes: Axes,
    across: NDArray[np.generic],
    forecasts: Forecasts,
    places: int | NDArray[np.int64],
    column: int,
) -> None:
    """The interval of one window over its steps, or of many over their first step."""
    outputs = forecasts.outputs
    if "lower" not in outputs or "upper" not in outputs:
        return
    steps: slice | int = slice(None) if isinstance(places, int) else 0
    axes.fill_between(
        across,
        outputs["lower"][places, steps, column],
        outputs["upper"][places, steps, column],
        color=BLUE,
        alpha=0.18,
        linewidth=0,
    )


def dates_below(axes: Axes) -> None:
    """Label an axis of times with dates that do not run into each other."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - needed for reports only

    # As multiples, days would be counted anew each month, and the 29th, 30th or 31st stand beside the 1st.
    locator: Any = AutoDateLocator(minticks=4, maxticks=8, interval_multiples=False)  # type: ignore[no-untyped-call]  # matplotlib's
    formatter: Any = ConciseDateFormatter(  # type: ignore[no-untyped-call]  # matplotlib's
        locator, formats=DATES, zero_formats=DATES, show_offset=False
    )
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)


def _along(forecasts: Forecasts, series: str, places: NDArray[np.int64]) -> Figure:
    outputs, count = forecasts.outputs, min(MOST_TARGETS, len(forecasts.targets))
    times = forecasts.times[places].astype("datetime64[ns]")
    with canvas(7.6, 0.6 + 2.2 * count) as drawn:
        for column, axes in enumerate(drawn.subplots(count, 1, sharex=True, squeeze=False).flat):
            _band(axes, times, forecasts, places, column)
            axes.plot(
                times, outputs["target"][places, 0, column], ".-", color=GREY, linewidth=1, markersize=2
            )
            axes.plot(
                times, outputs["prediction"][places, 0, column], ".-", color=BLUE, linewidth=1, markersize=2
            )
            axes.set_ylabel(shortened(forecasts.targets[column], 24), fontsize=9)
            axes.tick_params(labelsize=8)
        dates_below(axes)
        axes.set_xlabel("When the forecast was made")
        first, last = (str(time.astype("datetime64[m]")).replace("T", " ") for time in times[[0, -1]])
        error = np.abs(outputs["prediction"][places, 0, 0] - outputs["target"][places, 0, 0]).mean()
        of = f" of {series}" if series else ""
        return finish(
            drawn,
            caption=f"Forecasts{of} one step ahead, and the outcomes, from {first} to {last}.",
            alt=(
                f"{len(places)} forecasts{of} one step ahead from {first} to {last}; mean absolute error of "
                f"{forecasts.targets[0]} {number(float(error))}."
            ),
        )
