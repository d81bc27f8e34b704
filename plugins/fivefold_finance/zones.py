"""Time zones by their names."""

from __future__ import annotations

from zoneinfo import ZoneInfo


def is_zone(name: str) -> bool:
    """Whether the IANA database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path that leads out of the database; a folder in it
        return False
    return True
