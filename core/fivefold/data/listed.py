"""Paths that a table names: never outside its folder, so that one from elsewhere cannot have any file read."""

from __future__ import annotations

import os
from pathlib import Path

from fivefold.errors import DataError


def listed_path(file: Path, row: int, name: str) -> Path:
    """Where ``name`` of a table's row lies; it need not be there.

    Args:
        file: the table.
        row: the row's number.
        name: relative to the table's folder, or absolute and below it.

    Raises:
        DataError: it leads out of that folder.
    """
    root = file.parent.absolute()
    # Both ends in plain form, as the table itself may be named by way of the folder above.
    plain_root, plain_path = (Path(os.path.normpath(path)) for path in (root, root / name))
    if not plain_path.is_relative_to(plain_root):
        raise DataError(
            f"{file}, row {row}: expected a path inside {root}, found '{name}', which leads out of it; a table may "
            "have only files of its own folder read, so put it above them"
        )
    return root / plain_path.relative_to(plain_root)
