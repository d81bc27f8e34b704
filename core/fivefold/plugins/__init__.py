"""What a plugin's author needs; each name is imported when it is first used, so that plugins stay cheap.

from fivefold.plugins import PipelineSpec, hookimpl

@hookimpl
def fivefold_pipelines():
    return [PipelineSpec("weather/nowcast", "Rain of the next day", target="weather_nowcast:Nowcast")]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fivefold.plugins.hookspecs import hookimpl
    from fivefold.plugins.registry import Registry, load_registry
    from fivefold.plugins.spec import CONTRACT, CommandSpec, DatasetSpec, ModelSpec, PipelineSpec, SourceSpec

__all__ = [
    "CONTRACT",
    "CommandSpec",
    "DatasetSpec",
    "ModelSpec",
    "PipelineSpec",
    "Registry",
    "SourceSpec",
    "hookimpl",
    "load_registry",
]

_MODULES = {
    "hookimpl": "fivefold.plugins.hookspecs",
    "Registry": "fivefold.plugins.registry",
    "load_registry": "fivefold.plugins.registry",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'fivefold.plugins' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES.get(name, "fivefold.plugins.spec")), name)
