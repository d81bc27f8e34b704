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

_CLOSER = re.compile(r"\b(column|row|line)s?\b")


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
    """Those first that got as far as a row or column, and of these the ones that say of what they found.

    A pipeline that reads anything it is told to, such as any file as text, comes last: it says nothing of the data.
    """
    found = _words_of(path)

    def distance(miss: Miss) -> tuple[bool, bool, bool, int]:
        _, _, told = miss.reason.rpartition(" found ")
        named = sum(word in told for word in found)
        far = "of another kind" in told or _CLOSER.search(_expected(miss.reason)) is None
        return not miss.reason, far, "row" not in miss.reason and not named, -named

    return tuple(sorted(misses, key=distance))


def in_a_line(miss: Miss, path: Path) -> str:
    """``nlp/sentiment: expected a column 'text', found Satz;Sprache; ...``: without the path, and not too long."""
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
