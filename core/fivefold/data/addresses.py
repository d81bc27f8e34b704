"""Addresses of data that lie elsewhere, ``prefix:rest``: found among the plugins' sources, fetched by them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from fivefold.data.cache import cache_directory
from fivefold.data.ledger import Ledger
from fivefold.errors import DataError
from fivefold.plugins.spec import SourceSpec
from fivefold.plugins.targets import load_source

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9-]+):(.*)", re.DOTALL)
"""Two letters or more before the colon: one is a drive of Windows."""


def is_address(data: str) -> bool:
    """Whether ``data`` has the form of an address; a path may have it, too."""
    return _ADDRESS.fullmatch(data) is not None


def find_source(data: str, sources: Sequence[SourceSpec]) -> SourceSpec:
    """The source that the address ``data`` belongs to.

    Raises:
        DataError: there is none; the message has the nearest.
    """
    prefix = data.partition(":")[0]
    for source in sources:
        if source.prefix == prefix:
            return source
    raise DataError(_unknown(data, prefix, sources))


def fetch_address(data: str, sources: Sequence[SourceSpec], notify: Callable[[str], None]) -> Path:
    """Where the data of an address lie, fetched by its source into a folder of the cache.

    Args:
        data: the address, with its prefix.
        sources: the sources that there are.
        notify: told the source's terms before its first use, and what the source has to say.

    Raises:
        DataError: no source knows the prefix, or the source cannot provide the data.
        PluginError: the source's function cannot be imported.
        DependencyError: a package that it needs is not installed.
    """
    source = find_source(data, sources)
    fetch = load_source(source)
    folder = cache_directory("sources", source.prefix)
    ledger = Ledger(folder)
    if source.terms and not ledger.announced:
        notify(source_terms(source))
        ledger.announce()
    path: Path = fetch(data.partition(":")[2], folder, notify)
    return path


def source_terms(source: SourceSpec) -> str:
    """What a user must know before using a source."""
    lines = [f"{source.prefix}: {source.summary}"]
    if source.terms:
        lines.append(f"  Terms: {source.terms}")
    return "\n".join(lines)


def _unknown(data: str, prefix: str, sources: Sequence[SourceSpec]) -> str:
    examples = {source.prefix: source.example or f"{source.prefix}:..." for source in sources}
    near = difflib.get_close_matches(prefix.lower(), examples, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}:? " if near else ""
    listed = ", ".join(examples[prefix] for prefix in sorted(examples)) or "none"
    return (
        f"{data}: no such file or folder, and no enabled plugin knows addresses that begin with '{prefix}:'; "
        f"{meant}there are {listed} (fivefold data list)"
    )
