"""Training, validation and test rows, decided by the source, by group, by time, or at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from fivefold.data.partition import Rows, group_parts, stratified_parts, time_parts
from fivefold.data.shown import shown
from fivefold.data.table import Array, Table
from fivefold.errors import DataError

FRACTIONS = (0.8, 0.1, 0.1)
"""Shares of training, validation and test rows where the source has no split of its own."""

_NAMES = ("train", "val", "test")
_WORDS = {"train": "training", "val": "validation", "test": "test"}
SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Names that sources give their splits, and ours."""


@dataclass(frozen=True)
class Splits:
    """Three tables and the sentence that says how they came about."""

    train: Table
    val: Table
    test: Table
    how: str


def split_table(table: Table, *, seed: int, fractions: Sequence[float] = FRACTIONS) -> Splits:
    """Split as the table says: its own split column, else by group, else by time, else at random.

    Args:
        table: the rows to split.
        seed: of the random choice.
        fractions: shares of training, validation and test rows; of those alone that the table does not mark.

    Raises:
        DataError: the rows cannot be split that way; the message says what to do.
    """
    if table.split is not None:
        return as_given(table, seed=seed, fractions=fractions)
    if table.group is not None:
        return by_group(table, seed=seed, fractions=fractions)
    if table.time is not None:
        return by_time(table, fractions=fractions)
    return random_split(table, seed=seed, fractions=fractions)


def random_split(
    table: Table, *, seed: int, stratify: bool | None = None, fractions: Sequence[float] = FRACTIONS
) -> Splits:
    """Split at random; the same table and seed give the same rows.

    Args:
        table: the rows to split.
        seed: of the random choice.
        stratify: keep the mix of classes in every split; None does so where the table has classes.
        fractions: shares of training, validation and test rows.

    Raises:
        DataError: fewer than three rows, or a class with a single row.
    """
    stratify = bool(table.classes) and table.label is not None if stratify is None else stratify
    shares = _checked(table, fractions)
    rows = _random_rows(table, np.arange(len(table)), shares, seed, stratify=stratify)
    return _splits(
        table, rows, f"Rows were split at random (seed {seed}){_mix(table, rows) if stratify else ''}"
    )


def by_group(
    table: Table, column: str | None = None, *, seed: int, fractions: Sequence[float] = FRACTIONS
) -> Splits:
    """Split so that no unit (patient, speaker, scene) stands in two splits.

    Args:
        table: the rows to split.
        column: the column with the unit; the table's own group where not given.
        seed: of the random choice.
        fractions: shares of training, validation and test rows, approximated.

    Raises:
        DataError: there is no such column, or fewer than three units.
    """
    column = column or table.group
    if column is None:
        raise DataError(
            f"{table.source}: no group column to split by; name one of {', '.join(table.columns)}"
        )
    shares = _checked(table, fractions)
    rows = _group_rows(table, np.arange(len(table)), table[column], shares, seed)
    time = "" if table.time is None else f"; the time in '{table.time}' did not decide"
    return _splits(
        table, rows, f"Rows were split by '{column}' (seed {seed}), which no two splits share{time}"
    )


def by_time(table: Table, column: str | None = None, *, fractions: Sequence[float] = FRACTIONS) -> Splits:
    """Split into past (training), then (validation), and latest (test); rows of equal time stay together.

    Args:
        table: the rows to split; each split comes out in order of time.
        column: where the time stands (numbers, datetime64, ISO 8601 text); the table's own where not given.
        fractions: shares of training, validation and test rows, approximated.

    Raises:
        DataError: there is no such column, a time is missing or unreadable, or fewer than three differ.
    """
    column = column or table.time
    if column is None:
        raise DataError(f"{table.source}: no time column to split by; name one of {', '.join(table.columns)}")
    shares = _checked(table, fractions)
    times = readable_times(table, column)
    if len(np.unique(times)) < len(shares):
        raise DataError(
            f"{table.source}, column '{column}': {len(np.unique(times))} distinct times are too few to split "
            f"by time; {len(shares)} are needed"
        )
    rows = time_parts(times, shares)
    return _splits(table, rows, f"Rows were split by '{column}': training before validation before test")


def as_given(table: Table, *, seed: int, fractions: Sequence[float] = FRACTIONS) -> Splits:
    """Split as the source itself does; a validation or test split that it lacks is carved from training.

    Args:
        table: rows whose split column says train, val (or valid, validation, dev) or test.
        seed: of the random choice, where a split must be carved.
        fractions: shares of training, validation and test rows; the latter two of what is marked train, where carved.

    Raises:
        DataError: a split name is unknown, or there are no training rows.
    """
    found = _given_rows(table)
    if not len(found["train"]):
        raise DataError(
            f"{table.source}, column '{table.split}': no row is marked 'train', so nothing can be learned"
        )
    missing = [name for name in ("val", "test") if not len(found[name])]
    if not missing:
        return _splits(table, [found[name] for name in _NAMES], "The source's own splits were used")
    wanted = [dict(zip(_NAMES, fractions, strict=True))[name] for name in missing]
    shares = (1 - sum(wanted), *wanted)
    parts, way = _carve(table, found["train"], shares, seed)
    found.update(zip(("train", *missing), parts, strict=True))
    lacking = " or ".join(_WORDS[name] for name in missing)
    how = f"The source's own splits were used; it lacks {lacking} rows, which are taken from training {way}"
    return _splits(table, [found[name] for name in _NAMES], how)


def given_tables(table: Table) -> dict[str, Table]:
    """The splits that the source itself has, named ``train``, ``val`` and ``test``; nothing is carved.

    Raises:
        DataError: there is no split column, or a split name is unknown.
    """
    return {name: table.take(rows) for name, rows in _given_rows(table).items() if len(rows)}


def readable_times(table: Table, column: str) -> Array:
    """The times in ``column`` as numbers or datetime64, shape ``(N,)``.

    Raises:
        DataError: a time is missing or cannot be read; the message names the row.
    """
    times = table[column]
    if times.dtype.kind == "O" and all(isinstance(value, int | float) for value in times):
        times = times.astype(np.float64)
    elif times.dtype.kind not in "iufMm":
        moments = [_time(table, column, row, value) for row, value in enumerate(times)]
        _require_one_clock(table, column, moments)
        # numpy stores no time zone.
        plain = [one if one.tzinfo is None else one.astimezone(UTC).replace(tzinfo=None) for one in moments]
        times = np.array(plain, dtype="datetime64[us]")
    absent = (
        np.isnan(times) if times.dtype.kind == "f" else np.isnat(times) if times.dtype.kind in "Mm" else None
    )
    if absent is not None and absent.any():
        row = int(np.argmax(absent))
        raise DataError(
            f"{table.source}, {table.ids[row]}, column '{column}': the time is missing; every row needs one"
        )
    return times


def _time(table: Table, column: str, row: int, value: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise DataError(
            f"{table.source}, {table.ids[row]}, column '{column}': '{value}' is no time; "
            "expected a number or a date such as 2024-05-31 or 2024-05-31T14:00"
        ) from error
    return moment


def _require_one_clock(table: Table, column: str, moments: Sequence[datetime]) -> None:
    """Refuse times of which some have a time zone and others none: which came first cannot be told."""
    zoned = np.array([moment.tzinfo is not None for moment in moments], dtype=bool)
    if zoned.any() and not zoned.all():
        row = int(np.argmax(zoned != zoned[0]))
        first, other = ("a time zone", "none") if zoned[0] else ("no time zone", "one")
        raise DataError(
            f"{table.source}, {table.ids[row]}, column '{column}': expected times that all have a time zone, or none "
            f"of them, found {other} in '{table[column][row]}' where the rows before have {first}; write them alike"
        )


def _given_rows(table: Table) -> dict[str, Rows]:
    if table.split is None:
        raise DataError(f"{table.source}: no column says which split a row belongs to")
    names = _split_names(table)
    return {name: np.flatnonzero(names == name) for name in _NAMES}


def _split_names(table: Table) -> Array:
    """Each row's split as ``train``, ``val`` or ``test``, shape ``(N,)``."""
    column = table[str(table.split)]
    values, inverse = np.unique([str(value).strip().lower() for value in column], return_inverse=True)
    known = [SPLIT_NAMES.get(value, value) for value in values]
    for number, name in enumerate(known):
        if name not in _NAMES:
            row = int(np.argmax(inverse == number))
            raise DataError(
                f"{table.source}, {table.ids[row]}, column '{table.split}': unknown split '{column[row]}'; "
                "expected train, val or test"
            )
    return np.array(known)[inverse]


def _carve(table: Table, rows: Rows, shares: Sequence[float], seed: int) -> tuple[list[Rows], str]:
    """``rows`` cut in ``shares``: by the table's group, else its time, else at random; and how, in words."""
    if len(rows) < len(shares):
        raise DataError(
            f"{table.source}: {len(rows)} training rows are too few to take validation or test rows from; "
            "add rows, or mark some as val and test"
        )
    if table.group is not None:
        return _group_rows(table, rows, table[table.group][rows], shares, seed), f"by '{table.group}'"
    if table.time is not None:
        times = readable_times(table, table.time)[rows]
        if len(np.unique(times)) >= len(shares):
            return [rows[part] for part in time_parts(times, shares)], f"by '{table.time}', the latest rows"
    stratify = bool(table.classes) and table.label is not None
    return _random_rows(table, rows, shares, seed, stratify=stratify), f"at random (seed {seed})"


def _random_rows(
    table: Table, rows: Rows, shares: Sequence[float], seed: int, *, stratify: bool
) -> list[Rows]:
    codes = np.zeros(len(rows), dtype=np.int64)
    if stratify:
        if table.label is None:
            raise DataError(f"{table.source}: no label column to stratify by; split without stratify")
        codes = table[table.label][rows]
        values, counts = np.unique(codes, return_counts=True)
        if (counts == 1).any():
            code = values[np.argmax(counts == 1)]
            row = rows[int(np.argmax(codes == code))]
            name = _class_name(table, int(code))
            raise DataError(
                f"{table.source}, {table.ids[row]}: class '{name}' has this single sample, which cannot both "
                "teach and test; add samples of it, or remove the class"
            )
    generator = np.random.default_rng([seed, 0x5B117])  # a stream of its own beside the seed's other uses
    return [rows[part] for part in stratified_parts(codes, shares, generator)]


def _mix(table: Table, rows: Sequence[Rows]) -> str:
    """What is true of the mix of classes in the splits."""
    codes = table[str(table.label)]
    absent = {code for part in rows for code in np.setdiff1d(codes, codes[part]).tolist()}
    if not absent:
        return ", with the same mix of classes in each"
    named = shown([f"'{_class_name(table, code)}'" for code in sorted(absent)])
    return f", with the same mix of classes in each but for {named}, of which there are too few"


def _class_name(table: Table, code: int) -> str:
    return table.classes[code] if 0 <= code < len(table.classes) else str(code)


def _group_rows(table: Table, rows: Rows, units: Array, shares: Sequence[float], seed: int) -> list[Rows]:
    units = units if units.dtype.kind != "O" else np.array([str(unit) for unit in units])
    found = len(np.unique(units))
    if found < len(shares):
        raise DataError(
            f"{table.source}: {found} groups are too few to split by group; {len(shares)} are needed, or "
            "split without groups and read the result as memory, not generalisation"
        )
    codes = table[table.label][rows] if table.classes and table.label is not None else None
    generator = np.random.default_rng([seed, 0x5B117])
    return [rows[part] for part in group_parts(units, codes, shares, generator)]


def _checked(table: Table, fractions: Sequence[float]) -> tuple[float, ...]:
    """The three shares, scaled to sum to 1."""
    if len(fractions) != len(_NAMES) or min(fractions) <= 0:
        raise DataError(
            f"split fractions {tuple(fractions)}: expected three positive numbers, such as {FRACTIONS}"
        )
    if len(table) < len(_NAMES):
        raise DataError(
            f"{table.source}: {len(table)} samples are too few for training, validation and test; "
            f"at least {len(_NAMES)} are needed"
        )
    return tuple(fraction / sum(fractions) for fraction in fractions)


def _splits(table: Table, rows: Sequence[Rows], how: str) -> Splits:
    """The three tables, and ``how`` with their sizes."""
    sizes = ", ".join(f"{len(part):,} {_WORDS[name]}" for name, part in zip(_NAMES, rows, strict=True))
    train, val, test = (table.take(part) for part in rows)
    return Splits(train, val, test, f"{how}: {sizes}.")
