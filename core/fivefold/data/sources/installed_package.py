"""``package:NAME!path``: a file inside an installed Python package, found without importing the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fivefold.data.sources.base import SourceError, Wanted, copy_bounded


def get(wanted: Wanted) -> None:
    """Copy the file out of the package.

    Raises:
        SourceError: the package is not installed, or does not carry the file.
    """
    specification = find_spec(wanted.holder) if wanted.holder.isidentifier() else None
    if specification is None:
        raise SourceError(f"the Python package '{wanted.holder}' is not installed")
    for location in specification.submodule_search_locations or ():
        path = Path(location, wanted.member)
        if path.is_file() and path.resolve().is_relative_to(Path(location).resolve()):
            with path.open("rb") as stream:
                return copy_bounded(stream, wanted.target, wanted.size)
    raise SourceError(f"the installed version of '{wanted.holder}' carries no such file")
