"""What the library logs, shown to people: one line each on stderr."""

from __future__ import annotations

import logging
import sys

from fivefold.cli.launched import speaks


class _Lines(logging.Handler):
    """Writes to stderr as it is now, which a test or a caller may have replaced since."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{record.getMessage()}\n")


def show_log() -> None:
    """Show what is logged from here on: news in the process that speaks, in others errors only."""
    logger = logging.getLogger("fivefold")
    logger.setLevel(logging.INFO if speaks() else logging.ERROR)
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())
