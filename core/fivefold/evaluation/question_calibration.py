"""Whether probabilities of yes can be taken at their word: slope, calibration in the large, reliability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import Resampled, interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import BLUE, canvas, finish, identity_line
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_bins import BINS, Bins, bin_estimates, bin_shares, equal_bins
from fivefold.evaluation.question_curves import drawable, panel_size, panels
from fivefold.evaluation.question_intervals import (
    both_ways,
    interval_head,
    number_cells,
    one_sided,
    resampled,
)
from fivefold.evaluation.question_metrics import answers
from fivefold.evaluation.recalibration import recalibration_values
from fivefold.evaluation.section import Figure, Grid, Section

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
"""Samples in the regressions of all questions and resamples: some 20 seconds' work of one core, by 3 million a second
(14 questions of 20,000 samples). Where `FEWEST_RESAMPLES` are more than this, they take longer."""

STATISTICS = ("slope", "intercept", "in_the_large")


MOST_LEFT_OUT = 0.1
"""Where more than this share of the resamples have no value, nothing is concluded from the others."""


@dataclass(frozen=True)
class Calibration:
    """One statistic of one question, ``S`` resamples.

    Attributes:
        estimate: its value with the interval over the resamples that have one.
        left_out: resamples that have none.
        resamples: ``S``.
    """

    estimate: Estimate
    left_out: int
    resamples: int

    @property
    def exists(self) -> bool:
        """Whether the split itself has a finite value."""
        return not isnan(self.estimate.value)

    @property
    def conclusive(self) -> bool:
        """Whether the interval is one to conclude from."""
        return (
            self.exists and not isnan(self.estimate.low) and self.left_out <= MOST_LEFT_OUT * self.resamples
        )

    def facts(self) -> dict[str, float]:
        """For ``report.json``."""
        return {**vars(self.estimate), "left_out": self.left_out}


Found = dict[str, list[Calibration]]
"""One calibration a question, by statistic."""


def calibration_section(evaluation: Evaluation, names: tuple[str, ...]) -> Section:
    """Slope and calibration in the large of each question, with words on them, and the reliability diagram.

    Args:
        evaluation: the judgement.
        names: of the ``Q`` questions.
    """
    truth = answers(evaluation.outputs)
    affordable = max(FEWEST_RESAMPLES, MOST_FITTED // truth.size)
    notes = []
    if affordable < evaluation.resamples:
        evaluation = replace(evaluation, resamples=affordable)
        notes.append(f"The intervals of this section rest on {affordable} resamples only, to save time.")
    found, bins = _estimates(evaluation, truth)
    if int(both_ways(truth).sum()) > len(bins):
        notes.append(f"The diagram shows the first {len(bins)} questions.")
    span = interval_head(evaluation)
    grid = Grid(
        caption="Calibration of each question; perfect is a slope of 1 and 0 in the large",
        head=("Question", "Slope", span, "In the large", span),
        rows=tuple(
            (
                name,
                *(part for one in both for part in number_cells(one.estimate)),
            )
            for name, *both in zip(names, found["slope"], found["in_the_large"], strict=True)
        ),
    )
    return Section(
        title="Calibration",
        text="\n\n".join([*_text(names, found), *one_sided(names, truth), *notes]),
        grids=(grid,),
        figures=_figures(names, bins),
        facts={
            "questions": [
                {
                    "question": name,
                    **{statistic: found[statistic][question].facts() for statistic in STATISTICS},
                    "bins": bins[question].facts() if question in bins else [],
                }
                for question, name in enumerate(names)
            ]
        },
        key="recalibration",
    )


def _estimates(evaluation: Evaluation, truth: Array) -> tuple[Found, dict[int, Bins]]:
    """Statistics of all questions, and bins of those that are drawn, on the same resamples."""
    probabilities = evaluation.outputs["probabilities"]
    binnings = {one: equal_bins(probabilities[:, one], truth[:, one]) for one in drawable(truth)}

    def compute(weights: Values) -> dict[str, Values]:
        columns = zip(probabilities.T, truth.T, strict=True)
        found = [recalibration_values(scores, answer, weights) for scores, answer in columns]
        return {
            **{statistic: np.stack([one[statistic] for one in found], axis=1) for statistic in STATISTICS},
            **{f"bins {question}": bin_shares(binning, weights) for question, binning in binnings.items()},
        }

    drawn = resampled(evaluation, compute)
    return (
        {
            statistic: [_calibration(one, evaluation.level) for one in drawn[statistic]]
            for statistic in STATISTICS
        },
        {
            question: bin_estimates(evaluation, binning, drawn[f"bins {question}"])
            for question, binning in binnings.items()
        },
    )


def _calibration(drawn: Resampled, level: float) -> Calibration:
    return Calibration(interval(drawn, level), int(np.isnan(drawn.draws).sum()), len(drawn.draws))


def _text(names: tuple[str, ...], found: Found) -> list[str]:
    pairs = list(zip(names, found["slope"], found["in_the_large"], strict=True))
    judged = [(name, _findings(slope, large)) for name, slope, large in pairs]
    words = []
    for finding in FINDINGS:
        having = [name for name, findings in judged if finding in findings]
        if having:
            words.append(f"Probabilities are {finding}: {', '.join(having)}.")
    unsuspected = [
        name
        for name, slope, large in pairs
        if slope.conclusive and large.conclusive and not _findings(slope, large)
    ]
    if unsuspected:
        words.append(f"No evidence that probabilities are wrong: {', '.join(unsuspected)}.")
    endless = [name for name, slope, large in pairs if large.exists and not slope.exists]
    if endless:
        words.append(
            "The slope has no finite value where one threshold parts every yes from every no, or all "
            f"probabilities are alike: {', '.join(endless)}."
        )
    left_out = [
        *_left_out("the slope has no finite value", names, found["slope"]),
        *_left_out(
            "a yes or a no is missing, and with it the calibration in the large", names, found["in_the_large"]
        ),
    ]
    return [EXPLAINED, *([" ".join(words)] if words else []), *left_out]


def _left_out(reason: str, names: tuple[str, ...], found: list[Calibration]) -> list[str]:
    """Which questions lack resamples of a statistic, and of which of them nothing is concluded."""
    lacking = {name: one for name, one in zip(names, found, strict=True) if one.exists and one.left_out}
    if not lacking:
        return []
    told = ", ".join(f"{name} ({one.left_out} of {one.resamples})" for name, one in lacking.items())
    silent = [name for name, one in lacking.items() if not one.conclusive]
    closing = (
        f" Nothing is concluded where these are more than {100 * MOST_LEFT_OUT:g} % of the resamples, as the others "
        f"are no fair sample: {', '.join(silent)}."
        if silent
        else ""
    )
    return [f"Resamples in which {reason} are left out of its interval: {told}.{closing}"]


def _findings(slope: Calibration, large: Calibration) -> list[str]:
    """What the intervals say of the probabilities; only one that leaves the ideal out is evidence."""
    sides = (
        (slope, slope.estimate.high < 1),
        (slope, slope.estimate.low > 1),
        (large, large.estimate.high < 0),
        (large, large.estimate.low > 0),
    )
    return [finding for finding, (of, holds) in zip(FINDINGS, sides, strict=True) if of.conclusive and holds]


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
            f"{title} {one.largest_gap:.2f}" for title, one in zip(titles, bins.values(), strict=True)
        )
        figure = finish(
            drawn,
            caption=(
                f"Samples by predicted probability, in up to {BINS} bins of equal count: mean probability "
                "against share of yes, with intervals (of 0 % and 100 % Clopper and Pearson's). On the dashed line, "
                "probabilities are right."
            ),
            alt=f"Reliability diagram; largest gap of probability and share of yes in a bin: {gaps}.",
        )
    return (figure,)
