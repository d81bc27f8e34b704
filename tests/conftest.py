"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test depends on a clock.
settings.register_profile("fivefold", deadline=None)
settings.load_profile("fivefold")

SHARED = Path(os.environ.get("FIVEFOLD_SHARED") or Path(__file__).parents[2] / "shared" / "data")


@pytest.fixture
def shared() -> Path:
    """The folder of real data that lies beside a developer's checkout; its users skip without it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the folder of shared data ({SHARED} or FIVEFOLD_SHARED), which is absent")
    return SHARED
