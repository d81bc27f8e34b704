"""Search for what stands on both sides of a split: equal samples, near-equal samples, groups, time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice
from typing import Literal

import numpy as np

from fivefold.data.fingerprint import Fingerprints
from fivefold.data.neighbours import Vectors, near_rows
from fivefold.data.splits import Splits, readable_times
from fivefold.data.table import Array, Table

_WORDS = {"train": "training", "val": "validation", "test": "test", "judged": "judged"}
_EXAMPLES = 10
_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """One kind of leakage between (or repetition within) splits.

    Attributes:
        kind: what was found.
        splits: names of the two splits (the same twice for repetition within one).
        count: how many different samples (or groups, or rows for time) are concerned.
        text: one sentence for people.
        examples: pairs of sample names, at most ten.
        severe: whether ``--strict`` fails on it.
        rows: how many rows of the second split are concerned.
        of: how many rows the second split has.
    """

    kind: Literal["exact duplicate", "near duplicate", "group overlap", "time overlap", "conflicting labels"]
    splits: tuple[str, str]
    count: int
    text: str
    examples: tuple[tuple[str, str], ...] = ()
    severe: bool = True
    rows: int = 0
    of: int = 0

    @property
    def share(self) -> float:
        """Of the second split's rows, those that are concerned."""
        return self.rows / self.of if self.of else 0.0


def search(splits: Splits, fingerprints: Callable[[Table], Fingerprints]) -> tuple[Finding, ...]:
    """Everything that stands on both sides of a split, and what repeats within one; see `search_tables`."""
    return search_tables({"train": splits.train, "val": splits.val, "test": splits.test}, fingerprints)


def search_tables(
    tables: Mapping[str, Table], fingerprints: Callable[[Table], Fingerprints]
) -> tuple[Finding, ...]:
    """The same for some of the splits, such as those that a source itself gives.

    Counts are of different samples: an image that stands twice in training and once in test counts once. Near
    duplicates are counted in the later split, without the exact ones.

    Args:
        tables: tables named ``train``, ``val`` or ``test``, and ``judged`` for other data that a run is judged on.
        fingerprints: gives the keys of a table's samples.
    """
    sides = [_Side(name, table, fingerprints(table)) for name, table in tables.items() if len(table)]
    findings: list[Finding] = []
    for first, second in combinations(sides, 2):
        findings += _exact(first, second)
        findings += _near(first, second)
        findings += _groups(first, second)
        findings += _time(first, second)
    for side in sides:
        findings += _repeats(side)
    for first, second in [*((side, side) for side in sides), *combinations(sides, 2)]:
        findings += _conflicts(first, second)
    return tuple(findings)


@dataclass(frozen=True)
class _Side:
    """A split with its keys."""

    name: str
    table: Table
    prints: Fingerprints

    @property
    def words(self) -> str:
        return _WORDS[self.name]

    @property
    def alike(self) -> str:
        """What equal samples may differ in, for the end of a sentence."""
        return f", the same {self.prints.alike}" if self.prints.alike else ""

    @property
    def whole(self) -> str:
        return "data judged" if self.name == "judged" else f"{self.words} split"

    @cached_property
    def rows(self) -> dict[object, list[int]]:
        """The rows of each exact key."""
        rows: dict[object, list[int]] = {}
        for row, key in enumerate(self.prints.exact):
            rows.setdefault(key, []).append(row)
        return rows

    @cached_property
    def vectors(self) -> Vectors | None:
        """Near keys whose Euclidean distance counts, shape ``(N, D)``."""
        near = self.prints.near
        if near is not None and near.dtype == np.uint8:
            return np.unpackbits(near, axis=1).astype(np.float32)
        return None if near is None else near.astype(np.float32, copy=False)

    @property
    def distance(self) -> float:
        """The largest Euclidean distance that counts as near; that of bits is the root of how many differ."""
        near = self.prints.near
        bits = near is not None and near.dtype == np.uint8
        return self.prints.near_distance**0.5 if bits else self.prints.near_distance

    @cached_property
    def labels(self) -> Array | None:
        return None if self.table.label is None else self.table[self.table.label]

    @cached_property
    def times(self) -> Array | None:
        return None if self.table.time is None else readable_times(self.table, self.table.time)

    @cached_property
    def ids(self) -> Array:
        return self.table.ids

    def name_of(self, row: int) -> str:
        return str(self.ids[row])


def _exact(first: _Side, second: _Side) -> Iterator[Finding]:
    shared = [key for key in first.rows if key in second.rows]
    if shared:
        here, there = (sum(len(side.rows[key]) for key in shared) for side in (first, second))
        text = (
            f"{_count(len(shared), 'sample stands', 'samples stand')} in both {_two(first, second)} ({here:,} of "
            f"{len(first.table):,} {first.words} rows, {there:,} of {len(second.table):,} {second.words} rows)"
            f"{first.alike}."
        )
        examples = _pairs(first, second, ((first.rows[key][0], second.rows[key][0]) for key in shared))
        yield Finding(
            "exact duplicate", (first.name, second.name), len(shared), text, examples,
            rows=there, of=len(second.table),
        )  # fmt: skip


def _near(first: _Side, second: _Side) -> Iterator[Finding]:
    if first.vectors is None or second.vectors is None:
        return
    rows = np.array([found[0] for key, found in second.rows.items() if key not in first.rows], dtype=np.int64)
    twins = near_rows(second.vectors[rows], first.vectors, second.distance)
    rows, twins = rows[twins >= 0], twins[twins >= 0]
    if len(rows):
        differ = _labelled_otherwise(first, second, twins, rows)
        text = (
            f"{_count(len(rows), 'sample', 'samples')} of the {second.whole} nearly "
            f"{'equals' if len(rows) == 1 else 'equal'} one of the {first.whole}"
            f"{f', {int(differ.sum()):,} with another label' if differ.any() else ''}."
        )
        order = np.argsort(
            ~differ, kind="stable"
        )  # those with another label first: one of the two may be wrong
        examples = _pairs(first, second, zip(twins[order].tolist(), rows[order].tolist(), strict=True))
        yield Finding(
            "near duplicate", (first.name, second.name), len(rows), text, examples,
            rows=len(rows), of=len(second.table),
        )  # fmt: skip


def _labelled_otherwise(first: _Side, second: _Side, here: Array, there: Array) -> Array:
    """Of pairs of rows, those whose classes differ, ``(P,)``; none where labels are numbers, which differ anyway."""
    if first.labels is None or second.labels is None or first.labels.dtype.kind == "f":
        return np.zeros(len(here), dtype=bool)
    return np.asarray(first.labels[here] != second.labels[there], dtype=bool)


def _groups(first: _Side, second: _Side) -> Iterator[Finding]:
    if first.table.units is None or second.table.units is None:
        return
    here, there = (_first_rows(side.table.units) for side in (first, second) if side.table.units is not None)
    shared = [unit for unit in here if unit in there]
    if shared:
        named = ", ".join(map(str, shared[:_NAMED])) + (", ..." if len(shared) > _NAMED else "")
        text = (
            f"{_count(len(shared), 'group', 'groups')} of '{first.table.group}' ({named}) "
            f"{'stands' if len(shared) == 1 else 'stand'} in both {_two(first, second)}."
        )
        examples = _pairs(first, second, ((here[unit], there[unit]) for unit in shared))
        rows = sum(unit in here for unit in second.table.units.tolist())
        yield Finding(
            "group overlap", (first.name, second.name), len(shared), text, examples,
            rows=rows, of=len(second.table),
        )  # fmt: skip


def _time(first: _Side, second: _Side) -> Iterator[Finding]:
    early, late = first.times, second.times
    if early is None or late is None:
        return
    begins = late.min()
    rows = np.flatnonzero(early >= begins)
    if len(rows):
        text = (
            f"{_count(len(rows), 'row', 'rows')} of the {first.whole} "
            f"{'is' if len(rows) == 1 else 'are'} as late as the {second.whole} or later, which begins "
            f"at {_moment(begins)} ('{first.table.time}'): to learn from these is to know the future."
        )
        examples = _pairs(first, second, ((int(row), int(np.argmin(late))) for row in rows[:_EXAMPLES]))
        # units may have been split on purpose, each with all its times
        severe = first.table.group is None
        yield Finding("time overlap", (first.name, second.name), len(rows), text, examples, severe)


def _repeats(side: _Side) -> Iterator[Finding]:
    repeated = [rows for rows in side.rows.values() if len(rows) > 1]
    if repeated:
        text = (
            f"{_count(len(repeated), 'sample stands', 'samples stand')} more than once in the {side.whole} "
            f"({sum(map(len, repeated)):,} rows){side.alike}."
        )
        examples = _pairs(side, side, ((rows[0], rows[1]) for rows in repeated))
        yield Finding("exact duplicate", (side.name, side.name), len(repeated), text, examples, severe=False)


def _conflicts(first: _Side, second: _Side) -> Iterator[Finding]:
    """Equal samples of different classes, within one split or across two; numbers may differ without a mistake."""
    if first.labels is None or second.labels is None or first.labels.dtype.kind == "f":
        return
    pairs = []
    for key, rows in first.rows.items():
        others = second.rows.get(key, ())
        conflict = ((a, b) for a in rows for b in others if first.labels[a] != second.labels[b])
        pairs += [pair for pair in [next(conflict, None)] if pair is not None]
    if pairs:
        where = f"the {first.whole}" if first is second else _two(first, second)
        text = f"{_count(len(pairs), 'sample stands', 'samples stand')} in {where} with different labels."
        examples = _pairs(first, second, pairs)
        yield Finding(
            "conflicting labels", (first.name, second.name), len(pairs), text, examples, severe=False
        )


def _two(first: _Side, second: _Side) -> str:
    """``the training and the test split``."""
    return f"the {first.whole if second.name == 'judged' else first.words} and the {second.whole}"


def _pairs(first: _Side, second: _Side, rows: Iterable[tuple[int, int]]) -> tuple[tuple[str, str], ...]:
    """Names of the samples in the first few pairs of rows."""
    return tuple((first.name_of(here), second.name_of(there)) for here, there in islice(rows, _EXAMPLES))


def _first_rows(units: Array) -> dict[object, int]:
    """The first row of each unit."""
    found: dict[object, int] = {}
    for row, unit in enumerate(units.tolist()):
        found.setdefault(unit, row)
    return found


def _moment(time: object) -> str:
    """A time as people write it: whole numbers without a decimal point."""
    return f"{time:.0f}" if isinstance(time, np.floating) and time.is_integer() else str(time)


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
