"""From a path to transactions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from fivefold.data.only_file import only_file
from fivefold.errors import DataError
from fivefold_finance.transactions.build import Expected, build, ordered
from fivefold_finance.transactions.checks import check
from fivefold_finance.transactions.decimals import with_decimal_points
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.tables import (
    ENDINGS,
    column_names,
    delimiter_of,
    is_table,
    read_table,
)
from fivefold_finance.transactions.roles import find_roles, known_roles, told_roles
from fivefold_finance.transactions.schema import Transactions

_HEADER = 1


@dataclass(frozen=True)
class Options:
    """How to read.

    Attributes:
        columns: their names.
        zone: of times that state none.
        drop_duplicates: leave exact repetitions of a row out.
        trained: roles whose columns are called as in a training.
    """

    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    zone: str = "UTC"
    drop_duplicates: bool = False
    trained: Collection[str] = ()


def find_table(source: Path) -> Path | None:
    """The table at ``source``, a file or a folder with just one; None where there is none."""
    return only_file(source, is_table)


def recognise(source: Path, options: Options) -> str | None:
    """In words what ``source`` is, or None where it is no table of transactions. Cheap: looks at its header."""
    file = find_table(source)
    if file is None:
        return None
    names = column_names(file)
    if not known_roles(names, options.columns):
        return None
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")  # noqa: PLR2004 - names that a line shows
    return f"transactions ({file.name}: {shown})"


def read_transactions(source: Path, options: Options, expected: Expected | None = None) -> Transactions:
    """The transactions at ``source``, in order of time and checked.

    Args:
        source: a file (`ENDINGS`), or a folder with just one.
        options: how to read it.
        expected: the columns that a model was trained on, which must be there; without, all columns are taken.

    Raises:
        DataError: the table cannot be read or is wrong; one sentence that names file and row.
    """
    file = find_table(source)
    if file is None:
        what = "no such file" if not source.exists() else "something else"
        raise DataError(
            f"{source}: expected a table of transactions ({', '.join(ENDINGS)}), or a folder with just one, found "
            f"{what}"
        )
    table = read_table(file)
    roles = find_roles(table.column_names, options.columns, str(file), options.trained)
    if not table.num_rows:
        raise DataError(
            f"{file}: expected rows below the header, found none; add some, or leave the file out"
        )
    numbering = 1 if file.name.lower().endswith(".parquet") else 1 + _HEADER
    rows = np.arange(numbering, numbering + table.num_rows, dtype=np.int64)
    cells: Mapping[str, pa.ChunkedArray] = {name: table[name] for name in table.column_names}
    notes: list[str] = []
    if delimiter_of(file) not in {",", None}:
        cells, notes = with_decimal_points(cells, rows, roles, options.columns, str(file), expected)
    found = build(cells, rows, roles, options.columns, options.zone, str(file), expected)
    whole = check(ordered(found), drop_duplicates=options.drop_duplicates)
    return whole.with_cautions([*notes, *told_roles(roles)])
