"""Commands with examples: the ``Example:`` section of a function's docstring ends its help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cyclopts import App

from fivefold.cli.root_help import COMMANDS
from fivefold.cli.specimens import with_specimens

_WIDTH = 76  # columns, with room for the backslash


def add(app: App, function: Callable[..., Any], name: str, *, example: str = "", summary: str = "") -> None:
    """Add ``function`` to ``app`` as the command ``name``.

    Args:
        app: where to.
        function: its docstring is the help; its section ``Example:`` (one command a line) is the epilogue, with what
            is installed in place of PLUGIN, PIPELINE, DATASET and RUN.
        name: of the command.
        example: lines that stand in for the docstring's section.
        summary: help that stands in for the docstring's.
    """
    document = inspect.getdoc(function) or ""
    epilogue = examples(with_specimens(example or section(document, "Example:")).splitlines())
    help_text = summary or without_sections(document)
    app.command(function, name=name, help=help_text, help_epilogue=epilogue)


def group(name: str, commands: Mapping[str, Callable[..., Any]]) -> App:
    """One of the core's commands that have commands of their own, the first of which lists what there is."""
    app = App(name=name, help=COMMANDS[name], help_epilogue=examples([f"fivefold {name} list"]))
    for command, function in commands.items():
        add(app, function, command)
    return app


def examples(lines: Sequence[str]) -> str | None:
    """The end of a help text that shows commands; None where there are none."""
    return "\n".join(["Examples:", *(folded(line.strip()) for line in lines)]) if lines else None


def folded(command: str) -> str:
    """A command, indented; one too long for a line of 80 goes on in the next, as shells read it."""
    line, rest = f"  {command}", ""
    while len(line) > _WIDTH and " --" in line:
        line, _, last = line.rpartition(" --")
        rest = f" --{last}{rest}"
    return f"{line} \\\n     {rest}" if rest else line


def section(document: str, title: str) -> str:
    """The indented lines below ``title`` in a docstring."""
    found: list[str] = []
    inside = False
    for line in document.splitlines():
        if inside and line.strip() and not line.startswith(" "):
            break
        if inside and line.strip():
            found.append(line.strip())
        inside = inside or line.strip() == title
    return "\n".join(found)


def without_sections(document: str) -> str:
    """A docstring up to its first section (a line such as ``Args:``), each paragraph in one line."""
    kept: list[str] = []
    for line in document.splitlines():
        if line.endswith(":") and line[:1].isupper() and " " not in line:
            break
        kept.append(line)
    paragraphs = "\n".join(kept).strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
