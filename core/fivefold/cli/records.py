"""Predictions as files: CSV for spreadsheets, JSON lines for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.errors import ConfigError
from fivefold.files import written_aside

KINDS = (".csv", ".jsonl")

_LARGEST = 3.4028234663852886e38  # of single precision (IEEE 754)


def check_kind(path: Path) -> None:
    """Refuse a file whose ending says nothing, before any work is done.

    Raises:
        ConfigError: the name ends neither in .csv nor in .jsonl.
    """
    if path.suffix not in KINDS:
        raise ConfigError(
            f"--out {path}: expected a name that ends in {' or '.join(KINDS)}, found '{path.suffix}'"
        )


def write_records(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write one record a line, whole or not at all.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with written_aside(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            if path.suffix == ".jsonl":
                file.writelines(json_line(record) for record in records)
            else:
                rows = [flat(record) for record in records]
                head = list(dict.fromkeys(name for row in rows for name in row))
                writer = csv.DictWriter(file, head)
                writer.writeheader()
                writer.writerows(rows)
    except OSError as error:
        raise ConfigError(
            f"--out {path}: cannot be written ({error.strerror}); choose another file"
        ) from error


def json_line(record: Mapping[str, Any]) -> str:
    """A record as a line of JSON."""
    return json.dumps(shortest(record), ensure_ascii=False) + "\n"


def shortest(value: Any) -> Any:
    """Numbers of single precision, which networks give, with as few digits as tell them from their neighbours.

    ``2.048198699951172``, which is 2.0481987 in single precision written in double, becomes the latter; a number that
    needs double precision stays as it is.
    """
    if isinstance(value, Mapping):
        return {name: shortest(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [shortest(inner) for inner in value]
    if isinstance(value, float) and math.isfinite(value) and abs(value) <= _LARGEST:
        from numpy import float32  # noqa: PLC0415 - help texts need no predictions

        single = float32(value)
        return float(str(single)) if float(single) == value else value
    return value


def flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as columns ``outer.inner``; lists as JSON; numbers as `shortest` writes them."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{prefix}{name}.")
        else:
            written = shortest(value)
            row[f"{prefix}{name}"] = (
                json.dumps(written, ensure_ascii=False) if isinstance(written, list) else written
            )
    return row
