"""``fivefold plugins``: list, enable, disable, and find out why one is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import App, Parameter

from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.taught import group
from fivefold.cli.verbs.parameters import Json
from fivefold.data.manifest import load_manifest
from fivefold.plugins import settings
from fivefold.plugins.dependencies import unmet
from fivefold.plugins.discovery import Isolated, Owner, candidates, isolated
from fivefold.plugins.registry import Registry
from fivefold.plugins.targets import (
    load_command,
    load_config,
    load_pipeline,
    load_prediction,
    load_presets,
    load_source,
    load_target,
)

Name = Annotated[str, Parameter(name="NAME", help="Name of a plugin, as 'fivefold plugins list' shows it.")]
User = Annotated[
    bool,
    Parameter(
        negative="",
        show_default=False,
        help="In the user's settings; without, in the project's fivefold.toml.",
    ),
]


def list_plugins(*, json: Json = False) -> None:
    """List the plugins that are installed, what they bring, and which are disabled or broken.

    Example:
        fivefold plugins list
    """
    found = describe(Session.current.registry())
    if json:
        emit({"plugins": found})
    else:
        rows = (
            (p["plugin"], p["distribution"], p["version"], p["status"], p["brings"] or p["reason"])
            for p in found
        )
        grid(("name", "distribution", "version", "status", "brings"), rows)


def describe(registry: Registry) -> list[dict[str, Any]]:
    """Every plugin as plain values."""
    entries = [
        _entry(plugin.owner, "enabled", brings=_brings(registry, plugin.owner)) for plugin in registry.plugins
    ]
    entries += [_entry(disabled.owner, "disabled", reason=disabled.reason) for disabled in registry.disabled]
    entries += [_entry(broken.owner, "broken", reason=broken.reason) for broken in registry.broken]
    return sorted(entries, key=lambda entry: (entry["plugin"], entry["distribution"]))


def _entry(owner: Owner, status: str, *, brings: str = "", reason: str = "") -> dict[str, Any]:
    return {**owner.describe(), "status": status, "brings": brings, "reason": reason}


def _brings(registry: Registry, owner: Owner) -> str:
    kinds = (registry.pipelines, registry.commands, registry.datasets, registry.models, registry.sources)
    names = [name for kind in kinds for name, (_, each) in kind.items() if each == owner]
    return ", ".join(names)


def enable(name: Name, /, *, user: User = False, json: Json = False) -> None:
    """Enable a plugin again.

    Example:
        fivefold plugins enable PLUGIN
    """
    switch(name, enabled=True, user=user, json=json)


def disable(name: Name, /, *, user: User = False, json: Json = False) -> None:
    """Disable a plugin: it is not imported any more, and its commands are gone.

    Example:
        fivefold plugins disable PLUGIN
    """
    switch(name, enabled=False, user=user, json=json)


def switch(name: str, *, enabled: bool, user: bool, json: bool) -> None:
    """Write the setting and say where it stands."""
    path = settings.user_file() if user else settings.project_file()
    installed = [candidate.owner.plugin for candidate in candidates()]
    settings.write_switch(path, name, enabled=enabled, installed=installed)
    if json:
        emit({"plugin": name, "enabled": enabled, "file": path})
    else:
        say(f"{name} is {'enabled' if enabled else 'disabled'} in {path}")


def doctor(*, json: Json = False) -> int:
    """Find out why a plugin is broken: shows tracebacks, and tries what plugins only name until it is used.

    Exits with 2 where anything is wrong.

    Example:
        fivefold plugins doctor
    """
    registry = Session.current.registry()
    problems = [
        {**broken.owner.describe(), "reason": broken.reason, "details": broken.details}
        for broken in registry.broken
    ]
    problems += list(_targets(registry))
    packages = unmet("fivefold")
    if json:
        emit({"problems": problems, "packages": packages, "plugins": describe(registry)})
    else:
        show_problems(problems, packages)
        for plugin in registry.plugins:
            if plugin.slow:
                slow = ", ".join(plugin.slow)
                say(f"{plugin.owner} imports {slow} when discovered; give its hooks a module of their own")
        if not problems and not packages:
            say(f"{len(registry.plugins)} plugins work, {len(registry.disabled)} are disabled", style="green")
    return 2 if problems or packages else 0


def _targets(registry: Registry) -> Iterator[dict[str, Any]]:
    """Import what the specs name; each that fails is a problem of its owner's."""
    for name, (spec, owner) in sorted(registry.pipelines.items()):
        with isolated(owner) as outcome:
            load_pipeline(spec)
            load_config(spec)
            load_presets(spec)
            load_prediction(spec)
        yield from _problem(name, outcome)
    for name, (command, owner) in sorted(registry.commands.items()):
        with isolated(owner) as outcome:
            load_command(command)
        yield from _problem(name, outcome)
    for name, (model, owner) in sorted(registry.models.items()):
        with isolated(owner) as outcome:
            load_target(model.target)
        yield from _problem(name, outcome)
    for name, (source, owner) in sorted(registry.sources.items()):
        with isolated(owner) as outcome:
            load_source(source)
        yield from _problem(name, outcome)
    for name, (dataset, owner) in sorted(registry.datasets.items()):
        with isolated(owner) as outcome:
            load_manifest(dataset.manifest)
        yield from _problem(name, outcome)


def _problem(name: str, outcome: Isolated) -> Iterator[dict[str, Any]]:
    failure = outcome.failure
    if failure is not None:
        yield {**failure.owner.describe(), "reason": f"{name}: {failure.reason}", "details": failure.details}


def show_problems(problems: list[dict[str, Any]], packages: list[str]) -> None:
    """Each problem with its traceback."""
    for problem in problems:
        say(
            f"{problem['plugin']} ({problem['distribution']} {problem['version']}): {problem['reason']}",
            style="red",
        )
        say(problem["details"].rstrip())
    for package in packages:
        say(f"fivefold {package}; run: pip install --upgrade fivefold", style="red")


def plugins_app() -> App:
    """The command with its commands."""
    return group("plugins", {"list": list_plugins, "enable": enable, "disable": disable, "doctor": doctor})
