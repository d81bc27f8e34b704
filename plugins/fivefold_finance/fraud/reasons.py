"""Reasons for an alert: what its score would be, were one of the user's columns as it usually is.

Each column in turn is set to its usual value (the training split's median, of a category the most frequent one), all
features made of it together, and the fall of the score is its contribution (occlusion: Zeiler and Fergus 2014; Robnik-
Sikonja and Kononenko 2008). This is exact, needs no gradient, and holds for categories and for columns that are
encoded as several features. Of columns that tell the same, each shows only what the others do not tell already.
Of models that read an account's history, the earlier transactions together are one reason more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from fivefold.data.dataset import HOST_KEYS, Batch, Dataset
from fivefold.data.table import Array
from fivefold.evaluation.numbers import number
from fivefold.tasks.base import inputs_of
from fivefold.tasks.questions import Questions
from fivefold.tasks.reading import in_batches

Score = Callable[[Batch], Tensor]
"""A batch on the CPU to one score a sample, ``(B,)``, in the units in which reasons are told."""

HISTORY = "earlier transactions of the account"

MOST_REASONS = 5

MOST_SEEN = 20_000
"""Training samples from which usual values are taken, at most."""

_SEQUENCE = 3


class Reason(NamedTuple):
    """One of the reasons for an alert.

    Attributes:
        name: of the user's column, or `HISTORY`.
        contribution: by how much the score would fall, in the score's units.
        value: as printed.
    """

    name: str
    contribution: float
    value: str


@dataclass(frozen=True)
class Usual:
    """The user's columns, and their usual values.

    Attributes:
        columns: column that each of the ``F`` features of ``input`` is made of.
        categories: column of each of the ``S`` codes of ``categories``; empty where the batch has none.
        values: of the features, float32 ``(F,)``.
        codes: of the categories, int64 ``(S,)``.
    """

    columns: tuple[str, ...]
    categories: tuple[str, ...]
    values: Tensor
    codes: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, each once, in order."""
        return tuple(dict.fromkeys((*self.columns, *self.categories)))


def usual_values(train: Dataset, columns: Sequence[str], categories: Sequence[str] = ()) -> Usual:
    """Medians and most frequent codes of the training split's own transactions.

    Args:
        train: batches hold ``input``, ``(B, F)`` or, with ``lengths``, ``(B, T, F)``, whose last step is the
            transaction itself; and ``categories``, ``(B, S)`` or ``(B, T, S)``, where there are any.
        columns: column that each of the ``F`` features is made of.
        categories: column of each of the ``S`` codes.
    """
    seen = torch.linspace(0, len(train) - 1, min(len(train), MOST_SEEN)).long()
    batches = [_current(batch) for _, batch in in_batches(train, seen)]
    values = torch.cat([batch["input"] for batch in batches]).nanmedian(dim=0).values
    codes = torch.empty(0, dtype=torch.int64)
    if categories:
        codes = torch.cat([batch["categories"] for batch in batches]).mode(dim=0).values
    return Usual(tuple(columns), tuple(categories), values, codes)


def reasons(
    score: Score,
    samples: Dataset,
    indices: Sequence[int],
    usual: Usual,
    *,
    most: int = MOST_REASONS,
    shown: Mapping[str, Array] | None = None,
) -> list[list[Reason]]:
    """Why the transactions at ``indices`` have high scores: what raises them, the strongest reason first.

    Args:
        score: what is explained, such as `question_score` of a task.
        samples: the split.
        indices: of the transactions.
        usual: what columns are compared with.
        most: reasons for each, at most; fewer where fewer columns raise the score.
        shown: the user's own values, column to ``(N,)``, to print; the features that the network reads where a
            column is not among them.
    """
    return [
        _reasons(score, samples.batch(torch.tensor([int(index)])), int(index), usual, most, shown)
        for index in indices
    ]


def question_score(task: Questions) -> Score:
    """The calibrated log odds of a task's first question, on the task's device, in evaluation mode."""

    def score(batch: Batch) -> Tensor:
        device = next(task.parameters()).device
        batch = {name: held if name in HOST_KEYS else held.to(device) for name, held in batch.items()}
        training = task.training
        task.eval()
        try:
            with torch.no_grad():
                found: Tensor = task(*inputs_of(batch, task.input))[:, 0].double().cpu()
        finally:
            task.train(training)
        return found

    return score


def _reasons(
    score: Score, batch: Batch, index: int, usual: Usual, most: int, shown: Mapping[str, Array] | None
) -> list[Reason]:
    names = list(usual.names)
    changed = [_without(batch, name, usual) for name in names]
    if _steps(batch) > 1:
        names.append(HISTORY)
        changed.append(_alone(batch))
    # All variants have the shape of the batch itself, so they go through the network together.
    together = {key: torch.cat([batch[key], *(one[key] for one in changed)]) for key in batch}
    scores = score(together)
    falls = (scores[0] - scores[1:]).tolist()
    found = [
        Reason(name, fall, _value(batch, name, index, usual, shown))
        for name, fall in zip(names, falls, strict=True)
        if fall > 0
    ]
    return sorted(found, key=lambda reason: -reason.contribution)[:most]


def _steps(batch: Batch) -> int:
    """Transactions that the only sample of the batch holds, itself among them."""
    return int(batch["lengths"][0]) if batch["input"].ndim == _SEQUENCE else 1


def _current(batch: Batch) -> Batch:
    """``input`` and ``categories`` of the transactions themselves, without their histories."""
    keys = [key for key in ("input", "categories") if key in batch]
    if batch["input"].ndim < _SEQUENCE:
        return {key: batch[key] for key in keys}
    rows = torch.arange(len(batch["input"]))
    return {key: batch[key][rows, batch["lengths"] - 1] for key in keys}


def _without(batch: Batch, name: str, usual: Usual) -> Batch:
    """The only sample with everything that is made of the column ``name`` as it usually is."""
    changed = dict(batch)
    parts = (("input", usual.columns, usual.values), ("categories", usual.categories, usual.codes))
    for key, columns, values in parts:
        picked = [place for place, column in enumerate(columns) if column == name]
        if picked:
            changed[key] = batch[key].clone()
            step = changed[key][0, _steps(batch) - 1] if batch["input"].ndim == _SEQUENCE else changed[key][0]
            step[picked] = values[picked].to(step.dtype)
    return changed


def _alone(batch: Batch) -> Batch:
    """The only sample as the first transaction of its account; steps are padded with zeros, as ever."""
    changed = dict(batch)
    for key, current in _current(batch).items():
        changed[key] = torch.zeros_like(batch[key])
        changed[key][:, 0] = current
    changed["lengths"] = torch.ones_like(batch["lengths"])
    return changed


def _value(batch: Batch, name: str, index: int, usual: Usual, shown: Mapping[str, Array] | None) -> str:
    if name == HISTORY:
        return str(_steps(batch) - 1)
    if shown is not None and name in shown:
        return printed(shown[name][index])
    current = _current(batch)
    numbers = [
        float(current["input"][0, place]) for place, column in enumerate(usual.columns) if column == name
    ]
    codes = [
        int(current["categories"][0, place])
        for place, column in enumerate(usual.categories)
        if column == name
    ]
    return " ".join([*map(printed, numbers), *map(str, codes)])


def printed(value: Any) -> str:
    """A value of the user's for people: a number with few digits, an instant to the second, a name as it is."""
    if value is None or value != value:  # noqa: PLR0124 - only nan and a missing instant differ from themselves
        return "missing"
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]")).replace("T", " ")
    return number(float(value)) if isinstance(value, (int, float, np.number)) else str(value)
