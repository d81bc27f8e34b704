"""Whatever a plugin does, everything else works: through the real command, one process each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.conftest import Fivefold
from stub_plugins import BROKEN, BUILT_IN, FIRST_PIPELINE, pipelines, write_plugin

Make = Callable[[Path], Fivefold]


@pytest.mark.parametrize("name", ["raises", "exits", "clash", "newer", "hook", "unknown"])
def test_one_broken_plugin_leaves_every_other_command_working(
    tmp_path: Path, stubbed: Make, name: str
) -> None:
    source, said = BROKEN[name]
    fivefold = stubbed(write_plugin(tmp_path, name, source))
    shown = fivefold("--help")
    assert FIRST_PIPELINE.replace("/", " ") in shown.stdout
    assert shown.stderr.count("\n") == 1
    assert f"fivefold-{name}" in shown.stderr
    listed = json.loads(fivefold("plugins", "list", "--json").stdout)["plugins"]
    built_in = dict.fromkeys(BUILT_IN, "enabled")
    assert {plugin["plugin"]: plugin["status"] for plugin in listed} == {**built_in, name: "broken"}
    asked = fivefold(name, "task", "train", "x", expect=2)
    assert said in asked.stderr
    assert "Traceback" not in asked.stderr


def test_all_of_them_together_cost_a_line_each(tmp_path: Path, stubbed: Make) -> None:
    for name, (source, _) in BROKEN.items():
        write_plugin(tmp_path, name, source)
    fivefold = stubbed(tmp_path)
    assert json.loads(fivefold("data", "list", "--json").stdout)["datasets"]
    assert fivefold(*FIRST_PIPELINE.split("/"), "config").stderr.count("\n") == len(BROKEN)
    doctor = fivefold("plugins", "doctor", expect=2)
    assert doctor.stderr.count("Traceback (most recent call last)") >= len(BROKEN)


def test_a_disabled_plugin_is_never_imported(tmp_path: Path, stubbed: Make) -> None:
    fivefold = stubbed(
        write_plugin(tmp_path, "quiet", "open('imported', 'w').close()\n" + pipelines("quiet/task"))
    )
    fivefold("plugins", "disable", "quiet")
    assert "quiet" not in fivefold("--help").stdout
    assert "is disabled" in fivefold("quiet", "task", "train", "x", expect=2).stderr
    fivefold("plugins", "list")
    assert not (fivefold.folder / "imported").exists()
    fivefold("plugins", "enable", "quiet")
    assert "quiet task" in fivefold("--help").stdout
    assert (fivefold.folder / "imported").exists()
