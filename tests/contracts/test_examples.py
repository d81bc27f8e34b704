"""Every command's help ends in examples, and every example runs as it is written."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from cyclopts import App

from fivefold.cli.main import main
from fivefold.plugins.registry import load_registry
from fivefold.plugins.targets import load_command

VERBS = ("train", "evaluate", "predict", "tune", "find-lr", "config")
CORE = [
    "",  # which leaves the run that the commands of runs look at
    "data",
    "data list",
    "data info",
    "data get",
    "data check",
    "plugins",
    "plugins list",
    "plugins doctor",
    "plugins disable",
    "plugins enable",
    "runs",
    "runs list",
    "runs show",
    "runs compare",
    "demo",
]
ELSEWHERE = {
    "core": "fivefold demo",
    "driving/simulate": "fivefold driving simulate cologne1 tracks/ --seconds 300",
}
"""Of each group what takes minutes and a download, or a program of another extra; they have tests of their own."""
REFUSED = {"vision/generate": "fivefold vision generate find-lr fashion-sample --steps 40 --out runs/find-lr"}
"""A search that serves tasks of one phase says so of a GAN."""


def groups() -> dict[str, list[str]]:
    """Commands by what they are about; of a group each may look at the runs that those before it leave."""
    registry = load_registry()
    found: dict[str, list[str]] = {}
    for name in sorted(registry.pipelines):
        domain, _, task = name.partition("/")
        found[name] = [domain, f"{domain} {task}", *(f"{domain} {task} {verb}" for verb in VERBS)]
    for spec, _ in registry.commands.values():
        own = load_command(spec)
        words = spec.name.replace("/", " ")
        inner = [name for name in own if not name.startswith("-")] if isinstance(own, App) else []
        found[spec.name] = [words, *(f"{words} {name}" for name in inner)]
    return found | {"core": CORE}


def examples(command: str) -> list[str]:
    """The examples at the end of a command's help."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert main([*command.split(), "--help"]) == 0
    _, found, below = text.getvalue().rpartition("Examples:\n")
    assert found, f"fivefold {command} --help has no examples"
    whole = re.sub(r"\s*\\\n\s*", " ", below)
    return [line.strip() for line in whole.splitlines() if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize("group", groups())
def test_every_example_runs_as_written(group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    shown = dict.fromkeys(line for command in groups()[group] for line in examples(command))
    elsewhere, refused = ELSEWHERE.get(group), REFUSED.get(group)
    assert {elsewhere, refused} - {None} <= shown.keys()
    for line in shown:
        words = shlex.split(line)
        assert words[0] == "fivefold"
        if line != elsewhere:
            assert main(words[1:]) == (2 if line == refused else 0), line
    assert not any("RUN" in line or "DATASET" in line for line in shown)
