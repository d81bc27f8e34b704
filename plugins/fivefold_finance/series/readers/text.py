"""Tables as text: CSV, plain, packed with gzip, or alone in a tar archive.

Rows are numbered as editors count lines: the header is row 1, and blank lines count. Cells are parted by commas, or by
the semicolons, tabs or bars that the first lines show; numbers may then have decimal commas.
"""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
import zlib
from itertools import islice
from pathlib import Path
from typing import IO, cast

import numpy as np

from fivefold.data.delimiters import SAMPLED, fitting_delimiter
from fivefold.errors import ArchiveError, DataError
from fivefold_finance.series.raw import Raw

ENDINGS = (".tar.gz", ".tgz", ".csv.gz", ".tsv.gz", ".csv", ".tsv")
"""Endings of tables as text."""

_TABBED = (".tsv", ".tsv.gz", ".tsv)")  # the last of an archive, whose member stands in brackets
_ARCHIVES = (".tar.gz", ".tgz")
_LARGEST = 2**31  # bytes of an unpacked table
_FIRST = 2**16  # bytes in which a header ends
_BROKEN = (gzip.BadGzipFile, tarfile.TarError, zlib.error, EOFError)


def beginning(file: Path) -> Raw:
    """The header and the first row, if there is one. Cheap: reads the file's beginning only.

    Raises:
        DataError: the file cannot be read, or several signs part its cells alike.
    """
    source, content = _content(file, _FIRST)
    whole = len(content) < _FIRST
    text = _text(source, content if whole else content[: content.rfind(b"\n") + 1] or content)
    delimiter = _delimiter(source, text, whole=whole)
    lines = text.splitlines()[:2]
    names = _names(lines[0], delimiter) if lines else []
    cells = next(csv.reader(lines[1:], delimiter=delimiter), [])
    rows = 1 if len(cells) == len(names) and names else 0
    columns = {name: cells[place : place + 1] if rows else [] for place, name in enumerate(names)}
    return Raw(source, stem(file), columns, np.arange(2, 2 + rows), decimal_commas=delimiter != ",")


def read(file: Path) -> Raw:
    """The table in ``file``.

    Raises:
        DataError: it cannot be read, is no text, several signs part its cells alike, or a row has another number of
            cells than the header.
        ArchiveError: an archive is broken, unpacks to more than 2 GiB, or holds more or less than one table.
    """
    source, content = _content(file, _LARGEST + 1)
    if len(content) > _LARGEST:
        raise ArchiveError(
            f"{source}: expected a table of at most 2 GiB, found a larger one; cut it in parts"
        )
    text = _text(source, content)
    delimiter = _delimiter(source, text)
    lines = io.StringIO(text, newline="")
    names = _names(lines.readline(), delimiter)
    if not any(names):
        raise DataError(
            f"{source}: expected a header that names the columns, found an empty line; write one first"
        )
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(
            f"{source}, row 1: expected one column '{repeated}', found {names.count(repeated)}; rename the others"
        )
    cells, rows = _rows(source, names, lines, delimiter)
    columns = [list(column) for column in zip(*cells, strict=True)] if cells else [[] for _ in names]
    named = dict(zip(names, columns, strict=True))
    return Raw(source, stem(file), named, np.array(rows, dtype=np.int64), decimal_commas=delimiter != ",")


def stem(file: Path) -> str:
    """The file's name without endings: ``msft`` of ``msft.tar.gz``."""
    ending = next((ending for ending in ENDINGS if file.name.lower().endswith(ending)), file.suffix)
    return file.name[: len(file.name) - len(ending)] or file.name


def _rows(source: str, names: list[str], lines: IO[str], delimiter: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    cells: list[list[str]] = []
    rows: list[int] = []
    number = 1
    try:
        for found in reader:
            first, number = number + 1, reader.line_num + 1
            if not found:
                continue
            if len(found) != len(names):
                raise DataError(
                    f"{source}, row {first}: expected {len(names)} cells as in the header, found {len(found)}; quote "
                    "cells that hold the separator, or complete the row"
                )
            cells.append(found)
            rows.append(first)
    except csv.Error as error:
        raise DataError(
            f"{source}, row {number + 1}: expected a row of CSV, found one that cannot be read ({error}); mend its "
            "quotes"
        ) from error
    return cells, rows


def _names(line: str, delimiter: str) -> list[str]:
    found = next(csv.reader([line], delimiter=delimiter), [])
    return [name.strip() for name in found]


def _delimiter(source: str, text: str, *, whole: bool = True) -> str:
    """What parts the cells: the tab of TSV, else what the first lines show; ``whole`` if the text is not cut off."""
    if source.lower().endswith(_TABBED):
        return "\t"
    stream = io.StringIO(text, newline="")
    lines = list(islice(stream, SAMPLED + 1))
    return fitting_delimiter(source, lines, whole=whole and not stream.readline())


def _text(source: str, content: bytes) -> str:
    if b"\x00" in content:
        row = content[: content.index(b"\x00")].count(b"\n") + 1
        raise DataError(
            f"{source}, row {row}: expected text, found a NUL byte, as in binary, damaged or UTF-16 files; save "
            "the file as UTF-8"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{source}, row {row}: expected text in UTF-8, found the byte 0x{content[error.start]:02x}, which is none; "
            "save the file as UTF-8"
        ) from error


def _content(file: Path, most: int) -> tuple[str, bytes]:
    """What messages call the table, and at most ``most`` bytes of it."""
    name = file.name.lower()
    try:
        if name.endswith(_ARCHIVES):
            return _of_archive(file, most)
        if name.endswith(".gz"):
            with gzip.open(file) as packed:
                return str(file), packed.read(most)
        with file.open("rb") as plain:
            return str(file), plain.read(most)
    except _BROKEN as error:
        why = " ".join(str(error).split())
        raise ArchiveError(
            f"{file}: expected a file packed with gzip, found one that cannot be unpacked ({why}); fetch it again"
        ) from error
    except OSError as error:
        raise DataError(f"{file}: expected a table, found a file that cannot be read: {error}") from error


def _of_archive(file: Path, most: int) -> tuple[str, bytes]:
    found: list[tuple[str, bytes]] = []
    with tarfile.open(file, "r:gz") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if member.isreg() and name.lower().endswith((".csv", ".tsv")) and not name.startswith("."):
                content = cast(IO[bytes], archive.extractfile(member)).read(most if not found else 0)
                found.append((member.name, content))
    if len(found) != 1:
        names = ", ".join(name for name, _ in found) or "none"
        raise ArchiveError(
            f"{file}: expected an archive with one CSV file, found {names}; unpack it and name the file"
        )
    return f"{file} ({found[0][0]})", found[0][1]
