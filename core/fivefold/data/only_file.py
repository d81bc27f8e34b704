"""The one file that a source is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def only_file(source: Path, accepts: Callable[[Path], bool]) -> Path | None:
    """``source``, or the only file directly in that folder, that a reader accepts; None where none or several are.

    Args:
        source: a file or a folder.
        accepts: whether a file is one of the reader's.
    """
    inside = sorted(source.iterdir()) if source.is_dir() else [source]
    found = [file for file in inside if file.is_file() and accepts(file)]
    return found[0] if len(found) == 1 else None
