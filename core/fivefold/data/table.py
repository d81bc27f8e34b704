"""The table of samples: what every reader returns and every split, search and dataset starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError

Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """A sample that could not be used: counted, listed in the report, fatal past a bound."""

    sample: str
    reason: str


@dataclass(frozen=True)
class Table:
    """Samples as columns of equal length ``N``.

    Columns are numpy arrays whose first dimension is ``N``; an image column may be ``(N, H, W, C)``.

    Attributes:
        columns: name to array. A column ``id`` names the samples; without one they are named by row.
        source: what was read, for messages and reports (a path or a dataset's name).
        label: the column that holds the target (integer codes into ``classes`` for classification).
        classes: names of the classes, in the order of their codes; empty where there are none.
        group: the column with the independent unit (patient, speaker, scene), if any.
        time: the column with the time, if any.
        split: the column with ``train``, ``val`` or ``test`` as the source itself gives it, if any.
        problems: samples that could not be read.
        notes: what the user should know of how it was read, in sentences.
    """

    columns: Mapping[str, Array]
    source: str
    label: str | None = None
    classes: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    split: str | None = None
    problems: tuple[Problem, ...] = field(default=())
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"{self.source}: columns differ in length: {lengths}; every column needs one value a sample"
            )
        for role in (self.label, self.group, self.time, self.split):
            if role is not None and role not in self.columns:
                raise DataError(f"{self.source}: no column '{role}'; there are {', '.join(self.columns)}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __getitem__(self, name: str) -> Array:
        if name not in self.columns:
            raise DataError(f"{self.source}: no column '{name}'; there are {', '.join(self.columns)}")
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @property
    def ids(self) -> Array:
        """Names of the samples, shape ``(N,)``: the column ``id``, else ``row 0``, ``row 1``, ..."""
        if "id" in self.columns:
            return self.columns["id"]
        return np.array([f"row {row}" for row in range(len(self))], dtype=object)

    @property
    def units(self) -> Array | None:
        """The independent unit of each sample, shape ``(N,)``, or None where each stands for itself."""
        return None if self.group is None else self.columns[self.group]

    def take(self, rows: Array | Sequence[int]) -> Table:
        """The given rows, as a table; the names of samples go with them."""
        rows = np.asarray(rows, dtype=np.int64)
        columns = {"id": self.ids, **self.columns}
        return replace(self, columns={name: column[rows] for name, column in columns.items()})

    def with_columns(self, **columns: Array) -> Table:
        """The same table with columns added or replaced."""
        return replace(self, columns={**self.columns, **columns})

    def recode(self, classes: Sequence[str]) -> Table:
        """The same samples with label codes that index ``classes``.

        Raises:
            DataError: a sample carries a label that is not among ``classes``.
        """
        if self.label is None or tuple(classes) == self.classes:
            return self
        known = {name: code for code, name in enumerate(classes)}
        labels = self.columns[self.label]
        for row, code in enumerate(labels):
            if code >= 0 and self.classes[int(code)] not in known:
                raise DataError(
                    f"{self.source}, {self.ids[row]}: unknown label '{self.classes[int(code)]}'; "
                    f"the model knows {', '.join(classes)}"
                )
        mapping = np.array([known.get(name, -1) for name in self.classes], dtype=np.int64)
        recoded = np.where(labels >= 0, mapping[labels], -1)
        return replace(self, columns={**self.columns, self.label: recoded}, classes=tuple(classes))
