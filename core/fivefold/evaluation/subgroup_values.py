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
from fivefold.evaluation.bootstrap import Resampled, interval, share_interval
from fivefold.evaluation.classification_metrics import mean_defined
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_intervals import resampled, unit_count
from fivefold.evaluation.question_metrics import answers, question_values

MOST_VALUES = 12
"""Values of a column listed at most; of more, the largest but one of this number, and the others together."""

FEWEST = 10
"""With a yes, or a no, in fewer independent units than this, a group is not judged."""

NOT_STATED = "not stated"

MISSING = {"", "nan", "nat", "<na>", NOT_STATED}
"""Texts, in small letters, that stand for no value, as tables write them."""

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
        enough: questions of which this group has enough answers.
        questions: columns of those that it is judged on; empty where it is not judged.
        estimates: measure to estimate; empty where it is not judged.
    """

    group: Group
    yes: int
    no: int
    units: int
    enough: int
    questions: tuple[int, ...]
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
    others = f"others ({len(sizes) - len(kept)} values)"
    while others in kept:
        others += " together"
    groups.append(Group(column, others, rest))
    groups.append(Group(column, NOT_STATED, named == ""))
    return [group for group in groups if group.members.any()]


def _named(value: Any) -> str:
    """The value as text; empty where it is missing: None, nan, NaT, or a text of `MISSING`."""
    name = "" if value is None else str(value).strip()
    return "" if name.casefold() in MISSING else name


def _natural(name: str) -> list[str | int]:
    """A sort key that puts 9 before 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def judge_groups(evaluation: Evaluation, said: Array, groups: Sequence[Group]) -> list[Judged]:
    """Count the answers of each group, and judge those that have enough.

    A group has enough answers to a question where `FEWEST` independent units have a yes and as many have a no; many
    questions with a few answers each do not add up. Groups of a column that have enough of any question are judged
    on the questions that all of these groups have enough of, so that they are not told apart by what they are asked.
    AUROC is the mean over these questions; sensitivity and specificity are taken of the answers to them together.

    Args:
        evaluation: the judgement.
        said: whether the answer given is yes, shape ``(N, Q)``.
        groups: of one column or several.
    """
    truth = answers(evaluation.outputs)
    enough = [_enough(evaluation, truth, group.members) for group in groups]
    shared = {group.column: np.ones(truth.shape[1], dtype=bool) for group in groups}
    for group, own in zip(groups, enough, strict=True):
        if own.any():
            shared[group.column] &= own
    chosen = {
        place: np.flatnonzero(shared[group.column])
        for place, group in enumerate(groups)
        if enough[place].any() and shared[group.column].any()
    }
    asked = [(groups[place].members, questions) for place, questions in chosen.items()]
    drawn = _drawn(evaluation, truth, said, asked) if asked else {}
    found = {
        place: _estimates(evaluation, truth, *asked[column], {name: of[column] for name, of in drawn.items()})
        for column, place in enumerate(chosen)
    }
    return [
        Judged(
            group,
            int((truth[group.members] == 1).sum()),
            int((truth[group.members] == 0).sum()),
            unit_count(evaluation, group.members),
            int(enough[place].sum()),
            tuple(chosen[place].tolist()) if place in chosen else (),
            found.get(place, {}),
        )
        for place, group in enumerate(groups)
    ]


def _enough(evaluation: Evaluation, truth: Array, members: Array) -> NDArray[np.bool_]:
    """Whether the members have enough answers to each question, shape ``(Q,)``."""
    return np.array(
        [
            all(unit_count(evaluation, members & (column == answer)) >= FEWEST for answer in (0, 1))
            for column in truth.T
        ]
    )


def _drawn(
    evaluation: Evaluation, truth: Array, said: Array, asked: Sequence[tuple[Array, Array]]
) -> dict[str, list[Resampled]]:
    """Each measure of each group, on the same resamples of all units.

    Args:
        evaluation: the judgement.
        truth: the answers, shape ``(N, Q)``.
        said: as in `judge_groups`.
        asked: of each group, its members ``(N,)`` and the columns of its questions.
    """
    probabilities = evaluation.outputs["probabilities"]

    def of_group(members: Array, questions: Array, weights: Values) -> tuple[Values, Values, Values]:
        own = np.ix_(members, questions)
        here, yes, no = weights[:, members], truth[own] == 1, truth[own] == 0
        # Summed over questions, so that one product gives the four counts of each resample.
        cells = np.stack([(said[own] & yes).sum(1), yes.sum(1), (~said[own] & no).sum(1), no.sum(1)], axis=1)
        found, positive, let_be, negative = (here @ cells.astype(np.float64)).T
        outputs = {"probabilities": probabilities[own], "target": truth[own]}
        area = mean_defined(question_values(outputs, here)["AUROC"])
        return area, found / positive, let_be / negative

    def compute(weights: Values) -> dict[str, Values]:
        # A resample may leave out every yes or every no of a group: nan is the answer there, not a warning.
        with np.errstate(divide="ignore", invalid="ignore"):
            values = zip(*(of_group(*one, weights) for one in asked), strict=True)
            return dict(zip(MEASURES, (np.stack(of, axis=1) for of in values), strict=True))

    return resampled(evaluation, compute)


def _estimates(
    evaluation: Evaluation, truth: Array, members: Array, questions: Array, drawn: dict[str, Resampled]
) -> dict[str, Estimate]:
    def units(answer: int) -> int:
        return unit_count(evaluation, members & (truth[:, questions] == answer).any(axis=1))

    trials = {"sensitivity": units(1), "specificity": units(0)}
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
