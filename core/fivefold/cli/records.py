"""Predictions as files: CSV for spreadsheets, JSON lines for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.errors import ConfigError
from fivefold.files import written_aside

KINDS = (".csv", ".jsonl")


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
                file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
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


def flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as columns ``outer.inner``; lists as JSON."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{prefix}{name}.")
        else:
            row[f"{prefix}{name}"] = (
                json.dumps(value, ensure_ascii=False) if isinstance(value, (list, tuple)) else value
            )
    return row
