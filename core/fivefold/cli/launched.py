"""What the environment says of this process where torchrun, or ``--devices``, has started several."""

from __future__ import annotations

import os


def is_launched() -> bool:
    """Whether this process is one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def speaks() -> bool:
    """Whether this process is the one that speaks to people."""
    return os.environ.get("RANK", "0") == "0"


def restarted() -> bool:
    """Whether torchrun has started it anew after a failure (``--max-restarts``)."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
