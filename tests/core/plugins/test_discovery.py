from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fivefold.errors import PluginError
from fivefold.plugins.discovery import Owner, candidates, isolated
from fivefold.plugins.registry import load_registry
from stub_plugins import BROKEN, BUILT_IN, FIRST, FIRST_PIPELINE, pipelines, write_plugin


def test_the_built_in_domain_comes_first_and_others_by_distribution(site: Path) -> None:
    write_plugin(site, "zebra", pipelines("zebra/task"), distribution="a-distribution")
    write_plugin(site, "ant", pipelines("ant/task"), distribution="z_distribution")
    found = [candidate.owner for candidate in candidates()]
    assert [owner.plugin for owner in found] == [*BUILT_IN, "zebra", "ant"]
    assert found[0].distribution == "fivefold"
    assert str(found[len(BUILT_IN)]) == "plugin 'zebra' of a-distribution 1.0"


def test_a_distribution_found_twice_on_the_path_counts_once(site: Path, tmp_path: Path, monkeypatch) -> None:
    write_plugin(site, "twin", pipelines("twin/task"), version="1.0")
    other = tmp_path / "other"
    other.mkdir()
    write_plugin(other, "twin", pipelines("twin/task"), version="2.0")
    monkeypatch.syspath_prepend(str(other))
    owners = [candidate.owner for candidate in candidates() if candidate.owner.plugin == "twin"]
    assert owners == [Owner("twin", "fivefold-twin", "2.0")]
    assert load_registry().broken == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_costs_only_itself(site: Path, name: str) -> None:
    source, said = BROKEN[name]
    write_plugin(site, name, source)
    write_plugin(site, "works", pipelines("works/task"))
    registry = load_registry()
    assert [broken.owner.plugin for broken in registry.broken] == [name]
    broken = registry.broken[0]
    assert said in broken.reason
    assert f"fivefold-{name} 1.0" in broken.reason
    assert "Traceback" in broken.details
    assert {FIRST_PIPELINE, "works/task"} <= set(registry.pipelines)
    assert f"{name}/task" not in registry.pipelines
    with pytest.raises(PluginError, match=f"'{name}' cannot be used: .*run 'fivefold plugins doctor'"):
        registry.pipeline_spec(f"{name}/task")


def test_what_a_plugin_prints_stays_off_stdout(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plugin(site, "chatty", "print('hello')\n" + pipelines("chatty/task"))
    assert "chatty/task" in load_registry().pipelines
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err


def test_ctrl_c_is_not_taken_for_a_broken_plugin(site: Path) -> None:
    write_plugin(site, "slow", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_registry()


def test_two_entry_points_of_one_name_name_both_owners(site: Path) -> None:
    write_plugin(site, FIRST, pipelines("sight/see"), distribution="other-plugin", target="")
    reason = load_registry().broken[0].reason
    assert "other-plugin" in reason
    assert f"plugin '{FIRST}' of fivefold" in reason


def test_the_later_of_two_claimants_is_refused_whole(site: Path) -> None:
    write_plugin(site, "first", pipelines("shared/task"), distribution="a")
    write_plugin(site, "second", pipelines("second/task", "shared/task"), distribution="b")
    registry = load_registry()
    assert registry.owner("shared/task").distribution == "a"
    assert "second/task" not in registry.pipelines
    assert "plugin 'second' of b 1.0 registers the command 'shared/task'" in registry.broken[0].reason
    assert "plugin 'first' of a 1.0 has already" in registry.broken[0].reason


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("dataset", "DatasetSpec('same', 'x', 'stub:x.yaml')"),
        ("model", "ModelSpec('same', 'x', 'stub:X')"),
        ("command", "CommandSpec('dom/same', 'x', 'stub:x')"),
    ],
)
def test_names_of_every_kind_clash(site: Path, kind: str, spec: str) -> None:
    for name in ("one", "two"):
        write_plugin(site, name, f"@hookimpl\ndef fivefold_{kind}s():\n    return [{spec}]\n")
    registry = load_registry()
    assert [broken.owner.plugin for broken in registry.broken] == ["two"]
    assert f"registers the {kind} '" in registry.broken[0].reason
    assert "plugin 'one' of fivefold-one 1.0" in registry.broken[0].reason


@pytest.mark.parametrize(
    ("hook", "spec", "expected"),
    [
        ("pipelines", "PipelineSpec('a/b', 'x', target='nowhere')", "expected module:Class"),
        ("pipelines", "PipelineSpec('a/b', 'x', target='m:C', config='m')", "expected module:name"),
        ("datasets", "DatasetSpec('Upper', 'x', 'p:x.yaml')", "expected lower case letters"),
        ("datasets", "DatasetSpec('ok', 'x', 'x.yaml')", "expected package:file.yaml"),
        ("models", "ModelSpec('ok', 'x', 'm:C', manifest='x')", "expected package:file.yaml"),
        ("commands", "CommandSpec('alone', 'x', 'm:f')", "expected domain/command"),
        ("commands", "CommandSpec('data/see', 'x', 'm:f')", "'data' is a command of fivefold itself"),
    ],
)
def test_names_and_targets_are_checked(site: Path, hook: str, spec: str, expected: str) -> None:
    write_plugin(site, "odd", f"@hookimpl\ndef fivefold_{hook}():\n    return [{spec}]\n")
    assert expected in load_registry().broken[0].reason


def test_isolation_notes_the_first_line_of_an_error() -> None:
    with isolated(Owner("x", "x-dist", "1")) as outcome:
        raise ValueError("first\nsecond")
    assert outcome.failure is not None
    assert outcome.failure.reason == "plugin 'x' of x-dist 1 failed with ValueError: first"


def test_slow_imports_are_noted(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Set before it is taken away, so that what stood there before, if anything did, comes back afterwards.
    monkeypatch.setitem(sys.modules, "cv2", None)
    del sys.modules["cv2"]
    (site / "cv2.py").write_text("", encoding="utf-8")
    write_plugin(site, "heavy", "import cv2\n" + pipelines("heavy/task"))
    slow = {plugin.owner.plugin: plugin.slow for plugin in load_registry().plugins}
    assert slow == {**dict.fromkeys(BUILT_IN, ()), "heavy": ("cv2",)}
