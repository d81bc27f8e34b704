"""Why pipelines do not recognise data, the nearest miss first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fivefold.errors import FivefoldError
from fivefold.pipeline import Pipeline

LONGEST = 110
"""Characters of what was expected that a line shows."""

_BEGINNING = 4096
_NAMES = 50
_REACHED = re.compile(r"\b(column|row|line)s?\b")


@dataclass(frozen=True)
class Miss:
    """A pipeline that does not recognise the data.

    Attributes:
        pipeline: its name.
        reason: what it looked for and what it found; empty where it reads them when it is told to.
    """

    pipeline: str
    reason: str


def why_not(pipeline: Pipeline, path: Path) -> str:
    """What reading ``path`` fails on; empty where it does not."""
    try:
        pipeline.read(path)
    except FivefoldError as error:
        return str(error)
    return ""


def nearest_first(misses: Sequence[Miss], path: Path) -> tuple[Miss, ...]:
    """Those first that look for most of the words that stand at the beginning of the data.

    Of equal ones those that got as far as a column or row; and last a pipeline that reads anything it is told to,
    such as any file as text, which says nothing of the data.
    """
    there = _words_at_the_beginning(path)

    def distance(miss: Miss) -> tuple[bool, int, bool]:
        wanted = set(_words(miss.reason.replace(_found(miss.reason), "")))
        return not miss.reason, -len(wanted & there), _REACHED.search(_expected(miss.reason)) is None

    return tuple(sorted(misses, key=distance))


def in_a_line(miss: Miss, path: Path) -> str:
    """``domain/task: expected a column 'text', found Satz;Sprache; ...``: without the path, and not too long."""
    if not miss.reason:
        return f"{miss.pipeline}: reads it where it is told to, but nothing in it speaks for that"
    reason = miss.reason.removeprefix(str(path)).lstrip(":, ")
    expected = _expected(reason)
    if len(expected) > LONGEST:
        reason = f"{expected[:LONGEST].rpartition(' ')[0]} ...{reason.removeprefix(expected)}"
    return f"{miss.pipeline}: {reason}"


def _expected(reason: str) -> str:
    """A sentence up to what was found."""
    return reason.rpartition(" found ")[0]


def _found(reason: str) -> str:
    """What a sentence says was found, without the advice after it."""
    return reason.rpartition(" found ")[2].partition("; ")[0]


def _words_at_the_beginning(path: Path) -> set[str]:
    """Words of a file's first line, or of the names in a folder."""
    try:
        if path.is_dir():
            names = sorted(entry.name for entry in path.iterdir())
            return set(_words(" ".join(names[:_NAMES])))
        with path.open("rb") as file:
            return set(_words(file.read(_BEGINNING).partition(b"\n")[0].decode("utf-8", errors="replace")))
    except OSError:
        return set()


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z][a-z0-9]+", text.lower())
