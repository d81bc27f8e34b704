"""Every command's help ends in examples, and every example runs as it is written."""

from __future__ import annotations

import contextlib
import io
import shlex
from pathlib import Path

import pytest
from cyclopts import App

from fivefold.cli.main import main
from fivefold.plugins.registry import load_registry
from fivefold.plugins.targets import load_command

CORE = [
    "",
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
ELSEWHERE = {"fivefold demo", "fivefold driving simulate cologne1 tracks/ --seconds 300"}
"""Takes minutes and a download, or a program of another extra; they have tests of their own."""
REFUSED = "fivefold vision generate find-lr "
"""A search that serves tasks of one phase says so of a GAN."""


def commands() -> list[str]:
    """Every command there is: pipelines first, because others look at the runs that they leave."""
    found = []
    for name in sorted(load_registry().pipelines):
        domain, _, task = name.partition("/")
        found += [
            domain,
            f"{domain} {task}",
            *(
                f"{domain} {task} {verb}"
                for verb in ("train", "evaluate", "predict", "tune", "find-lr", "config")
            ),
        ]
    for spec, _ in load_registry().commands.values():
        own = load_command(spec)
        words = spec.name.replace("/", " ")
        inner = [name for name in own if not name.startswith("-")] if isinstance(own, App) else []
        found += [words, *(f"{words} {name}" for name in inner)]
    return found + CORE


def examples(command: str) -> list[str]:
    """The examples at the end of a command's help."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert main([*command.split(), "--help"]) == 0
    _, found, below = text.getvalue().rpartition("Examples:\n")
    assert found, f"fivefold {command} --help has no examples"
    return [line.strip() for line in below.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.slow
def test_every_example_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    lines = dict.fromkeys(line for command in commands() for line in examples(command))
    assert set(lines) >= ELSEWHERE
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "fivefold"
        if line not in ELSEWHERE:
            assert main(words[1:]) == (2 if line.startswith(REFUSED) else 0), line
