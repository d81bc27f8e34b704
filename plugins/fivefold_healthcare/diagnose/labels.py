"""Labels as answers to yes/no questions: one finding, exclusive classes, several labels, or grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fivefold.data.dataset import Facts
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.tasks.questions import Form

Task = Literal["single", "multi", "ordinal"]

YES = frozenset({"1", "1.0", "yes", "y", "true", "positive"})
NO = frozenset({"0", "0.0", "no", "n", "false", "negative"})
UNKNOWN = frozenset({"", "nan", "na", "n/a", "none", "null"})
UNCERTAIN = frozenset({"-1", "-1.0"})

_TWO = 2


@dataclass(frozen=True)
class Asked:
    """What is asked of each image.

    Attributes:
        names: of the questions.
        form: how they hang together.
        classes: of a single label, in order; empty for several.
    """

    names: tuple[str, ...]
    form: Form
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: Task, names: Sequence[str]) -> Asked:
        """The questions of a task whose classes, grades or labels are ``names``."""
        if task == "multi":
            return cls(tuple(names), "independent")
        if task == "ordinal":
            return cls(tuple(f"at least {name}" for name in names[1:]), "ordered", tuple(names))
        if len(names) == _TWO:
            return cls((names[1],), "independent", tuple(names))
        return cls(tuple(names), "exclusive", tuple(names))

    @classmethod
    def from_facts(cls, facts: Facts) -> Asked:
        """What a trained model was asked."""
        return cls.of(facts.task, facts.classes if "classes" in facts else facts.labels)

    def truth(self, table: Table) -> NDArray[np.float32]:
        """Answers ``(N, Q)``: 1 yes, 0 no, nan not known."""
        if not self.classes:
            return np.asarray(table["truth"], dtype=np.float32)
        codes = np.asarray(table[str(table.label)])
        if self.form == "ordered":
            return np.asarray(codes[:, None] >= np.arange(1, len(self.classes)), dtype=np.float32)
        if self.form == "exclusive":
            return np.asarray(np.eye(len(self.classes))[codes], dtype=np.float32)
        return np.asarray(codes[:, None] == 1, dtype=np.float32)


def answer(value: Any, uncertain: Literal["unknown", "yes", "no"], where: str) -> float:
    """A cell of a column of yes and no: 1, 0, or nan where it is empty.

    Raises:
        DataError: it is something else; ``where`` names file, row and column.
    """
    text = "" if value is None else str(value).strip().lower()
    if text in UNCERTAIN:
        return {"unknown": float("nan"), "yes": 1.0, "no": 0.0}[uncertain]
    if text in YES:
        return 1.0
    if text in NO:
        return 0.0
    if text in UNKNOWN:
        return float("nan")
    raise DataError(f"{where}: expected 1, 0, -1 or an empty cell, found '{value}'")


def patterns(truth: NDArray[np.float32]) -> NDArray[np.int64]:
    """A code for each pattern of answers, ``(N,)``, by which equal images with other labels are found."""
    if not len(truth):
        return np.zeros(0, dtype=np.int64)
    return np.asarray(
        np.unique(np.nan_to_num(truth, nan=-1), axis=0, return_inverse=True)[1], dtype=np.int64
    ).reshape(-1)
