from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.cli.root_help import COMMANDS
from fivefold.plugins.registry import load_registry
from stub_plugins import BROKEN, BUILT_IN, FIRST, FIRST_PIPELINE, needs, pipelines, write_plugin

HEAVY = ("torch", "transformers", "cv2", "pandas", "numpy", "pydantic", "rich", "cyclopts")


def test_help_lists_pipelines_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for words in (FIRST_PIPELINE.replace("/", " "), "Examples:", "--no-plugins", *COMMANDS):
        assert words in captured.out
    assert main([]) == 0
    assert capsys.readouterr().out == captured.out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from fivefold.cli.main import main; main(['--help']); "
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [(*name.split("/"), verb) for name in load_registry().pipelines for verb in ("train", "predict")],
)
def test_help_of_a_verb_imports_no_torch(words: tuple[str, ...]) -> None:
    script = (
        f"import sys; from fivefold.cli.main import main; main([*{words}, '--help']); "
        "print([m for m in ('torch', 'transformers', 'tokenizers', 'cv2', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fivefold {version('fivefold')}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([FIRST[:-1]], f"unknown command '{FIRST[:-1]}'; did you mean '{FIRST}'?"),
        (
            ["--hlp"],
            f"unknown option '--hlp'; there are {', '.join(BUILT_IN)}, data, plugins, runs, demo",
        ),
    ],
)
def test_typing_errors_are_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_sentence(words, said, capsys)


@needs("vision")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vision", "clasify"], 'unknown command "clasify"; did you mean "classify"'),
        (["vision", "classify", "train"], "DATA is missing; 'fivefold vision classify train --help'"),
        (
            ["vision", "classify", "predict", "runs/x", "a.png", "--otu", "b.csv"],
            "unknown option --otu; did you mean --out?",
        ),
        (["vision", "classify", "evaluate", "a", "b", "c"], "unexpected word 'c'"),
        (
            ["vision", "classify", "config", "--epochs", "x"],
            "option --epochs: expected a value of type int, found 'x'",
        ),
        (
            ["vision", "classify", "config", "--optimizer", "sgd"],
            "expected the name of a setting behind it, found the value 'sgd'; type, for example, --optimizer.name sgd",
        ),
        (["vision", "classify", "config", "--epochs"], "option --epochs: expected a value, found none"),
        (
            ["vision", "classify", "config", "--preset", "bst"],
            "option --preset: expected quick, standard or best, found 'bst'",
        ),
        (
            ["vision", "classify", "config", "--channels", "2"],
            "option --channels: expected 1 or 3, found '2'",
        ),
    ],
)
def test_typing_errors_in_a_pipeline_are_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_sentence(words, said, capsys)


def check_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert "pydantic.dev" not in captured.err


def test_errors_under_json_are_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "info", "nowhere", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["kind"] == "DataError"
    assert "no dataset 'nowhere'" in captured.err


def test_a_broken_plugin_costs_a_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plugin(site, "raises", BROKEN["raises"][0])
    assert main(["--help"]) == 0
    captured = capsys.readouterr()
    warning = "warning: plugin 'raises' of fivefold-raises 1.0 is left out because it is broken; "
    assert captured.err == f"{warning}run 'fivefold plugins doctor'\n"
    assert FIRST_PIPELINE.replace("/", " ") in captured.out
    assert main(["raises", "task", "train", "x"]) == 2
    assert (
        "'raises' cannot be used: plugin 'raises' of fivefold-raises 1.0 failed with RuntimeError"
        in capsys.readouterr().err
    )


def test_no_plugins_means_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-plugins", "--help"]) == 0
    out = capsys.readouterr().out
    assert FIRST_PIPELINE.replace("/", " ") not in out
    assert "fivefold plugins list" in out
    assert main([*FIRST_PIPELINE.split("/"), "config", "--no-plugins"]) == 2
    assert "plugins are switched off for this command" in capsys.readouterr().err


COMMAND = """
import sys

@hookimpl
def fivefold_commands():
    say = CommandSpec("stub/say", "Says it.", "stub_stub:say")
    return [say, CommandSpec("stub/fail", "Fails.", "stub_stub:fail")]

def say(word: str, *, loud: bool = False) -> None:
    \"\"\"Say a word.

    Args:
        word: what to say.

    Example:
        fivefold stub say hello
    \"\"\"
    sys.stdout.write(word.upper() if loud else word)

def fail(kind: str) -> None:
    raise KeyboardInterrupt if kind == "ctrl-c" else ValueError("first line\\nsecond line")
"""


def test_commands_of_a_domain_stand_beside_its_pipelines(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plugin(site, "stub", COMMAND + pipelines("stub/task"))
    assert main(["stub", "say", "hello", "--loud"]) == 0
    assert capsys.readouterr().out == "HELLO"
    assert main(["stub", "--help"]) == 0
    out = capsys.readouterr().out
    assert "Says it." in out
    assert "A stub" in out
    assert main(["stub", "say", "--help"]) == 0
    out = capsys.readouterr().out
    assert "what to say" in out
    assert out.endswith("Examples:\n  fivefold stub say hello\n")
    assert main(["--help"]) == 0
    assert "stub say" in capsys.readouterr().out


def test_unexpected_errors_are_one_line_without_debug(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plugin(site, "stub", COMMAND)
    assert main(["stub", "fail", "x"]) == 1
    err = capsys.readouterr().err
    assert (
        err == "error: unexpected error (ValueError: first line); run again with --debug for the traceback\n"
    )
    with pytest.raises(ValueError, match="first line"):
        main(["stub", "--debug", "fail", "x"])
    assert main(["stub", "fail", "ctrl-c"]) == 130


def test_a_reader_that_has_gone_is_no_error() -> None:
    words = [*FIRST_PIPELINE.split("/"), "config", "--schema"]
    script = f"import sys; from fivefold.__main__ import main; sys.exit(main({words}))"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_user_errors_show_their_traceback_under_debug() -> None:
    from fivefold.errors import RunError

    with pytest.raises(RunError, match="no such run directory"):
        main(["runs", "show", "nowhere", "--debug"])


def test_flags_behind_two_dashes_are_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "info", "--", "--debug"]) == 2
    assert "no dataset '--debug'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "words"), [("cyclopts", ["runs", "list"]), ("torch", ["data", "check", "digits"])]
)
def test_a_package_that_is_gone_is_named(package: str, words: list[str]) -> None:
    hide = f"import sys; sys.modules[{package!r}] = None; "
    script = f"{hide}from fivefold.cli.main import main; sys.exit(main({words}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"needs the package '{package}', which is not installed" in done.stderr.splitlines()[-1]
