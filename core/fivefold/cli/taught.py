"""Commands with examples: the ``Example:`` section of a function's docstring ends its help."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cyclopts import App


def add(app: App, function: Callable[..., Any], name: str, *, example: str = "", summary: str = "") -> None:
    """Add ``function`` to ``app`` as the command ``name``.

    Args:
        app: where to.
        function: its docstring is the help; its section ``Example:`` (one command a line) is the epilogue.
        name: of the command.
        example: lines that stand in for the docstring's section.
        summary: help that stands in for the docstring's.
    """
    document = inspect.getdoc(function) or ""
    lines = (example or section(document, "Example:")).splitlines()
    epilogue = "\n".join(["Examples:", *(f"  {line.strip()}" for line in lines)]) if lines else None
    help_text = summary or without_sections(document)
    app.command(function, name=name, help=help_text, help_epilogue=epilogue)


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
    """A docstring up to its first section (a line such as ``Args:``)."""
    kept: list[str] = []
    for line in document.splitlines():
        if line.endswith(":") and line[:1].isupper() and " " not in line:
            break
        kept.append(line)
    return "\n".join(kept).strip()
