"""The section on costs: what thresholds, baselines, no review and full review come to by the user's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import difference, interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import GREY, canvas, finish, shortened
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.question_intervals import (
    DASH,
    interval_head,
    plain_number,
    resampled,
)
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold_finance.fraud.config import CostConfig
from fivefold_finance.fraud.costs import Bill, bill, cost_curve, losses, raised
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.sections_predictors import MODEL, Predictor, money, predictors, thinned

NOTHING, ALL = "review nothing", "review all"


@dataclass(frozen=True)
class Way:
    """A way of raising alerts, and what it comes to.

    Attributes:
        name: as the table names it.
        threshold: of its scores; None where it has none.
        alerts: which of all transactions are reviewed, shape ``(N,)``.
        bill: over the transactions of known label.
    """

    name: str
    threshold: float | None
    alerts: NDArray[np.bool_]
    bill: Bill


def costs_section(
    evaluation: Evaluation,
    judged: Judged,
    config: CostConfig,
    validation: Judged | None,
    validation_rivals: Mapping[str, Array],
) -> Section:
    """A table of ways to raise alerts with what each costs, and the costs by alerts a day.

    Args:
        evaluation: the judgement, with its baselines.
        judged: the same transactions, some of known label.
        config: the user's costs and budget.
        validation: on which the threshold of least cost is chosen; None takes that of ``judged``.
        validation_rivals: baseline's name to its scores there.
    """
    every = predictors(evaluation, judged)
    ways = _ways(every, config, validation, validation_rivals)
    draws = resampled(evaluation, lambda weights: {"a day": _daily_costs(judged, ways, config, weights)})[
        "a day"
    ]
    estimates = [interval(one, evaluation.level) for one in draws]
    apart = {
        way.name: difference(draws[0], one, evaluation.level)
        for way, one in zip(ways[1:], draws[1:], strict=True)
    }
    span = interval_head(evaluation)
    grid = Grid(
        caption="Costs a day, in the currency of the amounts",
        head=("", "Threshold", "Alerts a day", "Frauds caught", "Reviews", "Losses", "Total", span, "Saved"),
        rows=tuple(
            _row(way, estimate, ways[-2].bill.a_day) for way, estimate in zip(ways, estimates, strict=True)
        ),
    )
    return Section(
        title="Costs",
        text="\n\n".join(
            [_assumed(config), _chosen(validation), *_compared(evaluation, apart), *_missing(judged)]
        ),
        grids=(grid,),
        figures=(_figure(every, ways, config),),
        facts={
            "settings": config.model_dump(),
            "ways": [
                {
                    "name": way.name,
                    "threshold": _finite(way.threshold),
                    **vars(way.bill),
                    "cost_a_day": vars(estimate),
                }
                for way, estimate in zip(ways, estimates, strict=True)
            ],
        },
        key="costs",
    )


def _ways(
    every: list[Predictor],
    config: CostConfig,
    validation: Judged | None,
    validation_rivals: Mapping[str, Array],
) -> list[Way]:
    """The model, the baselines, and last to review nothing and to review all."""
    judged = every[0].judged
    threshold = judged.threshold
    if validation is not None:
        threshold = cost_curve(validation.labelled(), config).cheapest
    ways = [_way(MODEL, judged, threshold, config)]
    for one in every[1:]:
        if validation is not None and one.name in validation_rivals:
            seen = validation.with_scores(validation_rivals[one.name]).labelled()
            own = cost_curve(seen, config).cheapest
        else:
            own = _as_many(one.judged, ways[0].bill.alerts, config)
        ways.append(_way(one.name, one.judged, own, config))
    for name, said in ((NOTHING, False), (ALL, True)):
        alerts = np.full(len(judged.scores), said)
        ways.append(Way(name, None, alerts, _bill(judged, alerts, config)))
    return ways


def _way(name: str, judged: Judged, threshold: float, config: CostConfig) -> Way:
    alerts = np.zeros(len(judged.scores), dtype=bool)
    # The budget is of those that are judged, as everywhere in the report.
    alerts[~np.isnan(judged.fraud)] = raised(judged.labelled(), threshold, config.alerts_a_day)
    return Way(name, threshold, alerts, _bill(judged, alerts, config))


def _bill(judged: Judged, alerts: NDArray[np.bool_], config: CostConfig) -> Bill:
    return bill(judged.labelled(), alerts[~np.isnan(judged.fraud)], config)


def _as_many(judged: Judged, alerts: int, config: CostConfig) -> float:
    """The threshold that comes nearest to that number of alerts, of as many the higher."""
    known = judged.labelled()
    curve = cost_curve(known, config)
    counts = curve.alerts * len(np.unique(known.days))
    return float(curve.thresholds[np.abs(counts - alerts).argmin()])


def _daily_costs(judged: Judged, ways: list[Way], config: CostConfig, weights: Values) -> Values:
    """Costs a day of each way, shape ``(R, W)``, for weights ``(R, N)`` of all transactions."""
    known = ~np.isnan(judged.fraud)
    lost = losses(judged, config)
    costs = np.stack([known * np.where(way.alerts, config.review, lost) for way in ways], axis=1)
    _, place = np.unique(judged.days, return_inverse=True)
    sizes = np.bincount(place, known)[place]
    part_of_day = np.where(known, 1 / np.maximum(sizes, 1.0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ costs) / (weights @ part_of_day)[:, None])


def _row(way: Way, estimate: Estimate, nothing: float) -> tuple[str, ...]:
    costs = way.bill
    return (
        way.name,
        _printed(way.threshold),
        number(costs.alerts / costs.days),
        f"{costs.caught} of {costs.caught + costs.missed}",
        money(costs.review / costs.days),
        money(costs.loss / costs.days),
        money(costs.a_day),
        f"{money(estimate.low)} to {money(estimate.high)}",
        money(nothing - costs.a_day),
    )


def _printed(threshold: float | None) -> str:
    if threshold is None:
        return DASH
    return "none" if isinf(threshold) else plain_number(threshold)


def _finite(threshold: float | None) -> float | None:
    return None if threshold is None or isinf(threshold) else threshold


def _assumed(config: CostConfig) -> str:
    fixed = f" and {money(config.fixed_loss)} besides" if config.fixed_loss else ""
    return (
        f"A review costs {money(config.review)}; a missed fraud costs {100 * config.share_lost:g} % of its amount"
        f"{fixed}; at most {config.alerts_a_day} alerts a day are reviewed. These are settings: set yours, as the "
        "threshold of least cost follows from them. To review all takes no account of the budget. Saved is what "
        "it costs less than to review nothing."
    )


def _chosen(validation: Judged | None) -> str:
    if validation is None:
        return (
            "The model's threshold is the task's own; no costs were known on a validation split to choose it by. "
            "Each baseline raises as many alerts."
        )
    return (
        "The model's threshold is that of least cost on the validation split, and nothing was chosen here. Baselines "
        "have theirs from there, too, or raise as many alerts as the model where their scores there are not known."
    )


def _compared(evaluation: Evaluation, apart: Mapping[str, Estimate]) -> list[str]:
    """A sentence on what costs surely less, surely more, and what cannot be told; on the same resamples."""
    cheaper = [name for name, one in apart.items() if one.low > 0]
    dearer = [name for name, one in apart.items() if one.high < 0]
    open_ = [name for name in apart if name not in cheaper and name not in dearer]
    told = [
        f"{opening}: {', '.join(names)}"
        for opening, names in (
            ("the model costs less than", dearer),
            ("it costs more than", cheaper),
            ("no evidence either way against", open_),
        )
        if names
    ]
    sentence = "; ".join(told)
    return [f"By the {100 * evaluation.level:g} % intervals of the paired differences, {sentence}."]


def _missing(judged: Judged) -> list[str]:
    count = int((np.isnan(judged.amounts) & (judged.fraud == 1)).sum())
    return [f"{count} frauds have no amount, which counts as 0."] if count else []


def _figure(every: list[Predictor], ways: list[Way], config: CostConfig) -> Figure:
    model, nothing = ways[0].bill, ways[-2].bill
    with canvas(5.8, 4.6) as drawn:
        axes = drawn.subplots()
        for one in [one for one in every if one.tells]:
            curve = cost_curve(one.judged.labelled(), config)
            across, up = thinned(curve.alerts, curve.costs)
            axes.plot(
                across, up, color=one.ink, linestyle=one.dashes, linewidth=1.6, label=shortened(one.name, 30)
            )
        axes.axhline(nothing.a_day, color=GREY, linewidth=1, label=NOTHING)
        axes.plot([model.alerts / model.days], [model.a_day], "o", color=every[0].ink, markersize=7)
        axes.set_xlabel("Alerts a day, in the mean")
        axes.set_ylabel("Cost a day")
        axes.set_ylim(bottom=0)
        drawn.legend(loc="outside upper left", ncols=2)
        return finish(
            drawn,
            caption=(
                "Cost a day as the threshold falls, within the budget; the dot is the model's threshold, which was "
                "not chosen on these transactions."
            ),
            alt=(
                f"Cost a day: the model {money(model.a_day)} at {number(model.alerts / model.days)} alerts a day; "
                f"review nothing {money(nothing.a_day)}."
            ),
        )
