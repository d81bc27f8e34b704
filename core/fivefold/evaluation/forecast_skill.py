"""Whether forecasts have skill: equal accuracy, echoes of the last value, directions, and ranking of series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from fivefold.evaluation.diebold_mariano import diebold_mariano, in_words
from fivefold.evaluation.direction import DirectionTest, direction_test
from fivefold.evaluation.echo import REPEATS, Echo, echoes
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREEN, GREY, ORANGE, canvas, finish, shortened
from fivefold.evaluation.forecast_errors import blocks_of_time
from fivefold.evaluation.forecast_metrics import LOSSES
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.information_coefficient import (
    FEWEST_SERIES,
    InformationCoefficient,
    information_coefficients,
)
from fivefold.evaluation.mean_test import MeanTest
from fivefold.evaluation.numbers import number
from fivefold.evaluation.paired_test import told_p_value
from fivefold.evaluation.section import Figure, Grid, Section

MOST_TARGETS = 12
"""Targets listed in a table or in words; report.json has all."""

COLOURS = (BLUE, ORANGE, GREEN)
"""Of the targets that are drawn, the first ones."""


def equal_accuracy_section(evaluation: Evaluation, forecasts: Forecasts) -> Section:
    """The Diebold-Mariano test against each baseline on each metric that is compared."""
    tests = {
        (name, metric): diebold_mariano(
            loss(forecasts.outputs, forecasts.scale),
            loss(of, forecasts.scale),
            forecasts.times,
            forecasts.horizon,
        )
        for name, of in forecasts.rivals.items()
        if "prediction" in of
        for metric, loss in LOSSES.items()
    }
    text = (
        "Diebold and Mariano's (1995) test of the same expected loss, with Harvey, Leybourne and Newbold's (1997) "
        "correction. Forecasts that overlap are correlated; the variance allows for that. A negative statistic speaks "
        "for the model. The verdict says 'beats' or 'loses to' only where this test and the bootstrap's interval "
        f"agree, each at {100 * (1 - evaluation.level):g} %."
    )
    rows = tuple(
        (
            name,
            metric,
            _signed(found.mean),
            _statistic(found),
            told_p_value(found.p_value),
            str(found.count),
            f"{found.lags}{' (Bartlett)' if found.bartlett else ''}",
        )
        for (name, metric), found in tests.items()
    )
    head = ("Baseline", "Metric", "Difference", "t", "p", "Times", "Lags")
    return Section(
        title="Diebold-Mariano tests",
        text=text if tests else "There is no baseline with forecasts to compare with.",
        grids=(Grid("The model's loss minus the baseline's", head, rows),) if tests else (),
        facts={
            "tests": [
                {"baseline": name, "metric": metric, **asdict(found), "sentence": in_words(found)}
                for (name, metric), found in tests.items()
            ]
        },
        key="diebold_mariano",
    )


def _statistic(test: MeanTest) -> str:
    return "not defined" if math.isnan(test.statistic) else f"{test.statistic:+.2f}"


def _signed(value: float) -> str:
    return "not defined" if math.isnan(value) else number(value, sign="+")


def echo_section(forecasts: Forecasts) -> Section:
    """Correlation of next-step forecasts with the outcome and earlier values, and what that says."""
    found = echoes(forecasts)
    text = (
        "A forecast that repeats the last value looks good where the series moves slowly, and says nothing. It is "
        "given away by a correlation that is larger with the last value (lag 1) than with the value to foretell "
        "(lag 0), while the changes that it foretells are not those that come. Correlations are within series, of "
        "forecasts one step ahead."
    )
    return Section(
        title="Repetition of the last value",
        text="\n\n".join([text, _verdict(found)]),
        figures=_lag_figure(found),
        facts={
            "targets": [
                {
                    "target": one.target,
                    "repeats": one.repeats,
                    "correlations": one.correlations,
                    "change": one.change,
                    "sentence": one.sentence,
                }
                for one in found
            ]
        },
        key="echo",
    )


def _verdict(found: Sequence[Echo]) -> str:
    """Sentences of the targets shown; of more targets, first how many echo."""
    sentences = " ".join(one.sentence for one in found[:MOST_TARGETS])
    if len(found) <= MOST_TARGETS:
        return sentences
    count = sum(one.repeats == "yes" for one in found)
    return f"For {count} of {len(found)} targets {REPEATS}. The first {MOST_TARGETS}: {sentences}"


def _lag_figure(found: Sequence[Echo]) -> tuple[Figure, ...]:
    drawn_targets = [one for one in found if not np.isnan(one.correlations).all()][: len(COLOURS)]
    if not drawn_targets:
        return ()
    with canvas(7.2, 3.2) as drawn:
        axes = drawn.subplots()
        axes.axhline(0, color=GREY, linewidth=1)
        for one, colour in zip(drawn_targets, COLOURS, strict=False):
            axes.plot(
                one.correlations, "o-", color=colour, markersize=3.5, linewidth=1, label=shortened(one.target)
            )
        axes.axvline(1, color=GREY, linewidth=1, linestyle=":")
        axes.set_xlabel("Lag: steps before the value to foretell (1 is the last value seen)")
        axes.set_ylabel("Correlation with forecast")
        axes.legend(fontsize=8)
        first = "; ".join(
            f"{one.target} {one.correlations[0]:.3f} at lag 0, {one.correlations[1]:.3f} at lag 1"
            for one in drawn_targets
        )
        figure = finish(
            drawn,
            caption="Correlation of the forecast one step ahead with the value to foretell and those before it.",
            alt=f"Correlation by lag: {first}.",
        )
    return (figure,)


def direction_section(forecasts: Forecasts, alpha: float) -> Section:
    """Directional accuracy on horizons that do not overlap, with binomial tests at ``alpha``."""
    forecast, actual = forecasts.moves()
    apart = forecasts.apart()
    tests = {
        target: direction_test(forecast[apart, column], actual[apart, column])
        for column, target in enumerate(forecasts.targets)
    }
    whole = "the next step" if forecasts.horizon == 1 else f"the whole horizon of {forecasts.horizon} steps"
    text = (
        f"Is the direction of the change over {whole} foretold? Tested on horizons that do not overlap only, and on "
        "one series at a time, by turns, as others are no independent evidence: "
        f"{len(apart)} of {len(forecasts.times)} forecasts. No change, forecast or actual, is no direction.\n\n"
        "By chance the share right is not always one half: where most changes are rises, whoever foretells rises is "
        "mostly right. 'Chance' is the share that would be right if forecasts had nothing to do with outcomes, and the "
        "one-sided binomial test against it is the one to go by."
    )
    shown = list(tests.items())[:MOST_TARGETS]
    more = f" (the first {MOST_TARGETS} of {len(tests)} targets)" if len(tests) > MOST_TARGETS else ""
    return Section(
        title="Direction",
        text=f"{text}\n\n{_direction_words(tests, alpha)}",
        grids=(
            Grid(
                caption=f"Directions of changes over the horizon{more}",
                head=(
                    "Target",
                    "Right",
                    "Of",
                    "Share",
                    "Rises",
                    "Chance",
                    "p against 50 %",
                    "p against chance",
                ),
                rows=tuple((target, *_direction_row(test)) for target, test in shown),
            ),
        ),
        facts={
            "apart": len(apart),
            "targets": [{"target": target, **asdict(test)} for target, test in tests.items()],
        },
        key="direction",
    )


def _direction_row(test: DirectionTest) -> tuple[str, ...]:
    shares = (
        f"{100 * share:.1f} %" if test.trials else "not defined"
        for share in (test.accuracy, test.rises, test.chance)
    )
    return (
        str(test.right),
        str(test.trials),
        *shares,
        told_p_value(test.p_half),
        told_p_value(test.p_chance),
    )


def _direction_words(tests: dict[str, DirectionTest], alpha: float) -> str:
    found = [target for target, test in tests.items() if test.p_chance < alpha]
    size = f"{100 * alpha:g} %"
    if not found:
        return f"No evidence at {size} that directions are foretold better than by chance."
    named = ", ".join(found[:MOST_TARGETS]) + (", …" if len(found) > MOST_TARGETS else "")
    words = f"Directions are foretold better than by chance at {size}: {named}."
    if len(tests) > 1:
        words += f" Of {len(tests)} targets, some may be so by chance ({100 * alpha:g} in 100 where there is no skill)."
    return words


def coefficient_section(forecasts: Forecasts, alpha: float) -> list[Section]:
    """The information coefficient; no section where no time is shared by enough series."""
    found = dict(zip(forecasts.targets, information_coefficients(forecasts), strict=False))
    if not found:
        return []
    text = (
        "Spearman's rank correlation of forecast with actual changes over the horizon across the series of one "
        f"time, where there are at least {FEWEST_SERIES}. Its mean over time is tested with the variance that "
        "overlapping horizons need."
    )
    rows = tuple(
        (
            target,
            number(one.test.mean, sign="+") if len(one.values) else "not defined",
            _statistic(one.test),
            told_p_value(one.test.p_value),
            f"{100 * (one.values > 0).mean():.1f} %" if len(one.values) else "not defined",
            str(len(one.values)),
            str(one.left_out),
        )
        for target, one in list(found.items())[:MOST_TARGETS]
    )
    more = f" (the first {MOST_TARGETS} of {len(found)} targets)" if len(found) > MOST_TARGETS else ""
    return [
        Section(
            title="Information coefficient",
            text=f"{text}\n\n{_coefficient_words(found, alpha)}",
            figures=_coefficient_figure(found),
            grids=(
                Grid(
                    caption=f"Mean rank correlation across series{more}",
                    head=("Target", "Mean", "t", "p", "Above zero", "Times", "Left out"),
                    rows=rows,
                ),
            ),
            facts={
                "targets": [
                    {"target": target, **asdict(one.test), "left_out": one.left_out}
                    for target, one in found.items()
                ]
            },
            key="information_coefficient",
        )
    ]


def _coefficient_words(found: dict[str, InformationCoefficient], alpha: float) -> str:
    skilled = [target for target, one in found.items() if one.test.p_value < alpha and one.test.mean > 0]
    if not skilled:
        return f"No evidence at {100 * alpha:g} % that the forecasts rank series better than by chance."
    named = ", ".join(skilled[:MOST_TARGETS]) + (", …" if len(skilled) > MOST_TARGETS else "")
    return f"The forecasts rank series better than by chance at {100 * alpha:g} %: {named}."


def _coefficient_figure(found: dict[str, InformationCoefficient]) -> tuple[Figure, ...]:
    """Means over blocks of time of the first target with any value."""
    target, one = next(iter(found.items()))
    if not len(one.values):
        return ()
    place, starts = blocks_of_time(one.times)
    means = np.bincount(place, weights=one.values) / np.bincount(place)
    with canvas(7.2, 3.0) as drawn:
        axes = drawn.subplots()
        axes.axhline(0, color=GREY, linewidth=1)
        axes.bar(np.arange(1, len(starts) + 1), means, color=BLUE)
        axes.set_xlabel("Block of the split, in order of time")
        axes.set_ylabel("Mean rank correlation")
        figure = finish(
            drawn,
            caption=f"Information coefficient of {target} in blocks of time.",
            alt=(
                f"Information coefficient of {target} in {len(means)} blocks of time: from {means.min():+.3f} to "
                f"{means.max():+.3f}."
            ),
        )
    return (figure,)
