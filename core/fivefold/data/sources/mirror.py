"""Mirror directories: folders named in ``FIVEFOLD_MIRROR`` (separated as in ``PATH``), for want of a network.

A file is looked up as ``<mirror>/<dataset>/<path>``, then as ``<mirror>/<path>``.
"""

from __future__ import annotations

import os
from pathlib import Path

from fivefold.data.sources.base import SourceError, Wanted, copy_bounded


def mirrors() -> list[Path]:
    """The folders named in ``FIVEFOLD_MIRROR``, in order."""
    named = os.environ.get("FIVEFOLD_MIRROR", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in named if folder.strip()]


def get(wanted: Wanted, mirror: Path, dataset: str) -> None:
    """Copy the file from the folder ``mirror``.

    Raises:
        SourceError: the folder is missing, does not hold the file, or cannot be read.
    """
    if not mirror.is_dir():
        raise SourceError("no such folder")
    for path in (mirror / dataset / wanted.path, mirror / wanted.path):
        if path.is_file():
            try:
                with path.open("rb") as stream:
                    return copy_bounded(stream, wanted.target, wanted.size)
            except PermissionError as error:
                raise SourceError(f"{path.name} may not be read") from error
    raise SourceError(f"holds neither {dataset}/{wanted.path} nor {wanted.path}")
