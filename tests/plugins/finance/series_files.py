"""Files of series that tests write, and the real ones that lie beside a developer's checkout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series
from fivefold_finance.series.schema import Series, SeriesSet


def written(folder: Path, *lines: str, name: str = "prices.csv") -> Path:
    """A text file of these lines; the first is row 1."""
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def read(folder: Path, *lines: str, **options: object) -> SeriesSet:
    """The series of a CSV file of these lines."""
    return read_series(written(folder, *lines), SeriesOptions(**options))  # type: ignore[arg-type]  # any option


def only(found: SeriesSet) -> Series:
    """The one series there is."""
    (series,) = found.series
    return series


def bars(closes: Sequence[float], days: Sequence[str], volumes: Sequence[float] | None = None) -> list[str]:
    """Lines of a CSV file of calm bars with these closes, each opened where it closes."""
    volumes = [1000.0] * len(closes) if volumes is None else volumes
    rows = [
        f"{day},{close},{close * 1.001},{close * 0.999},{close},{volume}"
        for day, close, volume in zip(days, closes, volumes, strict=True)
    ]
    return ["date,open,high,low,close,volume", *rows]
