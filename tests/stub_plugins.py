"""Plugins as pip would leave them: a module and a ``.dist-info`` folder in a folder of Python's path."""

from __future__ import annotations

import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

BUILT_IN = tuple(sorted(PROJECT["entry-points"]["fivefold.plugins"]))
"""Plugins of this distribution, in the order in which they are found."""

FIRST = BUILT_IN[0]
"""A plugin that is there, whichever were taken out of pyproject.toml."""

FIRST_PIPELINE: str = import_module(f"fivefold_{FIRST}.plugin").fivefold_pipelines()[0].name
"""A pipeline of it."""

HEAD = "from fivefold.plugins import CommandSpec, DatasetSpec, ModelSpec, PipelineSpec, hookimpl\n"


def needs(plugin: str) -> pytest.MarkDecorator:
    """Skips a test whose subject is a plugin of this distribution, where that was taken out of pyproject.toml."""
    return pytest.mark.skipif(
        plugin not in BUILT_IN, reason=f"needs the plugin {plugin}, which was taken out"
    )


def write_plugin(
    folder: Path, name: str, source: str, *, distribution: str = "", version: str = "1.0", target: str = ""
) -> Path:
    """Install a plugin into ``folder``; its module is ``stub_<name>`` unless ``target`` names another."""
    distribution = distribution or f"fivefold-{name}"
    module = target or f"stub_{name.replace('-', '_')}"
    if not target:
        (folder / f"{module}.py").write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
    )
    entry_points = info / "entry_points.txt"
    before = entry_points.read_text(encoding="utf-8") if entry_points.exists() else "[fivefold.plugins]\n"
    entry_points.write_text(f"{before}{name} = {module}\n", encoding="utf-8")
    return folder


def pipelines(*names: str) -> str:
    """Source of the hook that registers pipelines of these names."""
    specs = ", ".join(f"PipelineSpec({name!r}, 'A stub', target='stub_pipelines:Stub')" for name in names)
    return f"@hookimpl\ndef fivefold_pipelines():\n    return [{specs}]\n"


BROKEN = {
    "raises": ("raise RuntimeError('no licence found')\n", "RuntimeError: no licence found"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit"),
    "missing": ("import a_package_that_is_not_there\n", "ModuleNotFoundError"),
    "newer": ("FIVEFOLD_CONTRACT = 2\n" + pipelines("newer/task"), "upgrade fivefold"),
    "older": ("FIVEFOLD_CONTRACT = 0\n" + pipelines("older/task"), "pip install --upgrade fivefold-older"),
    "odd": ("FIVEFOLD_CONTRACT = '1.0'\n", "expected an integer"),
    "hook": (
        "@hookimpl\ndef fivefold_pipelines():\n    raise ValueError('bad table')\n",
        "ValueError: bad table",
    ),
    "unknown": ("@hookimpl\ndef fivefold_pipelins():\n    return []\n", "fivefold_pipelins"),
    "unmarked": ("def fivefold_pipelines():\n    return []\n", "lacks the mark @hookimpl"),
    "arguments": (
        "@hookimpl\ndef fivefold_pipelines(registry):\n    return []\n",
        "does not keep to the contract",
    ),
    "values": ("@hookimpl\ndef fivefold_pipelines():\n    return ['values/task']\n", "a list with str"),
    "nolist": ("@hookimpl\ndef fivefold_datasets():\n    return 3\n", "returned int"),
    "names": (pipelines("Names/Task"), "expected domain/task"),
    "domain": (pipelines("runs/task"), "'runs' is a command of fivefold itself"),
    "twice": (pipelines("twice/task", "twice/task"), "has already"),
    "clash": (pipelines(FIRST_PIPELINE), f"plugin '{FIRST}' of fivefold"),
}
"""Name to a plugin's source and what the reason must say."""
