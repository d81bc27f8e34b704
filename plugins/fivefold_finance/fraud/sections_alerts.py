"""The section on alerts: precision and recall, and what so many alerts a day catch, beside the baselines."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from fivefold.evaluation.bootstrap import interval, share_interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import GREY, canvas, finish, shortened
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.question_curves import swept
from fivefold.evaluation.question_intervals import (
    interval_head,
    percent,
    percent_span,
    plain_number,
    resampled,
    unit_count,
)
from fivefold.evaluation.question_metrics import weighted_average_precision
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold_finance.fraud.costs import daily_ranks
from fivefold_finance.fraud.judged import Judged, by_day
from fivefold_finance.fraud.metrics import alert_chances
from fivefold_finance.fraud.sections_predictors import Predictor, predictors, thinned

REACH = 20
"""The curve goes on to so many times the budget of alerts."""

EXPLAINED = (
    "Each day, the transactions with the highest scores are reviewed, as many as the budget allows. Pooled precision "
    "is the share of frauds among these alerts, over all days together, and not the mean over days that the metric of "
    "precision at so many alerts a day is; recall is the share of all frauds that are among them; money caught is the "
    "share of the amounts of all frauds. Of equal scores, each has the same chance to be reviewed."
)


@dataclass(frozen=True)
class Caught:
    """What a predictor's alerts catch within the budget; counts may be broken where scores at the edge are equal.

    Attributes:
        name: of the predictor.
        alerts: raised on all days.
        caught: frauds among them.
        frauds: in all.
        precision: share of frauds among alerts.
        recall: share of frauds caught, with its interval.
        money: share of the frauds' amounts caught.
    """

    name: str
    alerts: float
    caught: float
    frauds: float
    precision: float
    recall: Estimate
    money: float


def alerts_section(evaluation: Evaluation, judged: Judged, alerts: int) -> Section:
    """Precision by recall, frauds caught by alerts a day, and a table at the budget.

    Args:
        evaluation: the judgement, with its baselines.
        judged: the same transactions, some of known label.
        alerts: the budget a day.
    """
    every = predictors(evaluation, judged)
    rows = [_caught(evaluation, one, alerts) for one in every]
    best = _best_possible(judged, alerts)
    frauds = rows[0].frauds
    last = ("the best possible", "", f"{best} of {frauds:.0f}", "", percent(_ratio(best, frauds)), "", "")
    grid = Grid(
        caption=f"At {alerts} alerts a day",
        head=(
            "",
            "Alerts",
            "Frauds caught",
            "Pooled precision",
            "Recall",
            interval_head(evaluation),
            "Money caught",
        ),
        rows=(*(_row(one) for one in rows), last),
    )
    figures = (
        [_precision_figure(every), _caught_figure(every, judged, alerts)] if (judged.fraud == 1).any() else []
    )
    return Section(
        title="Alerts a day",
        text="\n\n".join([EXPLAINED, *_remarks(judged)]),
        grids=(grid,),
        figures=tuple(figures),
        facts={
            "alerts_a_day": alerts,
            "best_possible": best,
            "predictors": [asdict(one) for one in rows],
        },
        key="alerts",
    )


def _remarks(judged: Judged) -> list[str]:
    known, frauds = int((~np.isnan(judged.fraud)).sum()), int((judged.fraud == 1).sum())
    found = []
    if known < len(judged.fraud):
        found.append(
            f"{len(judged.fraud) - known} transactions without a known label take no part, here and below."
        )
    if not frauds:
        found.append("There is no fraud among the transactions judged, so that nothing can be caught.")
    days = judged.labelled().days
    without = len(np.unique(days)) - len(np.unique(judged.days[judged.fraud == 1]))
    if frauds and without:
        found.append(f"{without} of {len(np.unique(days))} days have no fraud.")
    return found


def _row(one: Caught) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.alerts:.0f}",
        f"{round(one.caught, 1):g} of {one.frauds:.0f}",
        percent(one.precision),
        percent(one.recall.value),
        percent_span(one.recall),
        percent(one.money),
    )


def _caught(evaluation: Evaluation, one: Predictor, alerts: int) -> Caught:
    chances = alert_chances(one.outputs, alerts)
    fraud = one.judged.fraud == 1
    money = np.where(fraud, np.maximum(np.nan_to_num(one.judged.amounts), 0.0), 0.0)
    statistics = np.stack([chances * fraud, fraud.astype(float)], axis=1)

    def compute(weights: Values) -> dict[str, Values]:
        sums = weights @ statistics
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"recall": sums[:, :1] / sums[:, 1:]}

    (recall,) = resampled(evaluation, compute)["recall"]
    trials = unit_count(evaluation, fraud)
    estimate = (
        share_interval(recall, evaluation.level, trials) if trials else interval(recall, evaluation.level)
    )
    return Caught(
        name=one.name,
        alerts=float(chances.sum()),
        caught=float(chances[fraud].sum()),
        frauds=float(fraud.sum()),
        precision=_ratio(chances[fraud].sum(), chances.sum()),
        recall=estimate,
        money=_ratio((chances * money).sum(), money.sum()),
    )


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _best_possible(judged: Judged, alerts: int) -> int:
    """Frauds that scores without a mistake would catch: more than the budget on one day are too many even for them."""
    _, frauds = np.unique(judged.days[judged.fraud == 1], return_counts=True)
    return int(np.minimum(frauds, alerts).sum())


def _precision_figure(every: list[Predictor]) -> Figure:
    told = []
    with canvas(5.8, 4.6) as drawn:
        axes = drawn.subplots()
        for one in [one for one in every if one.tells]:
            known = one.judged.labelled()
            fraud = known.fraud == 1
            found, alarms = swept(known.scores, fraud)
            precision = found[1:] / (found[1:] + alarms[1:])
            recall, precision = thinned(found / found[-1], np.concatenate([precision[:1], precision]))
            area = weighted_average_precision(known.scores, fraud, np.ones((len(fraud), 1)))[0]
            label = f"{shortened(one.name, 22)} {plain_number(float(area))}"
            axes.plot(
                recall,
                precision,
                color=one.ink,
                linestyle=one.dashes,
                drawstyle="steps-pre",
                linewidth=1.6,
                label=label,
            )
            told.append(f"{one.name} AUPRC {plain_number(float(area))}")
        share = float(np.nanmean(every[0].judged.fraud))
        axes.plot([0, 1], [share, share], color=GREY, linewidth=1, label=f"chance {number(share)}")
        axes.set_xlabel("Recall: share of frauds found")
        axes.set_ylabel("Precision: share of frauds among alerts")
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        drawn.legend(loc="outside upper left", ncols=2, title="AUPRC")
        return finish(
            drawn,
            caption="Precision by recall as the threshold falls, with AUPRC, of the model and every baseline.",
            alt=f"Precision by recall: {'; '.join(told) or 'no scores differ'}; chance {number(share)}.",
        )


def _caught_figure(every: list[Predictor], judged: Judged, alerts: int) -> Figure:
    known = judged.labelled()
    sizes = np.array([len(rows) for rows in by_day(known.days)])
    frauds = np.array([(known.fraud[rows] == 1).sum() for rows in by_day(known.days)])
    most = int(min(sizes.max(), REACH * alerts))
    reviewed = np.unique(np.round(np.geomspace(1, most, 200)).astype(np.int64))
    told = []
    with canvas(5.8, 4.6) as drawn:
        axes = drawn.subplots()
        best = np.minimum(frauds[:, None], reviewed).sum(axis=0) / frauds.sum()
        chance = (frauds[:, None] * np.minimum(1.0, reviewed / sizes[:, None])).sum(axis=0) / frauds.sum()
        axes.plot(reviewed, 100 * best, color=GREY, linestyle=":", linewidth=1.2, label="the best possible")
        for one in [one for one in every if one.tells]:
            scored = one.judged.labelled()
            ranks = np.sort(daily_ranks(scored)[scored.fraud == 1])
            share = np.searchsorted(ranks, reviewed, side="right") / len(ranks)
            axes.plot(
                reviewed,
                100 * share,
                color=one.ink,
                linestyle=one.dashes,
                linewidth=1.6,
                label=shortened(one.name, 30),
            )
            at = np.searchsorted(ranks, alerts, side="right") / len(ranks)
            told.append(f"{one.name} {percent(float(at))}")
        axes.plot(reviewed, 100 * chance, color=GREY, linewidth=1, label="chance")
        if alerts <= most:
            axes.axvline(alerts, color=GREY, linewidth=0.8, linestyle="--")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("Alerts a day (the dashed line is the budget)")
        axes.set_ylabel("Frauds caught (%)")
        axes.set_ylim(-2, 102)
        drawn.legend(loc="outside upper left", ncols=2)
        return finish(
            drawn,
            caption="Frauds caught by alerts a day, when each day's highest scores are reviewed.",
            alt=f"Frauds caught at {alerts} alerts a day: {'; '.join(told) or 'no scores differ'}.",
        )
