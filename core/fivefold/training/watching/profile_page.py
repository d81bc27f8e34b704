"""``summary.html`` and ``summary.json`` of a profile: one page that needs no other file, and its numbers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from fivefold.files import write_json, write_text
from fivefold.training.watching.memory import in_words
from fivefold.training.watching.profile_summary import PARTS, Summary

FORMAT = 1
"""Version of the layout of ``summary.json``."""


def write_summary(summary: Summary, directory: Path) -> None:
    """Write both files into ``directory``, each whole or not at all."""
    write_json(directory / "summary.json", {"format": FORMAT, **asdict(summary)})
    write_text(directory / "summary.html", render(summary))


def describe_profile(directory: Path) -> str | None:
    """Where the page in ``directory`` is and what it advises, in a line; None where there is none."""
    file = directory / "summary.json"
    if not file.is_file():
        return None
    advice = json.loads(file.read_text(encoding="utf-8"))["advice"]
    return f"Profile: {directory / 'summary.html'} ({advice.removesuffix('.')})"


def render(summary: Summary) -> str:
    """The page as HTML: it loads nothing and runs no script."""
    from jinja2 import (  # noqa: PLC0415 - needed for pages only
        ChoiceLoader,
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(
        # The page wears the style of the report.
        loader=ChoiceLoader(
            [PackageLoader("fivefold.training.watching"), PackageLoader("fivefold.evaluation")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = [
        (part, f"{summary.shares[part] * summary.milliseconds:.3f}", f"{100 * summary.shares[part]:.1f}")
        for part in PARTS
    ]
    operators = [
        (one.name, f"{one.milliseconds:.3f}", f"{one.calls:.1f}", f"{100 * one.share:.1f} %")
        for one in summary.operators
    ]
    memory = "not known" if summary.memory_bytes is None else in_words(summary.memory_bytes)
    return environment.get_template("profile.html.j2").render(
        summary=summary, parts=parts, operators=operators, memory=memory
    )
