"""Rows of tables: CSV (RFC 4180), JSON lines and Parquet, read one after the other, each with its number.

Rows of CSV are numbered as spreadsheets show them: the header is row 1, and a row whose cells hold line breaks is
one row. Rows of JSON lines are numbered as editors count lines. The first row of a Parquet file is row 1.

Cells of a CSV file are parted by commas, or by the semicolons, tabs or bars that its first lines show.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from fivefold.data.decimals import DecimalCommas
from fivefold.data.delimiters import find_delimiter
from fivefold.errors import DataError, DependencyError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""Endings of files that hold tables."""

_CSV, _TSV = ".csv", ".tsv"
_LARGEST_CELL = 2**30  # characters; a reader's own bound on its texts says more
_FIRST_LINE = 2**20
_LOOKED_AT = 100  # lines of JSON whose keys are taken for the columns


@dataclass(frozen=True)
class Hints:
    """Options of the command line that messages point to.

    Attributes:
        columns: those that name the columns; None where there are none.
        encoding: the one that names the encoding of text files; None where there is none.
    """

    columns: str | None = "--columns"
    encoding: str | None = "--encoding"


_HINTS = Hints()


@dataclass(frozen=True)
class Record:
    """One row: its number, and its cells by column; None where a cell is empty or absent."""

    row: int
    values: Mapping[str, Any]


def column_names(file: Path, encoding: str = "utf-8") -> list[str]:
    """Names of the table's columns; none where it cannot be read. Cheap: looks at the beginning only."""
    try:
        if file.suffix.lower() == ".parquet":
            return list(_parquet(file).schema_arrow.names)
        delimiter = _delimiter(file, encoding)
        with file.open(newline="", encoding=_with_mark(encoding)) as lines:
            if delimiter is not None:
                first = next(csv.reader([lines.readline(_FIRST_LINE)], delimiter=delimiter), [])
                return [cell.strip() for cell in first]
            found = [json.loads(line) for line in islice(filter(str.strip, lines), _LOOKED_AT)]
            return list(dict.fromkeys(key for one in found if isinstance(one, dict) for key in one))
    except (OSError, ValueError, RecursionError, csv.Error, LookupError, DataError, DependencyError):
        return []


def read_records(
    file: Path,
    wanted: Sequence[str],
    *,
    encoding: str = "utf-8",
    hints: Hints = _HINTS,
    numbers: Collection[str] = (),
    tell: Callable[[str], None] | None = None,
) -> Iterator[Record]:
    """The rows of ``file``, in order; bounded memory, whatever the file's size.

    Args:
        file: a table, by its ending (`ENDINGS`).
        wanted: columns that must be there.
        encoding: of CSV and JSON lines.
        hints: what messages advise.
        numbers: columns in which numbers are wanted: where cells of CSV are parted by another sign than the comma,
            decimal commas in them become points. The cells stay text.
        tell: told, once the last row is read, a sentence on the columns whose commas were read so.

    Raises:
        DataError: the file cannot be read, a column is missing, or a row is broken; the message names the row. Also
            where a column has decimal commas and points, or commas that may stand between thousands.
        DependencyError: Parquet without the package pyarrow.
    """
    kind = file.suffix.lower()
    if kind in {_CSV, _TSV}:
        return _csv(file, wanted, encoding, hints, numbers, tell)
    if kind == ".parquet":
        return _parquet_rows(file, wanted, hints)
    return _json_lines(file, wanted, encoding, hints)


def _delimiter(file: Path, encoding: str) -> str | None:
    """What parts the cells; None of files that are no CSV."""
    kind = file.suffix.lower()
    if kind == _CSV:
        return find_delimiter(file, _with_mark(encoding))
    return "\t" if kind == _TSV else None


def _csv(
    file: Path,
    wanted: Sequence[str],
    encoding: str,
    hints: Hints,
    numbers: Collection[str],
    tell: Callable[[str], None] | None,
) -> Iterator[Record]:
    csv.field_size_limit(min(_LARGEST_CELL, sys.maxsize))
    delimiter = _delimiter(file, encoding) or ","
    decimals = DecimalCommas(str(file), () if delimiter == "," else numbers)
    with opened(file, encoding, hints, row_of=partial(_row_of_line, file, encoding, delimiter)) as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        row = 0
        try:
            header = [cell.strip() for cell in next(reader, [])]
            _require(str(file), "column", header, wanted, hints)
            row = 1
            for cells in reader:
                row += 1
                if cells:
                    yield Record(row, decimals.read_row(row, _paired(file, row, header, cells)))
        except csv.Error as error:
            raise DataError(
                f"{file}, row {row + 1}: expected a row of CSV, found one that cannot be read ({error}); "
                "mend its quotes"
            ) from error
    for note in decimals.notes():
        if tell is not None:
            tell(note)


def _row_of_line(file: Path, encoding: str, delimiter: str, line: int) -> int:
    """The row of a CSV file that holds the line of this number; bytes of another encoding are passed over."""
    row = 0
    with file.open(newline="", encoding=_with_mark(encoding), errors="replace") as lines:
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            while reader.line_num < line and next(reader, None) is not None:
                row += 1
        except csv.Error:
            row += 1
    return max(row, 1)


def _paired(file: Path, row: int, header: Sequence[str], cells: Sequence[str]) -> dict[str, str | None]:
    if len(cells) != len(header):
        raise DataError(
            f"{file}, row {row}: expected {len(header)} cells as in the header, found {len(cells)}; "
            "quote cells that hold the separator"
        )
    return {name: cell or None for name, cell in zip(header, cells, strict=True)}


def _json_lines(file: Path, wanted: Sequence[str], encoding: str, hints: Hints) -> Iterator[Record]:
    with opened(file, encoding, hints) as lines:
        for row, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{file}, row {row}: expected a JSON object, found something that is no JSON ({error}); "
                    "write one object a line"
                ) from error
            if not isinstance(values, dict):
                raise DataError(
                    f'{file}, row {row}: expected a JSON object such as {{"text": ...}}, found '
                    f"{type(values).__name__}; write one object a line"
                )
            _require(f"{file}, row {row}", "key", list(values), wanted, hints)
            yield Record(row, values)


def _parquet_rows(file: Path, wanted: Sequence[str], hints: Hints) -> Iterator[Record]:
    table = _parquet(file)
    from pyarrow import ArrowException  # noqa: PLC0415 - see `_parquet`, which says so where it is missing

    _require(str(file), "column", list(table.schema_arrow.names), wanted, hints)
    row = 0
    try:
        for batch in table.iter_batches(batch_size=4096):
            for values in batch.to_pylist():
                row += 1
                yield Record(row, values)
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{file}, row {row + 1}: expected Parquet, found a part that cannot be read: {' '.join(str(error).split())}"
        ) from error


def _parquet(file: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - takes a moment, and is optional
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"{file}: Parquet needs the package pyarrow, which is not installed; run: pip install pyarrow"
        ) from error
    try:
        return parquet.ParquetFile(file)
    except (ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise DataError(f"{file}: expected a Parquet file, found one that cannot be read: {why}") from error


def _require(where: str, kind: str, names: Sequence[str], wanted: Sequence[str], hints: Hints) -> None:
    for name in wanted:
        if name not in names:
            raise DataError(
                f"{where}: expected a {kind} '{name}', found {', '.join(names) or 'none'}; "
                f"{'rename one' if hints.columns is None else f'name the columns by {hints.columns}, or rename them'}"
            )
        if names.count(name) > 1:
            raise DataError(
                f"{where}: expected one {kind} '{name}', found {names.count(name)}; rename the others"
            )


@contextmanager
def opened(
    file: Path, encoding: str, hints: Hints = _HINTS, row_of: Callable[[int], int] = int
) -> Iterator[Iterator[str]]:
    """The lines of a text file, each with its end; NUL bytes and bytes of another encoding are refused.

    Args:
        file: the file.
        encoding: of it.
        hints: what messages advise.
        row_of: the row that messages name for a line; each line is a row where not given.

    Raises:
        DataError: it cannot be read; the message names the row and what to do.
    """
    unreadable = f"{file}: expected a file of text, found one that cannot be read"
    try:
        stream = file.open(newline="", encoding=_with_mark(encoding))
    except LookupError as error:
        raise DataError(
            f"{file}: the encoding '{encoding}' is not known; expected one such as utf-8 or latin-1"
        ) from error
    except OSError as error:
        raise DataError(f"{unreadable}: {error}") from error
    with stream as lines:
        try:
            yield _without_nul(file, lines, encoding, hints, row_of)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{file}, row {row_of(_line_of_fault(file, encoding))}: expected text in {encoding}, found the byte "
                f"0x{error.object[error.start]:02x}, which is none; {_advice(hints, encoding)}"
            ) from error
        except UnicodeError as error:  # such as UTF-16 without its mark
            raise DataError(
                f"{file}: expected text in {encoding}, found other bytes ({error}); {_advice(hints, encoding)}"
            ) from error
        except OSError as error:
            raise DataError(f"{unreadable}: {error}") from error


def _without_nul(
    file: Path, lines: Iterable[str], encoding: str, hints: Hints, row_of: Callable[[int], int]
) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\x00" in line:
            raise DataError(
                f"{file}, row {row_of(number)}: expected text, found a NUL byte, as in binary, damaged or UTF-16 "
                f"files; {_advice(hints, encoding, 'utf-16')}"
            )
        yield line


def _advice(hints: Hints, encoding: str, other: str = "latin-1") -> str:
    if hints.encoding is None:
        return f"save the file as {encoding.upper()}"
    return f"mend the file, or name its encoding, such as {hints.encoding} {other}"


def _with_mark(encoding: str) -> str:
    """UTF-8 with or without the byte order mark that some programs write before it."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding


def _line_of_fault(file: Path, encoding: str) -> int:
    """The line at which decoding fails; the decoder itself counts from its own buffer."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return 1
