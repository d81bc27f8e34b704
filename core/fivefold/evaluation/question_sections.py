"""What the report of yes/no questions shows: how well each is told, and what its threshold does."""

from __future__ import annotations

from math import isnan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import Resampled, interval, share_interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.operating_point import OperatingPoint, operating_point, operating_values
from fivefold.evaluation.question_calibration import calibration_section
from fivefold.evaluation.question_curves import curve_figures
from fivefold.evaluation.question_decisions import decision_section
from fivefold.evaluation.question_intervals import (
    interval_head,
    number_cells,
    one_sided,
    percent,
    percent_span,
    plain_number,
    resampled,
    unit_count,
)
from fivefold.evaluation.question_metrics import answers, question_values
from fivefold.evaluation.question_tests import delong_section
from fivefold.evaluation.section import Grid, Section
from fivefold.evaluation.support import FEW

SHARES = {"sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV"}
"""Shares of an operating point, as tables name them."""

AREAS_EXPLAINED = (
    "AUROC is the chance that a sample with yes is given a higher probability than one with no: 0.5 is a guess, 1 is "
    "perfect. AUPRC is the mean share of right ones among those said to be yes, as the threshold falls: a guess "
    "reaches the prevalence, the share of yes, so that AUPRCs of different prevalences do not compare. "
    "Samples whose answer is not known take no part."
)

SHARES_EXPLAINED = (
    "Sensitivity: share of the yeses that are found. Specificity: share of the noes that are let be. PPV and NPV: "
    "share of what is said to be yes, or no, that is so; they hold only for a prevalence as on this split."
)


def question_sections(
    evaluation: Evaluation, names: tuple[str, ...], thresholds: Values, said: Array, specificity: float
) -> list[Section]:
    """Questions, DeLong's test, operating point, calibration, decision curve.

    Args:
        evaluation: the judgement; its outputs hold ``probabilities`` and ``target``, each ``(N, Q)``.
        names: of the ``Q`` questions.
        thresholds: from which probability on the answer is yes, fitted on the validation split, shape ``(Q,)``.
        said: whether the answer given is yes, shape ``(N, Q)``: where the probability reaches the threshold, and
            nothing else holds it back.
        specificity: that the thresholds were fitted for, from 0 to 1.
    """
    return [
        question_section(evaluation, names, said),
        delong_section(evaluation, names),
        operating_section(evaluation, names, thresholds, said, specificity),
        calibration_section(evaluation, names),
        decision_section(evaluation, names),
    ]


def question_section(evaluation: Evaluation, names: tuple[str, ...], said: Array) -> Section:
    """Answers, AUROC and AUPRC of each question, with their curves; arguments as in `question_sections`."""
    truth = answers(evaluation.outputs)
    areas = resampled(evaluation, lambda weights: question_values(evaluation.outputs, weights))
    found = {name: [interval(one, evaluation.level) for one in areas[name]] for name in ("AUROC", "AUPRC")}
    counts = [_counts(column) for column in truth.T]
    span = interval_head(evaluation)
    grid = Grid(
        caption="Each question",
        head=("Question", "Yes", "No", "Not known", "Prevalence", "AUROC", span, "AUPRC", span),
        rows=tuple(
            (
                name,
                *counted[:3],
                percent(counted[3]),
                *(part for one in both for part in number_cells(one)),
            )
            for name, counted, *both in zip(names, counts, found["AUROC"], found["AUPRC"], strict=True)
        ),
    )
    return Section(
        title="Questions",
        text="\n\n".join(_question_text(evaluation, names, truth, areas["AUROC"])),
        grids=(grid,),
        figures=curve_figures(evaluation, names, said),
        facts={
            "questions": [
                {
                    "question": name,
                    **dict(zip(("yes", "no", "unknown", "prevalence"), counts[column], strict=True)),
                    **{area: vars(estimates[column]) for area, estimates in found.items()},
                }
                for column, name in enumerate(names)
            ]
        },
        key="questions",
    )


def _counts(truth: Array) -> tuple[int, int, int, float]:
    """Yes, no, not known, and the share of yes among the known."""
    yes, no = int((truth == 1).sum()), int((truth == 0).sum())
    return yes, no, len(truth) - yes - no, yes / (yes + no) if yes + no else float("nan")


def _question_text(
    evaluation: Evaluation, names: tuple[str, ...], truth: Array, areas: list[Resampled]
) -> list[str]:
    paragraphs = [AREAS_EXPLAINED, *one_sided(names, truth)]
    fewest = [min(unit_count(evaluation, column == answer) for answer in (0, 1)) for column in truth.T]
    few = [name for name, count in zip(names, fewest, strict=True) if 0 < count < FEW]
    if few:
        paragraphs.append(
            f"Fewer than {FEW} {evaluation.unit_name}s with yes, or with no, which is too few to judge: "
            f"{', '.join(few)}."
        )
    undefined = {
        name: int(np.isnan(area.draws).sum())
        for name, area in zip(names, areas, strict=True)
        if not isnan(area.value) and np.isnan(area.draws).any()
    }
    if undefined:
        told = ", ".join(f"{name} ({count} of {len(areas[0].draws)})" for name, count in undefined.items())
        paragraphs.append(f"Resamples that lack a yes or a no are left out of the intervals: {told}.")
    return paragraphs


def operating_section(
    evaluation: Evaluation, names: tuple[str, ...], thresholds: Values, said: Array, specificity: float
) -> Section:
    """What the fitted thresholds do here; arguments as in `question_sections`."""
    truth = answers(evaluation.outputs)
    columns = list(zip(said.T, truth.T, strict=True))
    points = [operating_point(*column, 1) for column in columns]

    def compute(weights: Values) -> dict[str, Values]:
        found = [operating_values(*column, 1, weights) for column in columns]
        return {share: np.stack([one[share] for one in found], axis=1) for share in SHARES}

    drawn = resampled(evaluation, compute)
    shares = [
        {
            share: share_interval(drawn[share][place], evaluation.level, unit_count(evaluation, among))
            for share, among in _concerned(*column).items()
        }
        for place, column in enumerate(columns)
    ]
    return Section(
        title="Operating point",
        text="\n\n".join(
            [
                *_operating_text(evaluation, names, shares, specificity),
                *_held_back(evaluation, thresholds, said),
                *one_sided(names, truth),
            ]
        ),
        grids=(_share_grid(evaluation, names, thresholds, shares), _count_grid(names, points)),
        facts={
            "specificity_asked": specificity,
            "questions": [
                {
                    "question": name,
                    "threshold": float(threshold),
                    **{share: vars(estimate) for share, estimate in of.items()},
                    **vars(point),
                }
                for name, threshold, of, point in zip(names, thresholds, shares, points, strict=True)
            ],
        },
        key="operating_point",
    )


def _concerned(said: Array, truth: Array) -> dict[str, Array]:
    """The samples ``(N,)`` that each share is taken of."""
    known = ~np.isnan(truth)
    return {"sensitivity": truth == 1, "specificity": truth == 0, "ppv": said & known, "npv": ~said & known}


def _operating_text(
    evaluation: Evaluation,
    names: tuple[str, ...],
    shares: list[dict[str, Estimate]],
    specificity: float,
) -> list[str]:
    fitted = (
        "A probability at the threshold or above it is a yes. The threshold was fitted on the validation split, as "
        f"the smallest with a specificity of at least {100 * specificity:g} % there (one half, where no answer there "
        f"is no); nothing was chosen on {evaluation.split}. {_came_out(evaluation, names, shares, specificity)}"
    )
    paragraphs = [fitted, SHARES_EXPLAINED]
    if any(estimate.value in (0.0, 1.0) for of in shares for estimate in of.values()):
        paragraphs.append(
            "Resampling cannot tell how far a share of 0 % or 100 % may be off; its interval is Clopper and Pearson's "
            f"over the {evaluation.unit_name}s concerned."
        )
    return paragraphs


def _held_back(evaluation: Evaluation, thresholds: Values, said: Array) -> list[str]:
    """A sentence on answers that their own threshold would make a yes; none where there are none."""
    # In float64, as a threshold between two float32 numbers must not be rounded to one of them.
    reached = np.asarray(evaluation.outputs["probabilities"], dtype=np.float64) >= thresholds
    count = int((reached & ~said).sum())
    if not count:
        return []
    told = (
        f"{count} answers are no though their probability is at the threshold or above it, as a question before "
        "them, which a yes would imply, is answered no."
    )
    return [told]


def _came_out(
    evaluation: Evaluation, names: tuple[str, ...], shares: list[dict[str, Estimate]], specificity: float
) -> str:
    found = {
        name: of["specificity"]
        for name, of in zip(names, shares, strict=True)
        if not isnan(of["specificity"].value)
    }
    if not found:
        return f"No answer on {evaluation.split} is no, so that its specificity is not defined."
    values = [estimate.value for estimate in found.values()]
    if len(found) == 1:
        opening = f"The specificity came out at {percent(values[0])} here"
    else:
        opening = f"Specificities came out between {percent(min(values))} and {percent(max(values))} here"
    below = [name for name, estimate in found.items() if estimate.high < specificity]
    above = [name for name, estimate in found.items() if estimate.low > specificity]
    parts = [
        f"{side} than asked, by more than the chance of this split: {', '.join(off)}"
        for side, off in (("lower", below), ("higher", above))
        if off
    ]
    if not parts:
        return f"{opening}, where the interval{'s hold' if len(found) > 1 else ' holds'} what was asked."
    return (
        f"{opening}; {'; '.join(parts)}. The threshold is itself off by the chance of the validation split."
    )


def _share_grid(
    evaluation: Evaluation, names: tuple[str, ...], thresholds: Values, shares: list[dict[str, Estimate]]
) -> Grid:
    span = interval_head(evaluation)
    return Grid(
        caption="At the fitted threshold",
        head=("Question", "Threshold", *(part for name in SHARES.values() for part in (name, span))),
        rows=tuple(
            (
                name,
                plain_number(float(threshold)),
                *(part for share in SHARES for part in (percent(of[share].value), percent_span(of[share]))),
            )
            for name, threshold, of in zip(names, thresholds, shares, strict=True)
        ),
    )


def _count_grid(names: tuple[str, ...], points: list[OperatingPoint]) -> Grid:
    return Grid(
        caption="Samples at the fitted threshold",
        head=("Question", "Yes, found", "No, let be", "No, said to be yes", "Yes, missed"),
        rows=tuple(
            (
                name,
                int(point.true_positive),
                int(point.true_negative),
                int(point.false_positive),
                int(point.false_negative),
            )
            for name, point in zip(names, points, strict=True)
        ),
    )
