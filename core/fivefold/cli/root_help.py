"""``fivefold --help``, as plain text: answered without rich, cyclopts, pydantic or torch."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fivefold.cli.examples import train_example

if TYPE_CHECKING:
    from fivefold.plugins.registry import Registry

COMMANDS = {
    "data": "Datasets: list them, show one, fetch one, check data of your own.",
    "plugins": "Plugins: list, enable, disable, find out why one is broken.",
    "runs": "Trainings so far: list, show, compare, clean.",
    "demo": "Train, judge and use a small model in each domain, and show them side by side.",
}
"""The core's own commands, with the line that help texts show."""

OPTIONS = {
    "--help, -h": "Show help; every command has its own.",
    "--version": "Show the version.",
    "--debug": "Show tracebacks of errors; works with every command.",
    "--no-plugins": "Import no plugin; works with every command.",
}

STREAMS = """\
What people read goes to stderr (2>&1 to page or keep it); with --json a command prints one JSON object on stdout."""

ABOUT = """\
Bring your data, in your domain's own format: one command trains a model, judges it against baselines, \
explains it and predicts with it."""


def root_help(registry: Registry) -> str:
    """The text."""
    width = min(shutil.get_terminal_size().columns, 100)
    specs = [registry.pipelines[name][0] for name in sorted(registry.pipelines)]
    pipelines = {f"{spec.domain} {spec.task}": spec.summary for spec in specs}
    commands = {
        name.replace("/", " "): registry.commands[name][0].summary for name in sorted(registry.commands)
    }
    example = train_example(specs[0]) if specs else "fivefold plugins list"
    parts = [
        "Usage: fivefold COMMAND",
        textwrap.fill(ABOUT, width),
        *_block(
            "Pipelines (each has the commands train, evaluate, predict, tune, find-lr and config)",
            pipelines,
            width,
        ),
        *_block("Commands of domains", commands, width),
        *_block("Commands", COMMANDS, width),
        *_block("Options", OPTIONS, width),
        textwrap.fill(STREAMS, width),
        f"Examples:\n  {example}",
    ]
    return "\n\n".join(parts) + "\n"


def _block(title: str, entries: dict[str, str], width: int) -> Iterator[str]:
    """A titled list of two columns, or nothing where it would be empty."""
    if entries:
        column = max(len(name) for name in entries) + 4
        yield "\n".join([f"{title}:", *_rows(entries, column, width)])


def _rows(entries: dict[str, str], column: int, width: int) -> Sequence[str]:
    return [
        textwrap.fill(
            text,
            max(width, column + 20),
            initial_indent=f"  {name:<{column - 2}}",
            subsequent_indent=" " * column,
        )
        for name, text in entries.items()
    ]
