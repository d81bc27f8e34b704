"""Answers of Yahoo on disk: one Parquet file for each request and day, with a JSON file about it beside.

The Parquet file is written last, so that what is found is whole. Nothing is ever replaced but an answer of
the same day, so that a run can read again what it was trained on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fivefold.files import write_json, written_aside
from fivefold_finance.series.yahoo_request import YahooRequest


@dataclass(frozen=True)
class Cached:
    """An answer on disk.

    Attributes:
        path: the Parquet file.
        day: when it was asked for, a day of UTC.
    """

    path: Path
    day: date

    @property
    def about(self) -> dict[str, Any]:
        """What stands in the JSON file beside it; empty where that was lost."""
        return about(self.path)


def about(path: Path) -> dict[str, Any]:
    """What is said of an answer in the JSON file beside it; empty where there is none, or another file's."""
    try:
        content = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    ours = isinstance(content, dict) and str(content.get("address", "")).startswith("yfinance:")
    return content if ours else {}


def newest(request: YahooRequest, folder: Path) -> Cached | None:
    """The newest answer to ``request`` in ``folder``, if there is one."""
    pattern = re.compile(rf"{re.escape(request.name)}-(\d{{4}}-\d{{2}}-\d{{2}})\.parquet")
    found = [
        Cached(path, date.fromisoformat(match[1]))
        for path in folder.glob("*.parquet")
        if (match := pattern.fullmatch(path.name))
    ]
    return max(found, key=lambda cached: cached.day, default=None)


def store(request: YahooRequest, rows: Any, folder: Path, now: datetime, library: str) -> Cached:
    """Write an answer.

    Args:
        request: what was asked.
        rows: the answer, a `pandas.DataFrame` as `yahoo_schema.rows` returns it.
        folder: where to.
        now: when it was asked, with its zone.
        library: by what it was asked, with the version.

    Raises:
        StorageError: it cannot be written.
    """
    day = now.astimezone(UTC).date()
    path = folder / f"{request.name}-{day}.parquet"
    about = {
        "address": str(request),
        "requested": now.astimezone(UTC).isoformat(timespec="seconds"),
        "library": library,
        "rows": len(rows),
        "caution": caution(request, day),
    }
    write_json(path.with_suffix(".json"), about)
    with written_aside(path) as part:
        rows.to_parquet(part, index=False)
    return Cached(path, day)


def caution(request: YahooRequest, day: date) -> str:
    """What must be said wherever these prices are used."""
    how = (
        "adjusted for splits and dividends as of that day, and other on another day"
        if request.adjusted
        else "adjusted for splits as of that day, not for dividends"
    )
    return f"Prices of {', '.join(request.symbols)} are Yahoo's as requested on {day}, {how}."
