"""fivefold: bring your data, in your domain's own format; one command trains, judges honestly and predicts.

run = fivefold.train("domain/task", "data/", epochs=5)
fivefold.load(run.path).predict("new/")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fivefold.api import load, train
    from fivefold.pipeline import Pipeline
    from fivefold.runs import Run

__version__ = "0.1.0"
__all__ = ["Pipeline", "Run", "__version__", "load", "train"]

_HOMES = {
    "load": "fivefold.api",
    "train": "fivefold.api",
    "Pipeline": "fivefold.pipeline",
    "Run": "fivefold.runs",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: ``import fivefold`` alone costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fivefold' has no attribute '{name}'")
    from importlib import import_module  # noqa: PLC0415 - imported where it is used

    return getattr(import_module(_HOMES[name]), name)
