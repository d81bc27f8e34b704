"""Which reader a path is for, and its series."""

from __future__ import annotations

from pathlib import Path

from fivefold.data.shown import shown
from fivefold.errors import DataError
from fivefold_finance.series.build import build
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.raw import Raw
from fivefold_finance.series.readers import parquet, text
from fivefold_finance.series.roles import is_prices, roles_of, time_column
from fivefold_finance.series.schema import Series, SeriesSet
from fivefold_finance.series.told import Told, count
from fivefold_finance.series.yahoo_cache import about

KINDS = (
    "a table (CSV, TSV, also packed with gzip or in a tar.gz; Parquet) with a column of times and columns of numbers, "
    "or a folder of such tables, one symbol a file"
)

_DEFAULT = SeriesOptions()


def recognise(source: Path, options: SeriesOptions = _DEFAULT) -> str | None:
    """In words what ``source`` is, or None where no reader knows it. Cheap: looks at beginnings of files only."""
    try:
        files = _files(source)[0]
        beginnings = [_beginning(file) for file in files]
        if not beginnings or not all(_may_be_series(raw, options) for raw in beginnings):
            return None
    except (DataError, OSError):
        return None
    names = list(beginnings[0].columns)
    what = "prices" if is_prices(names, options) else "series"
    if source.is_dir():
        return f"a folder of {what} ({count(len(files), 'table')})"
    return f"a table of {what} ({source.name}: {', '.join(filter(None, names))})"


def read_series(source: Path, options: SeriesOptions = _DEFAULT) -> SeriesSet:
    """The series of a file or folder, checked (see `fivefold_finance.series.checks`), as UTC instants.

    Args:
        source: a table, or a folder with one symbol a table; other files there are a caution.
        options: names of columns, zone, calendar and so on.

    Raises:
        DataError: no reader knows ``source``, or one finds it wrong; one sentence that names file and row.
        ConfigError: no calendar has the name that the options give, or it does not reach so far.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected {KINDS}")
    files, others = _files(source)
    if not files:
        raise DataError(
            f"{source}: expected {KINDS}; found {_names(others) if source.is_dir() else 'another kind'}"
        )
    told = Told()
    if others:
        told.caution("others", source.name, f"what is no table was not read ({_names(others)})")
    found: dict[str, tuple[Series, Path]] = {}
    for file in files:
        for series in build(_read(file), options, told):
            if series.symbol in found:
                raise DataError(
                    f"{file}: expected each symbol in one file, found '{series.symbol}' also in "
                    f"{found[series.symbol][1].name}; put them together, or rename one"
                )
            found[series.symbol] = (series, file)
    everything = tuple(series for series, _ in found.values())
    asked = tuple(str(said) for file in files if (said := about(file).get("caution")))
    return SeriesSet(everything, str(source), (*asked, *told.cautions), tuple(told.problems))


def _files(source: Path) -> tuple[list[Path], list[Path]]:
    """Tables, and files that are none."""
    inside = sorted(source.iterdir()) if source.is_dir() else [source]
    files = [file for file in inside if file.is_file() and not file.name.startswith(".")]
    tables = [file for file in files if file.name.lower().endswith((*text.ENDINGS, parquet.ENDING))]
    return tables, [file for file in files if file not in tables]


def _beginning(file: Path) -> Raw:
    return parquet.beginning(file) if file.name.lower().endswith(parquet.ENDING) else text.beginning(file)


def _may_be_series(raw: Raw, options: SeriesOptions) -> bool:
    """Whether there is a column of times, and prices or nothing but numbers beside it.

    Raises:
        DataError: a value in the first row is no number, or a column's role is not clear.
    """
    if len(time_column(list(raw.columns), options)) != 1:
        return False
    roles = roles_of(raw, options)
    if not roles.prices:
        names = list(roles.values.values())
        read, _ = raw.with_points(names)
        for name in names:
            read.numbers(name)
    return True


def _read(file: Path) -> Raw:
    if not file.stat().st_size:
        raise DataError(f"{file}: expected {KINDS}; found an empty file")
    return parquet.read(file) if file.name.lower().endswith(parquet.ENDING) else text.read(file)


def _names(files: list[Path]) -> str:
    return shown([file.name for file in files]) or "an empty folder"
