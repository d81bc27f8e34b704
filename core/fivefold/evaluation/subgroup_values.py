"""Groups of samples by a column's values, and how well yes/no questions are told in each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import Resampled, interval
from fivefold.evaluation.classification_metrics import mean_defined
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_intervals import both_ways, resampled, share_interval, unit_count
from fivefold.evaluation.question_metrics import answers, question_values

MOST_VALUES = 12
"""Values of a column listed at most; of more, the largest but one of this number, and the others together."""

FEWEST = 10
"""With a yes, or a no, in fewer independent units than this, a group is not judged."""

NOT_STATED = "not stated"

MEASURES = ("AUROC", "sensitivity", "specificity")


@dataclass(frozen=True)
class Group:
    """Samples that have a value in a column.

    Attributes:
        column: name of the column.
        value: as the report prints it.
        members: which samples belong to it, shape ``(N,)``.
    """

    column: str
    value: str
    members: NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """A group with its counts, and its estimates where there are enough answers to judge it.

    Attributes:
        group: the samples.
        yes: answers yes, of all questions together.
        no: answers no.
        units: independent units.
        estimates: measure to estimate; empty where there are too few answers.
    """

    group: Group
    yes: int
    no: int
    units: int
    estimates: dict[str, Estimate]


def groups_of(column: str, values: Array) -> list[Group]:
    """The groups of one column in natural order, then the others, then those without a value.

    Args:
        column: its name.
        values: one for each sample, shape ``(N,)``.
    """
    named = np.array([_named(value) for value in values], dtype=object)
    sizes = Counter(name for name in named if name)
    kept = list(sizes)
    if len(sizes) > MOST_VALUES:
        kept = sorted(sizes, key=lambda name: (-sizes[name], _natural(name)))[: MOST_VALUES - 1]
    groups = [Group(column, name, named == name) for name in sorted(kept, key=_natural)]
    rest = np.array([bool(name) and name not in kept for name in named])
    groups.append(Group(column, f"others ({len(sizes) - len(kept)} values)", rest))
    groups.append(Group(column, NOT_STATED, named == ""))
    return [group for group in groups if group.members.any()]


def _named(value: Any) -> str:
    """The value as text; empty where it is missing."""
    missing = value is None or (isinstance(value, (float, np.floating)) and np.isnan(value))
    return "" if missing else str(value).strip()


def _natural(name: str) -> list[str | int]:
    """A sort key that puts 9 before 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def judge_groups(
    evaluation: Evaluation, thresholds: Values, groups: Sequence[Group], seed: int
) -> list[Judged]:
    """Count the answers of each group, and judge those that have enough.

    Of several questions, AUROC is the mean over those that all judged groups of a column answer both ways, so that
    groups are not told apart by questions that only one of them answers. Sensitivity and specificity are taken of the
    answers to all questions together.

    Args:
        evaluation: the judgement.
        thresholds: from which probability on the answer is yes, shape ``(Q,)``.
        groups: of one column or several.
        seed: of the resamples, the same ones for all groups.
    """
    truth = answers(evaluation.outputs)
    chosen = [place for place, group in enumerate(groups) if _enough(evaluation, truth, group.members)]
    found: dict[int, dict[str, Estimate]] = {}
    if chosen:
        drawn = _drawn(evaluation, truth, thresholds, [groups[place] for place in chosen], seed)
        for column, place in enumerate(chosen):
            own = {measure: values[column] for measure, values in drawn.items()}
            found[place] = _estimates(evaluation, truth, groups[place].members, own)
    return [
        Judged(
            group,
            int((truth[group.members] == 1).sum()),
            int((truth[group.members] == 0).sum()),
            unit_count(evaluation, group.members),
            found.get(place, {}),
        )
        for place, group in enumerate(groups)
    ]


def _having(truth: Array, members: Array, answer: int) -> Array:
    """The members, shape ``(N,)``, who give that answer to a question."""
    having: Array = members & (truth == answer).any(axis=1)
    return having


def _enough(evaluation: Evaluation, truth: Array, members: Array) -> bool:
    return all(unit_count(evaluation, _having(truth, members, answer)) >= FEWEST for answer in (0, 1))


def _drawn(
    evaluation: Evaluation, truth: Array, thresholds: Values, groups: Sequence[Group], seed: int
) -> dict[str, list[Resampled]]:
    """Each measure of each group, on the same resamples of all units."""
    probabilities = evaluation.outputs["probabilities"]
    said = np.asarray(probabilities, dtype=np.float64) >= thresholds
    yes, no = truth == 1, truth == 0
    # Summed over questions, so that one product gives the four counts of each resample.
    cells = np.stack([(said & yes).sum(1), yes.sum(1), (~said & no).sum(1), no.sum(1)], axis=1)
    shared = {group.column: np.ones(truth.shape[1], dtype=bool) for group in groups}
    for group in groups:
        shared[group.column] &= both_ways(truth[group.members])

    def of_group(group: Group, weights: Values) -> tuple[Values, Values, Values]:
        here, questions = weights[:, group.members], np.flatnonzero(shared[group.column])
        found, positive, let_be, negative = (here @ cells[group.members].astype(np.float64)).T
        area = np.full(len(here), np.nan)
        if len(questions):
            own = np.ix_(group.members, questions)
            outputs = {"probabilities": probabilities[own], "target": truth[own]}
            area = mean_defined(question_values(outputs, here)["AUROC"])
        return area, found / positive, let_be / negative

    def compute(weights: Values) -> dict[str, Values]:
        # A resample may leave out every yes or every no of a group: nan is the answer there, not a warning.
        with np.errstate(divide="ignore", invalid="ignore"):
            values = zip(*(of_group(group, weights) for group in groups), strict=True)
            return dict(zip(MEASURES, (np.stack(of, axis=1) for of in values), strict=True))

    return resampled(evaluation, compute, seed)


def _estimates(
    evaluation: Evaluation, truth: Array, members: Array, drawn: dict[str, Resampled]
) -> dict[str, Estimate]:
    trials = {
        "sensitivity": unit_count(evaluation, _having(truth, members, 1)),
        "specificity": unit_count(evaluation, _having(truth, members, 0)),
    }
    shares = {name: share_interval(drawn[name], evaluation.level, count) for name, count in trials.items()}
    return {"AUROC": interval(drawn["AUROC"], evaluation.level), **shares}


def largest_gap(judged: Sequence[Judged]) -> tuple[str, Judged, Judged] | None:
    """The measure, and the better and worse group of one column, whose intervals are apart and values furthest."""
    apart = [
        (measure, better, worse)
        for measure in MEASURES
        for pair in combinations([one for one in judged if one.estimates], 2)
        for better, worse in (pair, pair[::-1])
        if better.group.column == worse.group.column
        and better.estimates[measure].low > worse.estimates[measure].high
    ]

    def gap(one: tuple[str, Judged, Judged]) -> float:
        measure, better, worse = one
        return better.estimates[measure].value - worse.estimates[measure].value

    return max(apart, key=gap, default=None)
