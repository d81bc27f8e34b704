"""Whether yes/no questions are told as well in each part of the samples: by sex, by age, by device, by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import BLUE, canvas, finish, shortened
from fivefold.evaluation.question_intervals import (
    DASH,
    interval_head,
    number_cells,
    percent,
    percent_span,
    plain_number,
)
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold.evaluation.subgroup_values import FEWEST, MEASURES, Judged, groups_of, judge_groups, largest_gap


def subgroup_section(
    evaluation: Evaluation, names: tuple[str, ...], said: Array, subgroups: Mapping[str, Array]
) -> Section | None:
    """Counts, AUROC, sensitivity and specificity in each group; None where there is no column.

    Args:
        evaluation: the judgement.
        names: of the ``Q`` questions.
        said: whether the answer given is yes, shape ``(N, Q)``.
        subgroups: column's name to a value for each sample, shape ``(N,)``; None, nan and blanks are missing.
    """
    if not subgroups:
        return None
    groups = [group for column, values in subgroups.items() for group in groups_of(column, values)]
    judged = judge_groups(evaluation, said, groups)
    return Section(
        title="Subgroups",
        text=_text(names, judged, evaluation.unit_name),
        grids=tuple(
            _grid(evaluation, names, column, [one for one in judged if one.group.column == column])
            for column in subgroups
        ),
        figures=_figures(judged),
        facts={"groups": [_fact(names, one) for one in judged]},
        key="subgroups",
    )


def _text(names: tuple[str, ...], judged: list[Judged], unit_name: str) -> str:
    paragraphs = []
    if len(names) > 1:
        paragraphs.append(
            f"Of the {len(names)} questions, the groups of a column are judged on those that each of these groups has "
            "enough answers to (a group that has enough to none is not judged, and leaves none out). AUROC is the mean "
            "over these questions; sensitivity and specificity are of the answers to them together, each at its own "
            "threshold. Yes and no are counted over all questions."
        )
    paragraphs.append(
        "Read differences between small groups with care: their intervals are wide, among many groups some differ by "
        "chance, and groups may differ in how hard their samples are. That no difference is seen does not say that "
        f"there is none. Fewer than {FEWEST} {unit_name}s with a yes, or with a no, are too few to judge."
    )
    return "\n\n".join([*paragraphs, _largest_text(judged)])


def _largest_text(judged: list[Judged]) -> str:
    columns = Counter(one.group.column for one in judged if one.estimates)
    if not columns or max(columns.values()) == 1:
        return "No column has two groups with enough answers to compare."
    found = largest_gap(judged)
    if found is None:
        return "No two judged groups of a column have intervals that do not overlap."
    measure, better, worse = found

    def told(one: Judged) -> str:
        estimate = one.estimates[measure]
        value, span = _printed(measure, estimate)
        return f"{value} ({span}) where it is {one.group.value}"

    return (
        f"The largest difference whose intervals do not overlap is by {better.group.column}: {measure} is "
        f"{told(better)}, and {told(worse)}."
    )


def _printed(measure: str, estimate: Estimate) -> tuple[str, str]:
    if measure == "AUROC":
        return number_cells(estimate)
    return percent(estimate.value), percent_span(estimate)


def _grid(evaluation: Evaluation, names: tuple[str, ...], column: str, judged: list[Judged]) -> Grid:
    span = interval_head(evaluation)
    units = () if evaluation.units is None else (f"{evaluation.unit_name.capitalize()}s",)
    measures = (part for name in ("AUROC", "Sensitivity", "Specificity") for part in (name, span))
    count = max((len(one.questions) for one in judged), default=0)
    over = f", over {count} of {len(names)} questions" if len(names) > 1 else ""
    return Grid(
        caption=f"By {column}{over}",
        head=(column, "Samples", *units, "Yes", "No", *measures),
        rows=tuple(_row(one, with_units=bool(units)) for one in judged),
    )


def _row(one: Judged, *, with_units: bool) -> tuple[str | int, ...]:
    counts = (int(one.group.members.sum()), *((one.units,) if with_units else ()), one.yes, one.no)
    if not one.estimates:
        reason = "no question in common" if one.enough else "too few to judge"
        return (one.group.value, *counts, reason, *[DASH] * 5)
    printed = (part for measure in MEASURES for part in _printed(measure, one.estimates[measure]))
    return (one.group.value, *counts, *printed)


def _fact(names: tuple[str, ...], one: Judged) -> dict[str, Any]:
    return {
        "column": one.group.column,
        "value": one.group.value,
        "samples": int(one.group.members.sum()),
        "units": one.units,
        "yes": one.yes,
        "no": one.no,
        "judged": bool(one.estimates),
        "questions": [names[question] for question in one.questions],
        **{measure: vars(estimate) for measure, estimate in one.estimates.items()},
    }


def _figures(judged: list[Judged]) -> tuple[Figure, ...]:
    shown = [one for one in judged if one.estimates and not np.isnan(one.estimates["AUROC"].low)]
    if not shown:
        return ()
    with canvas(6.4, 0.8 + 0.3 * len(shown)) as drawn:
        axes = drawn.subplots()
        for place, one in enumerate(shown):
            estimate = one.estimates["AUROC"]
            axes.plot([estimate.low, estimate.high], [place, place], color=BLUE, linewidth=2.5)
            axes.plot([estimate.value], [place], "o", color=BLUE, markersize=6)
        labels = [f"{shortened(one.group.column)}: {shortened(one.group.value, 24)}" for one in shown]
        axes.set_yticks(range(len(shown)), labels)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlabel("AUROC")
        told = "; ".join(
            f"{one.group.column} {one.group.value} {plain_number(one.estimates['AUROC'].value)}"
            for one in shown
        )
        figure = finish(drawn, caption="AUROC of each judged group, with intervals.", alt=f"AUROC: {told}.")
    return (figure,)
