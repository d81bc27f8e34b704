"""Tables as Parquet; the first row is row 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import ArrowException, parquet

from fivefold.errors import DataError
from fivefold_finance.series.raw import Raw

ENDING = ".parquet"
"""Ending of tables as Parquet."""


def header(file: Path) -> list[str]:
    """Names of the columns. Cheap: reads the file's own directory only.

    Raises:
        DataError: it is no Parquet.
    """
    try:
        return list(parquet.read_schema(file).names)
    except (ArrowException, OSError) as error:
        raise _unreadable(file, error) from error


def beginning(file: Path) -> Raw:
    """The names of the columns and the first row, if there is one.

    Raises:
        DataError: it is no Parquet.
    """
    names = header(file)
    try:
        with parquet.ParquetFile(file) as opened:
            first = next(opened.iter_batches(batch_size=1), None)
            rows = opened.schema_arrow.empty_table() if first is None else first
            frame: Any = rows.to_pandas(ignore_metadata=True, date_as_object=False)
    except (ArrowException, OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    return Raw(str(file), file.stem, {name: frame[name] for name in names}, np.arange(1, len(frame) + 1))


def read(file: Path) -> Raw:
    """The table in ``file``.

    Raises:
        DataError: it cannot be read, or two columns have one name.
    """
    names = header(file)
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(
            f"{file}: expected one column '{repeated}', found {names.count(repeated)}; rename the others"
        )
    try:
        frame: Any = parquet.read_table(file).to_pandas(ignore_metadata=True, date_as_object=False)
    except (ArrowException, OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    return Raw(str(file), file.stem, {name: frame[name] for name in names}, rows)


def _unreadable(file: Path, error: Exception) -> DataError:
    why = " ".join(str(error).split())
    return DataError(f"{file}: expected a Parquet file, found one that cannot be read: {why}; write it again")
