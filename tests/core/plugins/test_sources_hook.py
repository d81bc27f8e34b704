"""The hook by which plugins register sources of data elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fivefold.errors import PluginError
from fivefold.plugins import SourceSpec
from fivefold.plugins.registry import load_registry
from fivefold.plugins.targets import load_source
from stub_plugins import write_plugin


def hook(*prefixes: str, target: str = "stub_far:fetch") -> str:
    """Source of the hook that registers these prefixes."""
    specs = ", ".join(f"SourceSpec({prefix!r}, 'Far away', target={target!r})" for prefix in prefixes)
    return (
        "from fivefold.plugins import SourceSpec\n"
        f"@hookimpl\ndef fivefold_sources():\n    return [{specs}]\n"
        "def fetch(address, folder, notify):\n    return folder\n"
        "number = 3\n"
    )


def test_sources_are_registered_by_prefix_with_their_owner(site: Path) -> None:
    write_plugin(site, "far", hook("stations", "archive-2"))
    registry = load_registry()
    assert registry.broken == []
    spec, owner = registry.sources["stations"]
    assert spec == SourceSpec("stations", "Far away", target="stub_far:fetch")
    assert spec.name == "stations"
    assert owner.distribution == "fivefold-far"
    assert {"archive-2", "stations"} <= {spec.prefix for spec in registry.source_specs}
    prefixes = [spec.prefix for spec in registry.source_specs]
    assert prefixes == sorted(prefixes)


def test_what_a_source_names_is_imported_when_it_is_used(site: Path) -> None:
    (site / "stub_elsewhere.py").write_text("def fetch(address, folder, notify): ...\n", encoding="utf-8")
    write_plugin(site, "far", hook("stations", target="stub_elsewhere:fetch"))
    registry = load_registry()
    assert "stub_elsewhere" not in sys.modules
    assert load_source(registry.sources["stations"][0]).__name__ == "fetch"


def test_a_prefix_of_two_plugins_costs_the_second_and_names_both(site: Path) -> None:
    write_plugin(site, "far", hook("stations"))
    write_plugin(site, "further", hook("stations"))
    registry = load_registry()
    assert registry.sources["stations"][1].plugin == "far"
    (broken,) = registry.broken
    assert broken.reason == (
        "plugin 'further' of fivefold-further 1.0 registers the prefix 'stations', which "
        "plugin 'far' of fivefold-far 1.0 has already; uninstall one"
    )


def test_a_prefix_twice_in_one_plugin_is_refused(site: Path) -> None:
    write_plugin(site, "far", hook("stations", "stations"))
    assert "has already" in load_registry().broken[0].reason


@pytest.mark.parametrize("prefix", ["", "c", "Stations", "stations:", "a-b", "1st", "far away"])
def test_a_prefix_that_cannot_be_typed_is_refused(site: Path, prefix: str) -> None:
    write_plugin(site, "far", hook(prefix))
    (broken,) = load_registry().broken
    assert f"SourceSpec({prefix!r}) has prefix {prefix!r}; expected two lower case letters" in broken.reason


def test_a_target_that_is_none_is_refused(site: Path) -> None:
    write_plugin(site, "far", hook("stations", target="stub_far.fetch"))
    assert "expected module:function" in load_registry().broken[0].reason


def test_a_hook_that_returns_something_else_is_refused(site: Path) -> None:
    write_plugin(site, "far", "@hookimpl\ndef fivefold_sources():\n    return ['stations']\n")
    assert "a list with str; expected SourceSpec" in load_registry().broken[0].reason


def test_a_target_that_is_no_function_is_said_when_it_is_used(site: Path) -> None:
    write_plugin(site, "far", hook("stations", target="stub_far:number"))
    with pytest.raises(PluginError, match="stub_far:number is no function"):
        load_source(load_registry().sources["stations"][0])
