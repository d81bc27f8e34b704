"""Names in messages: enough of them to know what is meant."""

from __future__ import annotations

from collections.abc import Sequence


def shown(names: Sequence[str], most: int = 3) -> str:
    """The first ``most`` names, and how many more there are; empty without any."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
