"""Where fetched data are kept: ``FIVEFOLD_CACHE``, else the folder that the operating system has for this."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from fivefold.errors import DataError


def cache_path(*parts: str) -> Path:
    """The cache's folder, or the folder ``parts`` inside it; not made."""
    root = os.environ.get("FIVEFOLD_CACHE") or platformdirs.user_cache_dir("fivefold", appauthor=False)
    return Path(root).expanduser().absolute().joinpath(*parts)


def cache_directory(*parts: str) -> Path:
    """The cache's folder, or the folder ``parts`` inside it; made where it is missing.

    Raises:
        DataError: the folder cannot be made.
    """
    folder = cache_path(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder}: the cache folder cannot be made ({error.strerror}); set FIVEFOLD_CACHE to another"
        ) from error
    return folder
