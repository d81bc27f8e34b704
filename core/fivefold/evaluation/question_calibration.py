"""Whether probabilities of yes can be taken at their word: slope, calibration in the large, reliability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import BLUE, canvas, finish, identity_line
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_curves import drawable, panel_size, panels
from fivefold.evaluation.question_intervals import (
    interval_head,
    number_span,
    one_sided,
    plain_number,
    resampled,
)
from fivefold.evaluation.question_metrics import answers
from fivefold.evaluation.recalibration import recalibration_values
from fivefold.evaluation.section import Figure, Grid, Section

BINS = 10
"""Bins of the reliability diagram, each with as many samples as equal probabilities allow."""

TICKS = (0, 0.25, 0.5, 0.75, 1)

EXPLAINED = (
    "The slope of a logistic regression of the answers on the logits of the probabilities is 1 where these are right; "
    "below 1 they are too extreme (high ones too high, low ones too low), above 1 too moderate. Calibration in the "
    "large is the shift that logits still need: 0 where they are right on the whole, below 0 where they are too high, "
    "above 0 where they are too low. What follows is said only where the whole interval is on one side."
)

FINDINGS = ("too extreme", "too moderate", "too high on the whole", "too low on the whole")
"""By a slope below and above 1, and a calibration in the large below and above 0."""

FEWEST_RESAMPLES = 200
"""Resamples that intervals rest on at least, where the evaluation asks for as many."""

MOST_FITTED = 60_000_000
"""Samples in the regressions of all questions and resamples: half a minute's work."""

STATISTICS = ("slope", "intercept", "in_the_large")


@dataclass(frozen=True)
class Bins:
    """Bins of one question's reliability diagram.

    Attributes:
        predicted: mean probability, shape ``(bins,)``.
        observed: share of yes with its interval, one a bin.
        count: samples, shape ``(bins,)``.
    """

    predicted: Values
    observed: list[Estimate]
    count: Array


def calibration_section(evaluation: Evaluation, names: tuple[str, ...], seed: int) -> Section:
    """Slope and calibration in the large of each question, with words on them, and the reliability diagram.

    Args:
        evaluation: the judgement.
        names: of the ``Q`` questions.
        seed: of the resamples.
    """
    truth = answers(evaluation.outputs)
    affordable = max(FEWEST_RESAMPLES, MOST_FITTED // truth.size)
    notes = []
    if affordable < evaluation.resamples:
        evaluation = replace(evaluation, resamples=affordable)
        notes.append(f"The intervals of this section rest on {affordable} resamples only, to save time.")
    found = _estimates(evaluation, truth, seed)
    bins = {question: equal_bins(evaluation, question, seed) for question in range(len(names))}
    span = interval_head(evaluation)
    grid = Grid(
        caption="Calibration of each question; perfect is a slope of 1 and 0 in the large",
        head=("Question", "Slope", span, "In the large", span),
        rows=tuple(
            (
                name,
                *(part for one in (slope, large) for part in (plain_number(one.value), number_span(one))),
            )
            for name, slope, large in zip(names, found["slope"], found["in_the_large"], strict=True)
        ),
    )
    return Section(
        title="Calibration",
        text="\n\n".join([*_text(names, found), *one_sided(names, truth), *notes]),
        grids=(grid,),
        figures=_figures(names, {question: bins[question] for question in drawable(truth)}),
        facts={
            "questions": [
                {
                    "question": name,
                    **{statistic: vars(found[statistic][question]) for statistic in STATISTICS},
                    "bins": _bin_facts(bins[question]),
                }
                for question, name in enumerate(names)
            ]
        },
        key="recalibration",
    )


def _estimates(evaluation: Evaluation, truth: Array, seed: int) -> dict[str, list[Estimate]]:
    probabilities = evaluation.outputs["probabilities"]

    def compute(weights: Values) -> dict[str, Values]:
        columns = zip(probabilities.T, truth.T, strict=True)
        found = [recalibration_values(scores, answer, weights) for scores, answer in columns]
        return {statistic: np.stack([one[statistic] for one in found], axis=1) for statistic in STATISTICS}

    drawn = resampled(evaluation, compute, seed)
    return {name: [interval(one, evaluation.level) for one in values] for name, values in drawn.items()}


def _text(names: tuple[str, ...], found: dict[str, list[Estimate]]) -> list[str]:
    pairs = list(zip(names, found["slope"], found["in_the_large"], strict=True))
    judged = [(name, _findings(slope, large)) for name, slope, large in pairs if not isnan(large.value)]
    words = []
    for finding in FINDINGS:
        having = [name for name, findings in judged if finding in findings]
        if having:
            words.append(f"Probabilities are {finding}: {', '.join(having)}.")
    unsuspected = [name for name, findings in judged if not findings]
    if unsuspected:
        words.append(f"No evidence that probabilities are wrong: {', '.join(unsuspected)}.")
    endless = [name for name, slope, large in pairs if isnan(slope.value) and not isnan(large.value)]
    if endless:
        words.append(
            "The slope has no finite value where one threshold parts every yes from every no, or all "
            f"probabilities are alike: {', '.join(endless)}."
        )
    return [EXPLAINED, *([" ".join(words)] if words else [])]


def _findings(slope: Estimate, large: Estimate) -> list[str]:
    """What the intervals say of the probabilities; only one that leaves the ideal out is evidence."""
    sides = (slope.high < 1, slope.low > 1, large.high < 0, large.low > 0)
    return [finding for finding, holds in zip(FINDINGS, sides, strict=True) if holds]


def equal_bins(evaluation: Evaluation, question: int, seed: int) -> Bins:
    """The known samples of one question in `BINS` bins of equal count; equal probabilities share a bin.

    Args:
        evaluation: the judgement.
        question: its column.
        seed: of the resamples that the intervals are taken from.
    """
    truth = answers(evaluation.outputs)[:, question]
    known = np.flatnonzero(~np.isnan(truth))
    if not len(known):
        return Bins(np.empty(0), [], np.empty(0, dtype=np.int64))
    scores = np.asarray(evaluation.outputs["probabilities"], dtype=np.float64)[known, question]
    # Each edge is a score that occurs and begins a bin, and the lowest score is below all of them: no bin is empty.
    edges = np.unique(np.quantile(scores, np.arange(1, BINS) / BINS, method="higher"))
    where = np.searchsorted(edges[edges > scores.min()], scores, side="right")
    count = np.bincount(where)
    members = np.eye(len(count))[where]

    def compute(weights: Values) -> dict[str, Values]:
        here = weights[:, known]
        with np.errstate(invalid="ignore"):
            return {"observed": (here * truth[known]) @ members / (here @ members)}

    observed = [interval(one, evaluation.level) for one in resampled(evaluation, compute, seed)["observed"]]
    return Bins(np.bincount(where, weights=scores) / count, observed, count)


def _bin_facts(bins: Bins) -> list[dict[str, float]]:
    columns = zip(bins.predicted.tolist(), bins.observed, bins.count.tolist(), strict=True)
    return [
        {
            "predicted": predicted,
            "observed": observed.value,
            "low": observed.low,
            "high": observed.high,
            "count": count,
        }
        for predicted, observed, count in columns
    ]


def _figures(names: tuple[str, ...], bins: dict[int, Bins]) -> tuple[Figure, ...]:
    if not bins:
        return ()
    titles = [names[question] for question in bins]
    with canvas(*panel_size(len(bins))) as drawn:
        for axes, one in zip(panels(drawn, titles), bins.values(), strict=True):
            identity_line(axes, 0, 1)
            values = [estimate.value for estimate in one.observed]
            axes.vlines(
                one.predicted,
                [estimate.low for estimate in one.observed],
                [estimate.high for estimate in one.observed],
                color=BLUE,
                linewidth=1.2,
                alpha=0.6,
            )
            axes.plot(one.predicted, values, "o-", color=BLUE, markersize=4.5, linewidth=1)
            axes.set_xticks(TICKS)
            axes.set_yticks(TICKS)
            axes.set_xlim(-0.02, 1.02)
            axes.set_ylim(-0.02, 1.02)
        drawn.supxlabel("Predicted probability of yes", fontsize=10)
        drawn.supylabel("Share of yes", fontsize=10)
        gaps = "; ".join(
            f"{title} {_largest_gap(one):.2f}" for title, one in zip(titles, bins.values(), strict=True)
        )
        figure = finish(
            drawn,
            caption=(
                f"Samples by predicted probability, in up to {BINS} bins of equal count: mean probability "
                "against share of yes, with intervals. On the dashed line, probabilities are right."
            ),
            alt=f"Reliability diagram; largest gap of probability and share of yes in a bin: {gaps}.",
        )
    return (figure,)


def _largest_gap(bins: Bins) -> float:
    observed = np.array([estimate.value for estimate in bins.observed])
    return float(np.abs(bins.predicted - observed).max())
