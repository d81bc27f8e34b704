"""Which column of a table holds the independent unit: the one that the settings name, else one called as units are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

UNITS = ("group",)
"""What columns of units are called in every domain; plugins know further names."""

FEWEST = 3
"""Units from which each split can have one."""


@dataclass(frozen=True)
class Unit:
    """The column of units that a table has.

    Attributes:
        column: its name; None where rows stand for themselves.
        notes: what the user should know of the choice, in sentences.
    """

    column: str | None
    notes: tuple[str, ...] = ()


def unit_columns(names: Iterable[str], configured: str, known: Sequence[str] = ()) -> list[str]:
    """Those of a table's columns that are called as units are, the most telling name first.

    Upper and lower case, spaces, hyphens and underscores make no difference.

    Args:
        names: of the table's columns.
        configured: what the settings call the column.
        known: further names of units in this domain, the most telling first.
    """
    ranks = {_plain(name): rank for rank, name in reversed([*enumerate((*known, *UNITS), start=1)])}
    found = {name: 0 if name == configured else ranks.get(_plain(name)) for name in names}
    return sorted(
        (name for name, rank in found.items() if rank is not None), key=lambda name: found[name] or 0
    )


def choose_unit(
    where: object, columns: Mapping[str, Sequence[str]], configured: str, *, named: bool, option: str
) -> Unit:
    """The column by which rows are kept together, and what is to be said of the others.

    Where the settings do not name one, the first of ``columns`` is taken that can be split by. A note tells of a choice
    that the settings did not make, and of every column that looks like units (several rows share a value) and is not
    used.

    Args:
        where: the file.
        columns: those of `unit_columns`, in that order, with the rows' values; an empty text where there is none.
        configured: what the settings call the column.
        named: whether the user said so.
        option: the option that names it.
    """
    usable = [name for name, values in columns.items() if _can_part(values)]
    chosen = configured if configured in columns else None
    if chosen is None and not named and usable:
        chosen = usable[0]
    notes = []
    if chosen is not None and chosen != configured:
        notes.append(
            f"{where}: rows with the same '{chosen}' stay in one split, because the column is called as units are; "
            f"{option} names another."
        )
    for name, values in columns.items():
        if name != chosen and len(set(values) - {""}) < sum(value != "" for value in values):
            notes.append(_unused(where, name, values, option))
    return Unit(chosen, tuple(notes))


def _can_part(values: Sequence[str]) -> bool:
    return "" not in values and len(set(values)) >= FEWEST


def _unused(where: object, name: str, values: Sequence[str], option: str) -> str:
    empty = sum(value == "" for value in values)
    distinct = len(set(values) - {""})
    if empty:
        why = f"it is empty in {empty:,} of {len(values):,} rows"
    elif distinct < FEWEST:
        why = f"it has {distinct} different values only"
    else:
        why = "something else was chosen"
    return (
        f"{where}: the column '{name}' is called as units are, and rows are not kept together by it, because {why}: "
        "rows that share a value of it may stand on both sides of a split, which makes a model look better than it is; "
        f"{option} {name} keeps them together."
    )


def _plain(name: str) -> str:
    return name.casefold().translate(str.maketrans("", "", " -_"))
