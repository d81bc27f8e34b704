"""The plugin contract: every hook there is. Hooks return values; none is called inside a training step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from fivefold.plugins.spec import CommandSpec, DatasetSpec, ModelSpec, PipelineSpec, SourceSpec

if TYPE_CHECKING:
    from fivefold.training.callback import Callback

hookspec = pluggy.HookspecMarker("fivefold")
hookimpl = pluggy.HookimplMarker("fivefold")


@hookspec
def fivefold_pipelines() -> list[PipelineSpec]:
    """Pipelines of this plugin; each becomes ``fivefold domain task train|evaluate|predict|tune|...``."""
    return []


@hookspec
def fivefold_datasets() -> list[DatasetSpec]:
    """Named datasets, each with a manifest; a name can stand wherever a command takes data."""
    return []


@hookspec
def fivefold_models() -> list[ModelSpec]:
    """Named backbones, each with the manifest of its weights."""
    return []


@hookspec
def fivefold_sources() -> list[SourceSpec]:
    """Sources elsewhere, each with the prefix of its addresses; an address can stand wherever data can."""
    return []


@hookspec
def fivefold_commands() -> list[CommandSpec]:
    """Commands of a domain beyond the verbs that the core gives every pipeline."""
    return []


@hookspec
def fivefold_callbacks() -> list[Callback]:
    """Listeners of every training: start, log records, end. Called when a training starts, not before."""
    return []
