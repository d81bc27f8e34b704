"""Tables of CSV (also compressed by gzip) and Parquet as columns of Arrow's, each cell of a CSV file as its text.

Cells of a CSV file are parted by commas, or by the semicolons, tabs or bars that its first lines show.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from fivefold.data.delimiters import SAMPLED, fitting_delimiter
from fivefold.errors import DataError

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
"""Endings of files that hold transactions."""

EMPTY = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Cells that mean: nothing."""

_TABBED = (".tsv", ".tsv.gz")
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error, csv.Error, pa.ArrowException)
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
        return _header(source)[0]
    except (*_UNREADABLE, DataError):
        return []


def delimiter_of(source: Path) -> str | None:
    """What parts the cells of a CSV file; None of Parquet.

    Raises:
        DataError: several signs part header and rows alike.
    """
    return None if source.name.lower().endswith(".parquet") else _header(source)[1]


def delimiter_among(source: str, lines: Sequence[str], *, whole: bool = True) -> str:
    """What parts the cells of these first lines: the tab of TSV, else the sign that fits header and rows.

    Args:
        source: the file or stream.
        lines: the header and the first rows.
        whole: whether these are all.

    Raises:
        DataError: several signs part header and rows alike.
    """
    if source.lower().endswith(_TABBED):
        return "\t"
    return fitting_delimiter(source, lines, whole=whole)


def header_of(line: str, delimiter: str) -> list[str]:
    """The names in a header of CSV."""
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def read_table(source: Path) -> pa.Table:
    """All columns of the table.

    Raises:
        DataError: it cannot be read, has two columns of one name, several signs part its cells alike, or a row has
            too many or too few cells.
    """
    try:
        if source.name.lower().endswith(".parquet"):
            table = parquet.read_table(source)
        else:
            names, delimiter = _header(source)
            _differ(names, str(source))
            with pa.input_stream(str(source), compression="detect") as stream:
                table = parse_csv(stream, names, delimiter, skip=1)
    except _UNREADABLE as error:
        _require_utf8(source)
        why = " ".join(str(error).split())
        raise DataError(
            f"{source}: expected a table of transactions, found one that cannot be read ({why}); mend it, or save "
            "it anew"
        ) from error
    _differ(table.column_names, str(source))
    return table


def parse_csv(stream: Any, names: Sequence[str], delimiter: str, *, skip: int = 0) -> pa.Table:
    """Rows of CSV, each cell as its text, null where `EMPTY`; a row without the right number of cells is refused.

    Args:
        stream: what Arrow can read, or bytes.
        names: of the columns.
        delimiter: what parts the cells.
        skip: lines before the first row.
    """
    return arrow_csv.read_csv(
        io.BytesIO(stream) if isinstance(stream, bytes) else stream,
        read_options=arrow_csv.ReadOptions(column_names=list(names), skip_rows=skip, block_size=_BLOCK),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=len(names) > 1, ignore_empty_lines=len(names) == 1
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=list(EMPTY)
        ),
    )


def trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without blanks at both ends; anything else as it is."""
    return pc.utf8_trim_whitespace(cells) if pa.types.is_string(cells.type) else cells


def _header(source: Path) -> tuple[list[str], str]:
    """The names in the header of a CSV file, and what parts its cells."""
    with _opened(source, "rt", encoding="utf-8-sig", newline="") as stream:
        lines = list(islice(iter(lambda: stream.readline(_FIRST_LINE), ""), SAMPLED + 1))
        delimiter = delimiter_among(str(source), lines, whole=not stream.readline(1))
    return header_of(lines[0] if lines else "", delimiter), delimiter


def _require_utf8(source: Path) -> None:
    """Refuse a file of text in another encoding, with the row; what else is wrong with it is not looked at."""
    if source.name.lower().endswith(".parquet"):
        return
    row = 0
    try:
        with _opened(source, "rb") as lines:
            for line in lines:
                row += 1
                line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}, row {row}: expected text in UTF-8, found the byte 0x{error.object[error.start]:02x}, which is "
            "none; save the file as UTF-8"
        ) from error
    except _UNREADABLE:
        return


def _opened(source: Path, *how: Any, **more: Any) -> Any:
    return (gzip.open if source.name.lower().endswith(".gz") else open)(source, *how, **more)


def _differ(names: Sequence[str], source: str) -> None:
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{source}: expected columns with different names, found '{twice}' {list(names).count(twice)} times; "
            "rename them"
        )
