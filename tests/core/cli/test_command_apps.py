"""Domain commands that have commands of their own: a target may be a ``cyclopts.App``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.plugins.spec import CommandSpec
from fivefold.plugins.targets import load_command
from stub_plugins import pipelines, write_plugin

PLUGIN = """
@hookimpl
def fivefold_commands():
    return [
        CommandSpec("stub/tools", "Tools of the stub.", "stub_tools:app"),
        CommandSpec("stub/broken", "Cannot be imported.", "stub_broken:app"),
        CommandSpec("stub/lost", "Is not there.", "stub_tools:lost"),
        CommandSpec("stub/number", "Is no command.", "stub_tools:NUMBER"),
    ]
"""

TOOLS = '''
import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter
from pydantic import BaseModel, Field

from fivefold.cli.taught import add
from fivefold.errors import DataError

NUMBER = 3
app = App(name="tools", help="Tools, at length.", help_epilogue="Examples:\\n  fivefold stub tools count a")


def count(words: str, /, *, times: int = 1, way: Literal["up", "down"] = "up") -> int:
    """Count the letters.

    Args:
        words: what to count.
        times: how often.
        way: which way.

    Example:
        fivefold stub tools count hello
    """
    if words == "none":
        raise DataError("none: expected letters, found none; give some")
    sys.stdout.write(f"{len(words) * times} {way}")
    return 2 if words == "bad" else 0


def say(word: str) -> None:
    """Say it."""
    sys.stdout.write(word)


def defect() -> None:
    """Has one."""
    raise ValueError("first line\\nsecond line")


inner = App(name="inner", help="A level more.")
add(inner, say, "say")
add(app, count, "count")
add(app, defect, "defect")
app.command(inner)
'''


@pytest.fixture(autouse=True)
def stub(site: Path) -> None:
    write_plugin(site, "stub", PLUGIN + pipelines("stub/task"))
    (site / "stub_tools.py").write_text(TOOLS, encoding="utf-8")
    (site / "stub_broken.py").write_text("raise RuntimeError('no licence found')\n", encoding="utf-8")


def out_of(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def error_of(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    assert main(list(words)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_its_commands_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert out_of(capsys, "stub", "tools", "count", "hello", "--times", "3") == "15 up"
    assert out_of(capsys, "stub", "tools", "inner", "say", "hello") == "hello"


def test_the_exit_code_is_the_command_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert out_of(capsys, "stub", "tools", "count", "bad", code=2) == "3 up"
    assert out_of(capsys, "stub", "tools", "count", "good", code=0) == "4 up"


def test_help_of_the_domain_lists_it_beside_the_pipelines(capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "stub", "--help")
    for words in ("tools", "Tools of the stub.", "A stub", "Cannot be imported.", "Is no command."):
        assert words in out
    assert "Tools, at length." not in out  # it was not imported


@pytest.mark.parametrize("words", [("stub", "tools", "--help"), ("stub", "tools")])
def test_help_of_the_command_lists_its_commands(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    out = out_of(capsys, *words)
    assert out.startswith("Usage: fivefold stub tools COMMAND")
    for text in ("Tools, at length.", "count", "Count the letters.", "inner", "A level more."):
        assert text in out
    assert out.rstrip().endswith("Examples:\n  fivefold stub tools count a")


def test_help_of_a_command_within(capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "stub", "tools", "count", "--help")
    assert out.startswith("Usage: fivefold stub tools count")
    for text in ("Count the letters.", "what to count", "how often", "up, down"):
        assert text in out
    assert out.rstrip().endswith("Examples:\n  fivefold stub tools count hello")
    assert "A level more." in out_of(capsys, "stub", "tools", "inner", "--help")
    assert "Say it." in out_of(capsys, "stub", "tools", "inner", "say", "--help")


def test_root_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "--help")
    assert "stub tools" in out
    assert "Tools of the stub." in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("count",),
            "WORDS is missing; 'fivefold stub tools count --help' shows what it takes",
        ),
        (("count", "a", "--tims", "3"), "unknown option --tims; did you mean --times?"),
        (("count", "a", "--times", "x"), "option --times: expected a value of type int, found 'x'"),
        (("count", "a", "--way", "left"), "option --way: expected up or down, found 'left'"),
        (("count", "a", "b"), "unexpected word 'b'; 'fivefold stub tools count --help'"),
        (("cont", "a"), 'unknown command "cont"; did you mean "count"'),
        (("count", "none"), "error: none: expected letters, found none; give some\n"),
        (("inner", "say"), "WORD is missing; 'fivefold stub tools inner say --help'"),
    ],
)
def test_errors_are_one_sentence(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in error_of(capsys, "stub", "tools", *words)


def test_a_defect_is_one_line_without_debug(capsys: pytest.CaptureFixture[str]) -> None:
    assert "unexpected error (ValueError: first line); run again with --debug" in error_of(
        capsys, "stub", "tools", "defect", code=1
    )
    with pytest.raises(ValueError, match="first line"):
        main(["stub", "tools", "defect", "--debug"])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("broken", "stub_broken: importing stub_broken failed with RuntimeError: no licence found"),
        ("lost", "stub_tools has no 'lost', which target 'stub_tools:lost' names"),
        ("number", "stub_tools:NUMBER is no function"),
    ],
)
def test_a_broken_target_costs_only_its_own_command(
    command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ((), ("--help",), ("anything",)):
        assert said in error_of(capsys, "stub", command, *words)
    assert out_of(capsys, "stub", "tools", "count", "hello") == "5 up"
    assert "Tools of the stub." in out_of(capsys, "stub", "--help")


def test_nothing_is_imported_for_help_above_it(site: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r}); from fivefold.cli.main import main; "
        "main(['stub', '--help']); main(['--help']); "
        "print([m for m in ('stub_tools', 'stub_broken', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""


def test_errors_under_json_are_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stub", "tools", "count", "none", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["message"].startswith("unknown option --json")


def test_an_app_is_loaded_as_it_is() -> None:
    import stub_tools

    assert load_command(CommandSpec("stub/tools", "", "stub_tools:app")) is stub_tools.app
