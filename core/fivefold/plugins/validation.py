"""Checks of what a plugin's hooks return: types, and names that can be typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from fivefold.errors import PluginError
from fivefold.plugins.discovery import Owner, Plugin
from fivefold.plugins.spec import CommandSpec, DatasetSpec, ModelSpec, PipelineSpec, SourceSpec

RESERVED = ("data", "plugins", "runs", "demo")
"""Commands of the core, which no domain can be called."""

_WORD = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_DOMAIN_NAME = re.compile(rf"{_WORD}/{_WORD}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_DOTTED = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_TARGET = re.compile(rf"{_DOTTED}:[A-Za-z_]\w*")
_PREFIX = re.compile(r"(?=[a-z][a-z0-9])" + _WORD)
_RESOURCE = re.compile(rf"{_DOTTED}:[\w.-]+(?:/[\w.-]+)*")

Spec = PipelineSpec | DatasetSpec | ModelSpec | CommandSpec | SourceSpec
T = TypeVar("T")


@dataclass(frozen=True)
class Contribution:
    """What one plugin registers, checked."""

    pipelines: Sequence[PipelineSpec] = field(default=())
    datasets: Sequence[DatasetSpec] = field(default=())
    models: Sequence[ModelSpec] = field(default=())
    commands: Sequence[CommandSpec] = field(default=())
    sources: Sequence[SourceSpec] = field(default=())

    @property
    def domains(self) -> frozenset[str]:
        """The domains that it serves."""
        return frozenset(spec.domain for spec in self.pipelines) | {spec.domain for spec in self.commands}


def collect(plugin: Plugin) -> Contribution:
    """Call the plugin's hooks (callbacks aside) and check what they return.

    Raises:
        PluginError: a hook returned something else than the contract says.
        Exception: whatever a hook raises; call this inside `isolated`.
    """
    contribution = Contribution(
        pipelines=returned(plugin, "fivefold_pipelines", PipelineSpec),
        datasets=returned(plugin, "fivefold_datasets", DatasetSpec),
        models=returned(plugin, "fivefold_models", ModelSpec),
        commands=returned(plugin, "fivefold_commands", CommandSpec),
        sources=returned(plugin, "fivefold_sources", SourceSpec),
    )
    owner = plugin.owner
    for spec in contribution.pipelines:
        _check(owner, spec, "name", _DOMAIN_NAME, "domain/task in lower case, such as weather/nowcast")
        _check(owner, spec, "target", _TARGET, "module:Class")
        for optional in ("config", "presets"):
            if getattr(spec, optional):
                _check(owner, spec, optional, _TARGET, "module:name")
        _check_domain(owner, spec)
    for command in contribution.commands:
        _check(owner, command, "name", _DOMAIN_NAME, "domain/command in lower case, such as weather/stations")
        _check(owner, command, "target", _TARGET, "module:function")
        _check_domain(owner, command)
    for dataset in contribution.datasets:
        _check(owner, dataset, "name", _NAME, "lower case letters, digits, '.', '_' and '-'")
        _check(owner, dataset, "manifest", _RESOURCE, "package:file.yaml")
    for model in contribution.models:
        _check(owner, model, "name", _NAME, "lower case letters, digits, '.', '_' and '-'")
        _check(owner, model, "target", _TARGET, "module:Class")
        if model.manifest:
            _check(owner, model, "manifest", _RESOURCE, "package:file.yaml")
    for source in contribution.sources:
        # One letter would be a drive of Windows.
        _check(
            owner, source, "prefix", _PREFIX, "two lower case letters or more, such as stations, without ':'"
        )
        _check(owner, source, "target", _TARGET, "module:function")
    return contribution


def returned(plugin: Plugin, hook: str, kind: type[T]) -> list[T]:
    """What ``hook`` of this plugin returns: a list of ``kind``, empty where the plugin has no such hook."""
    values: list[T] = []
    for result in getattr(plugin.manager.hook, hook)():
        if not isinstance(result, (list, tuple)):
            raise PluginError(
                f"{plugin.owner}: {hook} returned {type(result).__name__}; expected a list of {kind.__name__}"
            )
        for value in result:
            if not isinstance(value, kind):
                raise PluginError(
                    f"{plugin.owner}: {hook} returned a list with {type(value).__name__}; "
                    f"expected {kind.__name__}"
                )
            values.append(value)
    return values


def _check(owner: Owner, spec: Spec, attribute: str, pattern: re.Pattern[str], expected: str) -> None:
    value = getattr(spec, attribute)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise PluginError(
            f"{owner}: {type(spec).__name__}({spec.name!r}) has {attribute} {value!r}; expected {expected}"
        )


def _check_domain(owner: Owner, spec: PipelineSpec | CommandSpec) -> None:
    if spec.domain in RESERVED:
        raise PluginError(
            f"{owner} registers '{spec.name}', but '{spec.domain}' is a command of fivefold itself; "
            f"choose another domain than {', '.join(RESERVED)}"
        )
