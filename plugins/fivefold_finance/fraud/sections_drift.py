"""The section on drift: how far features and score have moved since training, and when."""

from __future__ import annotations

from typing import Any

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.figures import BLUE, GREEN, GREY, ORANGE, canvas, finish, shortened
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.question_intervals import plain_number
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold_finance.fraud.drift import (
    BINS,
    LEAST_NAME,
    SMALLEST_SHARE,
    SOME,
    STRONG,
    Bins,
    Columns,
    Drift,
    Periods,
    drift_sentence,
    drifts,
    kolmogorov_smirnov,
    over_time,
    periods,
)
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.sections_predictors import date_axis

LISTED = 10
"""Features in the table, those that have moved most."""

DRAWN = 3
"""Features in the figure."""

SCORE = "score"

INKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, ":"), ("#cc79a7", "-."))


def drift_section(judged: Judged, validation: Judged | None, columns: Columns | None) -> Section | None:
    """A table of the strongest drifts, and their course; None where there is nothing to compare with.

    Args:
        judged: all transactions of the split, labelled or not.
        validation: whose scores this split's are compared with: training scores are fitted to their labels.
        columns: features of the training split and of this one.
    """
    found = drifts(columns) if columns is not None and columns.pairs else []
    score = None
    if validation is not None:
        pair = (validation.scores, judged.scores)
        score = Drift(SCORE, Bins.of(pair[0]).stability(pair[1]), kolmogorov_smirnov(*pair))
    if not found and score is None:
        return None
    when = periods(judged.times)
    courses = _courses(judged, validation, columns, found[:DRAWN], when)
    rows = [*([score] if score else []), *found[:LISTED]]
    return Section(
        title="Drift",
        text="\n\n".join(_text(score, found)),
        grids=(
            Grid(
                caption="Drift since training"
                if score is None
                else "Drift since training, of the score since validation",
                head=("Column", "Stability index", "Kolmogorov-Smirnov distance", "Drift"),
                rows=tuple(
                    (one.name, number(one.stability), plain_number(one.distance), one.word) for one in rows
                ),
            ),
        ),
        figures=(_figure(when, courses),) if len(when.starts) > 1 else (),
        facts={
            "score": _facts(score) if score else None,
            "features": [_facts(one) for one in found],
            "period": when.name,
            "starts": when.starts.astype(str).tolist(),
            "over_time": {name: course.tolist() for name, course in courses.items()},
        },
        key="drift",
    )


def _facts(one: Drift) -> dict[str, Any]:
    """As JSON has it: null where there is no distance."""
    return {**vars(one), "distance": None if np.isnan(one.distance) else one.distance}


def _text(score: Drift | None, found: list[Drift]) -> list[str]:
    explained = (
        f"The population stability index compares the shares of {BINS} bins, cut at the reference's deciles, and of "
        f"missing values, of a category the shares of its names (those that less than {100 * LEAST_NAME:g} % of the "
        f"reference have count as one); it is 0 where nothing has moved, and by custom {SOME:g} is called moderate and "
        f"{STRONG:g} strong. An empty bin counts as {SMALLEST_SHARE:g}. The Kolmogorov-Smirnov distance is the largest "
        "gap of the two distributions of numbers, from 0 to 1."
    )
    parts = [explained]
    if found:
        parts.append(drift_sentence(found))
    if score:
        parts.append(
            f"The score has an index of {number(score.stability)} since validation ({score.word} drift): thresholds "
            f"that were fitted there {'may no longer hold' if score.stability >= SOME else 'meet scores alike'}."
        )
    return parts


def _courses(
    judged: Judged, validation: Judged | None, columns: Columns | None, strongest: list[Drift], when: Periods
) -> dict[str, Values]:
    """Stability index by period of the score and the strongest features."""
    courses = {}
    if validation is not None:
        courses[SCORE] = over_time(validation.scores, judged.scores, when)
    if columns is not None:
        for one in strongest:
            courses[one.name] = over_time(*columns.pairs[one.name], when)
    return courses


def _figure(when: Periods, courses: dict[str, Array]) -> Figure:
    with canvas(5.8, 3.8) as drawn:
        axes = drawn.subplots()
        places = when.starts.astype("datetime64[D]").astype(np.int64).astype(np.float64)
        for (name, course), (ink, dashes) in zip(courses.items(), INKS, strict=False):
            axes.plot(
                places,
                course,
                color=ink,
                linestyle=dashes,
                marker="o",
                markersize=3.5,
                label=shortened(name, 22),
            )
        for limit in (SOME, STRONG):
            axes.axhline(limit, color=GREY, linewidth=0.9, linestyle="--")
        axes.xaxis_date()
        date_axis(axes)
        axes.set_ylabel("Stability index")
        axes.set_ylim(bottom=0)
        drawn.legend(loc="outside upper left", ncols=2)
        told = "; ".join(
            f"{name} from {number(float(course[0]))} to {number(float(course[-1]))}"
            for name, course in courses.items()
        )
        return finish(
            drawn,
            caption=(
                f"Stability index by {when.name}, of the score and the features that have moved most; the dashed lines "
                f"are {SOME:g} and {STRONG:g}."
            ),
            alt=f"Stability index by {when.name}: {told}.",
        )
