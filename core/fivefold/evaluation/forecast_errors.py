"""How large the errors of forecasts are: by step ahead, and along the split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.figures import BLUE, GREEN, GREY, ORANGE, canvas, finish, shortened
from fivefold.evaluation.forecast_metrics import scaled_error
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold.tasks.base import Outputs

MODEL = "the model"

MOST_RIVALS = 6
"""Baselines drawn, the best ones; tables and report.json have all."""

FAR_OFF = 10
"""How many times the smallest error a baseline's may be to be drawn: beyond, the others would lie on the axis."""

STEPS = 8
"""Steps ahead listed in a table, evenly spaced from the first to the last."""

BLOCKS = 20
"""Blocks of time along the split at most."""

STYLES = ((ORANGE, "-"), (GREEN, "-"), (GREY, "-"), (ORANGE, "--"), (GREEN, "--"), (GREY, "--"))
"""Of the baselines' lines."""


def error_sections(forecasts: Forecasts) -> list[Section]:
    """Error by step ahead, where there are several, and error along the split."""
    squares = {
        name: (scaled_error(of, forecasts.scale) ** 2).mean(axis=2)
        for name, of in predictors(forecasts).items()
    }
    along = _along(forecasts, {name: of.mean(axis=1) for name, of in squares.items()})
    if forecasts.horizon == 1:
        return [along]
    return [_by_step({name: of.mean(axis=0) for name, of in squares.items()}), along]


def predictors(forecasts: Forecasts) -> dict[str, Outputs]:
    """The outputs of the model, and of each baseline that forecasts, by name."""
    return {
        MODEL: forecasts.outputs,
        **{name: of for name, of in forecasts.rivals.items() if "prediction" in of},
    }


def _by_step(errors: dict[str, Values]) -> Section:
    """MSE of each step ahead; ``errors`` holds arrays of shape ``(H,)``."""
    horizon = len(errors[MODEL])
    shown = np.unique(np.linspace(0, horizon - 1, min(STEPS, horizon)).round().astype(int))
    better = _better(errors)
    words = "Errors grow with the distance where the near future is easier to foretell than the far one."
    if better is not None:
        count, name = better
        words += (
            f" The model's error is below that of {name}, the best baseline, at {count} of {horizon} steps."
        )
    return Section(
        title="Error by step",
        text=words,
        figures=(
            _curves(
                np.arange(1, horizon + 1),
                errors,
                "Steps ahead",
                "MSE of scaled values by step ahead, over all forecasts and targets.",
            ),
        ),
        grids=(
            Grid(
                caption="MSE of scaled values by step ahead",
                head=("Steps ahead", *errors),
                rows=tuple((str(step + 1), *(number(of[step]) for of in errors.values())) for step in shown),
            ),
        ),
        facts={name: of.tolist() for name, of in errors.items()},
        key="error_by_step",
    )


def _along(forecasts: Forecasts, errors: dict[str, Values]) -> Section:
    """MSE of blocks of time; ``errors`` holds arrays of shape ``(N,)``."""
    place, starts = blocks_of_time(forecasts.times)
    counts = np.bincount(place)
    means = {name: np.bincount(place, weights=of) / counts for name, of in errors.items()}
    days = starts.astype("datetime64[ns]").astype("datetime64[m]")
    better = _better(means)
    words = (
        f"The split in {len(starts)} block{'' if len(starts) == 1 else 's'} of equally many times, in order."
    )
    if better is not None:
        count, name = better
        words += (
            f" The model's error is below that of {name}, the best baseline, in {count} of them. An advantage that "
            "comes from one block only may be an accident of that time."
        )
    names = [str(day).replace("T", " ") for day in days]
    return Section(
        title="Error over time",
        text=words,
        figures=(
            _curves(
                np.arange(1, len(starts) + 1),
                means,
                "Block of the split, in order of time",
                f"MSE of scaled values in blocks of time, from {names[0]} on.",
            ),
        ),
        grids=(
            Grid(
                caption="MSE of scaled values in blocks of time",
                head=("From", "Forecasts", *means),
                rows=tuple(
                    (names[block], str(counts[block]), *(number(of[block]) for of in means.values()))
                    for block in range(len(starts))
                ),
            ),
        ),
        facts={"from": names, "forecasts": counts, "errors": means},
        key="error_over_time",
    )


def blocks_of_time(times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Block of each sample, shape ``(N,)``, and each block's first time; blocks have equally many different times."""
    different, place = np.unique(times, return_inverse=True)
    count = min(BLOCKS, len(different))
    block = np.arange(len(different)) * count // len(different)
    firsts = np.unique(block, return_index=True)[1]
    return block[place.reshape(-1)], different[firsts]


def best_rivals(errors: dict[str, Values]) -> list[str]:
    """Names of the baselines by mean error, the best first."""
    return sorted((name for name in errors if name != MODEL), key=lambda name: float(errors[name].mean()))


def _better(errors: dict[str, Values]) -> tuple[int, str] | None:
    """At how many places the model's error is below the best baseline's, and its name; None without one."""
    rivals = best_rivals(errors)
    if not rivals:
        return None
    return int((errors[MODEL] < errors[rivals[0]]).sum()), rivals[0]


def _curves(
    places: Values | NDArray[np.int64], errors: dict[str, Values], label: str, caption: str
) -> Figure:
    limit = FAR_OFF * min(float(of.mean()) for of in errors.values())
    drawn_rivals = [name for name in best_rivals(errors) if errors[name].mean() <= limit][:MOST_RIVALS]
    left_out = len(errors) - 1 - len(drawn_rivals)
    with canvas(7.2, 3.6) as drawn:
        axes = drawn.subplots()
        mark = "o" if len(places) == 1 else ""  # a lone point has no line
        for name, (colour, line) in zip(drawn_rivals, STYLES, strict=False):
            axes.plot(
                places,
                errors[name],
                line,
                color=colour,
                linewidth=1.2,
                label=shortened(name, 40),
                marker=mark,
            )
        axes.plot(places, errors[MODEL], color=BLUE, linewidth=2, label=MODEL, marker=mark)
        axes.set_xlabel(label)
        axes.set_ylabel("MSE, scaled")
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize=8)
        names = [MODEL, *drawn_rivals]
        return finish(
            drawn,
            caption=caption
            + (f" Baselines left to the table, as they do worse: {left_out}." if left_out else ""),
            alt=f"{label}: {'; '.join(f'{name} {_ends(errors[name])}' for name in names)}.",
        )


def _ends(values: Values) -> str:
    return f"from {number(float(values[0]))} to {number(float(values[-1]))}"
