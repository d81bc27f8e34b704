"""``metrics.jsonl``: one JSON record a line, appended as the training goes."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from fivefold.errors import TrainingError

VARYING = frozenset({"samples_per_second", "data_wait", "memory_bytes", "seconds"})
"""Keys of a record that no two trainings share; all others are the same in a training that was resumed."""


class MetricsLog:
    """Appends records to a file.

    Args:
        path: the file, made if missing.
        length: bytes to keep of what is there; what a killed training wrote after its last checkpoint is cut
            off.

    Raises:
        TrainingError: the file cannot be written.
    """

    def __init__(self, path: Path, *, length: int) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > length:
                os.truncate(path, length)
            # Unbuffered: what a full disk refuses must not be tried again when the file is closed.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise TrainingError(self._failure(error)) from error

    def write(self, record: dict[str, Any]) -> None:
        """Append ``record``; numbers that JSON has no word for are written as null."""
        values = {key: None if _is_odd(value) else value for key, value in record.items()}
        try:
            self._file.write((json.dumps(values, ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise TrainingError(self._failure(error)) from error

    def rewind(self, length: int) -> None:
        """Cut off all but the first ``length`` bytes: the training went back to where it had written those."""
        try:
            self._file.truncate(length)
        except OSError as error:
            raise TrainingError(self._failure(error)) from error

    @property
    def length(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size

    def sync(self) -> None:
        """Sync the file to disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise TrainingError(self._failure(error)) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _failure(self, error: OSError) -> str:
        return f"{self.path} could not be written: {error.strerror}; free some space and go on with --resume"


def read_records(file: Path) -> list[dict[str, Any]]:
    """The records of a file, oldest first; a half-written last line is left out, and a file that is absent has none."""
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
