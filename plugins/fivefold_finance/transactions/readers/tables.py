"""Tables of CSV (also compressed by gzip) and Parquet as columns of Arrow's, each cell of a CSV file as its text."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from fivefold.errors import DataError

ENDINGS = (".csv", ".csv.gz", ".parquet")
"""Endings of files that hold transactions."""

EMPTY = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Cells that mean: nothing."""

_FIRST_LINE = 2**20
_BLOCK = 2**26


def is_table(source: Path) -> bool:
    """Whether the name is that of a table, by its ending."""
    return source.name.lower().endswith(ENDINGS)


def column_names(source: Path) -> list[str]:
    """Names of the columns; none where they cannot be read. Cheap: looks at the beginning only."""
    try:
        if source.name.lower().endswith(".parquet"):
            return list(parquet.read_schema(source).names)
        opened: Any = gzip.open if source.name.lower().endswith(".gz") else open
        with opened(source, "rt", encoding="utf-8-sig", newline="") as lines:
            return header_of(lines.readline(_FIRST_LINE))
    except (OSError, EOFError, ValueError, csv.Error, pa.ArrowException):
        return []


def header_of(line: str) -> list[str]:
    """The names in a header of CSV."""
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def read_table(source: Path) -> pa.Table:
    """All columns of the table.

    Raises:
        DataError: it cannot be read, has two columns of one name, or a row has too many or too few cells.
    """
    try:
        if source.name.lower().endswith(".parquet"):
            table = parquet.read_table(source)
        else:
            names = column_names(source)
            _differ(names, str(source))
            with pa.input_stream(str(source), compression="detect") as stream:
                table = parse_csv(stream, names, skip=1)
    except (OSError, ValueError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise DataError(
            f"{source}: expected a table of transactions, found one that cannot be read ({why}); mend it, or save "
            "it anew"
        ) from error
    _differ(table.column_names, str(source))
    return table


def parse_csv(stream: Any, names: Sequence[str], *, skip: int = 0) -> pa.Table:
    """Rows of CSV, each cell as its text, null where `EMPTY`; a row without the right number of cells is refused.

    Args:
        stream: what Arrow can read, or bytes.
        names: of the columns.
        skip: lines before the first row.
    """
    return arrow_csv.read_csv(
        io.BytesIO(stream) if isinstance(stream, bytes) else stream,
        read_options=arrow_csv.ReadOptions(column_names=list(names), skip_rows=skip, block_size=_BLOCK),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        if len(names) > 1
        else None,
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=list(EMPTY)
        ),
    )


def trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without blanks at both ends; anything else as it is."""
    return pc.utf8_trim_whitespace(cells) if pa.types.is_string(cells.type) else cells


def _differ(names: Sequence[str], source: str) -> None:
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{source}: expected columns with different names, found '{twice}' {list(names).count(twice)} times; "
            "rename them"
        )
